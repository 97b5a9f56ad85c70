import { useEffect, useState } from 'preact/hooks';
import type { TransformedPictures } from '../../src/studio/api.js';
import { href } from '../route.js';
import { apiAddress, useServer } from '../server.js';
import { t } from '../texts/index.js';
import { CommandLine } from './command.js';
import { Problem } from './notice.js';
import { Scroll } from './scroll.js';

const pauseMs = 300;
const versions = 6;
/** Transforms that suit most pictures, with usual values. */
const usual = [
  'RandomHorizontalFlip',
  'RandomVerticalFlip',
  'RandomRotation(15)',
  'RandomAffine(10,scale=[0.8,1.2])',
  'ColorJitter(brightness=0.3,contrast=0.3)',
  'RandomErasing',
];

interface TransformsProps {
  readonly data: string;
  /** Number of the picture among all of the data. */
  readonly picture: number;
  readonly total: number;
  readonly onPicture: (picture: number) => void;
}

/** The transforms of a training, tried on a picture as they are written. */
export function Transforms({ data, picture, total, onPicture }: TransformsProps) {
  const [text, setText] = useState('RandomHorizontalFlip,RandomRotation(15)');
  const [transforms, setTransforms] = useState(text);
  const [seed, setSeed] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setTransforms(text.trim()), pauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  const found = useServer<TransformedPictures>(
    apiAddress('data/transformed', { data, picture, transforms, versions, seed }),
  );
  const [last, setLast] = useState<TransformedPictures | null>(null);
  // The versions stay while others are made, and while the text is not complete.
  useEffect(() => {
    if (found.data !== null) setLast(found.data);
  }, [found.data]);
  const shown = found.data ?? last;
  const add = (one: string) => setText(text.trim() === '' ? one : `${text.trim()},${one}`);
  const given = transforms === '' ? [] : ['--transforms', transforms, '--versions', String(versions)];
  return (
    <section>
      <h2>{t('data.transforms')}</h2>
      <p class="hint">{t('data.transformsLead')}</p>
      <div class="fields">
        <label class="wide">
          {t('data.transformsList')}
          <input value={text} spellcheck={false} onInput={({ currentTarget }) => setText(currentTarget.value)} />
        </label>
        <label>
          {t('data.picture')}
          <input
            type="number"
            min={0}
            max={total - 1}
            value={picture}
            onChange={({ currentTarget: { valueAsNumber: n } }) =>
              onPicture(Math.min(Math.max(0, Math.round(n) || 0), total - 1))
            }
          />
        </label>
      </div>
      <p class="actions">
        {usual.map((one) => (
          <button key={one} type="button" onClick={() => add(one)}>
            + {one.replace(/\(.*/, '')}
          </button>
        ))}
        <button type="button" onClick={() => setSeed(seed + 1)}>
          {t('data.again')}
        </button>
      </p>
      <div role="status">{found.error !== null && <Problem error={found.error} />}</div>
      {shown !== null && (
        <Scroll label={t('data.transforms')}>
          <div class="strip">
            <figure class="own">
              <img src={shown.plain} alt={t('data.plain')} />
              <figcaption>
                {t('data.plain')}
                {shown.size !== null && ` (${t('data.fileSize', { width: shown.size[0], height: shown.size[1] })})`}
              </figcaption>
            </figure>
            {shown.changed.map((address, i) => (
              <figure key={address}>
                <img src={address} alt={t('data.version', { n: i + 1 })} />
                <figcaption>{t('data.version', { n: i + 1 })}</figcaption>
              </figure>
            ))}
          </div>
        </Scroll>
      )}
      <a class="button" href={href('train', { data, transforms })}>
        {t('data.trainTransformed')}
      </a>
      <CommandLine words={['fovea', 'data', 'show', data, ...given, '--seed', String(seed)]} />
    </section>
  );
}
