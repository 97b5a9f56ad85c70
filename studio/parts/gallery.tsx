import { useEffect, useState } from 'preact/hooks';
import type { EvaluationView, SampleList, SampleView } from '../../src/studio/api.js';
import { apiAddress, useServer } from '../server.js';
import { t } from '../texts/index.js';
import { percent } from './format.js';
import { Loading, Problem } from './notice.js';
import { PictureDetail } from './pictureDetail.js';

/** Predictions of a run for a part of its data. */
export interface Place {
  readonly run: string;
  readonly part: string;
  readonly threshold: number | null;
}

/** The pictures that are asked for. */
export interface Wanted {
  readonly title: string;
  readonly filter: {
    readonly label?: number;
    readonly predicted?: number;
    readonly low?: number;
    readonly high?: number;
    readonly wrong?: 'true';
  };
}

interface GalleryProps {
  readonly at: Place;
  readonly view: EvaluationView;
  readonly wanted: Wanted;
  readonly onAll: () => void;
}

const page = 60;

/** The pictures behind a number. */
export function Gallery({ at, view, wanted, onAll }: GalleryProps) {
  const [most, setMost] = useState(page);
  const [open, setOpen] = useState<number | null>(null);
  useEffect(() => setMost(page), [wanted]);
  const { data, error, reload } = useServer<SampleList>(
    apiAddress('evaluation/samples', { ...at, ...wanted.filter, most }),
  );
  return (
    <section id="pictures">
      <h2>{t('evaluate.pictures')}</h2>
      <p class="actions">
        <strong>{wanted.title}</strong>
        {wanted.filter.wrong === undefined && (
          <button type="button" onClick={onAll}>
            {t('evaluate.all')}
          </button>
        )}
      </p>
      {error !== null && <Problem error={error} retry={reload} />}
      {data === null && error === null && <Loading />}
      {data?.total === 0 && <p class="empty">{t('evaluate.nothing')}</p>}
      <ul class="gallery">
        {data?.samples.map((sample) => (
          <li key={sample.sample}>
            <button type="button" onClick={() => setOpen(sample.sample)}>
              <Thumbnail at={at} sample={sample} />
              <small>{t('evaluate.truth', { label: sample.label })}</small>
              <small class={sample.label === sample.predicted ? '' : 'bad'}>
                {t('evaluate.taken', { predicted: sample.predicted, probability: percent(sample.probability, 1) })}
              </small>
            </button>
          </li>
        ))}
      </ul>
      {data !== null && data.total > data.samples.length && most < 500 && (
        <button type="button" onClick={() => setMost(Math.min(500, most + 2 * page))}>
          {t('evaluate.more', { n: data.total })}
        </button>
      )}
      {open !== null && <PictureDetail at={at} sample={open} view={view} onClose={() => setOpen(null)} />}
    </section>
  );
}

/** A small picture, or words in its place if it cannot be read. */
function Thumbnail({ at: { run, part }, sample }: { readonly at: Place; readonly sample: SampleView }) {
  const [failed, setFailed] = useState(false);
  if (failed) return <span class="unreadable">{t('evaluate.unreadable')}</span>;
  return (
    <img
      src={apiAddress('evaluation/picture', { run, part, sample: sample.sample, size: 160 })}
      alt={sample.file}
      loading="lazy"
      decoding="async"
      onError={() => setFailed(true)}
    />
  );
}
