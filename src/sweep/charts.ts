import { line, muted, renderSvg } from '../report/curves.js';
import type { Html } from '../report/html.js';
import type { Json } from '../text/json.js';
import { isActive, type Parameter, type Values } from './space.js';

/** Options of a chart. */
type Option = Parameters<typeof renderSvg>[0];

const text = { fontFamily: 'inherit', fontSize: 12.5 };
const axis = {
  axisLine: line,
  axisTick: { show: false },
  axisLabel: muted,
  splitLine: { lineStyle: { color: 'var(--grid)' } },
};

/** A trial as charts show it. */
export interface ChartTrial {
  readonly id: number;
  readonly values: Values;
  /** The metric after each epoch; null without an evaluation. */
  readonly curve: readonly (number | null)[];
  /** The last metric; null for a trial that failed. */
  readonly value: number | null;
  readonly isWhole: boolean;
}

/** Metrics of the trials in the order of their beginning, and the best so far. */
export function historyChart(trials: readonly ChartTrial[], metric: string, higherIsBetter: boolean): Html {
  const better = higherIsBetter ? Math.max : Math.min;
  let best: number | null = null;
  const bests = trials.map(({ id, value, isWhole }) => {
    if (value !== null && isWhole) best = best === null ? value : better(best, value);
    return [id, best];
  });
  const points = (whole: boolean) =>
    trials.filter(({ isWhole, value }) => isWhole === whole && value !== null).map(({ id, value }) => [id, value]);
  const option = {
    animation: false,
    textStyle: text,
    grid: { left: 62, right: 16, top: 46, bottom: 48 },
    legend: {
      right: 4,
      top: 4,
      itemWidth: 18,
      itemGap: 30,
      textStyle: { color: 'var(--ink)' },
      data: ['whole trainings', 'stopped early', 'best so far'],
    },
    xAxis: {
      type: 'value',
      min: 1,
      minInterval: 1,
      name: 'Trial',
      nameLocation: 'middle',
      nameGap: 30,
      nameTextStyle: muted,
      ...axis,
    },
    yAxis: { type: 'value', scale: true, name: metric, nameTextStyle: muted, ...axis },
    series: [
      {
        type: 'scatter',
        name: 'whole trainings',
        data: points(true),
        symbolSize: 9,
        itemStyle: { color: 'var(--blue)' },
      },
      {
        type: 'scatter',
        name: 'stopped early',
        data: points(false),
        symbolSize: 7,
        symbol: 'emptyCircle',
        itemStyle: { color: 'var(--muted)' },
      },
      {
        type: 'line',
        step: 'end',
        name: 'best so far',
        data: bests,
        showSymbol: false,
        itemStyle: { color: 'var(--orange)' },
        lineStyle: { color: 'var(--orange)' },
      },
    ],
  };
  return renderSvg(option as Option, {
    id: 'history',
    label: `${metric} of ${trials.length} trials`,
    height: 320,
  });
}

/** The values of each trial as one line across an axis for each parameter. The best quarter is blue. */
export function parallelChart(
  parameters: readonly Parameter[],
  trials: readonly ChartTrial[],
  metric: string,
  higherIsBetter: boolean,
): Html {
  const done = trials.filter(({ value }) => value !== null);
  const sign = higherIsBetter ? -1 : 1;
  const sorted = [...done].sort((a, b) => sign * ((a.value ?? 0) - (b.value ?? 0)));
  const good = new Set(sorted.slice(0, Math.ceil(sorted.length / 4)).map(({ id }) => id));
  const shown = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value));
  const data = done.flatMap(({ id, values, value }) => {
    const places = [
      ...parameters.map((parameter) => {
        if (!Object.hasOwn(values, parameter.key) || !isActive(parameter, values)) return null;
        return parameter.range.kind === 'choice' ? shown(values[parameter.key]) : values[parameter.key];
      }),
      value,
    ];
    const style = good.has(id)
      ? { color: 'var(--blue)', opacity: 0.9, width: 1.75 }
      : { color: 'var(--muted)', opacity: 0.35, width: 1 };
    return linesThrough(places).map(({ begin, end, isWhole }) => ({
      value: places.map((place, i) => (i < begin || i > end ? null : place)),
      lineStyle: isWhole ? style : { ...style, type: 'dashed' },
    }));
  });
  const names = { nameTextStyle: muted, axisLine: line, axisLabel: muted, axisTick: line };
  const option = {
    animation: false,
    textStyle: text,
    parallel: { left: 40, right: 56, top: 40, bottom: 24 },
    parallelAxis: [
      ...parameters.map(({ key, range }, dim) => ({
        dim,
        name: key,
        ...names,
        ...(range.kind === 'choice'
          ? { type: 'category', data: range.values.map(shown) }
          : {
              type: range.kind === 'log' || range.kind === 'logInt' ? 'log' : 'value',
              min: range.low,
              max: range.high,
            }),
      })),
      { dim: parameters.length, name: metric, type: 'value', scale: true, ...names },
    ],
    series: [{ type: 'parallel', data }],
  };
  const label = `Values of ${done.length} trials and their ${metric}`;
  return renderSvg(option as Option, { id: 'parallel', label, height: 340 });
}

/** Parts of a line from its first to its last axis: solid ones, and those across axes without a place. */
function linesThrough(places: readonly unknown[]): { begin: number; end: number; isWhole: boolean }[] {
  const known = places.flatMap((place, i) => (place === null ? [] : [i]));
  const parts: { begin: number; end: number; isWhole: boolean }[] = [];
  for (const [k, end] of known.entries()) {
    if (k === 0) continue;
    const begin = known[k - 1];
    const isWhole = end === begin + 1;
    const last = parts.at(-1);
    if (isWhole && last?.isWhole) last.end = end;
    else parts.push({ begin, end, isWhole });
  }
  return parts;
}

/** The metric of all trials over the epochs. */
export function curvesChart(trials: readonly ChartTrial[], metric: string, best: number | null): Html {
  const epochs = Math.max(1, ...trials.map(({ curve }) => curve.length));
  const option = {
    animation: false,
    textStyle: text,
    grid: { left: 62, right: 16, top: 30, bottom: 48 },
    xAxis: {
      type: 'category',
      data: Array.from({ length: epochs }, (_, i) => i + 1),
      name: 'Epoch',
      nameLocation: 'middle',
      nameGap: 30,
      nameTextStyle: muted,
      ...axis,
    },
    yAxis: { type: 'value', scale: true, name: metric, nameTextStyle: muted, ...axis },
    series: trials.map(({ id, curve }) => ({
      type: 'line',
      data: curve,
      showSymbol: curve.length === 1,
      z: id === best ? 3 : 2,
      itemStyle: { color: id === best ? 'var(--orange)' : 'var(--blue)' },
      lineStyle:
        id === best ? { color: 'var(--orange)', width: 2.5 } : { color: 'var(--blue)', opacity: 0.35, width: 1.25 },
    })),
  };
  const label = `${metric} of ${trials.length} trials over ${epochs} epochs`;
  return renderSvg(option as Option, { id: 'curves', label, height: 320 });
}
