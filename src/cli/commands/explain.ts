import { basename, extname, join } from 'node:path';
import { type Effects, requireEffect } from '../../effect.js';
import { InputError } from '../../errors.js';
import { makeFolder, writeFileAtomic } from '../../io/files/atomic.js';
import { openRun } from '../../run/evaluate.js';
import { type Explanation, type ExplanationCheck, explainPictures } from '../../run/explain.js';
import type { ExplainMethod } from '../../run/explainMethods.js';
import {
  addExplanations,
  type DrawnExplanation,
  drawExplanations,
  explainedClass,
  explainedPictures,
  explanationMethod,
  requireReport,
} from '../../run/explanationReport.js';
import { expandFolders } from '../../run/predict.js';
import { csvText } from '../../text/csv.js';
import { formatCount, formatPercent } from '../../text/numbers.js';
import { Progress } from '../../text/progress.js';
import { formatTable } from '../../text/table.js';
import { describePassedOver } from '../../vision/datasets/listing.js';
import { inFlags } from '../flags.js';
import { newFolder } from '../newOutput.js';
import { applyEngine, applyPrecision, type EngineOptions } from '../options.js';
import { complain, print, printJson, type Terminal } from '../terminal.js';
import { freeName } from './freeName.js';

interface ExplainCommandOptions extends EngineOptions {
  readonly method?: ExplainMethod;
  readonly layer?: string;
  readonly class?: string;
  readonly against?: string;
  readonly patch?: number;
  readonly steps?: number;
  readonly check?: boolean;
  readonly other?: string;
  readonly out?: string;
  readonly report?: boolean;
  readonly best?: boolean;
  readonly csv?: boolean;
  readonly json?: boolean;
}

const usualFolder = 'explained';

const effects: Effects<ExplainCommandOptions> = {
  layer: ({ method = 'gradcam' }) => (method.endsWith('cam') ? null : `${method} needs no layer`),
  patch: ({ method }) => (method === 'occlusion' ? null : 'patches cover pictures with --method occlusion only'),
  steps: ({ method }) => (method === 'integrated-gradients' ? null : 'steps belong to --method integrated-gradients'),
  other: ({ check }) => (check === true ? null : 'only --check compares the maps of two trainings'),
};

/** A map with the files that show it. */
interface Drawn extends DrawnExplanation {
  readonly files: Readonly<Record<keyof DrawnExplanation['images'], string>>;
}

export async function explain(
  path: string,
  images: readonly string[],
  options: ExplainCommandOptions,
  terminal: Terminal,
): Promise<number> {
  requireEffect('explain', options, effects);
  applyEngine(options);
  const { out = usualFolder, csv = false, json = false, report = false, best } = options;
  if (csv && json) throw new InputError('[explain] output: expected --csv or --json, got both');
  await newFolder(out, 'explain', '--out');
  const run = await openRun(path, { best });
  if (report) requireReport(run.folder);
  const other = options.other === undefined ? undefined : await openRun(options.other, { best });
  applyPrecision(options.precision, run.folder.config.engine.precision);
  const files = await expandFolders(images, (folder, passedOver) => {
    complain(terminal, `passed over in ${folder}: ${describePassedOver(passedOver)}`);
  });
  const progress = new Progress({
    label: 'pictures',
    total: files.length,
    unit: 'images',
    stream: terminal.stderr,
    mode: terminal.stderr.isTTY === true && files.length > 1 ? 'auto' : 'silent',
  });
  const explanations: Explanation[] = [];
  let unreadable = 0;
  try {
    for await (const result of explainPictures(run, files, { ...options, other })) {
      progress.update(explanations.length + unreadable + 1);
      if ('error' in result) {
        unreadable++;
        complain(terminal, result.error.message);
        if (json)
          printJson(terminal, 'explain.unreadable', { file: result.file, error: inFlags(result.error.message) });
      } else explanations.push(result);
    }
  } finally {
    progress.stop();
  }
  if (explanations.length > 0) {
    const drawn = await draw(explanations, out);
    if (report) await addExplanations(run.folder, explainedPictures(drawn, run.weights));
    await show(drawn, { out, csv, json, report }, terminal);
  }
  return unreadable === 0 ? 0 : 2;
}

/** Writes three pictures of each map. */
async function draw(explanations: readonly Explanation[], out: string): Promise<Drawn[]> {
  await makeFolder(out);
  const taken = new Set<string>();
  const drawn: Drawn[] = [];
  for await (const { explanation, images } of drawExplanations(explanations)) {
    const name = freeName(basename(explanation.file, extname(explanation.file)), taken);
    const file = (kind: string) => join(out, `${name}-${kind}.png`);
    const files = { picture: file('picture'), map: file('map'), overlay: file('overlay') };
    for (const kind of ['picture', 'map', 'overlay'] as const) await writeFileAtomic(files[kind], images[kind]);
    drawn.push({ explanation, files, images });
  }
  return drawn;
}

type Shown = Required<Pick<ExplainCommandOptions, 'out' | 'csv' | 'json' | 'report'>>;

async function show(drawn: readonly Drawn[], { out, csv, json, report }: Shown, terminal: Terminal): Promise<void> {
  if (json) for (const one of drawn) printJson(terminal, 'explain.picture', forMachines(one));
  else if (csv) terminal.stdout.write(csvText([columns, ...drawn.map(rowOf)]));
  else {
    print(terminal, tableOf(drawn.map(({ explanation }) => explanation)));
    for (const { explanation } of drawn) {
      if (explanation.check !== null) printCheck(explanation.file, explanation.check, terminal);
    }
    const [{ explanation }] = drawn;
    print(terminal, `\n${explanationMethod(drawn)}. ${formatCount(3 * drawn.length)} pictures in ${out}.`);
    if (report) print(terminal, 'The maps are in the report of the run too.');
    if (explanation.check === null) {
      print(terminal, 'A map shows a place, not a reason, and may mislead: --check tests it.');
    }
  }
}

/**
 * Share of a map's positive values in the half of the places with the largest of them, and their centre.
 */
function summaryOf({ map, shape: [, height, width] }: Explanation) {
  let [total, x, y] = [0, 0, 0];
  map.forEach((value, i) => {
    const positive = Math.max(value, 0);
    total += positive;
    x += positive * ((i % width) + 0.5);
    y += positive * (Math.floor(i / width) + 0.5);
  });
  const largest = [...map].map((value) => Math.max(value, 0)).sort((a, b) => b - a);
  const tenth = largest.slice(0, Math.ceil(map.length / 10)).reduce((sum, value) => sum + value, 0);
  if (total === 0) return { total: 0, centreX: null, centreY: null, inLargestTenth: null };
  return { total, centreX: x / total / width, centreY: y / total / height, inLargestTenth: tenth / total };
}

function forMachines({ explanation, files }: Drawn) {
  const { map: _, image: __, shape, ...rest } = explanation;
  return { ...rest, height: shape[1], width: shape[2], summary: summaryOf(explanation), files };
}

const columns = [
  ...['file', 'class', 'against', 'predicted', 'probability', 'score', 'method', 'layer'],
  ...['total', 'centreX', 'centreY', 'inLargestTenth', 'overlay'],
];

function rowOf({ explanation, files }: Drawn): (string | undefined)[] {
  const { file, class: wanted, against, predicted, probability, score, method, layer } = explanation;
  const { total, centreX, centreY, inLargestTenth } = summaryOf(explanation);
  const number = (value: number | null) => value?.toPrecision(6);
  return [
    ...[file, wanted, against ?? undefined, predicted, number(probability), number(score), method, layer ?? undefined],
    ...[number(total), number(centreX), number(centreY), number(inLargestTenth), files.overlay],
  ];
}

function tableOf(explanations: readonly Explanation[]): string {
  const headers = ['image', 'explained', 'predicted', 'probability', 'in a tenth of the places'];
  return formatTable(
    headers.map((header) => ({ header })),
    explanations.map((explanation) => {
      const { inLargestTenth } = summaryOf(explanation);
      return [
        explanation.file,
        explainedClass(explanation),
        explanation.predicted,
        formatPercent(explanation.probability, 1),
        inLargestTenth === null ? 'nothing speaks for it' : formatPercent(inLargestTenth, 0),
      ];
    }),
  );
}

function printCheck(
  file: string,
  { randomized, perturbations, agreement, verdict }: ExplanationCheck,
  terminal: Terminal,
) {
  const { deletion, insertion } = perturbations;
  const curve = ({ map, random, centre }: typeof deletion) =>
    `${formatPercent(map, 1)} by the map, ${formatPercent(random, 1)} at random, ${formatPercent(centre, 1)} from the centre`;
  print(terminal, `\n${file}`);
  print(
    terminal,
    `  layers randomized, from the output on: ${randomized.map(({ layer, correlation }) => `${layer} ${correlation.toFixed(2)}`).join(', ')}`,
  );
  print(terminal, `  covering: probability ${curve(deletion)}`);
  print(terminal, `  uncovering: probability ${curve(insertion)}`);
  if (agreement !== null) print(terminal, `  correlation with the other training's map: ${agreement.toFixed(2)}`);
  print(terminal, `  ${verdict}`);
}
