import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { type Block, heading, list, paragraph, table } from '../../report/document.js';
import { noMedicalDevice } from '../../report/wording.js';
import {
  abstentionCurve,
  atCoverage,
  type BinaryScores,
  type Proportion,
  samplesForStudy,
  type ThresholdMetrics,
  thresholdMetrics,
} from '../../statistics/index.js';
import { formatCount, formatPercent, formatThreshold } from '../../text/numbers.js';
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
import { worstMistakes } from './mistakes.js';
import { netBenefit } from './netBenefit.js';
import { type PicturePlace, placeOf } from './place.js';
import { robustnessOf } from './robustness.js';
import { type Division, pictureDivisions, tableDivisions } from './subgroups.js';
import { accuracyTable, crossTable, leastOfSubgroup, predictiveTable, share, subgroupTable } from './tables.js';

export interface DossierOptions {
  /** Share of the positive class where the test will be used, between 0 and 1. */
  readonly prevalence?: number | undefined;
  /** A table with columns of subgroups. */
  readonly table?: string | undefined;
  /** Columns of the table. Default: those with few values, and numbers in thirds. */
  readonly subgroups?: readonly string[] | undefined;
  /** Predictions of this run for data of another place, from an evaluation. */
  readonly external?: string | undefined;
  /** Whether to run the network on changed pictures too: blurred, compressed and so on. Default false. */
  readonly robustness?: boolean | undefined;
  readonly onProgress?: ((what: string) => void) | undefined;
}

export interface Dossier {
  readonly title: string;
  readonly blocks: readonly Block[];
  readonly items: readonly ChecklistItem[];
}

const wantedHalfWidth = 0.025;

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
  const place = placeOf(config.data, part);
  const divisions = await divisionsOf(place, predictions, options);
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
  const groupName = config.data.group ?? 'group';
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
          : [
              { name: `by image, intervals by ${groupName}`, scores, groups },
              { name: `by ${groupName}`, scores: byGroup(scores, groups) },
            ]),
        ...(other === null ? [] : [{ name: 'external data, by image', scores: binaryScores(other, positive) }]),
      ],
      threshold,
    ),
    ...(groups === undefined
      ? []
      : [
          paragraph(
            `The first row takes images of one ${groupName} as independent: its intervals are too short. The second row has the same values with intervals that allow ` +
              `for it: Obuchowski's for the AUC, the bootstrap by ${groupName} for the shares. By ${groupName}: positive if any of the images is, with the highest of their probabilities.`,
          ),
        ]),
    crossTable(at, positive),
    heading(2, 'Sample size'),
    ...sampleSize(at),
    heading(2, 'Predictive values at other prevalences'),
    predictiveTable(at, prevalence),
    heading(2, 'Decision curve'),
    ...netBenefit(scores, prevalence),
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
          paragraph('The same images, changed at the size at which the network sees them.'),
        ]),
    heading(2, 'Worst mistakes'),
    ...(await worstMistakes(predictions, scores, { threshold, positive, folder: place.folder })),
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
  { table: own, folder }: PicturePlace,
  predictions: Predictions,
  { table: path = own, subgroups }: DossierOptions,
): Promise<Division[]> {
  if (subgroups !== undefined && path === undefined) {
    throw new InputError('[dossier] subgroups: expected a table with these columns, got none');
  }
  const columns = path === undefined ? [] : await tableDivisions(path, predictions, subgroups);
  const pictures = folder === undefined ? null : await pictureDivisions(folder, predictions.files);
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
