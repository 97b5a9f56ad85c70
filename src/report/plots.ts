import type * as echarts from 'echarts';
import type { ReliabilityBin } from '../statistics/index.js';
import { line, muted, renderSvg } from './curves.js';
import type { Html } from './html.js';

/** A point with coordinates from 0 to 1. */
export type Point = readonly [x: number, y: number];

/** A marked point of a curve, named in the legend. */
export interface PlotMark {
  readonly name: string;
  readonly at: Point;
  /** Filled diamonds are operating points, hollow circles the threshold 0.5. */
  readonly symbol: 'circle' | 'diamond';
}

export interface Plot {
  /** Makes the ids in the picture unique on its page. */
  readonly id: string;
  /** The picture in words, for those who cannot see it. */
  readonly label: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly curve: readonly Point[];
  /** Result of random guessing: a dashed line between two points. */
  readonly baseline: readonly [Point, Point];
  readonly marks: readonly PlotMark[];
}

const height = 410;
/** Settings of all plots. */
export const frame = {
  animation: false,
  textStyle: { fontFamily: 'inherit', fontSize: 12.5 },
  grid: { left: 58, right: 18, top: 62, bottom: 48, containLabel: false },
};
const percent = ([x, y]: Point): [number, number] => [100 * x, 100 * y];

/** A curve of two shares, such as the ROC curve. */
export function renderPlot(plot: Plot): Html {
  const { curve, baseline, marks } = plot;
  const option = {
    ...square(plot.xTitle, plot.yTitle),
    legend: legend(marks.map(({ name }) => name)),
    series: [
      guide(baseline),
      {
        type: 'line',
        data: thin(curve).map(percent),
        showSymbol: false,
        lineStyle: { color: 'var(--blue)', width: 2.25, join: 'round' },
      },
      ...marks.map(({ name, at, symbol }) => ({
        type: 'scatter',
        name,
        data: [percent(at)],
        symbol,
        symbolSize: symbol === 'diamond' ? 15 : 11,
        clip: false,
        z: 5,
        itemStyle:
          symbol === 'diamond'
            ? { color: 'var(--orange)', borderColor: 'var(--paper)', borderWidth: 1.5 }
            : { color: 'var(--paper)', borderColor: 'var(--ink)', borderWidth: 2 },
      })),
    ],
  };
  return renderSvg(option as echarts.EChartsOption, { id: plot.id, label: plot.label, height });
}

/** Share of class 1 by mean score, with the interval of each share. */
export function renderReliability(bins: readonly ReliabilityBin[], label: string): Html {
  const filled = bins.flatMap(({ meanScore, positives: { value, interval } }) =>
    meanScore === null || value === null || interval === null ? [] : [{ meanScore, value, interval }],
  );
  const points: Point[] = filled.map(({ meanScore, value }) => [meanScore, value]);
  const option = {
    ...square('Probability given', 'Share that has it'),
    series: [
      guide([
        [0, 0],
        [1, 1],
      ]),
      ...filled.map(({ meanScore, interval: [low, high] }) => ({
        type: 'line',
        data: [percent([meanScore, low]), percent([meanScore, high])],
        symbol: 'rect',
        symbolSize: [11, 1.5],
        showAllSymbol: true,
        lineStyle: { color: 'var(--orange)', width: 1.5 },
        itemStyle: { color: 'var(--orange)' },
      })),
      {
        type: 'line',
        data: points.map(percent),
        symbol: 'circle',
        symbolSize: 8,
        showAllSymbol: true,
        lineStyle: { color: 'var(--blue)', width: 2.25 },
        itemStyle: { color: 'var(--blue)' },
      },
    ],
  };
  return renderSvg(option as echarts.EChartsOption, { id: 'reliability', label, height });
}

/** Histogram of the predicted probabilities, for each of the two classes. */
export function renderSpread(bins: readonly ReliabilityBin[], names: readonly [string, string], label: string): Html {
  const series = (name: string, color: string, count: (bin: ReliabilityBin) => number) => ({
    type: 'bar',
    name,
    data: bins.map(count),
    barGap: '8%',
    barCategoryGap: '22%',
    itemStyle: { color: `var(--${color})` },
  });
  const option = {
    ...square('Probability given', 'Images'),
    legend: legend(names),
    xAxis: {
      type: 'category',
      data: bins.map(({ high }) => String(Math.round(100 * high))),
      ...axisTitle('Probability given, up to (%)'),
      axisLine: line,
      axisTick: { show: false },
      axisLabel: { ...muted, interval: 0 },
    },
    yAxis: {
      type: 'value',
      minInterval: 1,
      name: 'Images',
      ...verticalTitle,
      splitLine: { lineStyle: { color: 'var(--grid)' } },
      axisLabel: muted,
    },
    series: [
      series(names[0], 'blue', ({ positives: { hits, total } }) => total - hits),
      series(names[1], 'orange', ({ positives: { hits } }) => hits),
    ],
  };
  return renderSvg(option as echarts.EChartsOption, { id: 'spread', label, height });
}

export const verticalTitle = {
  nameLocation: 'end',
  nameGap: 16,
  nameTextStyle: { ...muted, align: 'left', padding: [0, 0, 0, -50] },
};

export function axisTitle(name: string) {
  return { name, nameLocation: 'middle', nameGap: 30, nameTextStyle: muted };
}

/** Both axes from 0 to 100 %. */
function square(xTitle: string, yTitle: string) {
  const axis = {
    type: 'value',
    min: 0,
    max: 100,
    interval: 20,
    axisLine: { ...line, show: true, onZero: false },
    axisTick: line,
    splitLine: { lineStyle: { color: 'var(--grid)' } },
    axisLabel: { ...muted, formatter: '{value} %' },
  };
  return {
    ...frame,
    xAxis: { ...axis, ...axisTitle(xTitle) },
    yAxis: { ...axis, name: yTitle, ...verticalTitle },
  };
}

export function legend(data: readonly string[]) {
  const textStyle = { color: 'var(--ink)', fontSize: 12.5 };
  return { right: 18, top: 4, itemWidth: 14, itemHeight: 11, itemGap: 16, textStyle, data: [...data] };
}

function guide(points: readonly [Point, Point]) {
  return {
    type: 'line',
    data: points.map(percent),
    showSymbol: false,
    lineStyle: { color: 'var(--muted)', width: 1.25, type: [5, 5] },
  };
}

/** Leaves out points that look the same as the previous one, so that large sets give small files too. */
function thin(points: readonly Point[]): Point[] {
  const place = ([x, y]: Point) => `${Math.round(500 * x)} ${Math.round(500 * y)}`;
  return points.filter((point, i) => i === 0 || i === points.length - 1 || place(point) !== place(points[i - 1]));
}
