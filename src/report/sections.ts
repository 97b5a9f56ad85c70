import type { MetricValue, Proportion } from '../statistics/index.js';
import { inWords } from '../text/list.js';
import {
  formatCount,
  formatDuration,
  formatInterval,
  formatMetric,
  formatPercent,
  formatRate,
} from '../text/numbers.js';
import { type ClassRow, classColumns, classTable } from './classTable.js';
import { type ConfusedPair, confusedPairs } from './confusedPairs.js';
import { type Chart, type Curve, cutOf, renderChart } from './curves.js';
import type { Confusion, EpochMetrics, RunFacts } from './data.js';
import { type Html, html, unbroken } from './html.js';

/** A matrix of more classes than this is unreadable; the most confused pairs are listed instead. */
const maxMatrixClasses = 20;
const maxPairs = 20;
/** Longer tables are folded at first. */
const maxOpenRows = 30;

type Maybe = number | null | undefined;

export function isNumber(x: Maybe): x is number {
  return x !== null && x !== undefined;
}

const metric = (x: Maybe) => (isNumber(x) ? formatMetric(x) : '–');

/** Folds a long table behind its title. */
function fold(table: Html, rows: number, title: string): Html {
  const scroll = html`<div class="scroll">${table}</div>`;
  return rows <= maxOpenRows ? scroll : html`<details><summary>${title}</summary>${scroll}</details>`;
}

/** Learning curves: the losses, and the accuracy if it was measured. */
export function curvesSection({
  epochs,
  evalName,
  lossName,
}: Names & { readonly epochs: readonly EpochMetrics[] }): Html {
  if (epochs.length === 0) return html`<h2>Learning curves</h2><p class="hint">No epoch was completed.</p>`;
  const curve = (name: string, color: string, symbol: Curve['symbol'], pick: (e: EpochMetrics) => Maybe): Curve => ({
    name,
    color,
    symbol,
    values: epochs.map((epoch) => pick(epoch) ?? null),
  });
  const hasValues = ({ values }: Curve) => values.some((value) => value !== null);
  const losses = [
    curve('training', 'blue', 'circle', (e) => e.trainLoss),
    curve(evalName, 'orange', 'diamond', (e) => e.evalLoss),
  ].filter(hasValues);
  const accuracy = curve(`${evalName} accuracy`, 'orange', 'diamond', (e) =>
    isNumber(e.evalAccuracy) ? 100 * e.evalAccuracy : null,
  );
  const x = { xTitle: 'Epoch', xLabels: epochs.map(({ epoch }) => epoch) };
  const charts: Html[] = [];
  const lossChart = { ...x, id: 'loss', yTitle: capital(lossName), curves: losses };
  if (losses.length > 0) charts.push(html`${renderChart(lossChart)}${cutNote(lossChart)}`);
  if (hasValues(accuracy)) {
    const yTitle = `Accuracy on the ${evalName} images`;
    charts.push(renderChart({ ...x, id: 'accuracy', yTitle, percent: true, curves: [accuracy] }));
  }
  return html`
<h2>Learning curves</h2>
<p class="hint">The loss is what training makes small; over the training images it is the mean of the epoch, taken while the network
was still changing. Where the ${evalName} loss rises while the training loss falls, the network begins to learn its images by heart.</p>
<div class="charts">${charts.map((chart) => html`<figure>${chart}</figure>`)}</div>`;
}

/** Names the values that the chart's axis leaves out. */
function cutNote(chart: Chart): Html | null {
  const { beyond } = cutOf(chart);
  if (beyond.length === 0) return null;
  const named = beyond.map(({ name, x, value }) => `${name} ${formatMetric(value)} in epoch ${x}`);
  return html`<figcaption>Above the axis, so that the others can be seen: ${named.join(', ')}.</figcaption>`;
}

/** Names that several sections use, with their defaults filled in. */
export interface Names {
  readonly evalName: string;
  readonly lossName: string;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The confused classes: a heat map, or a list if there are many classes. */
export function confusionSection(evaluation: Confusion): Html {
  const pairs = confusedPairs(evaluation);
  const many = evaluation.classNames.length > maxMatrixClasses;
  return html`
<h2>Confusion matrix: which class is taken for which</h2>
${pairs.length === 0 ? html`<p>Not a single image was taken for another class.</p>` : null}
${many || pairs.length === 0 ? null : worstPairs(pairs.slice(0, 3), evaluation)}
${many ? pairTable(pairs.slice(0, maxPairs), evaluation) : matrix(evaluation)}`;
}

function worstPairs(pairs: readonly ConfusedPair[], { classNames }: Confusion): Html {
  const items = pairs.map(
    ({ truth, predicted, count, share }, i) =>
      html`${i === 0 ? '' : ', '}<b>${classNames[truth]}</b> for <b>${classNames[predicted]}</b>
(${formatCount(count)}×, ${formatPercent(share, 1)})`,
  );
  return html`<p>Taken most often: ${items}.</p>`;
}

function pairTable(pairs: readonly ConfusedPair[], { classNames }: Confusion): Html {
  const rows = pairs.map(
    ({ truth, predicted, count, share }) => html`
<tr><td>${classNames[truth]}</td><td class="left">${classNames[predicted]}</td><td>${formatCount(count)}</td>
<td>${formatPercent(share, 1)}</td></tr>`,
  );
  return html`<p class="hint">The pairs of classes that are mixed up most, of ${classNames.length} classes.</p>
<div class="scroll"><table><thead><tr><th scope="col">True class</th><th scope="col" class="left">Taken for</th>
<th scope="col">Images</th><th scope="col">of its class</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function matrix({ classNames, confusion }: Confusion): Html {
  const few = classNames.length <= 5;
  const tall = !few && classNames.some((name) => name.length > 5);
  const size = few ? ' few' : classNames.length > 12 ? ' dense' : '';
  const columns = classNames.map((name) => html`<th scope="col" title="${name}"><span>${name}</span></th>`);
  const rows = confusion.map((row, truth) => {
    const images = row.reduce((total, count) => total + count, 0);
    const cells = row.map((count, predicted) =>
      cell(count, images, classNames[truth], classNames[predicted], truth === predicted),
    );
    return html`<tr><th scope="row" title="${classNames[truth]}">${classNames[truth]}</th>${cells}
<td class="total">${formatCount(images)}</td></tr>`;
  });
  return html`
<p class="hint">A row holds the images of one true class, a column what they were taken for. Blue: right, the stronger the
more of the row. <span class="mark">Orange</span>: wrong.</p>
<div class="scroll"><table class="matrix${size}"><thead>
<tr><th class="corner"></th><th class="axis" colspan="${classNames.length}">predicted</th></tr>
<tr${tall ? html` class="tall"` : null}><th class="corner">true</th>${columns}<th class="axis total">images</th></tr>
</thead><tbody>${rows}</tbody></table></div>`;
}

function cell(count: number, images: number, truth: string, predicted: string, right: boolean): Html {
  if (count === 0) return html`<td class="none">0</td>`;
  const share = count / images;
  // Most shares on the diagonal are near 1, and most others near 0. A square on the diagonal and a root
  // elsewhere make the differences visible.
  const strength = Math.max(0.06, right ? 0.9 * share ** 2 : Math.min(0.9, 1.1 * Math.sqrt(share)));
  const title = `${truth} ${right ? 'recognised' : `taken for ${predicted}`}: ${formatCount(count)} of ${formatCount(images)} (${formatPercent(share, 1)})`;
  return html`<td class="${right ? 'hit' : 'miss'}${strength > 0.75 ? ' deep' : ''}" style="--a:${strength.toFixed(2)}"
title="${title}">${formatCount(count)}</td>`;
}

/** Precision, recall, specificity and F1 of each class against the rest, and their means. */
export function classesSection(evaluation: Confusion): Html {
  const { classNames } = evaluation;
  const { rows, macro, weighted, leftOut } = classTable(evaluation);
  const lowest = classColumns.map((_, i) =>
    classNames.length > 2 ? Math.min(...rows.flatMap(({ values }) => values[i].value ?? [])) : Number.NaN,
  );
  const lines = rows.map(({ images, values }, c) => {
    const cells = values.map((found, i) => {
      const { value } = found;
      const mark = value !== null && value === lowest[i] && value < 1 ? html` class="mark"` : null;
      return html`<td${mark}>${shareCell(found)}</td>`;
    });
    return html`
<tr><th scope="row">${classNames[c]}</th><td>${formatCount(images)}</td>${cells}</tr>`;
  });
  const mean = (title: string, { images, values }: ClassRow) => html`
<tr><th scope="row">${title}</th><td>${formatCount(images)}</td>${values.map((found) => html`<td>${shareCell(found)}</td>`)}</tr>`;
  const heads = classColumns.map((name) => html`<th scope="col">${capital(name)}</th>`);
  const table = html`<table class="points"><thead><tr><th scope="col">Class</th><th scope="col">Images</th>${heads}</tr></thead><tbody>${lines}</tbody>
<tfoot>${mean('Mean of the classes', macro)}${mean('Mean, weighted by images', weighted)}</tfoot></table>`;
  return html`
<h2>Class by class</h2>
<p class="hint">Precision: of the images taken for this class, the share that really is of it. Recall (sensitivity): of the images of
this class, the share that was found. Specificity: of all other images, the share that was not taken for it. F1: the harmonic mean of
precision and recall. In small print: 95 % intervals after Wilson, which take images as independent.${
    leftOut.length === 0
      ? null
      : html` Where a value is missing, the means are over the other classes: ${inWords(leftOut)}.`
  }${classNames.length > 2 ? html` The lowest of each column is <span class="mark">marked</span>.` : null}</p>
${fold(table, rows.length, `All ${rows.length} classes`)}`;
}

/** A share with its interval, or a dash with the reason. */
function shareCell(found: Proportion | MetricValue): Html {
  if (found.value === null) return html`<span title="${'reason' in found ? (found.reason ?? '') : ''}">–</span>`;
  const interval = 'interval' in found ? found.interval : null;
  return html`${formatPercent(found.value, 1)}${interval === null ? null : html` <small>${unbroken(formatInterval(interval))}</small>`}`;
}

/** The metrics of each epoch, without columns that are empty in all epochs. */
export function epochsSection({ epochs, evalName }: Names & { readonly epochs: readonly EpochMetrics[] }): Html | null {
  if (epochs.length === 0) return null;
  const Name = capital(evalName);
  const columns: [title: string, has: (e: EpochMetrics) => Maybe, show: (e: EpochMetrics) => string][] = [
    ['Training loss', (e) => e.trainLoss, (e) => metric(e.trainLoss)],
    [`${Name} loss`, (e) => e.evalLoss, (e) => metric(e.evalLoss)],
    [`${Name} accuracy`, (e) => e.evalAccuracy, (e) => formatPercent(e.evalAccuracy ?? Number.NaN)],
    ['Images', (e) => e.imagesPerSecond, (e) => formatRate(e.imagesPerSecond ?? Number.NaN)],
    ['Time', (e) => e.seconds, (e) => formatDuration(e.seconds ?? Number.NaN)],
  ];
  const shown = columns.filter(([, has]) => epochs.some((epoch) => isNumber(has(epoch))));
  const best = bestEpoch(epochs);
  const rows = epochs.map(
    (epoch) => html`
<tr${epoch === best ? html` class="best"` : null}><th scope="row">${epoch.epoch}${epoch === best ? ' (best)' : null}</th>
${shown.map(([, , show]) => html`<td>${show(epoch)}</td>`)}</tr>`,
  );
  const table = html`<table><thead><tr><th scope="col">Epoch</th>${shown.map(([title]) => html`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table>`;
  return html`<h2>Epoch by epoch</h2>${fold(table, epochs.length, `All ${epochs.length} epochs`)}`;
}

/** The first epoch with the highest accuracy, if several epochs have one. */
function bestEpoch(epochs: readonly EpochMetrics[]): EpochMetrics | undefined {
  const evaluated = epochs.filter((epoch) => isNumber(epoch.evalAccuracy));
  if (evaluated.length < 2) return undefined;
  return evaluated.reduce((best, epoch) => ((epoch.evalAccuracy ?? 0) > (best.evalAccuracy ?? 0) ? epoch : best));
}

/** The facts that are needed to understand and to repeat the run. */
export function factsSection(run: RunFacts, { evalName }: Names, unreadable?: number): Html {
  const group = (title: string, facts: Readonly<Record<string, string | number | undefined>>) => html`
<div><h3>${title}</h3><dl>${Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></div>`;
  const count = (n: number | undefined) => (n === undefined ? undefined : formatCount(n));
  return html`
<h2>How it was made</h2>
<div class="facts">
${group('Network', { Model: run.model, Parameters: formatCount(run.parameters), 'Weights from': run.pretrained })}
${group('Data', {
  'Data set': run.dataset,
  Source: run.source,
  'Training images': count(run.trainImages),
  [`${capital(evalName)} images`]: count(run.evalImages),
  'Unreadable pictures': count(unreadable),
})}
${group('Recipe', { ...run.recipe, Seed: run.seed })}
${group('Machine', {
  Engine: run.engine,
  Library: run.library,
  Threads: run.threads,
  Fovea: run.version,
  Started: formatDate(run.started),
  Ended: formatDate(run.ended),
})}
</div>`;
}

function formatDate(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
