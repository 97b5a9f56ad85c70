import { useEffect, useState } from 'preact/hooks';
import type { DataCheckState, DataDecisions, DataFinding } from '../../src/studio/api.js';
import { apiAddress, type ServerError, send, useServer } from '../server.js';
import { t } from '../texts/index.js';
import { count } from './format.js';
import { Problem } from './notice.js';
import { Scroll } from './scroll.js';

const lookMs = 1000;
const mostShown = 100;
const mostPictures = 4;

/** The check of a data set, and a decision about each of its findings. */
export function DataCheckSection({ data, isFiles }: { readonly data: string; readonly isFiles: boolean }) {
  const { data: state, error, reload } = useServer<DataCheckState>(apiAddress('data/check', { data }));
  const decisions = useServer<DataDecisions>(isFiles ? apiAddress('data/decisions', { data }) : null);
  const [problem, setProblem] = useState<ServerError | null>(null);
  const isRunning = state?.state === 'running';
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(reload, lookMs);
    return () => clearInterval(timer);
  }, [isRunning, reload]);
  const start = () => send('data/check', { data }).then(reload, (failed: ServerError) => setProblem(failed));
  const decide = (files: readonly string[], decision: unknown) =>
    send('data/decisions', { data, files, decision }).then(decisions.reload, (failed: ServerError) =>
      setProblem(failed),
    );
  const shown = error ?? problem;
  return (
    <section>
      <h2>{t('data.check')}</h2>
      <p class="hint">{t('data.checkLead')}</p>
      {shown !== null && <Problem error={shown} />}
      <p class="actions">
        <button type="button" disabled={isRunning} onClick={start}>
          {t('data.start')}
        </button>
        <span role="status">{isRunning && t('data.running')}</span>
      </p>
      {state?.state === 'failed' && <p class="problem">{state.message}</p>}
      {state?.state === 'done' && (
        <>
          <Properties classNames={state.classNames} properties={state.properties} />
          {state.findings.length === 0 && <p class="empty">{t('data.clean')}</p>}
          {state.shortcuts.length > 0 && (
            <p class="note">{t('data.shortcuts', { list: state.shortcuts.join(', ') })}</p>
          )}
          {state.leftOut.map((reason) => (
            <p key={reason} class="hint">
              {reason}
            </p>
          ))}
          {decisions.data !== null && (
            <p role="status">
              {t('data.decided', {
                folder: decisions.data.folder,
                excluded: decisions.data.excluded.length,
                relabelled: Object.keys(decisions.data.relabelled).length,
              })}
            </p>
          )}
          <ul class="findings">
            {state.findings.slice(0, mostShown).map((finding) => (
              <Finding
                key={`${finding.kind} ${finding.message}`}
                data={data}
                finding={finding}
                decisions={decisions.data}
                onDecide={decide}
              />
            ))}
          </ul>
          {state.findings.length > mostShown && (
            <p class="hint">{t('data.shown', { n: mostShown, all: count(state.findings.length) })}</p>
          )}
        </>
      )}
    </section>
  );
}

type Checked = Extract<DataCheckState, { readonly state: 'done' }>;
/** More classes get no columns. */
const mostClasses = 10;

const titles = { size: 'data.size', format: 'data.format', camera: 'data.camera' } as const;

/** Sizes, formats and cameras of the pictures. */
function Properties({ classNames, properties }: Pick<Checked, 'classNames' | 'properties'>) {
  const classes = classNames.length <= mostClasses ? classNames : [];
  return (
    <Scroll label={t('data.properties')}>
      <table>
        <caption>{t('data.properties')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('data.property')}</th>
            <th scope="col">{t('data.value')}</th>
            {[t('data.sum'), ...classes].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {properties.flatMap(({ property, values }) =>
            values.map(({ value, pictures, counts }) => (
              <tr key={`${property} ${value}`}>
                <th scope="row">{t(titles[property])}</th>
                <td>{value}</td>
                <td class="number">{count(pictures)}</td>
                {classes.map((name, c) => (
                  <td key={name} class="number">
                    {count(counts[c])}
                  </td>
                ))}
              </tr>
            )),
          )}
        </tbody>
      </table>
    </Scroll>
  );
}

interface FindingProps {
  readonly data: string;
  readonly finding: DataFinding;
  readonly decisions: DataDecisions | null;
  readonly onDecide: (files: readonly string[], decision: unknown) => void;
}

function Finding({ data, finding, decisions, onDecide }: FindingProps) {
  const { message, files, exclude, relabel, severity } = finding;
  const chosen =
    decisions === null
      ? 'keep'
      : exclude.length > 0 && exclude.every((name) => decisions.excluded.includes(name))
        ? 'exclude'
        : decisions.relabelled[files[0]] === undefined
          ? 'keep'
          : 'relabel';
  const choose = (choice: string) => {
    if (choice === 'exclude') onDecide(exclude, 'exclude');
    else if (choice === 'relabel') onDecide(files.slice(0, 1), { label: relabel });
    else onDecide([...new Set([...exclude, ...files.slice(0, 1)])], null);
  };
  return (
    <li>
      <span class="thumbnails">
        {files.slice(0, mostPictures).map((name) => (
          <FindingPicture key={name} data={data} name={name} />
        ))}
      </span>
      <span class="grow">
        <span class={severity === 'problem' ? 'bad' : ''}>{message}</span>
        {decisions !== null && (exclude.length > 0 || relabel !== null) && (
          <label>
            {t('data.decision')}{' '}
            <select value={chosen} onChange={({ currentTarget }) => choose(currentTarget.value)}>
              <option value="keep">{t('data.keep')}</option>
              {exclude.length > 0 && (
                <option value="exclude">{t('data.exclude', { files: exclude.slice(0, 2).join(', ') })}</option>
              )}
              {relabel !== null && <option value="relabel">{t('data.relabel', { label: relabel })}</option>}
            </select>
          </label>
        )}
      </span>
    </li>
  );
}

function FindingPicture({ data, name }: { readonly data: string; readonly name: string }) {
  const [failed, setFailed] = useState(false);
  if (failed) return <span class="unreadable">{t('data.unreadable')}</span>;
  return (
    <img
      src={apiAddress('data/picture', { data, name, size: 128 })}
      alt={name}
      loading="lazy"
      onError={() => setFailed(true)}
    />
  );
}
