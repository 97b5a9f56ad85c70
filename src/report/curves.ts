import { createRequire } from 'node:module';
import type * as echarts from 'echarts';
import { formatMetric, formatPercent } from '../text/numbers.js';
import { visibleText } from '../text/visible.js';
import { Html, html } from './html.js';

/** One line of a chart. */
export interface Curve {
  readonly name: string;
  /** A color of the page's style: `blue`, `orange`. */
  readonly color: string;
  /** Distinguishes the curve without its color, for color-blind readers. */
  readonly symbol: 'circle' | 'diamond';
  readonly values: readonly (number | null)[];
}

export interface Chart {
  /** Makes the ids in the picture unique on its page. */
  readonly id: string;
  readonly xTitle: string;
  /** Whole numbers. */
  readonly xLabels: readonly number[];
  readonly yTitle: string;
  /** Values are percentages, and the axis need not begin at 0. Default false. */
  readonly percent?: boolean;
  readonly curves: readonly Curve[];
}

/** Distances between labels of the axis: with many epochs only round numbers are shown. */
const labelSteps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const maxLabels = 15;
/** Curves with more points than this have no symbols. */
const maxSymbols = 25;

// The bundle loads ten times faster than the package's modules. It is loaded only when a report is made.
function loadCharts(): typeof echarts {
  return createRequire(import.meta.url)('echarts/dist/echarts.min.js');
}

/** A value counts as an outlier if it exceeds this multiple of the median. */
const outlierRatio = 30;

interface Cut {
  /** Upper end of the axis; `null` if every value is shown. */
  readonly max: number | null;
  /** Values above it. */
  readonly beyond: readonly { readonly name: string; readonly x: number; readonly value: number }[];
}

/**
 * Leaves out values far above all others, which would flatten the curves, such as one epoch with a diverging
 * validation loss. Up to a quarter of the values may be left out.
 */
export function cutOf({ curves, xLabels, percent = false }: Chart): Cut {
  const points = curves.flatMap(({ name, values }) =>
    values.flatMap((value, i) => (value !== null && Number.isFinite(value) ? [{ name, x: xLabels[i], value }] : [])),
  );
  const sorted = points.map(({ value }) => value).sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  const beyond = points.filter(({ value }) => value > outlierRatio * median);
  if (percent || median <= 0 || beyond.length === 0 || beyond.length > sorted.length / 4)
    return { max: null, beyond: [] };
  return { max: niceAbove(sorted[sorted.length - beyond.length - 1]), beyond };
}

/** The smallest number of the form 1, 2 or 5 times a power of ten that is not below `x`. */
function niceAbove(x: number): number {
  const power = 10 ** Math.floor(Math.log10(x));
  return power * ([1, 2, 5].find((factor) => factor * power >= x) ?? 10);
}

/** Learning curves over the epochs. */
export function renderChart(chart: Chart): Html {
  return renderSvg(optionsOf(chart), { id: chart.id, label: describe(chart), height: 300 });
}

/**
 * An SVG picture that takes its colors from the page's style and scales with its box.
 *
 * @param about `id` makes the ids in the picture unique on its page; `label` describes the picture for
 *   readers who cannot see it
 */
export function renderSvg(
  option: echarts.EChartsOption,
  about: { readonly id: string; readonly label: string; readonly height: number },
): Html {
  const { id, label, height } = about;
  const instance = loadCharts().init(null, null, { renderer: 'svg', ssr: true, width: 460, height });
  try {
    instance.setOption(option);
    return new Html(embed(visibleText(instance.renderToSVGString()), id, label));
  } finally {
    instance.dispose();
  }
}

export const muted = { color: 'var(--muted)', fontSize: 12.5 };
export const line = { lineStyle: { color: 'var(--rule)' } };

function optionsOf(chart: Chart): echarts.EChartsOption {
  const { curves, xLabels, percent = false } = chart;
  const step = labelSteps.find((every) => xLabels.length / every <= maxLabels) ?? 1;
  const interval = (_: number, label: string) => Number(label) % step === 0;
  return {
    animation: false,
    textStyle: { fontFamily: 'inherit', fontSize: 12.5 },
    grid: { left: 52, right: 16, top: 46, bottom: 48, containLabel: false },
    legend: {
      show: curves.length > 1,
      right: 10,
      top: 4,
      itemWidth: 28,
      itemHeight: 9,
      itemGap: 18,
      textStyle: { color: 'var(--ink)', fontSize: 12.5 },
      data: curves.map(({ name }) => name),
    },
    xAxis: {
      type: 'category',
      data: xLabels.map(String),
      boundaryGap: xLabels.length < 2,
      name: chart.xTitle,
      nameLocation: 'middle',
      nameGap: 30,
      nameTextStyle: muted,
      axisLine: { ...line, onZero: false },
      axisTick: { ...line, alignWithLabel: true, interval },
      axisLabel: { ...muted, interval },
    },
    yAxis: {
      type: 'value',
      scale: percent,
      max: percent
        ? ({ min, max }) => (max > 90 || min === max ? 100 : (undefined as unknown as number))
        : (cutOf(chart).max ?? undefined),
      name: chart.yTitle,
      nameLocation: 'end',
      nameGap: 18,
      nameTextStyle: { ...muted, align: 'left', padding: [0, 0, 0, -44] },
      splitLine: { lineStyle: { color: 'var(--grid)' } },
      axisLabel: { ...muted, formatter: (value: number) => (percent ? `${value} %` : String(value)) },
    },
    series: curves.map(({ name, color, symbol, values }) => ({
      type: 'line',
      name,
      data: values.map((value) => (value !== null && Number.isFinite(value) ? value : null)),
      connectNulls: true,
      symbol,
      symbolSize: symbol === 'diamond' ? 10 : 7,
      showSymbol: values.length <= maxSymbols,
      showAllSymbol: true,
      lineStyle: { color: `var(--${color})`, width: 2.25, type: symbol === 'diamond' ? [6, 4] : 'solid' },
      itemStyle: { color: `var(--${color})` },
    })),
  } as echarts.EChartsOption;
}

/**
 * Removes the picture's own size, hover rules and counted ids, so that the same data give the same text.
 */
function embed(svg: string, id: string, label: string): string {
  const text = html`${label}`.text;
  return svg
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/ (class|ecmeta_\w+)="[^"]*"/g, '')
    .replace(/\bzr\d+-/g, `${id}-`)
    .replace(/^<svg width="\d+" height="\d+"/, () => `<svg role="img" aria-label="${text}"`);
}

function describe({ curves, xTitle, yTitle, percent }: Chart): string {
  const ends = curves.map(({ name, values }) => {
    const last = values.findLast((value) => value !== null && Number.isFinite(value)) ?? Number.NaN;
    return `${name} ends at ${percent ? formatPercent(last / 100) : formatMetric(last)}`;
  });
  return `${yTitle} by ${xTitle}: ${ends.join(', ')}`;
}
