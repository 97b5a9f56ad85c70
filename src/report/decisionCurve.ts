import type * as echarts from 'echarts';
import type { DecisionPoint } from '../statistics/index.js';
import { line, muted, renderSvg } from './curves.js';
import { type Html, html } from './html.js';
import { axisTitle, frame, legend, verticalTitle } from './plots.js';

const height = 330;
/** The axis ends so far below 0, as a share of its upper end, since referring all falls far below. */
const below = 0.25;

const percent = ({ threshold }: DecisionPoint) => Number((100 * threshold).toPrecision(6));

/**
 * The decision curve: net benefit of the network by threshold probability, beside those of referring all and
 * no one.
 *
 * @returns null if there is no net benefit
 */
export function renderDecisionCurve(points: readonly DecisionPoint[]): Html | null {
  const of = (pick: (point: DecisionPoint) => DecisionPoint['model']) =>
    points.flatMap((point): [number, number][] => {
      const { value } = pick(point);
      return value === null ? [] : [[percent(point), value]];
    });
  const [network, all] = [of(({ model }) => model), of((point) => point.all)];
  if (network.length === 0 || all.length === 0) return null;
  const ends = points.map(percent);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const most = niceAbove(Math.max(...[...network, ...all].map(([, value]) => value), 0.01));
  const curve = (name: string, data: readonly (readonly [number, number])[], color: string, type: unknown) => ({
    type: 'line',
    name,
    data,
    symbol: 'none',
    clip: true,
    lineStyle: { color: `var(--${color})`, width: type === 'solid' ? 2.25 : 1.5, type, join: 'round' },
    itemStyle: { color: `var(--${color})` },
  });
  const names = ['network', 'refer all', 'refer no one'];
  const option = {
    ...frame,
    grid: { ...frame.grid, top: 46 },
    legend: { ...legend(names), itemWidth: 28, itemHeight: 9 },
    xAxis: {
      type: 'value',
      min: 0,
      max: Math.ceil(high / 10) * 10,
      interval: 10,
      ...axisTitle('Threshold probability'),
      axisLine: { ...line, show: true, onZero: false },
      axisTick: line,
      splitLine: { show: false },
      axisLabel: { ...muted, formatter: '{value} %' },
    },
    yAxis: {
      type: 'value',
      min: -below * most,
      max: most,
      interval: below * most,
      name: 'Net benefit',
      ...verticalTitle,
      splitLine: { lineStyle: { color: 'var(--grid)' } },
      axisLabel: { ...muted, formatter: (value: number) => String(Number(value.toPrecision(3))) },
    },
    series: [
      curve(names[1], all, 'orange', [6, 4]),
      curve(
        names[2],
        [
          [low, 0],
          [high, 0],
        ],
        'muted',
        [2, 4],
      ),
      curve(names[0], network, 'blue', 'solid'),
    ],
  };
  const better = network.filter(([, value], i) => value > Math.max(0, all[i][1])).map(([threshold]) => threshold);
  const where =
    better.length === 0
      ? 'at no threshold'
      : `at ${better.length} of ${network.length} thresholds, from ${Math.min(...better)} to ${Math.max(...better)} %`;
  const label = `Decision curve: the network has a higher net benefit than referring all and no one ${where}`;
  const svg = renderSvg(option as echarts.EChartsOption, { id: 'decision-curve', label, height });
  return html`<div class="charts"><figure>${svg}</figure></div>`;
}

/** The smallest number of the form 1, 2, 4, 6 or 8 times a power of ten that is not below `x`. */
function niceAbove(x: number): number {
  const power = 10 ** Math.floor(Math.log10(x));
  return power * ([1, 2, 4, 6, 8].find((factor) => factor * power >= x) ?? 10);
}
