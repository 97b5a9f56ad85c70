import { InputError } from '../../errors.js';
import { writeFileAtomic } from '../../io/files/atomic.js';
import { findLearningRate, type RatePoint, type RateSearch } from '../../measure/learningRate.js';
import { renderRatePage } from '../../measure/ratePage.js';
import { dataFor } from '../../run/catalog/datasets.js';
import { runOptionsOf } from '../../run/runOptionsOf.js';
import { formatMetric } from '../../text/numbers.js';
import { Progress } from '../../text/progress.js';
import { DownloadDisplay, ReadingDisplay } from '../display.js';
import { Interruption } from '../interrupt.js';
import { newFile } from '../newOutput.js';
import { applyEngine } from '../options.js';
import { print, printJson, printSentences, printTable, type Terminal } from '../terminal.js';
import type { TrainCommandOptions } from '../training/open.js';
import { configured } from './train.js';

interface LrFindOptions extends TrainCommandOptions {
  readonly from?: number;
  readonly to?: number;
  readonly steps?: number;
  readonly report?: string;
}

/** Rows of the printed curve, and the width of its bars. */
const rows = 24;
const barWidth = 40;

/** Looks for a learning rate, with the options of `train`. */
export async function lrFind(
  name: string | undefined,
  called: LrFindOptions,
  given: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const { from, to, steps, report } = called;
  const { model, options } = await configured(name, called, given);
  if (model === undefined) throw new InputError('[lr-find] model: expected a network such as lenet, got none');
  applyEngine(options);
  if (report !== undefined) await newFile(report, 'lr-find', '--report');
  const { data = dataFor(model), json = false } = options;
  const interruption = new Interruption(terminal, 'ending');
  const download = new DownloadDisplay(terminal, interruption.signal);
  const reading = new ReadingDisplay(terminal);
  let progress: Progress | null = null;
  try {
    const { out: _, ...asked } = runOptionsOf(options, { model, data, out: '' });
    const found = await findLearningRate(
      { ...asked, onDownload: download.show, onProgress: reading.show },
      {
        from,
        to,
        steps,
        signal: interruption.signal,
        onStep: (step, total, loss) => {
          download.end();
          reading.end();
          progress ??= new Progress({
            label: 'steps',
            total,
            unit: 'steps',
            stream: terminal.stderr,
            mode: json ? 'silent' : 'auto',
          });
          progress.update(step, { loss });
        },
      },
    );
    progress = stopped(progress);
    if (report !== undefined) await writeFileAtomic(report, renderRatePage(model, data, found));
    if (json) printJson(terminal, 'lr-find.result', found);
    else show(terminal, found, report);
    return interruption.exitCode;
  } finally {
    stopped(progress);
    download.end();
    reading.end();
    interruption.end();
  }
}

function stopped(progress: Progress | null): null {
  progress?.stop();
  return null;
}

function show(terminal: Terminal, { points, suggestion, reason, ended }: RateSearch, report: string | undefined): void {
  const losses = points.map(({ smoothed }) => smoothed);
  const [low, high] = [
    Math.min(...losses),
    Math.max(...losses.slice(0, Math.ceil(losses.length / 2)), Math.min(...losses)),
  ];
  const bar = ({ smoothed }: RatePoint) => {
    const share = high === low ? 0 : Math.min(1, Math.max(0, (smoothed - low) / (high - low)));
    return '█'.repeat(Math.round(barWidth * share));
  };
  const every = Math.max(1, Math.ceil(points.length / rows));
  printTable(
    terminal,
    [{ header: 'rate', align: 'right' }, { header: 'loss', align: 'right' }, { header: '' }],
    points
      .filter((_, i) => i % every === 0)
      .map((point) => [point.rate.toExponential(1), formatMetric(point.smoothed), bar(point)]),
  );
  print(terminal, '');
  if (ended !== null) printSentences(terminal, `Ended after ${points.length} steps: ${ended}.`);
  printSentences(terminal, reason);
  if (suggestion !== null) print(terminal, `\nSuggestion: --lr ${suggestion}`);
  if (report !== undefined) print(terminal, `The curve is in ${report}.`);
}
