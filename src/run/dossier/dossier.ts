import { dirname, join } from 'node:path';
import { InputError } from '../../errors.js';
import { type Block, heading, list, paragraph, table } from '../../report/document.js';
import { formatProportion } from '../../report/operatingPoint.js';
import { noMedicalDevice } from '../../report/wording.js';
import {
  abstentionCurve,
  atCoverage,
  type BinaryScores,
  decisionCurve,
  type PredictiveValue,
  type Proportion,
  predictiveValuesAt,
  rocAuc,
  samplesForStudy,
  type ThresholdMetrics,
  thresholdMetrics,
} from '../../statistics/index.js';
import { formatCount, formatInterval, formatMetric, formatPercent, formatThreshold } from '../../text/numbers.js';
import { version } from '../../version.js';
import { binaryScores, decisionRule, describePoint } from '../decision.js';
import { appliedChoice, describeFit, lackingCalibration } from '../decisions/applied.js';
import { openRun } from '../evaluate.js';
import { RunFolder } from '../folder.js';
import { type PositiveClass, positiveOf } from '../positive.js';
import { predictionsFile, readPredictions } from '../predictions/file.js';
import { groupsOf, metricInput } from '../predictions/metricInput.js';
import { type Predictions, partOf } from '../predictions/predictions.js';
import { optimismNote } from '../results/selection.js';
import { type ChecklistItem, checklist } from './checklist.js';
import { robustnessOf } from './robustness.js';
import { type Division, pictureDivisions, tableDivisions } from './subgroups.js';

export interface DossierOptions {
  /** Share of the positive class where the test will be used, between 0 and 1. */
  readonly prevalence?: number | undefined;
  /** A table with columns of subgroups. */
  readonly table?: string | undefined;
  /** Columns of the table. Default: those with few values, and numbers in thirds. */
  readonly subgroups?: readonly string[] | undefined;
  /** Predictions of this run for data of another place, from an evaluation. */
  readonly external?: string | undefined;
  /** Whether to run the network on blurred, darker, brighter and cropped pictures. Default false. */
  readonly robustness?: boolean | undefined;
  readonly onProgress?: ((what: string) => void) | undefined;
}

export interface Dossier {
  readonly title: string;
  readonly blocks: readonly Block[];
  readonly items: readonly ChecklistItem[];
}

/** Subgroups with fewer images are faint: their intervals are very wide. */
const leastOfSubgroup = 30;
const wantedHalfWidth = 0.025;
const usualPrevalences = [0.01, 0.05, 0.1, 0.2];
const mostMistakes = 12;

/**
 * Collects everything that reviewers of a screening test ask for, as far as a finished run of two classes can
 * answer it, from its stored predictions.
 *
 * @throws {InputError} for a run with other than two classes, and a prevalence that is not between 0 and 1
 * @throws {FileError} for a run that has not finished, or whose files are not what they should be
 */
export async function makeDossier(path: string, options: DossierOptions = {}): Promise<Dossier> {
  const { prevalence, external } = options;
  if (prevalence !== undefined && !(prevalence > 0 && prevalence < 1)) {
    throw new InputError(`[dossier] prevalence: expected a share between 0 and 1, got ${prevalence}`);
  }
  const folder = await RunFolder.open(path);
  const { config, weightsSha256 } = folder;
  const positive = positiveOf(config);
  if (positive === null) {
    throw new InputError(
      `[dossier] ${path}: expected a run of two classes, got ${config.data.classNames.length}; report.html has the metrics of more`,
    );
  }
  const all = await readPredictions(join(path, predictionsFile), { weightsSha256 });
  const part = all.splits.includes('test') ? 'test' : 'validation';
  const predictions = partOf(all, part);
  const choice = await folder.readDecision(weightsSha256);
  const { operatingPoint, calibrator, lacking } = appliedChoice(choice, config.operatingRule !== null);
  const { threshold } = decisionRule(positive, operatingPoint);
  const other = external === undefined ? null : await readPredictions(external, { weightsSha256 });
  const divisions = await divisionsOf(config, predictions, options);
  const strip =
    options.robustness === true ? await robustnessOf(await openRun(path), part, positive, options.onProgress) : null;
  const thresholdText =
    operatingPoint === null
      ? `0.5; there is no operating point${lacking === null ? '' : `, because ${lacking}`}`
      : `${formatThreshold(threshold)}, chosen by ${describePoint(operatingPoint)} and applied unchanged`;
  const lackingFit = lackingCalibration(choice);
  const calibrationText =
    choice !== null && calibrator !== null
      ? describeFit(calibrator, choice)
      : `none${lackingFit === null ? '' : `, because ${lackingFit}`}`;
  const groups = groupsOf(predictions);
  const items = checklist({
    config,
    part,
    images: predictions.labels.length,
    groups: groups === undefined ? null : new Set(groups).size,
    positive: positive.name,
    thresholdText,
    calibrationText,
    hasTest: part === 'test',
    isExternal: other !== null,
    hasRobustness: strip !== null,
    hasSubgroups: divisions.length > 0,
    prevalence: prevalence ?? null,
  });
  const scores = binaryScores(predictions, positive);
  const at = thresholdMetrics(scores, threshold);
  const optimism = optimismNote(config);
  const unreadable = (part === 'test' ? config.data.test : config.data.eval)?.unreadable.length ?? 0;
  const title = `Screening dossier: ${config.model.name} on ${config.data.title}`;
  const blocks: Block[] = [
    heading(1, title),
    paragraph(noMedicalDevice),
    ...(config.data.synthetic
      ? [paragraph('The pictures are synthetic: a program made them. The values say nothing about people.')]
      : []),
    paragraph(
      `Run ${path}, begun ${config.started}, Fovea ${version}. The positive class is ${positive.name}. All values are of the ${formatCount(predictions.labels.length)} ` +
        `${part} images, at the threshold ${thresholdText}. Calibration: ${calibrationText}.`,
    ),
    ...(optimism === null ? [] : [paragraph(optimism)]),
    heading(2, 'Accuracy'),
    accuracyTable(
      [
        { name: `by image (${part})`, scores },
        ...(groups === undefined
          ? []
          : [{ name: `by group (${config.data.group ?? 'group'})`, scores: byGroup(scores, groups) }]),
        ...(other === null ? [] : [{ name: 'external data, by image', scores: binaryScores(other, positive) }]),
      ],
      threshold,
    ),
    ...(groups === undefined
      ? []
      : [
          paragraph(
            'By group: a group is positive if any of its images is, and has the highest of their probabilities. Intervals by image take images of one group as independent, and are too short.',
          ),
        ]),
    crossTable(at, positive),
    heading(2, 'Sample size'),
    ...sampleSize(at),
    heading(2, 'Predictive values at other prevalences'),
    predictiveTable(at, prevalence),
    heading(2, 'Decision curve'),
    ...curve(scores, prevalence),
    heading(2, 'Images that cannot be read'),
    ...referral(at, unreadable),
    heading(2, 'Abstention'),
    ...abstention(predictions, positive, threshold),
    heading(2, 'Subgroups'),
    ...(divisions.length === 0
      ? [paragraph('None: the pictures are not in their place, and no table was given.')]
      : [
          subgroupTable(divisions, scores, threshold),
          paragraph(
            `Rows of fewer than ${leastOfSubgroup} images are faint: they say little. Differences between many subgroups arise by chance too.`,
          ),
        ]),
    heading(2, 'Robustness'),
    ...(strip === null
      ? [paragraph('Not measured. Make the dossier with robustness, which runs the network on changed images.')]
      : [
          accuracyTable(strip, threshold),
          paragraph('The same images, changed before the network sees them. Compression is not among the changes.'),
        ]),
    heading(2, 'Worst mistakes'),
    mistakes(predictions, scores, threshold, positive),
    heading(2, 'Reporting guidelines'),
    paragraph(
      'Items of CLAIM (2020), STARD (2015, which STARD-AI extends) and TRIPOD+AI (2024), by topic. Check them against the originals before a submission. ' +
        'This list is no statement of compliance.',
    ),
    ...itemTables(items),
  ];
  return { title, blocks, items };
}

async function divisionsOf(
  { data }: RunFolder['config'],
  { files }: Predictions,
  { table: path, subgroups }: DossierOptions,
): Promise<Division[]> {
  const given = path ?? (data.name === 'csv' ? data.location : undefined);
  if (subgroups !== undefined && given === undefined) {
    throw new InputError('[dossier] subgroups: expected a table with these columns, got none');
  }
  // The table of the data itself has columns for labels and parts, which are no subgroups.
  const columns = given === undefined ? [] : await tableDivisions(given, files, subgroups);
  const root = data.name === 'csv' ? (data.table?.root ?? dirname(data.location ?? '')) : data.location;
  const pictures = root === undefined || data.images === null ? null : await pictureDivisions(root, files);
  return [...columns, ...(pictures ?? [])];
}

/** A group is positive if any of its samples is, and scores as the highest of them. */
function byGroup({ labels, scores }: BinaryScores, groups: readonly string[]): BinaryScores {
  const found = new Map<string, { label: number; score: number }>();
  groups.forEach((group, i) => {
    const known = found.get(group) ?? { label: 0, score: 0 };
    found.set(group, { label: Math.max(known.label, labels[i]), score: Math.max(known.score, scores[i]) });
  });
  const all = [...found.values()];
  return { labels: Uint8Array.from(all, ({ label }) => label), scores: Float32Array.from(all, ({ score }) => score) };
}

function share(value: Proportion): string {
  const interval = value.interval === null ? '' : ` (${formatInterval(value.interval)})`;
  return `${formatProportion(value)}${interval}, ${formatCount(value.hits)} of ${formatCount(value.total)}`;
}

function aucOf(scores: BinaryScores): string {
  const auc = rocAuc(scores);
  if (auc.value === null) return `none, because ${auc.reason}`;
  return `${auc.value.toFixed(3)} (${auc.interval.map((x) => x.toFixed(3)).join(' to ')})`;
}

function accuracyTable(
  sets: readonly { readonly name: string; readonly scores: BinaryScores }[],
  threshold: number,
): Block {
  return table(
    ['images', 'AUC', 'sensitivity', 'specificity', 'PPV', 'NPV'],
    sets.map(({ name, scores }) => {
      const { sensitivity, specificity, ppv, npv } = thresholdMetrics(scores, threshold);
      return [name, aucOf(scores), ...[sensitivity, specificity, ppv, npv].map(share)];
    }),
  );
}

function crossTable(at: ThresholdMetrics, { name, other }: PositiveClass): Block {
  return table(
    ['truth', `called ${name}`, `called ${other}`],
    [
      [name, String(at.truePositives), String(at.falseNegatives)],
      [other, String(at.falsePositives), String(at.trueNegatives)],
    ],
  );
}

function sampleSize({ sensitivity, specificity }: ThresholdMetrics): Block[] {
  const half = ({ interval }: Proportion) =>
    interval === null ? 'none' : `±${(50 * (interval[1] - interval[0])).toFixed(1)} points`;
  const reached = `Reached: sensitivity ${half(sensitivity)} with ${sensitivity.total} images, specificity ${half(specificity)} with ${specificity.total}.`;
  if (sensitivity.value === null || specificity.value === null) return [paragraph(reached)];
  const needed = samplesForStudy({
    sensitivity: sensitivity.value,
    specificity: specificity.value,
    prevalence: sensitivity.total / (sensitivity.total + specificity.total),
    halfWidth: wantedHalfWidth,
  });
  return [
    paragraph(
      `${reached} For ±2.5 points at these values, ${formatCount(needed.positives)} positive and ${formatCount(needed.negatives)} negative ones are needed. ` +
        'Where a person has several images, count persons.',
    ),
  ];
}

function predictiveTable(at: ThresholdMetrics, prevalence: number | undefined): Block {
  const shares = [...new Set([...(prevalence === undefined ? [] : [prevalence]), ...usualPrevalences])].sort(
    (a, b) => a - b,
  );
  const cell = (value: PredictiveValue) => {
    if (value.value === null) return `none, because ${value.reason}`;
    const interval = value.interval === null ? '' : ` (${formatInterval(value.interval)})`;
    return `${formatPercent(value.value, 1)}${interval}`;
  };
  return table(
    ['prevalence', 'PPV', 'NPV'],
    shares.map((p) => {
      const { ppv, npv } = predictiveValuesAt(at, p);
      return [`${Number((100 * p).toPrecision(3))} %`, cell(ppv), cell(npv)];
    }),
  );
}

function curve(scores: BinaryScores, prevalence: number | undefined): Block[] {
  const thresholds = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5];
  const cell = (value: { readonly value: number | null }) => (value.value === null ? 'none' : value.value.toFixed(4));
  return [
    paragraph(
      prevalence === undefined
        ? 'At the share of positives in these images. Where the test will be used the share is another: state the prevalence.'
        : `At the stated prevalence of ${Number((100 * prevalence).toPrecision(3))} %.`,
    ),
    table(
      ['threshold probability', 'net benefit of the network', 'of referring all', 'referrals avoided, a person'],
      decisionCurve(scores, { thresholds, prevalence }).map(({ threshold, model, all, interventionsAvoided }) => [
        `${Math.round(100 * threshold)} %`,
        cell(model),
        cell(all),
        cell(interventionsAvoided),
      ]),
    ),
    paragraph(
      'Net benefit counts true positives a person, less false positives weighted by the odds of the threshold. Referring no one has 0.',
    ),
  ];
}

function referral({ sensitivity, specificity }: ThresholdMetrics, unreadable: number): Block[] {
  const total = sensitivity.total + specificity.total + unreadable;
  const first = `${formatCount(unreadable)} of ${formatCount(total)} images (${formatPercent(unreadable / total, 1)}) could not be read. They are in no other value.`;
  if (unreadable === 0) return [paragraph(first)];
  const bounds = (hits: number, all: number) => formatPercent(hits / all, 1);
  return [
    paragraph(
      `${first} If all of them are referred: with all of them positive, sensitivity is ${bounds(sensitivity.hits + unreadable, sensitivity.total + unreadable)}; ` +
        `with none, specificity is ${bounds(specificity.hits, specificity.total + unreadable)}.`,
    ),
  ];
}

function abstention(predictions: Predictions, { index }: PositiveClass, threshold: number): Block[] {
  const input = metricInput(predictions, { positive: index, threshold });
  const curveOf = abstentionCurve(input);
  return [
    paragraph('If only the images are decided of which the network is surest, and the others are referred:'),
    table(
      ['decided', 'wrong decisions among them'],
      [1, 0.95, 0.9, 0.8, 0.7, 0.5].map((coverage) => {
        const { coverage: reached, errors } = atCoverage(curveOf, coverage);
        return [formatPercent(reached, 1), share(errors)];
      }),
    ),
  ];
}

function subgroupTable(divisions: readonly Division[], { labels, scores }: BinaryScores, threshold: number): Block {
  const rows: string[][] = [];
  const faint: boolean[] = [];
  for (const { name, values } of divisions) {
    for (const value of [...new Set(values)].sort()) {
      const own = values.flatMap((other, i) => (other === value ? [i] : []));
      const data = {
        labels: Uint8Array.from(own, (i) => labels[i]),
        scores: Float64Array.from(own, (i) => scores[i]),
      };
      const { sensitivity, specificity } = thresholdMetrics(data, threshold);
      rows.push([`${name}: ${value}`, formatCount(own.length), aucOf(data), share(sensitivity), share(specificity)]);
      faint.push(own.length < leastOfSubgroup);
    }
  }
  return table(['subgroup', 'images', 'AUC', 'sensitivity', 'specificity'], rows, faint);
}

function mistakes(
  { files, labels, classNames }: Predictions,
  { scores }: BinaryScores,
  threshold: number,
  { index, name, other }: PositiveClass,
): Block {
  const wrong = files.flatMap((file, i) => {
    const called = scores[i] >= threshold ? name : other;
    const isRight = (labels[i] === index) === (called === name);
    return isRight ? [] : [{ file, i, called, distance: Math.abs(scores[i] - threshold) }];
  });
  if (wrong.length === 0) return paragraph('There are none.');
  wrong.sort((a, b) => b.distance - a.distance);
  return table(
    ['image', 'truth', 'called', `probability of ${name}`],
    wrong
      .slice(0, mostMistakes)
      .map(({ file, i, called }) => [file, classNames[labels[i]], called, formatMetric(scores[i])]),
  );
}

function itemTables(items: readonly ChecklistItem[]): Block[] {
  const of = (status: ChecklistItem['status']) => items.filter((item) => item.status === status);
  const row = ({ items: numbers, topic, text }: ChecklistItem) => [numbers, topic, text];
  return [
    heading(3, 'Answered by the run'),
    table(['items', 'topic', 'answer'], of('answered').map(row)),
    heading(3, 'Missing in the run'),
    list(of('missing').map(({ items: numbers, topic, text }) => `${numbers}, ${topic}: ${text}`)),
    heading(3, 'For the authors to write'),
    list(of('open').map(({ items: numbers, topic, text }) => `${numbers}, ${topic}: ${text}`)),
  ];
}
