import {
  type Proportion,
  predictiveValues,
  type ScreeningMetrics,
  type ThresholdMetrics,
} from '../statistics/index.js';
import { formatCount, formatInterval, formatMetric, formatPercent, formatThreshold } from '../text/numbers.js';
import type { Screening } from './data.js';
import { type Html, html, unbroken } from './html.js';
import { describeOperatingRule, describeTarget, formatProportion } from './operatingPoint.js';
import { type PlotMark, type Point, renderPlot, renderReliability, renderSpread } from './plots.js';
import type { Names } from './sections.js';
import { type Wording, wordingFor } from './wording.js';

/** Shares of positives for which predictive values are reported. They are lower than in any training set. */
const prevalences = [0.01, 0.05, 0.1];

export const syntheticNote = html`<p class="note synthetic"><b>The pictures are synthetic.</b> A program made them; none shows
an eye. These metrics show whether the software works, and nothing about how well it would do on photographs.</p>`;

/** The most important metrics, each with its interval. */
export function screeningTiles(screening: Screening, unreadable: number): Html {
  const { metrics, positiveName } = screening;
  const wording = wordingOf(screening);
  const { prevalence, auc, atThreshold, atOperatingPoint } = metrics;
  const tile = (name: string, value: string, detail: string | Html) => html`
<div><dt>${name}</dt><dd>${value}<small>${detail}</small></dd></div>`;
  const share = (name: string, value: Proportion) => tile(name, formatProportion(value), intervalOf(value));
  const pair = (at: ThresholdMetrics, place: string) => [
    share(`Sensitivity ${place}`, at.sensitivity),
    share(`Specificity ${place}`, at.specificity),
  ];
  const half = formatThreshold(atThreshold.threshold);
  return html`<dl class="tiles even">
${share(atThreshold.threshold === 0.5 ? 'Accuracy' : `Accuracy at ${half}`, atThreshold.accuracy)}
${auc.value === null ? tile('AUC', '–', auc.reason) : tile('AUC', auc.value.toFixed(3), html`95 % interval ${unbroken(areas(auc.interval))}`)}
${tile(wording.prevalence, formatProportion(prevalence), `${countOf(prevalence)} images: ${positiveName}`)}
${tile('Unreadable', formatCount(unreadable), unreadable === 1 ? 'picture, left out' : 'pictures, left out')}
${pair(atThreshold, `at ${half}`)}
${atOperatingPoint === null ? null : pair(atOperatingPoint, 'at operating point')}
</dl>
${wording.disclaimer === null ? null : html`<p class="hint disclaimer">${wording.disclaimer}</p>`}`;
}

function wordingOf({ screeningTest = false, positiveName, otherName }: Screening): Wording {
  return wordingFor(screeningTest, positiveName, otherName);
}

/** Curves, operating points and calibration. */
export function screeningSection(screening: Screening, { evalName }: Names): Html {
  const { metrics, positiveName, dataSha256, weightsSha256 } = screening;
  const { samples, prevalence, auc } = metrics;
  const lacking = 'Curves and area need images of both classes.';
  const { heading } = wordingOf(screening);
  return html`
<h2>${heading}</h2>
<p>The positive class is <b>${positiveName}</b>, with ${formatCount(prevalence.hits)} of the ${formatCount(samples)} ${evalName} images. An image is
taken for it if its probability reaches the threshold. ${auc.value === null ? lacking : null}</p>
${pointTable(screening)}
<div class="charts">${curveCharts(screening)}${calibrationChart(screening)}</div>
${dataSha256 === undefined && weightsSha256 === undefined ? null : html`<dl class="hashes">${hash('Images and labels', dataSha256)}${hash('Weights', weightsSha256)}</dl>`}`;
}

function hash(name: string, sha256: string | undefined): Html | null {
  return sha256 === undefined ? null : html`<dt>${name} (SHA-256)</dt><dd>${sha256}</dd>`;
}

function intervalOf({ interval }: Proportion): Html | string {
  return interval === null ? 'no such images' : html`95 % interval ${unbroken(formatInterval(interval))}`;
}

function areas([low, high]: readonly [number, number]): string {
  return `${low.toFixed(3)}–${high.toFixed(3)}`;
}

function countOf({ hits, total }: Proportion): string {
  return `${formatCount(hits)} of ${formatCount(total)}`;
}

/** A table of metrics with one column per threshold. */
function pointTable(screening: Screening): Html {
  const { metrics, operatingRule } = screening;
  const wording = wordingOf(screening);
  const { atThreshold, operatingPoint, atOperatingPoint } = metrics;
  const points = atOperatingPoint === null ? [atThreshold] : [atThreshold, atOperatingPoint];
  const row = (name: string, cell: (at: ThresholdMetrics) => Html | string | null) => html`
<tr><th scope="row">${name}</th>${points.map((at) => html`<td>${cell(at)}</td>`)}</tr>`;
  const share = (name: string, pick: (at: ThresholdMetrics) => Proportion) =>
    row(name, (at) => {
      const proportion = pick(at);
      const interval =
        proportion.interval === null ? null : html`<small>${unbroken(formatInterval(proportion.interval))}</small>`;
      return html`${formatProportion(proportion)}${interval}`;
    });
  const predictive = prevalences.map((prevalence) =>
    row(wording.predictive(formatPercent(prevalence, 0)), ({ sensitivity, specificity }) => {
      if (sensitivity.value === null || specificity.value === null) return '–';
      const at = { sensitivity: sensitivity.value, specificity: specificity.value, prevalence };
      const { ppv, npv } = predictiveValues(at);
      return `${formatPercent(ppv ?? Number.NaN, 1)}, ${formatPercent(npv ?? Number.NaN, 1)}`;
    }),
  );
  const heads = points.map(
    (at, i) => html`<th scope="col">${i === 0 ? null : 'Operating point '}${formatThreshold(at.threshold)}</th>`,
  );
  return html`
${operatingPoint === null ? null : operatingNote(metrics, operatingPoint, operatingRule)}
<div class="scroll"><table class="points"><thead><tr><th scope="col">Threshold</th>${heads}</tr></thead><tbody>
${share(wording.sensitivity, (at) => at.sensitivity)}
${share(wording.specificity, (at) => at.specificity)}
${share(wording.ppv, (at) => at.ppv)}
${share(wording.npv, (at) => at.npv)}
${share('Accuracy', (at) => at.accuracy)}
${row(wording.truePositives, (at) => formatCount(at.truePositives))}
${row(wording.falseNegatives, (at) => formatCount(at.falseNegatives))}
${row(wording.falsePositives, (at) => formatCount(at.falsePositives))}
${row(wording.trueNegatives, (at) => formatCount(at.trueNegatives))}
${predictive}
</tbody></table></div>
<p class="hint">In small print: 95 % intervals after Wilson. ${wording.predictiveNote}; the last rows say
what they would be elsewhere, if sensitivity and specificity were as found here.</p>`;
}

function operatingNote(
  metrics: ScreeningMetrics,
  { rule, chosenOn }: NonNullable<ScreeningMetrics['operatingPoint']>,
  operatingRule: string | undefined,
): Html {
  const { sensitivity, specificity, accuracy } = chosenOn;
  const missed = describeTarget(metrics);
  return html`<p>The operating point was chosen by this rule: ${operatingRule ?? describeOperatingRule(rule)}. On the
${formatCount(accuracy.total)} images that it was chosen on, its sensitivity was ${formatProportion(sensitivity)} and its specificity
${formatProportion(specificity)}. ${missed === null ? null : html`<b>${missed}</b>`}</p>`;
}

function curveCharts(screening: Screening): Html[] {
  const { metrics, positiveName } = screening;
  const wording = wordingOf(screening);
  const { auc, roc, precisionRecall, averagePrecision, prevalence, atThreshold, atOperatingPoint } = metrics;
  const marks = (place: (at: ThresholdMetrics) => Point | null): PlotMark[] => {
    const mark = (at: ThresholdMetrics | null, name: string, symbol: PlotMark['symbol']): PlotMark[] => {
      const where = at && place(at);
      return at && where ? [{ name: `${name} ${formatThreshold(at.threshold)}`, at: where, symbol }] : [];
    };
    return [...mark(atThreshold, 'threshold', 'circle'), ...mark(atOperatingPoint, 'operating point', 'diamond')];
  };
  const made: Html[] = [];
  if (roc !== null && auc.value !== null) {
    const picture = renderPlot({
      id: 'roc',
      label: `ROC curve: area ${auc.value.toFixed(3)}, 95 % interval ${areas(auc.interval)}`,
      xTitle: wording.falsePositiveAxis,
      yTitle: wording.sensitivityAxis,
      curve: roc.falsePositiveRate.map((x, i) => [x, roc.truePositiveRate[i]]),
      baseline: [
        [0, 0],
        [1, 1],
      ],
      marks: marks(({ sensitivity, specificity }) =>
        sensitivity.value === null || specificity.value === null ? null : [1 - specificity.value, sensitivity.value],
      ),
    });
    const method =
      auc.method === 'newcombe'
        ? "Newcombe's interval, since DeLong's cannot say anything here"
        : "DeLong's interval on the logit scale";
    made.push(html`<figure><h3>ROC curve</h3>${picture}
<figcaption>Area ${auc.value.toFixed(4)} (${unbroken(auc.interval.map((x) => x.toFixed(4)).join('–'))}; ${method}). Dashed: guessing.</figcaption></figure>`);
  }
  if (precisionRecall !== null && averagePrecision !== null) {
    const base = prevalence.value ?? 0;
    const picture = renderPlot({
      id: 'precision-recall',
      label: `Precision-recall curve: average precision ${averagePrecision.toFixed(3)}`,
      xTitle: wording.recallAxis,
      yTitle: wording.precisionAxis,
      curve: precisionSteps(precisionRecall),
      baseline: [
        [0, base],
        [1, base],
      ],
      marks: marks(({ sensitivity, ppv }) =>
        sensitivity.value === null || ppv.value === null ? null : [sensitivity.value, ppv.value],
      ),
    });
    made.push(html`<figure><h3>Precision and recall</h3>${picture}
<figcaption>Average precision ${averagePrecision.toFixed(4)}. Dashed: guessing, which reaches the share of ${positiveName}, ${formatProportion(prevalence)}.</figcaption></figure>`);
  }
  return made;
}

/** The steps that average precision adds up, from recall 0 on. */
function precisionSteps({ precision, recall }: NonNullable<ScreeningMetrics['precisionRecall']>): Point[] {
  const points = recall.map((x, i): Point => [x, precision[i]]).reverse();
  return points.flatMap((point, i) => (i === 0 ? [] : [[points[i - 1][0], point[1]], point]));
}

function calibrationChart(screening: Screening): Html {
  const { metrics, positiveName } = screening;
  const wording = wordingOf(screening);
  const { bins, expectedCalibrationError } = metrics.calibration;
  const error = formatPercent(expectedCalibrationError, 1);
  const brier = formatMetric(metrics.brierScore);
  const described = `expected calibration error ${error}, Brier score ${brier}`;
  return html`<figure><h3>${wording.calibration}</h3>
${renderReliability(bins, `Reliability diagram: ${described}`)}
<figcaption>Expected calibration error ${error} (ten bins), Brier score ${brier}; 0 is best. On the dashed line, of the
images given 80 %, 80 % ${wording.holds}. Bars: 95 % intervals.</figcaption></figure>
<figure><h3>How sure it is</h3>
${renderSpread(bins, [wording.without, wording.with], `Images by the probability of ${positiveName} that they were given`)}
<figcaption>Images by the probability of ${positiveName} that they were given.</figcaption></figure>`;
}
