import { line, muted, renderSvg } from '../report/curves.js';
import { html, Html as Raw } from '../report/html.js';
import { style } from '../report/style.js';
import { version } from '../version.js';
import type { RateSearch } from './learningRate.js';

/** The curve of a search for a learning rate, as one HTML file that loads nothing from elsewhere. */
export function renderRatePage(model: string, data: string, { points, suggestion, reason, ended }: RateSearch): string {
  const axis = { axisLine: line, axisLabel: muted, splitLine: { lineStyle: { color: 'var(--grid)' } } };
  const series = (name: string, color: string, width: number, value: (i: number) => number) => ({
    type: 'line',
    name,
    data: points.map(({ rate }, i) => [rate, value(i)]),
    showSymbol: false,
    lineStyle: { color: `var(--${color})`, width },
    itemStyle: { color: `var(--${color})` },
  });
  const option = {
    animation: false,
    textStyle: { fontFamily: 'inherit', fontSize: 12.5 },
    grid: { left: 62, right: 16, top: 46, bottom: 48 },
    legend: { right: 12, top: 4, textStyle: { color: 'var(--ink)' }, data: ['loss', 'smoothed'] },
    xAxis: { type: 'log', name: 'Learning rate', nameLocation: 'middle', nameGap: 30, nameTextStyle: muted, ...axis },
    yAxis: { type: 'value', scale: true, name: 'Loss', nameTextStyle: muted, ...axis },
    series: [
      series('loss', 'rule', 1, (i) => points[i].loss),
      {
        ...series('smoothed', 'blue', 2.25, (i) => points[i].smoothed),
        ...(suggestion !== null && {
          markLine: {
            symbol: 'none',
            data: [{ xAxis: suggestion }],
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
