import { useEffect, useRef, useState } from 'preact/hooks';
import type {
  EvaluationView,
  ExplanationView,
  RelabelAnswer,
  ReportAnswer,
  SampleDetails,
} from '../../src/studio/api.js';
import type { NearPictures } from '../../src/studio/featuresApi.js';
import { apiAddress, read, type ServerError, send, useServer } from '../server.js';
import { t } from '../texts/index.js';
import { CommandLine } from './command.js';
import { count, percent } from './format.js';
import type { Place } from './gallery.js';
import { NearStrip } from './nearStrip.js';
import { Loading, Problem } from './notice.js';

const methods = ['gradcam', 'hirescam', 'layercam', 'integrated-gradients', 'occlusion'];

interface DetailProps {
  readonly at: Place;
  readonly sample: number;
  readonly view: EvaluationView;
  readonly onClose: () => void;
}

/** One picture with its probabilities, its explanation, and its label. */
export function PictureDetail({ at, sample, view, onClose }: DetailProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { data, error, reload } = useServer<SampleDetails>(apiAddress('evaluation/sample', { ...at, sample }));
  useEffect(() => dialog.current?.showModal(), []);
  const { run, part } = at;
  const source = apiAddress('evaluation/picture', { run, part, sample, size: 512 });
  return (
    <dialog ref={dialog} onClose={onClose} aria-label={data?.file ?? t('evaluate.pictures')}>
      <p class="actions">
        <strong class="grow">{data?.file}</strong>
        <button type="button" onClick={() => dialog.current?.close()}>
          {t('evaluate.close')}
        </button>
      </p>
      {error !== null && <Problem error={error} retry={reload} />}
      {data === null && error === null && <Loading />}
      {data !== null && (
        <div class="detail">
          <img src={source} alt={data.file} />
          <div>
            <p>
              {t('evaluate.truth', { label: data.label })},{' '}
              {t('evaluate.taken', { predicted: data.predicted, probability: percent(data.probability, 1) })}
            </p>
            <h3>{t('evaluate.probabilities')}</h3>
            <ol class="bars">
              {view.classNames
                .map((name, i) => ({ name, value: data.probabilities[i] }))
                .sort((a, b) => b.value - a.value)
                .slice(0, 10)
                .map(({ name, value }) => (
                  <li key={name}>
                    <span>{name}</span>
                    <meter min={0} max={1} value={value} aria-label={name} />
                    <span class="number">{percent(value, 1)}</span>
                  </li>
                ))}
            </ol>
            {view.canRelabel && <Relabel at={at} sample={sample} view={view} details={data} />}
          </div>
        </div>
      )}
      <Explain at={at} sample={sample} file={data?.path ?? null} />
      <Near at={at} sample={sample} file={data?.path ?? null} />
    </dialog>
  );
}

interface PartProps {
  readonly at: Place;
  readonly sample: number;
  /** For the command line; null for data that are no single files. */
  readonly file: string | null;
}

function Explain({ at: { run, part }, sample, file }: PartProps) {
  const [method, setMethod] = useState('gradcam');
  const [isChecked, setChecked] = useState(false);
  const [found, setFound] = useState<ExplanationView | null>(null);
  const [error, setError] = useState<ServerError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [reported, setReported] = useState<ReportAnswer | null>(null);
  const begin = () => {
    setBusy(true);
    setError(null);
    setReported(null);
  };
  const report = () => {
    begin();
    send<ReportAnswer>('evaluation/report', { run, part, sample, method, check: isChecked })
      .then(setReported, (problem: ServerError) => setError(problem))
      .finally(() => setBusy(false));
  };
  const explain = () => {
    begin();
    read<ExplanationView>(apiAddress('evaluation/explanation', { run, part, sample, method, check: String(isChecked) }))
      .then(setFound, (problem: ServerError) => setError(problem))
      .finally(() => setBusy(false));
  };
  return (
    <section>
      <h3>{t('evaluate.explanation')}</h3>
      <p class="actions">
        <label>
          {t('evaluate.method')}{' '}
          <select value={method} onChange={({ currentTarget }) => setMethod(currentTarget.value)}>
            {methods.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          <input type="checkbox" checked={isChecked} onChange={() => setChecked(!isChecked)} /> {t('evaluate.check')}
        </label>
        <button type="button" disabled={isBusy} onClick={explain}>
          {t('evaluate.explain')}
        </button>
        <button type="button" disabled={isBusy} onClick={report}>
          {t('evaluate.report')}
        </button>
        <span role="status" class="hint">
          {isBusy && t('evaluate.working')}
          {reported !== null && t('evaluate.reported', { n: reported.files.length, report: reported.report })}
        </span>
      </p>
      {error !== null && <Problem error={error} />}
      {found !== null && (
        <figure class="explanation">
          <img src={found.picture} alt="" />
          <img src={found.overlay} alt={t('evaluate.explained', { class: found.class })} />
          <figcaption>
            {t('evaluate.explained', { class: found.class })} ({found.method}
            {found.layer !== null && `, ${found.layer}`}) {found.verdict}
          </figcaption>
        </figure>
      )}
      {file !== null && (
        <CommandLine
          words={[
            ...['fovea', 'explain', run, ...(reported?.files.map((one) => one ?? '…') ?? [file]), '--method', method],
            ...(isChecked ? ['--check'] : []),
            ...(reported === null ? [] : ['--report']),
          ]}
        />
      )}
    </section>
  );
}

/** The training images that the network sees as alike, on demand. */
function Near({ at: { run, part }, sample, file }: PartProps) {
  const [isAsked, setAsked] = useState(false);
  const address = apiAddress('evaluation/neighbours', { run, part, sample });
  const { data, error, reload } = useServer<NearPictures>(isAsked ? address : null);
  const isBusy = isAsked && data === null && error === null;
  return (
    <section>
      <h3>{t('features.near')}</h3>
      {!isAsked && (
        <button type="button" onClick={() => setAsked(true)}>
          {t('evaluate.find')}
        </button>
      )}
      <p role="status" class="hint">
        {isBusy && t('evaluate.working')}
        {data !== null && t('features.nearHint', { n: count(data.searched) })}
      </p>
      {error !== null && <Problem error={error} retry={reload} />}
      {data !== null && <NearStrip near={data} />}
      {file !== null && <CommandLine words={['fovea', 'features', run, file]} />}
    </section>
  );
}

interface RelabelProps {
  readonly at: Place;
  readonly sample: number;
  readonly view: EvaluationView;
  readonly details: SampleDetails;
}

function Relabel({ at: { run, part }, sample, view, details }: RelabelProps) {
  const [label, setLabel] = useState(details.relabelled ?? '');
  const [fixes, setFixes] = useState<string | null>(null);
  const [error, setError] = useState<ServerError | null>(null);
  const choose = (chosen: string) => {
    setLabel(chosen);
    setError(null);
    send<RelabelAnswer>('evaluation/relabel', { run, part, sample, label: chosen === '' ? null : chosen }).then(
      (answer) => setFixes(answer.fixes),
      (problem: ServerError) => setError(problem),
    );
  };
  return (
    <section>
      <h3>{t('evaluate.relabel')}</h3>
      <label>
        {t('evaluate.relabelTo')}{' '}
        <select value={label} onChange={({ currentTarget }) => choose(currentTarget.value)}>
          <option value="">{t('evaluate.keep')}</option>
          {view.classNames
            .filter((name) => name !== details.label)
            .map((name) => (
              <option key={name}>{name}</option>
            ))}
        </select>
      </label>
      {fixes !== null && <p role="status">{t('evaluate.relabelled', { fixes })}</p>}
      {error !== null && <Problem error={error} />}
    </section>
  );
}
