import { line, muted, renderSvg } from '../report/curves.js';
import { html, Html as Raw } from '../report/html.js';
import { style } from '../report/style.js';
import { version } from '../version.js';
import type { RateSearch } from './learningRate.js';

/** The curve of a search for a learning rate, as one HTML file that loads nothing from elsewhere. */
export function renderRatePage(model: string, data: string, { points, suggestion, reason, ended }: RateSearch): string {
  const axis = {
    axisLine: { ...line, onZero: false },
    axisLabel: muted,
    splitLine: { lineStyle: { color: 'var(--grid)' } },
  };
  const series = (name: string, color: string, width: number, value: (i: number) => number) => ({
    type: 'line',
    name,
    data: points.map(({ rate }, i) => [Math.log10(rate), value(i)]),
    showSymbol: false,
    lineStyle: { color: `var(--${color})`, width },
    itemStyle: { color: `var(--${color})` },
  });
  const exponents = points.map(({ rate }) => Math.log10(rate));
  const smoothed = points.map((point) => point.smoothed);
  const lowest = smoothed.indexOf(Math.min(...smoothed));
  // The losses of the explosion would flatten the curve before it.
  const most = 1.25 * Math.max(...points.slice(0, lowest + 1).map(({ loss }) => loss));
  const isCut = points.some(({ loss }) => loss > most);
  const option = {
    animation: false,
    textStyle: { fontFamily: 'inherit', fontSize: 12.5 },
    grid: { left: 62, right: 16, top: 46, bottom: 48 },
    legend: {
      right: 12,
      top: 4,
      itemWidth: 18,
      itemGap: 30,
      textStyle: { color: 'var(--ink)' },
      data: ['loss', 'smoothed'],
    },
    xAxis: {
      type: 'value',
      name: 'Learning rate',
      nameLocation: 'middle',
      nameGap: 30,
      nameTextStyle: muted,
      ...axis,
      // Logarithms, since ECharts writes powers of ten such as 0.000009999999.
      axisLabel: { ...muted, formatter: (exponent: number) => (Number.isInteger(exponent) ? `1e${exponent}` : '') },
      min: Math.floor(Math.min(...exponents)),
      max: Math.ceil(Math.max(...exponents)),
      minInterval: 1,
    },
    yAxis: { type: 'value', scale: true, name: 'Loss', nameTextStyle: muted, ...axis, ...(isCut && { max: most }) },
    series: [
      series('loss', 'rule', 1, (i) => points[i].loss),
      {
        ...series('smoothed', 'blue', 2.25, (i) => points[i].smoothed),
        ...(suggestion !== null && {
          markLine: {
            symbol: 'none',
            data: [{ xAxis: Math.log10(suggestion) }],
            lineStyle: { color: 'var(--orange)', type: 'solid' },
            label: { formatter: String(suggestion), color: 'var(--orange)' },
          },
        }),
      },
    ],
  };
  const chart =
    points.length === 0
      ? null
      : renderSvg(option as Parameters<typeof renderSvg>[0], { id: 'rates', label: reason, height: 340 });
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Learning rate of ${model}</title>
<style>${new Raw(style)}</style>
</head>
<body>
<main>
<header><p class="overline">Search for a learning rate</p><h1>${model} on ${data}</h1>
<p class="lead">${suggestion === null ? 'No suggestion.' : `Suggestion: ${suggestion}.`} ${reason}</p>
${ended === null ? null : html`<p class="hint">It ended early: ${ended}.</p>`}</header>
<div class="charts"><figure>${chart}</figure></div>
<footer>Made by Fovea ${version}. This page is one file: it can be passed on as it is and loads nothing from elsewhere.</footer>
</main>
</body>
</html>
`.text;
}
