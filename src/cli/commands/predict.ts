import { basename } from 'node:path';
import { type Effects, requireEffect } from '../../effect.js';
import { InputError } from '../../errors.js';
import { writeFileAtomic } from '../../io/files/atomic.js';
import { noMedicalDevice, trainedOnDrawings } from '../../report/wording.js';
import { namedDataset } from '../../run/catalog/datasets.js';
import { decisionNote, describeDecision } from '../../run/decision.js';
import { openRun, type TrainedRun } from '../../run/evaluate.js';
import { expandFolders, type PictureInput, type Prediction, predictFiles, type Unreadable } from '../../run/predict.js';
import { classCells, classColumns } from '../../run/predictions/columns.js';
import { csvText } from '../../text/csv.js';
import { formatCount, formatPercent } from '../../text/numbers.js';
import { Progress } from '../../text/progress.js';
import { describePassedOver } from '../../vision/datasets/listing.js';
import { inFlags } from '../flags.js';
import { newFile } from '../newOutput.js';
import { applyEngine, applyPrecision, type EngineOptions } from '../options.js';
import { complain, print, printJson, printSentences, printTable, type Terminal } from '../terminal.js';

const mostPiped = 2 ** 30;

const usualTop = 3;

interface PredictCommandOptions extends EngineOptions {
  readonly top?: number;
  readonly csv?: boolean;
  readonly out?: string;
  readonly best?: boolean;
  readonly positive?: string;
  readonly threshold?: number;
  readonly screening?: boolean;
  readonly json?: boolean;
}

const effects: Effects<PredictCommandOptions> = {
  top: ({ csv }) => (csv === true ? 'a table of --csv has all classes' : null),
};

export async function predict(
  path: string,
  images: readonly string[],
  options: PredictCommandOptions,
  terminal: Terminal,
): Promise<number> {
  requireEffect('predict', options, effects);
  applyEngine(options);
  const { csv = false, out, json = false } = options;
  if (csv && json) throw new InputError('[predict] output: expected --csv or --json, got both');
  if (out !== undefined && !csv) throw new InputError('[predict] --out: expected with --csv only, got it without');
  if (out !== undefined) await newFile(out, 'predict', '--out');
  const { best, positive, threshold, screening } = options;
  const run = await openRun(path, { best, positive, threshold, screening });
  applyPrecision(options.precision, run.folder.config.engine.precision);
  const { classNames } = run.folder.config.data;
  if ((options.top ?? 1) > classNames.length) {
    throw new InputError(
      `[predict] --top: expected at most ${classNames.length}, as many as classes, got ${options.top}`,
    );
  }
  const top = options.top ?? usualTop;
  const { files, isLossy } = await picturesOf(images, terminal);
  const progress = new Progress({
    label: 'pictures',
    total: files.length,
    unit: 'images',
    stream: terminal.stderr,
    mode: terminal.stderr.isTTY === true && files.length <= 32 ? 'silent' : 'auto',
    patient: true,
  });
  const shown: Prediction[] = [];
  /** The results for a table, in the order of the pictures. */
  const rows: (Prediction | Unreadable)[] = [];
  let unreadable = 0;
  let trainedOn = 0;
  let alike = 0;
  let done = 0;
  try {
    const most = csv || classNames.length === 2 ? classNames.length : top;
    for await (const result of predictFiles(run, files, { top: most })) {
      progress.update(++done);
      if (csv) rows.push(result);
      if (terminal.stdout.lost === true && out === undefined) break;
      if ('error' in result) {
        unreadable++;
        complain(terminal, result.error.message);
        if (json)
          printJson(terminal, 'predict.unreadable', { file: result.file, error: inFlags(result.error.message) });
        continue;
      }
      if (result.trainedOn) trainedOn++;
      if (result.looksTrainedOn) alike++;
      if (json) printJson(terminal, 'predict.picture', { ...result, classes: result.classes.slice(0, top) });
      else shown.push(result);
    }
  } finally {
    progress.stop();
  }
  if (csv) await writeCsv(csvOf(run, rows), out, rows.length, terminal);
  else if (shown.length > 0) printTableOf(shown, Math.min(top, classNames.length), terminal);
  if (trainedOn > 0) complain(terminal, trainedOnNote(trainedOn, done - unreadable));
  if (alike > 0) complain(terminal, alikeNote(alike, done - unreadable));
  const note = noteOf(run);
  if (note !== null && done > unreadable) {
    if (csv || json) terminal.stderr.write(`\n${note}\n`);
    else printSentences(terminal, `\n${note}`);
  }
  return unreadable === 0 && !isLossy ? 0 : 2;
}

function trainedOnNote(count: number, pictures: number): string {
  if (pictures === 1) return 'note: the network was trained on this picture';
  return `note: the network was trained on ${formatCount(count)} of these ${formatCount(pictures)} pictures`;
}

function alikeNote(count: number, pictures: number): string {
  if (pictures === 1) return 'note: this picture looks like a training picture, saved again or resized';
  return (
    `note: ${formatCount(count)} of these ${formatCount(pictures)} pictures ${count === 1 ? 'looks like a training picture' : 'look like training pictures'}, ` +
    'saved again or resized'
  );
}

/** The inputs in their order: a folder gives its pictures, and `-` the picture that is piped in. */
async function picturesOf(
  images: readonly string[],
  terminal: Terminal,
): Promise<{ readonly files: PictureInput[]; readonly isLossy: boolean }> {
  let isLossy = false;
  const parts = images.map((image): Promise<readonly PictureInput[]> => {
    if (image === '-') return piped(terminal);
    return expandFolders([image], (folder, passedOver) => {
      isLossy ||= passedOver.some(({ isLoss }) => isLoss);
      complain(terminal, `passed over in ${folder}: ${describePassedOver(passedOver)}`);
    });
  });
  return { files: (await Promise.all(parts)).flat(), isLossy };
}

/**
 * The picture that is piped into the command.
 *
 * @throws {InputError} if there is nothing, or more than a picture can be
 */
async function piped({ stdin }: Terminal): Promise<readonly PictureInput[]> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of stdin ?? []) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes <= mostPiped) continue;
    throw new InputError(`[predict] standard input: expected at most ${mostPiped} bytes, got more`);
  }
  return [{ name: 'standard input', picture: Buffer.concat(pieces) }];
}

/** The rule that decided the classes, and notes for readers of a screening test. */
function noteOf(run: TrainedRun): string | null {
  const { synthetic } = run.folder.config.data;
  const parts = [
    decisionNote(run),
    ...(run.screening ? [synthetic ? `${trainedOnDrawings} ${noMedicalDevice}` : noMedicalDevice] : []),
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join('\n');
}

async function writeCsv(text: string, out: string | undefined, count: number, terminal: Terminal): Promise<void> {
  if (out === undefined) {
    terminal.stdout.write(text);
    return;
  }
  await writeFileAtomic(out, text);
  print(terminal, `${formatCount(count)} pictures in ${out}`);
}

/**
 * The columns of the data set, or else the probability of each class. A picture that cannot be read has a row
 * too, with the reason, so that it does not vanish where a program reads the table.
 */
function csvOf({ folder }: TrainedRun, predictions: readonly (Prediction | Unreadable)[]): string {
  const { name, classNames } = folder.config.data;
  const probabilityOf = ({ classes }: Prediction, wanted: string) =>
    classes.find((entry) => entry.name === wanted)?.probability.toFixed(6);
  const { predictionColumns } = namedDataset(name);
  if (predictionColumns !== undefined) {
    const rows = predictions.map((prediction) => [
      basename(prediction.file),
      'error' in prediction ? '' : probabilityOf(prediction, classNames[1]),
    ]);
    return csvText([[...predictionColumns], ...rows]);
  }
  const decides = classNames.length === 2;
  const columns = [...(decides ? ['decision'] : []), ...classColumns(classNames)];
  const rows = predictions.map((prediction) => {
    if ('error' in prediction) return [prediction.file, ...columns.map(() => ''), inFlags(prediction.error.message)];
    const { file, classes, decision } = prediction;
    const ordered = classNames.flatMap((wanted) => classes.find((entry) => entry.name === wanted) ?? []);
    const cells = classCells(
      classNames,
      ordered.map(({ probability }) => probability),
      ordered.map(({ logit }) => logit),
    );
    return [file, ...(decision === undefined ? [] : [decision.class]), ...cells, ''];
  });
  return csvText([['file', ...columns, 'problem'], ...rows]);
}

function printTableOf(predictions: readonly Prediction[], top: number, terminal: Terminal): void {
  const ranks = Array.from({ length: top }, (_, i) => ({ header: i === 0 ? 'class' : `${i + 1}.` }));
  const decides = predictions.some(({ decision }) => decision !== undefined);
  printTable(
    terminal,
    [{ header: 'image' }, ...ranks, ...(decides ? [{ header: 'decision' }] : []), { header: 'picture' }],
    predictions.map(({ file, classes, decision, note, trainedOn, looksTrainedOn }) => [
      file,
      ...decidedFirst(classes, decision)
        .slice(0, top)
        .map(({ name, probability }) => `${name}  ${formatPercent(probability, 1)}`),
      ...(decision === undefined ? [] : [describeDecision(decision)]),
      trainedOn ? `${note}; a training picture` : looksTrainedOn ? `${note}; looks like a training picture` : note,
    ]),
  );
}

/** The decided class comes before a more probable one. */
function decidedFirst(classes: Prediction['classes'], decision: Prediction['decision']): Prediction['classes'] {
  if (decision === undefined) return classes;
  return [...classes].sort((a, b) => Number(b.name === decision.class) - Number(a.name === decision.class));
}
