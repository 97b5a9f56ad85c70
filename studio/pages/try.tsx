import { useEffect, useRef, useState } from 'preact/hooks';
import { Pad } from '../../page/pad.js';
import type { Answer } from '../../src/studio/featuresApi.js';
import { CommandLine } from '../parts/command.js';
import { percent } from '../parts/format.js';
import { Problem } from '../parts/notice.js';
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

type Ask = (name: string, blob: Blob) => Promise<void>;

function Files({ ask }: { readonly ask: Ask }) {
  const [over, setOver] = useState(false);
  const take = async (files: FileList | null | undefined) => {
    for (const file of files ?? []) await ask(file.name, file);
  };
  return (
    <section
      class={over ? 'card over' : 'card'}
      aria-label={t('try.files')}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer?.files);
      }}
    >
      <h2>{t('try.files')}</h2>
      <p class="hint">{t('try.drop')}</p>
      <label>
        {t('try.choose')}{' '}
        <input type="file" accept="image/*" multiple onChange={({ currentTarget }) => void take(currentTarget.files)} />
      </label>
    </section>
  );
}

function Handwriting({ ask }: { readonly ask: Ask }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pad = useRef<Pad | null>(null);
  const [empty, setEmpty] = useState(true);
  useEffect(() => {
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

function Camera({ ask }: { readonly ask: Ask }) {
  const video = useRef<HTMLVideoElement>(null);
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [refused, setRefused] = useState('');
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = stream;
    return () => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, [stream]);
  const open = async () => {
    try {
      setStream(await navigator.mediaDevices.getUserMedia({ video: true }));
      setRefused('');
    } catch (error) {
      setRefused(String(error));
    }
  };
  const take = () => {
    if (video.current === null) return;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [video.current.videoWidth, video.current.videoHeight];
    canvas.getContext('2d')?.drawImage(video.current, 0, 0);
    canvas.toBlob((blob) => blob !== null && void ask(t('try.photo'), blob), 'image/jpeg', 0.95);
  };
  return (
    <section class="card" aria-label={t('try.camera')}>
      <h2>{t('try.camera')}</h2>
      <p class="hint">{t('try.cameraHint')}</p>
      {stream !== null && <video ref={video} autoPlay playsInline muted />}
      <p class="actions">
        {stream === null ? (
          <button type="button" onClick={() => void open()}>
            {t('try.open')}
          </button>
        ) : (
          <>
            <button type="button" class="primary" onClick={take}>
              {t('try.take')}
            </button>
            <button type="button" onClick={() => setStream(null)}>
              {t('try.close')}
            </button>
          </>
        )}
      </p>
      {refused !== '' && <p class="hint">{t('try.refused', { reason: refused })}</p>}
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

async function base64Of(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}
