import { useState } from 'preact/hooks';
import type { RunList, RunRow } from '../../src/studio/api.js';
import { CommandLine } from '../parts/command.js';
import { metric, percent } from '../parts/format.js';
import { Loading, Problem } from '../parts/notice.js';
import { Scroll } from '../parts/scroll.js';
import { href } from '../route.js';
import { apiAddress, useServer } from '../server.js';
import { t } from '../texts/index.js';

/** State of a run in words. */
export function stateText({ finished, running, epochs, allEpochs }: RunRow): string {
  if (finished && !running) return t('runs.finished');
  const values = { epoch: running ? Math.min(epochs + 1, allEpochs) : epochs, epochs: allEpochs };
  return t(running ? 'runs.running' : 'runs.stopped', values);
}

export default function RunsPage() {
  const { data, error, reload } = useServer<RunList>(apiAddress('runs'));
  const [chosen, setChosen] = useState<readonly string[]>([]);
  if (error !== null) return <Problem error={error} retry={reload} />;
  if (data === null) return <Loading />;
  const { runs, broken } = data;
  const toggle = (name: string) =>
    setChosen((names) => (names.includes(name) ? names.filter((other) => other !== name) : [...names, name]));
  const kept = chosen.filter((name) => runs.some((run) => run.name === name));
  return (
    <>
      <h1>{t('runs.title')}</h1>
      <p class="lead">{t('runs.lead')}</p>
      {runs.length === 0 ? (
        <p class="empty">{t('runs.none')}</p>
      ) : (
        <>
          <Scroll label={t('runs.title')}>
            <table>
              <thead>
                <tr>
                  <td />
                  {(['run', 'network', 'data', 'state', 'accuracy', 'test', 'loss', 'seed'] as const).map((key) => (
                    <th key={key} scope="col">
                      {t(`runs.${key}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {runs.map((run) => (
                  <tr key={run.name}>
                    <td>
                      <input
                        type="checkbox"
                        aria-label={t('runs.choose', { run: run.name })}
                        checked={kept.includes(run.name)}
                        onChange={() => toggle(run.name)}
                      />
                    </td>
                    <th scope="row">
                      <a href={href(run.evaluated ? 'evaluate' : 'train', { run: run.name })}>{run.name}</a>
                    </th>
                    <td>{run.model}</td>
                    <td>{run.data}</td>
                    <td>{stateText(run)}</td>
                    <td class="number">{percent(run.accuracy)}</td>
                    <td class="number">{percent(run.testAccuracy)}</td>
                    <td class="number">{metric(run.loss)}</td>
                    <td class="number">{run.seed}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
          <p class="actions">
            <a
              class="button"
              href={href('compare', { runs: kept.join('\n') })}
              aria-disabled={kept.length < 2}
              tabIndex={kept.length < 2 ? -1 : 0}
              onClick={(event) => kept.length < 2 && event.preventDefault()}
            >
              {t('runs.compare')}
            </a>
            <span class="hint" role="status">
              {t('runs.chosen', { n: kept.length })}
            </span>
          </p>
        </>
      )}
      {broken.length > 0 && (
        <section>
          <h2>{t('runs.broken')}</h2>
          <ul class="hint">
            {broken.map(({ name, problem }) => (
              <li key={name}>
                <code>{name}</code>: {problem}
              </li>
            ))}
          </ul>
        </section>
      )}
      <CommandLine words={['fovea', 'runs', 'list', 'runs']} />
    </>
  );
}
