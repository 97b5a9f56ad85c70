import type { CalibrationLine, CalibrationSummary, Calibrator, Estimate } from '../statistics/index.js';
import { formatCount, formatMetric, formatPercent } from '../text/numbers.js';
import type { CalibratedSet, CalibrationReport } from './data.js';
import { type Html, html, unbroken } from './html.js';
import { renderReliability } from './plots.js';

/** `temperature scaling (temperature 1.83)`. */
export function describeCalibrator(calibrator: Calibrator): string {
  switch (calibrator.method) {
    case 'temperature':
      return `temperature scaling (temperature ${formatMetric(calibrator.temperature)})`;
    case 'platt':
      return `Platt scaling (slope ${formatMetric(calibrator.slope)}, intercept ${formatMetric(calibrator.intercept)})`;
    case 'isotonic':
      return `isotonic regression (${formatCount(calibrator.logOdds.length)} points)`;
  }
}

/** Metrics of calibration, by name: value and best value. */
export function calibrationRows(before: CalibrationSummary, after: CalibrationSummary): [string, string, string][] {
  const row = (name: string, value: (summary: CalibrationSummary) => string): [string, string, string] => [
    name,
    value(before),
    value(after),
  ];
  const ofLine =
    (name: 'slope' | 'intercept' | 'inTheLarge') =>
    ({ line }: CalibrationSummary) =>
      estimateOf(line, name);
  return [
    row('Brier score (0 is best)', ({ brierScore }) => formatMetric(brierScore)),
    row('log loss (0 is best)', ({ logLoss }) => formatMetric(logLoss)),
    row('calibration error, ECE', ({ calibration }) => formatPercent(calibration.expectedCalibrationError, 1)),
    ...(before.line === null
      ? []
      : [
          row('slope (1 is best)', ofLine('slope')),
          row('intercept beside the slope', ofLine('intercept')),
          row('intercept for slope 1 (0 is best)', ofLine('inTheLarge')),
        ]),
  ];
}

function estimateOf(line: CalibrationLine | null, name: 'slope' | 'intercept' | 'inTheLarge'): string {
  if (line === null) return '–';
  if ('reason' in line) return `none: ${line.reason}`;
  const { value, interval }: Estimate = line[name];
  return `${value.toFixed(2)} (${interval[0].toFixed(2)} to ${interval[1].toFixed(2)})`;
}

/** The reliability curve: range of probabilities, images, mean probability and share of the class. */
export function reliabilityRows(before: CalibrationSummary, after: CalibrationSummary): string[][] {
  const cells = ({ calibration }: CalibrationSummary, i: number) => {
    const { meanScore, positives } = calibration.bins[i];
    if (meanScore === null || positives.value === null) return ['·', '', ''];
    return [formatCount(positives.total), formatPercent(meanScore, 1), formatPercent(positives.value, 1)];
  };
  return before.calibration.bins.flatMap(({ low, high }, i) => {
    const row = [...cells(before, i), ...cells(after, i)];
    return row[0] === '·' && row[3] === '·' ? [] : [[`${formatPercent(low, 0)} to ${formatPercent(high, 0)}`, ...row]];
  });
}

/** Calibration of a run, before and after. */
export function calibrationSection({ description, sets }: CalibrationReport): Html {
  return html`
<h2>Calibration</h2>
<p>Probabilities of this run are calibrated: ${description}.</p>
${sets.map(ofSet)}`;
}

function ofSet({ name, before, after }: CalibratedSet): Html {
  const rows = calibrationRows(before, after).map(
    ([metric, ...values]) =>
      html`<tr><th scope="row">${metric}</th>${values.map((value) => html`<td>${unbroken(value)}</td>`)}</tr>`,
  );
  const figure = (when: string, { calibration }: CalibrationSummary) => html`<figure><h3>${when}</h3>
${renderReliability(calibration.bins, `Reliability diagram, ${when}, on ${formatCount(before.samples)} ${name}`)}</figure>`;
  return html`<h3>${formatCount(before.samples)} ${name}</h3>
<div class="scroll"><table class="points"><thead><tr><th scope="col"></th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
<tbody>${rows}</tbody></table></div>
<div class="charts">${figure('Before', before)}${figure('After', after)}</div>`;
}
