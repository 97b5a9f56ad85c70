import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Pad } from '../../page/pad.js';
import type { Answer } from '../../src/studio/featuresApi.js';
import { CommandLine } from '../parts/command.js';
import { percent } from '../parts/format.js';
import { Problem } from '../parts/notice.js';
import { type Ask, base64Of, Camera, Files } from '../parts/pictureSources.js';
import { RunChoice } from '../parts/runChoice.js';
import { ServerError, send } from '../server.js';
import { t } from '../texts/index.js';
import type { PageProps } from './index.js';

/** Answers that stay on the page. */
const mostAnswers = 12;

/** Pictures of the user's, a camera, or a digit written by hand: the answer, its explanation and its time. */
export default function TryPage({ parameters: { run } }: PageProps) {
  const [answers, setAnswers] = useState<readonly Answer[]>([]);
  const [error, setError] = useState<ServerError | null>(null);
  const ask = async (name: string, blob: Blob) => {
    setError(null);
    try {
      const answer = await send<Answer>('try', { run, name, picture: await base64Of(blob) });
      setAnswers((before) => [answer, ...before.filter((one) => one.name !== name)].slice(0, mostAnswers));
    } catch (failure) {
      setError(failure instanceof ServerError ? failure : new ServerError('internal', String(failure)));
    }
  };
  return (
    <>
      <h1>{t('try.title')}</h1>
      <p class="lead">{t('try.lead')}</p>
      <RunChoice page="try" run={run} />
      {run !== undefined && (
        <>
          <div class="inputs">
            <Files ask={ask} />
            <Handwriting ask={ask} />
            <Camera ask={ask} />
          </div>
          {error !== null && <Problem error={error} />}
          <div role="status" class="answers">
            {answers.map((answer) => (
              <AnswerCard key={answer.name} answer={answer} />
            ))}
          </div>
          <CommandLine words={['fovea', 'predict', run, 'PICTURE']} />
        </>
      )}
    </>
  );
}

function Handwriting({ ask }: { readonly ask: Ask }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pad = useRef<Pad | null>(null);
  const [empty, setEmpty] = useState(true);
  // Before the browser paints: strokes count from the first moment on.
  useLayoutEffect(() => {
    if (canvas.current !== null) pad.current ??= new Pad(canvas.current, (picture) => setEmpty(picture === null));
  }, []);
  const send = () => canvas.current?.toBlob((blob) => blob !== null && void ask(t('try.digit'), blob), 'image/png');
  return (
    <section class="card" aria-label={t('try.write')}>
      <h2>{t('try.write')}</h2>
      <canvas ref={canvas} class="pad" width={280} height={280} tabIndex={0} role="img" aria-label={t('try.padHelp')} />
      <p class="hint">{t('try.padHelp')}</p>
      <p class="actions">
        <button type="button" class="primary" disabled={empty} onClick={send}>
          {t('try.ask')}
        </button>
        <button type="button" disabled={empty} onClick={() => pad.current?.clear()}>
          {t('try.clear')}
        </button>
      </p>
    </section>
  );
}

function AnswerCard({ answer }: { readonly answer: Answer }) {
  const { name, classes, milliseconds, note, explained, layer, picture, overlay } = answer;
  return (
    <article class="card answer">
      <h2>
        {classes[0].name} <span class="hint">{name}</span>
      </h2>
      <div class="strip">
        <figure>
          <img class="pixels" src={picture} alt={t('try.seen', { name })} />
          <figcaption>{t('try.input')}</figcaption>
        </figure>
        <figure>
          <img class="pixels" src={overlay} alt={t('try.placesFor', { class: explained })} />
          <figcaption>{t('try.placesFor', { class: explained })}</figcaption>
        </figure>
      </div>
      <table>
        <tbody>
          {classes.map((one) => (
            <tr key={one.name}>
              <th scope="row">{one.name}</th>
              <td class="number">{percent(one.probability, 1)}</td>
              <td>
                <meter aria-label={one.name} min={0} max={1} value={one.probability} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint">{t('try.time', { ms: milliseconds.toFixed(1), layer: layer ?? '–' })}</p>
      {note !== '' && <p class="hint">{t('try.note', { note })}</p>}
    </article>
  );
}
