import { useEffect, useState } from 'preact/hooks';
import type { EvaluationView, RunList } from '../../src/studio/api.js';
import { CommandLine } from '../parts/command.js';
import { Confusion } from '../parts/confusion.js';
import { count, percent } from '../parts/format.js';
import { Gallery, type Wanted } from '../parts/gallery.js';
import { Loading, Problem } from '../parts/notice.js';
import { TwoClasses } from '../parts/twoClasses.js';
import { go } from '../route.js';
import { apiAddress, useServer } from '../server.js';
import { t } from '../texts/index.js';
import type { PageProps } from './index.js';

export default function EvaluatePage({ parameters }: PageProps) {
  const runs = useServer<RunList>(apiAddress('runs'));
  if (runs.error !== null) return <Problem error={runs.error} retry={runs.reload} />;
  if (runs.data === null) return <Loading />;
  const names = runs.data.runs.filter(({ evaluated }) => evaluated).map(({ name }) => name);
  const run = parameters.run ?? names[0];
  return (
    <>
      <h1>{t('evaluate.title')}</h1>
      {run === undefined ? (
        <p class="empty">{t('evaluate.none')}</p>
      ) : (
        <>
          <label class="inline">
            {t('evaluate.choose')}{' '}
            <select value={run} onChange={({ currentTarget }) => go('evaluate', { run: currentTarget.value })}>
              {(names.includes(run) ? names : [run, ...names]).map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <OneRun key={run} run={run} />
        </>
      )}
    </>
  );
}

function OneRun({ run }: { readonly run: string }) {
  const [part, setPart] = useState<string | null>(null);
  const [threshold, setThreshold] = useState<number | null>(null);
  const [wanted, setWanted] = useState<Wanted>({ title: t('evaluate.wrong'), filter: { wrong: 'true' } });
  const { data, error, reload } = useServer<EvaluationView>(apiAddress('evaluation', { run, part, threshold }));
  const [last, setLast] = useState<EvaluationView | null>(null);
  // The figures stay while those of another threshold are computed.
  useEffect(() => {
    if (data !== null) setLast(data);
  }, [data]);
  if (error !== null) return <Problem error={error} retry={reload} />;
  const view = data ?? last;
  if (view === null) return <Loading />;
  const show = (chosen: Wanted) => {
    setWanted(chosen);
    document.getElementById('pictures')?.scrollIntoView({ block: 'start' });
  };
  const at = { run, part: view.part, threshold };
  return (
    <>
      {view.parts.length > 1 && (
        <label class="inline">
          {t('evaluate.part')}{' '}
          <select value={view.part} onChange={({ currentTarget }) => setPart(currentTarget.value)}>
            {view.parts.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      )}
      <p class="lead">{t('evaluate.lead')}</p>
      <dl class="tiles">
        <div>
          <dt>
            {t('evaluate.accuracy')} ({view.part})
          </dt>
          <dd>
            {percent(view.accuracy)}
            {view.interval !== null && (
              <small>
                {t('evaluate.interval', { low: percent(view.interval[0], 1), high: percent(view.interval[1], 1) })}
              </small>
            )}
          </dd>
        </div>
        <div>
          <dt>{t('evaluate.images')}</dt>
          <dd>{count(view.images)}</dd>
        </div>
        {view.binary !== null && (
          <div>
            <dt>{t('evaluate.auc')}</dt>
            <dd>{view.binary.auc === null ? '–' : view.binary.auc.toFixed(4)}</dd>
          </div>
        )}
      </dl>
      {view.binary !== null && (
        <TwoClasses
          at={at}
          binary={view.binary}
          classNames={view.classNames}
          onThreshold={setThreshold}
          onShow={show}
        />
      )}
      <Confusion view={view} onShow={show} />
      <Gallery
        at={at}
        view={view}
        wanted={wanted}
        onAll={() => show({ title: t('evaluate.wrong'), filter: { wrong: 'true' } })}
      />
      <CommandLine
        words={[
          ...['fovea', 'eval', run, '--split', view.part, '--report', 'report.html'],
          ...(threshold === null ? [] : ['--threshold', String(Number(threshold.toPrecision(6)))]),
        ]}
      />
    </>
  );
}
