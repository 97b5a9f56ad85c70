import { useEffect, useMemo, useState } from 'preact/hooks';
import type { BinaryView, ThresholdView } from '../../src/studio/api.js';
import { apiAddress, read } from '../server.js';
import { t } from '../texts/index.js';
import { Chart, legend, numberAxis } from './chart.js';
import { count, percent } from './format.js';
import type { Place, Wanted } from './gallery.js';

interface TwoClassesProps {
  readonly at: Place;
  readonly binary: BinaryView;
  readonly classNames: readonly string[];
  readonly onThreshold: (threshold: number | null) => void;
  readonly onShow: (wanted: Wanted) => void;
}

/** True and predicted class of the pictures that a threshold divides. */
const cells = [
  ['falsePositives', 'other', 'positive'],
  ['falseNegatives', 'positive', 'other'],
  ['truePositives', 'positive', 'positive'],
  ['trueNegatives', 'other', 'other'],
] as const;

/** Curve, scores and threshold of the decision between two classes. */
export function TwoClasses({ at, binary, classNames, onThreshold, onShow }: TwoClassesProps) {
  const { run, part } = at;
  const [prevalence, setPrevalence] = useState('0.1');
  const [view, setView] = useState<ThresholdView | null>(null);
  const threshold = at.threshold ?? binary.threshold;
  useEffect(() => {
    const control = new AbortController();
    const address = apiAddress('evaluation/threshold', { run, part, threshold, prevalence });
    // An incomplete number is no error worth a message.
    read<ThresholdView>(address, control.signal).then(setView, () => {});
    return () => control.abort();
  }, [run, part, threshold, prevalence]);
  const roc = useMemo(() => rocOption(binary, view), [binary, view]);
  const scores = useMemo(() => scoresOption(binary), [binary]);
  const bar = (series: number, point: number) => {
    const { low, high } = binary.histogram[point];
    const name = series === 0 ? binary.other : binary.positive;
    const title = `${name}: ${t('evaluate.bar', { low: percent(low, 0), high: percent(high, 0) })}`;
    onShow({ title, filter: { low, high, label: classNames.indexOf(name) } });
  };
  const point = (index: number) => {
    onThreshold(Math.min(1, binary.roc[index].threshold ?? 1));
    onShow({ title: t('evaluate.bothWrong'), filter: { wrong: 'true' } });
  };
  const cell = ([key, truth, taken]: (typeof cells)[number]) => {
    const [label, predicted] = [truth, taken].map((side) => classNames.indexOf(binary[side]));
    onShow({ title: t(`evaluate.${key}`), filter: { label, predicted } });
  };
  return (
    <section>
      <h2>{t('evaluate.threshold')}</h2>
      <p class="hint">{t('evaluate.thresholdLead', { positive: binary.positive })}</p>
      <div class="fields">
        <label>
          {t('evaluate.threshold')}: {threshold.toFixed(3)}
          <input
            type="range"
            min="0"
            max="1"
            step="0.001"
            value={threshold}
            onInput={({ currentTarget }) => onThreshold(Number(currentTarget.value))}
          />
        </label>
        <label>
          {t('evaluate.prevalence')}
          <input
            value={prevalence}
            inputMode="decimal"
            onInput={({ currentTarget }) => setPrevalence(currentTarget.value)}
          />
        </label>
        <div>
          <button type="button" onClick={() => onThreshold(null)}>
            {t('evaluate.ofRun')}
          </button>
        </div>
      </div>
      {view !== null && (
        <>
          <dl class="tiles">
            {(['sensitivity', 'specificity', 'ppv', 'npv'] as const).map((key) => (
              <div key={key}>
                <dt>{t(`evaluate.${key}`)}</dt>
                <dd>{percent(view[key], 1)}</dd>
              </div>
            ))}
          </dl>
          <p class="actions">
            {cells.map((one) => (
              <button key={one[0]} type="button" onClick={() => cell(one)}>
                {t(`evaluate.${one[0]}`)}: {count(view[one[0]])}
              </button>
            ))}
          </p>
          <p role="status">
            {t('evaluate.cost', {
              missed: view.perThousand.missed.toFixed(1),
              alarms: view.perThousand.falseAlarms.toFixed(1),
            })}
          </p>
        </>
      )}
      <div class="charts">
        {binary.roc.length > 0 && (
          <Chart option={roc} label={t('evaluate.roc')} height={340} onPoint={(_, index) => point(index)} />
        )}
        <Chart option={scores} label={t('evaluate.scores', { positive: binary.positive })} height={340} onPoint={bar} />
      </div>
    </section>
  );
}

const shares = { min: 0, max: 100 };

function rocOption({ roc }: BinaryView, view: ThresholdView | null) {
  const chosen =
    view === null || view.specificity === null || view.sensitivity === null
      ? []
      : [[100 * (1 - view.specificity), 100 * view.sensitivity]];
  return {
    xAxis: numberAxis(t('evaluate.falsePositiveRate'), shares),
    yAxis: numberAxis(`${t('evaluate.sensitivity')} (%)`, shares, true),
    series: [
      {
        type: 'line',
        data: roc.map(({ falsePositiveRate, truePositiveRate }) => [100 * falsePositiveRate, 100 * truePositiveRate]),
        symbolSize: 9,
        symbol: 'circle',
        itemStyle: { color: '--blue', opacity: roc.length > 60 ? 0 : 1 },
        lineStyle: { color: '--blue', width: 2.25 },
        emphasis: { itemStyle: { opacity: 1 } },
      },
      {
        type: 'scatter',
        data: chosen,
        symbol: 'diamond',
        symbolSize: 16,
        silent: true,
        z: 5,
        itemStyle: { color: '--orange' },
      },
    ],
  };
}

function scoresOption({ histogram, positive, other }: BinaryView) {
  const bars = (name: string, color: string, of: 0 | 1) => ({
    type: 'bar',
    name,
    data: histogram.map(({ counts }) => counts[of]),
    itemStyle: { color },
    barGap: '5%',
    barCategoryGap: '15%',
  });
  return {
    legend,
    xAxis: {
      ...numberAxis(t('evaluate.scores', { positive })),
      type: 'category',
      data: histogram.map(({ high }) => `${Math.round(100 * high)} %`),
    },
    yAxis: numberAxis(t('evaluate.images'), { minInterval: 1 }, true),
    series: [bars(other, '--blue', 0), bars(positive, '--orange', 1)],
  };
}
