import { useMemo } from 'preact/hooks';
import type { ComparedRuns, ComparedTests, EpochPoint, RunList } from '../../src/studio/api.js';
import { Chart, legend, numberAxis } from '../parts/chart.js';
import { CommandLine } from '../parts/command.js';
import { count, metric, percent } from '../parts/format.js';
import { Loading, Problem } from '../parts/notice.js';
import { Scroll } from '../parts/scroll.js';
import { go } from '../route.js';
import { apiAddress, useServer } from '../server.js';
import { t } from '../texts/index.js';
import type { PageProps } from './index.js';

const letter = (i: number) => String.fromCharCode(65 + i);
/** Colors and dashes of curves: more runs repeat the colors with other dashes. */
const colors = ['--blue', '--orange', '--muted', '--ink'];

export default function ComparePage({ parameters }: PageProps) {
  const list = useServer<RunList>(apiAddress('runs'));
  if (list.error !== null) return <Problem error={list.error} retry={list.reload} />;
  if (list.data === null) return <Loading />;
  const all = list.data.runs.map(({ name }) => name);
  const chosen = (parameters.runs ?? '').split('\n').filter((name) => name !== '');
  const toggle = (name: string) =>
    go('compare', {
      runs: (chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]).join('\n'),
    });
  return (
    <>
      <h1>{t('compare.title')}</h1>
      <p class="lead">{t('compare.lead')}</p>
      <fieldset>
        <legend>{t('compare.choose')}</legend>
        {[...new Set([...chosen, ...all])].map((name) => (
          <label key={name} class="inline">
            <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} /> {name}
            {chosen.includes(name) && <strong> {letter(chosen.indexOf(name))}</strong>}
          </label>
        ))}
      </fieldset>
      {chosen.length < 2 ? <p class="empty">{t('compare.few')}</p> : <Compared runs={chosen.join('\n')} />}
    </>
  );
}

function Compared({ runs }: { readonly runs: string }) {
  const { data, error, reload } = useServer<ComparedRuns>(apiAddress('compare', { runs }));
  const curves = useMemo(() => data && [curvesOf(data, lossAt), curvesOf(data, accuracyAt, true)], [data]);
  if (error !== null) return <Problem error={error} retry={reload} />;
  if (data === null || curves === null) return <Loading />;
  const [losses, accuracies] = curves;
  const names = data.runs.map(({ name }) => name);
  return (
    <>
      <div class="charts">
        <Chart option={losses} label={t('compare.curves')} />
        <Chart option={accuracies} label={t('compare.accuracies')} />
      </div>
      <h2>{t('compare.settings')}</h2>
      {data.settings.length === 0 ? (
        <p>{t('compare.same')}</p>
      ) : (
        <Scroll label={t('compare.settings')}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('compare.setting')}</th>
                {names.map((name, i) => (
                  <th key={name} scope="col">
                    {letter(i)}: {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.settings.map(({ setting, values }) => (
                <tr key={setting}>
                  <th scope="row">
                    <code>{setting}</code>
                  </th>
                  {values.map((value, i) => (
                    <td key={names[i]} class="setting">
                      {value ?? '–'}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <Tests runs={runs} />
      <CommandLine words={['fovea', 'compare', ...names]} />
      <CommandLine words={['fovea', 'runs', 'compare', ...names, '--diff']} />
    </>
  );
}

function Tests({ runs }: { readonly runs: string }) {
  const { data, error, reload } = useServer<ComparedTests>(apiAddress('compare/tests', { runs }));
  const value = (x: number | null) => metric(x);
  const range = (interval: readonly [number, number] | null) =>
    interval === null ? '–' : `${metric(interval[0])} … ${metric(interval[1])}`;
  return (
    <section>
      <h2>{t('compare.tests')}</h2>
      {error !== null && <Problem error={error} retry={reload} />}
      {data === null && error === null && (
        <p class="hint" role="status">
          {t('compare.computing')}
        </p>
      )}
      {data !== null && (
        <>
          <p class="hint">{t('compare.on', { images: count(data.images), part: data.part })}</p>
          <Scroll label={t('compare.tests')}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t('compare.metric')}</th>
                  {runs.split('\n').map((name, i) => (
                    <th key={name} scope="col" class="number">
                      {letter(i)}
                    </th>
                  ))}
                  {(['pair', 'difference', 'interval', 'test', 'p', 'adjusted'] as const).map((key) => (
                    <th key={key} scope="col">
                      {t(`compare.${key}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {data.metrics.flatMap(({ name, models, pairs }) =>
                  pairs.map((pair, i) => (
                    <tr key={`${name} ${pair.a} ${pair.b}`}>
                      <th scope="row">{i === 0 && name}</th>
                      {models.map((own, m) => (
                        <td key={letter(m)} class="number" title={range(own.interval)}>
                          {i === 0 && value(own.value)}
                        </td>
                      ))}
                      <td>
                        {letter(pair.a)} − {letter(pair.b)}
                      </td>
                      <td class="number">{value(pair.difference)}</td>
                      <td>{range(pair.interval)}</td>
                      <td>{testName(pair.test)}</td>
                      <td class="number">{value(pair.pValue)}</td>
                      <td class="number">{value(pair.adjusted)}</td>
                    </tr>
                  )),
                )}
              </tbody>
            </table>
          </Scroll>
          {reasonsOf(data).map((reason) => (
            <p key={reason} class="hint">
              {reason}
            </p>
          ))}
          <Differences data={data} runs={runs.split('\n')} />
        </>
      )}
    </section>
  );
}

function testName(test: ComparedTests['metrics'][0]['pairs'][0]['test']): string {
  return { delong: t('compare.delong'), mcnemar: t('compare.mcnemar'), bootstrap: t('compare.bootstrap') }[test];
}

/** Metrics without a p-value, with the reason. */
function reasonsOf({ metrics }: ComparedTests): string[] {
  const named = new Map<string, Set<string>>();
  for (const { name, pairs } of metrics) {
    for (const { reason } of pairs) {
      if (reason !== null) named.set(reason, (named.get(reason) ?? new Set()).add(name));
    }
  }
  return [...named].map(([reason, names]) => t('compare.noP', { metrics: [...names].join(', '), reason }));
}

function Differences({ data, runs }: { readonly data: ComparedTests; readonly runs: readonly string[] }) {
  const title = t('compare.different', { n: count(data.different) });
  return (
    <section>
      <h2>{title}</h2>
      {data.differences.length > 0 && (
        <Scroll label={title}>
          <table>
            <thead>
              <tr>
                <td />
                <th scope="col">{t('compare.picture')}</th>
                <th scope="col">{t('compare.truth')}</th>
                {runs.map((name, i) => (
                  <th key={name} scope="col">
                    {letter(i)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.differences.map(({ file, label, predicted, probabilities }) => (
                <tr key={file}>
                  <td>
                    <img
                      class="small"
                      src={apiAddress('evaluation/picture', { run: runs[0], part: data.part, file, size: 64 })}
                      alt=""
                      loading="lazy"
                    />
                  </td>
                  <th scope="row">{file}</th>
                  <td>{label}</td>
                  {predicted.map((own, i) => (
                    <td key={runs[i]} class={own === label ? '' : 'bad'}>
                      {own} {percent(probabilities[i], 1)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

const lossAt = ({ evalLoss }: EpochPoint) => evalLoss;
const accuracyAt = ({ evalAccuracy }: EpochPoint) => evalAccuracy && 100 * evalAccuracy;

function curvesOf(
  { runs, histories }: ComparedRuns,
  of: (point: EpochPoint) => number | null,
  isShare = false,
): Record<string, unknown> {
  return {
    legend,
    xAxis: numberAxis(t('train.epoch'), { minInterval: 1, splitLine: { show: false } }),
    yAxis: numberAxis(
      t(isShare ? 'train.accuracy' : 'train.loss'),
      isShare ? { scale: true, max: 100 } : { scale: true },
      true,
    ),
    series: runs.map((_, i) => {
      const color = colors[i % colors.length];
      return {
        type: 'line',
        name: letter(i),
        data: histories[i].flatMap((point) => {
          const value = of(point);
          return value === null ? [] : [[point.epoch, value]];
        }),
        symbolSize: 7,
        lineStyle: { color, width: 2, type: i < colors.length ? 'solid' : 'dashed' },
        itemStyle: { color },
      };
    }),
  };
}
