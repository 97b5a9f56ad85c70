import { formatPercent } from '../../model/format.js';
import { type Prediction, predictFiles } from '../../model/predict.js';
import { openRun } from '../../model/run.js';
import { formatTable } from '../../model/table.js';
import { applyEngine, type EngineOptions } from '../options.js';
import { print, printJson, type Terminal } from '../terminal.js';

interface PredictCommandOptions extends EngineOptions {
  readonly top: number;
  readonly json?: boolean;
}

export async function predict(
  path: string,
  files: readonly string[],
  options: PredictCommandOptions,
  terminal: Terminal,
): Promise<number> {
  applyEngine(options);
  const { top, json = false } = options;
  const run = await openRun(path);
  const shown: Prediction[] = [];
  let unreadable = 0;
  for await (const result of predictFiles(run, files, top)) {
    if ('error' in result) {
      unreadable++;
      terminal.stderr.write(`fovea: ${result.error.message}\n`);
      if (json) printJson(terminal, { file: result.file, error: result.error.message });
    } else if (json) {
      printJson(terminal, result);
    } else {
      shown.push(result);
    }
  }
  if (shown.length > 0) print(terminal, tableOf(shown, Math.min(top, run.folder.config.data.classNames.length)));
  return unreadable === 0 ? 0 : 2;
}

function tableOf(predictions: readonly Prediction[], top: number): string {
  const ranks = Array.from({ length: top }, (_, i) => ({ header: i === 0 ? 'class' : `${i + 1}.` }));
  return formatTable(
    [{ header: 'image' }, ...ranks, { header: 'picture' }],
    predictions.map(({ file, classes, note }) => [
      file,
      ...classes.map(({ name, probability }) => `${name}  ${formatPercent(probability, 1)}`),
      note,
    ]),
  );
}
