import { wilsonInterval } from '../../metric/index.js';
import { evaluateRun, openRun, type RunEvaluation, type TrainedRun } from '../../model/evaluateRun.js';
import { formatCount, formatFigure, formatPercent } from '../../model/format.js';
import { Progress } from '../../model/progress.js';
import { datasetKind, modelKind } from '../../model/recipes.js';
import { noMedicalDevice, screeningFacts } from '../../model/screeningTable.js';
import { formatTable } from '../../model/table.js';
import { ImageFileDataset } from '../../vision/datasets/imageFiles.js';
import { DownloadDisplay } from '../display.js';
import { applyEngine, applyPrecision, type EngineOptions, type ReadingOptions, readingOf } from '../options.js';
import { print, printFacts, printJson, type Terminal } from '../terminal.js';

interface EvalCommandOptions extends EngineOptions, ReadingOptions {
  readonly data?: string;
  readonly split?: 'train' | 'validation' | 'all';
  readonly dataDir?: string;
  readonly batchSize?: number;
  readonly best?: boolean;
  readonly json?: boolean;
}

export async function evaluate(path: string, options: EvalCommandOptions, terminal: Terminal): Promise<number> {
  applyEngine(options);
  const { data, split, dataDir, batchSize, json = false } = options;
  const run = await openRun(path, { best: options.best ?? false });
  applyPrecision(options.precision, run.folder.config.engine.precision);
  const download = new DownloadDisplay(terminal);
  const bar = !json && terminal.stderr.isTTY === true;
  let progress: Progress | null = null;
  try {
    const result = await evaluateRun(run, {
      data,
      split: split === 'validation' ? 'eval' : split,
      dataDir,
      reading: readingOf(options),
      batchSize,
      onDownload: download.show,
      onBatch: (samples, total) => {
        progress ??= new Progress({
          label: 'evaluation',
          total,
          unit: 'images',
          stream: terminal.stderr,
          mode: bar ? 'auto' : 'silent',
        });
        progress.update(samples);
      },
    });
    // Assigned in a callback, which the compiler does not see.
    (progress as Progress | null)?.stop();
    if (json) printJson(terminal, forMachines(run, result));
    else show(run, result, terminal);
    return 0;
  } finally {
    download.end();
    (progress as Progress | null)?.stop();
  }
}

function forMachines({ folder }: TrainedRun, result: RunEvaluation) {
  const { model, data } = folder.config;
  const { samples, loss, accuracy, confusion, mistakes, split, sameData, screening } = result;
  const correct = confusion.reduce((sum, row, i) => sum + row[i], 0);
  return {
    run: folder.path,
    model: model.name,
    data: data.name,
    epochs: folder.history.length,
    title: result.title,
    synthetic: result.synthetic,
    split,
    images: samples,
    source: result.data.source,
    sha256: result.data.sha256,
    sameData,
    unreadable: result.data.unreadable,
    weightsSha256: folder.weightsSha256,
    loss,
    accuracy,
    accuracyInterval: wilsonInterval(correct, samples),
    confusion,
    screening,
    mistakes: mistakes.map(({ index, label, predicted, probabilities }) => ({
      index,
      ...fileOf(result, index),
      label: data.classNames[label],
      predicted: data.classNames[predicted],
      probability: probabilities[predicted],
    })),
  };
}

/** The file of a sample, where each has one. */
function fileOf({ dataset }: RunEvaluation, index: number): { file?: string } {
  return dataset instanceof ImageFileDataset ? { file: dataset.files[index].path } : {};
}

function show({ folder }: TrainedRun, result: RunEvaluation, terminal: Terminal): void {
  const { model, data } = folder.config;
  const { samples, confusion, split, title, synthetic } = result;
  const name = { train: 'training', eval: datasetKind(data.name).evalName, all: 'all' }[split];
  const correct = confusion.reduce((sum, row, i) => sum + row[i], 0);
  const [low, high] = wilsonInterval(correct, samples);
  const epochs = folder.history.length;
  print(terminal, `${modelKind(model.name).title} on ${title}, after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`);
  printFacts(terminal, [
    [`${name} images`, formatCount(samples)],
    ['source', result.data.source],
    [
      'accuracy',
      `${formatPercent(result.accuracy)}  (95 % interval ${formatPercent(low)} to ${formatPercent(high)}; ${formatCount(samples - correct)} wrong)`,
    ],
    ['loss', formatFigure(result.loss)],
    ...(result.screening === null
      ? []
      : screeningFacts(result.screening, {
          positiveName: data.classNames[1],
          unreadable: result.data.unreadable.length,
        })),
  ]);
  if (result.screening !== null) print(terminal, `\n${noMedicalDevice}`);
  if (!result.sameData) print(terminal, '  Note: these are not the images that the run folder speaks of.');
  if (synthetic)
    print(terminal, '  Note: these are drawn pictures, not photographs; the figures say nothing about eyes.');
  print(terminal, '\nRows are the true classes, columns what they were taken for:\n');
  const right = (header: string) => ({ header, align: 'right' as const });
  const rows = confusion.map((row, i) => [
    data.classNames[i],
    ...row.map((n) => (n === 0 ? '·' : formatCount(n))),
    formatPercent(row[i] / row.reduce((sum, n) => sum + n, 0), 1),
  ]);
  const columns = [{ header: '' }, ...data.classNames.map(right), right('right')];
  print(terminal, formatTable(columns, rows, { indent: 2 }));
}
