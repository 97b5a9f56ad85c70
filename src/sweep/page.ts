import { html, Html as Raw } from '../report/html.js';
import { style } from '../report/style.js';
import { formatCount, formatDuration } from '../text/numbers.js';
import { version } from '../version.js';
import { type ChartTrial, curvesChart, historyChart, parallelChart } from './charts.js';
import type { SweepDefinition } from './definition.js';
import type { SweepSummary } from './summary.js';
import { findings, nameOf, shownDifference, shownMetric, shownSeeds, shownValues } from './wording.js';

/** Long texts break, so that the differences are seen without scrolling. */
const ownStyle = '.recipes th, .recipes td { white-space: normal; } .recipes td.left { min-width: 9rem; }';

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** The report of a sweep: one HTML file that loads nothing from elsewhere. */
export function renderSweepReport(
  definition: SweepDefinition,
  summary: SweepSummary,
  trials: readonly ChartTrial[],
  ended: Date,
): string {
  const { metric, candidates, differences, trials: counts } = summary;
  const name = capital(metric);
  const higher = metric === 'accuracy';
  // Accuracies are percentages on axes, as in the text.
  const axisName = metric === 'accuracy' ? 'Accuracy, %' : name;
  const scale = (value: number | null) => (value === null || metric !== 'accuracy' ? value : 100 * value);
  const plotted = trials.map(({ value, curve, ...trial }) => ({
    ...trial,
    value: scale(value),
    curve: curve.map(scale),
  }));
  const done = plotted.filter(({ value }) => value !== null);
  const best = candidates.find(({ trial }) => trial > 0)?.trial ?? null;
  const title = `Sweep of ${definition.model}`;
  const rows = candidates.map((candidate) => {
    const compared = differences.find(({ trial }) => trial === candidate.trial);
    // The table says how much worse the others are, the summary how much better the first one is.
    const difference = compared?.difference == null ? '' : shownDifference(metric, -compared.difference);
    const interval =
      compared?.interval == null
        ? ''
        : `, ${[...compared.interval]
            .reverse()
            .map((end) => shownDifference(metric, -end).replace(' points', ''))
            .join(' to ')}`;
    const p = compared?.adjusted == null ? '' : compared.adjusted < 0.001 ? '< 0.001' : compared.adjusted.toFixed(3);
    return html`<tr><th>${nameOf(candidate)}</th><td class="left">${shownValues(definition, candidate.values)}</td>
<td>${candidate.inSearch === null ? '' : shownMetric(metric, candidate.inSearch)}</td><td>${shownSeeds(metric, candidate.fresh)}</td>
<td>${difference}${interval}</td><td>${p}</td></tr>`;
  });
  const all = trials.map(({ id, values, value, curve, isWhole }) => {
    const failure = summary.failures.find(({ trial }) => trial === id);
    const result = value === null ? (failure?.why ?? 'failed') : shownMetric(metric, value);
    return html`<tr><th>${id}</th><td class="left">${shownValues(definition, values)}</td><td>${curve.length}${isWhole ? '' : ', stopped'}</td>
<td>${result}</td></tr>`;
  });
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title} – sweep report</title>
<style>${new Raw(style)}
${new Raw(ownStyle)}</style>
</head>
<body>
<main>
<header>
<p class="overline">Sweep report, ${ended.toISOString().slice(0, 10)}</p>
<h1>${title}</h1>
<dl class="tiles">
<div><dt>Trials</dt><dd>${formatCount(trials.length)}<small>${counts.whole} whole, ${counts.stopped} stopped early, ${counts.failed} failed</small></dd></div>
<div><dt>Time of all trainings</dt><dd>${formatDuration(summary.seconds)}<small>method ${definition.settings.method}</small></dd></div>
</dl>
</header>
<section><h2>Findings</h2>${findings(summary, definition).map((sentence) => html`<p>${sentence}</p>`)}</section>
<section><h2>The best recipes again, with fresh seeds</h2>
<div class="scroll"><table class="recipes"><thead><tr><th></th><th class="left">Values</th><th>In the search</th><th>Fresh seeds, mean ± standard deviation</th><th>Difference to the best, 95 % interval</th><th>p, adjusted</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>
${
  done.length === 0
    ? null
    : html`<section><h2>The search</h2><div class="charts">
<figure>${historyChart(plotted, axisName, higher)}<figcaption>Each trial with its last ${metric}.</figcaption></figure>
<figure>${parallelChart(definition.parameters, plotted, axisName, higher)}<figcaption>Each line is a trial; the best quarter is blue. A line is dashed across keys that a trial does not have.</figcaption></figure>
<figure>${curvesChart(done, axisName, best)}<figcaption>All trials over their epochs; the best one is orange.</figcaption></figure>
</div></section>`
}
<section><h2>All trials</h2>
<div class="scroll"><table><thead><tr><th>Trial</th><th class="left">Values</th><th>Epochs</th><th>${name}</th></tr></thead><tbody>${all}</tbody></table></div></section>
<footer>Made by Fovea ${version}. This page is one file: it can be passed on as it is and loads nothing from elsewhere.</footer>
</main>
</body>
</html>
`.text;
}
