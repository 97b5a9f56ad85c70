import type { Bootstrap, MetricIntervals } from '../statistics/index.js';
import { inWords } from '../text/list.js';
import { formatCount, formatMetric } from '../text/numbers.js';
import type { IntervalReport } from './data.js';
import { type Html, html, unbroken } from './html.js';
import { metricTitles } from './metricTitles.js';

/** Value and intervals of a metric as cells of a table, the second interval for images with groups alone. */
export function intervalCells({ metric, byImage, byGroup }: MetricIntervals): string[] {
  const cell = ({ interval }: Bootstrap) => (interval === null ? 'none' : interval.map(formatMetric).join(' to '));
  return [
    metricTitles[metric],
    byImage.value === null ? 'none' : formatMetric(byImage.value),
    cell(byImage),
    ...(byGroup === null ? [] : [cell(byGroup)]),
  ];
}

/** Why cells are `none`: `sensitivity and specificity have no interval: …`. */
export function intervalReasons(metrics: readonly MetricIntervals[]): string[] {
  const without = new Map<string, string[]>();
  for (const { metric, byImage, byGroup } of metrics) {
    const found = [byImage, byGroup].find((own) => own !== null && own.interval === null);
    if (found == null || !('reason' in found)) continue;
    const why = `${found.value === null ? 'no value' : 'no interval'}: ${found.reason}`;
    without.set(why, [...(without.get(why) ?? []), metricTitles[metric]]);
  }
  return [...without].map(([why, names]) => `${inWords(names)}: ${why}`);
}

/** Metrics with intervals by image and by group. */
export function intervalsSection({ images, groups, metrics }: IntervalReport): Html {
  const rows = metrics.map((own) => {
    const [title, ...cells] = intervalCells(own);
    return html`<tr><td class="left">${title}</td>${cells.map((cell) => html`<td>${unbroken(cell)}</td>`)}</tr>`;
  });
  const hint =
    groups === null
      ? html`They take images as independent. Several images of a person are not: name the person with group.`
      : html`Images of a group, such as a patient, are alike, so that intervals by image are too short: those of the
${formatCount(groups)} groups count.`;
  return html`
<h2>Metrics with intervals</h2>
<p class="hint">On ${images}; 95 % intervals of 2,000 resamples (BCa bootstrap). ${hint}</p>
<div class="scroll"><table><thead><tr><th scope="col" class="left">Metric</th><th scope="col">Value</th><th scope="col">By image</th>
${groups === null ? null : html`<th scope="col">By group</th>`}</tr></thead><tbody>${rows}</tbody></table></div>
${intervalReasons(metrics).map((reason) => html`<p class="hint">${reason}.</p>`)}`;
}
