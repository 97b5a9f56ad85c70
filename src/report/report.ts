import { wilsonInterval } from '../statistics/proportion.js';
import { formatCount, formatDuration, formatInterval, formatMetric, formatPercent } from '../text/numbers.js';
import { calibrationSection } from './calibration.js';
import { checkConfusion, countCorrect, countImages } from './confusedPairs.js';
import { withContents } from './contents.js';
import type { ReportData } from './data.js';
import { type Html, html, Html as Raw, unbroken } from './html.js';
import { intervalsSection } from './intervalsSection.js';
import { mistakesSection, picturesSection } from './pictures.js';
import { screeningSection, screeningTiles, syntheticNote } from './screeningSection.js';
import {
  capital,
  classesSection,
  confusionSection,
  curvesSection,
  epochsSection,
  factsSection,
  isNumber,
  type Names,
} from './sections.js';
import { style } from './style.js';
import { testSection } from './testSection.js';

export type { EpochMetrics, ReportData } from './data.js';

/**
 * A run's report as one HTML file that needs no other files, scripts or network: it contains its pictures.
 *
 * It shows the accuracy with its 95 % confidence interval, the decision between two classes if there are two,
 * the learning curves, the confused classes, precision, recall and F1 of each class, the worst mistakes and
 * some training pictures, the metrics of all epochs, and the settings of the run. It is light or dark like
 * the reader's system, and has a print layout.
 *
 * @throws {InputError} if the confusion matrix does not fit the class names, or a picture is not a PNG
 */
export function renderReport(data: ReportData): string {
  const names: Names = { evalName: data.evalName ?? 'test', lossName: data.lossName ?? 'loss' };
  const { evaluation, mistakes, pictures, epochs, run, screening } = data;
  if (evaluation !== undefined) checkConfusion(evaluation);
  const isEvaluated = evaluation !== undefined && countImages(evaluation) > 0;
  const sections = html`
${screening === undefined ? null : screeningSection(screening, names)}
${testSection(data.test ?? [], data.optimism)}
${data.intervals === undefined ? null : intervalsSection(data.intervals)}
${data.calibration === undefined ? null : calibrationSection(data.calibration)}
${epochs === undefined ? null : curvesSection({ ...names, epochs })}
${isEvaluated ? confusionSection(evaluation) : null}
${isEvaluated && evaluation.classNames.length > 1 ? classesSection(evaluation) : null}
${mistakes === undefined ? null : mistakesSection(mistakes)}
${pictures === undefined ? null : picturesSection(pictures)}
${epochs === undefined ? null : epochsSection({ ...names, epochs })}
${factsSection(run, names, data.unreadable)}`;
  // The policy blocks scripts and network access even if a text were not escaped by mistake.
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${data.title} – ${kindOf(data)} report</title>
<style>${new Raw(style)}</style>
</head>
<body>
<main>
${header(data, names)}
${withContents(sections)}
<footer>Made by Fovea ${run.version}. This page is one file: it can be passed on as it is and loads nothing from elsewhere.</footer>
</main>
</body>
</html>
`;
  return page.text;
}

function kindOf({ epochs }: ReportData): string {
  return epochs === undefined ? 'evaluation' : 'training';
}

function header(data: ReportData, { evalName, lossName }: Names): Html {
  const { title, note, run, epochs = [], evaluation, screening } = data;
  const tiles: Html[] = [];
  const tile = (name: string, value: string, detail: string) =>
    tiles.push(html`<div><dt>${name}</dt><dd>${value}<small>${detail}</small></dd></div>`);
  const images = evaluation === undefined ? 0 : countImages(evaluation);
  const last = epochs.at(-1);
  if (evaluation !== undefined && images > 0) {
    const correct = countCorrect(evaluation);
    const interval = formatInterval(wilsonInterval(correct, images), 2);
    tile('Accuracy', formatPercent(correct / images), `${unbroken('95 % interval')} ${unbroken(interval)}`);
    tile('Wrong', formatCount(images - correct), `of ${formatCount(images)} ${evalName} images`);
  }
  if (images === 0 && isNumber(last?.evalAccuracy)) {
    tile('Accuracy', formatPercent(last.evalAccuracy), `of the ${evalName} images`);
  }
  if (isNumber(last?.evalLoss)) {
    tile(`${capital(evalName)} loss`, formatMetric(last.evalLoss), lossName === 'loss' ? '' : lossName);
  }
  if (data.unreadable !== undefined && data.unreadable > 0) {
    tile('Unreadable', formatCount(data.unreadable), `${data.unreadable === 1 ? 'picture' : 'pictures'}, left out`);
  }
  const seconds = epochs.reduce((total, epoch) => total + (epoch.seconds ?? 0), 0);
  if (seconds > 0) tile('Training time', formatDuration(seconds), plural(epochs.length, 'epoch'));
  tile('Parameters', formatCount(run.parameters), run.model);
  return html`<header>
<p class="overline">${capital(kindOf(data))} report, ${run.ended.toISOString().slice(0, 10)}</p>
<h1>${title}</h1>
${note === undefined ? null : html`<p class="note">${note}</p>`}
${screening?.synthetic ? syntheticNote : null}
${screening === undefined ? html`<dl class="tiles">${tiles}</dl>` : screeningTiles(screening, data.unreadable ?? 0)}
</header>`;
}

function plural(n: number, noun: string): string {
  return `${formatCount(n)} ${noun}${n === 1 ? '' : 's'}`;
}
