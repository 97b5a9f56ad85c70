import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OperatingRule } from '../../metric/index.js';
import { formatCount, formatDuration, formatFigure, formatPercent, formatRate } from '../../model/format.js';
import { datasetKind, findData, modelKind, type OptimizerName, recipeLine, usualData } from '../../model/recipes.js';
import { Run } from '../../model/run.js';
import { screeningOf } from '../../model/screening.js';
import { noMedicalDevice, screeningFacts } from '../../model/screeningTable.js';
import type { EpochRecord, TrainOutcome } from '../../model/trainer.js';
import type { ChannelOrder } from '../../vision/transforms/image.js';
import { DownloadDisplay, TrainingDisplay } from '../display.js';
import { Interruption } from '../interrupt.js';
import { applyEngine, type EngineOptions, type ReadingOptions, readingOf } from '../options.js';
import { ownCommand, print, printFacts, printJson, quoted, type Terminal } from '../terminal.js';

interface TrainCommandOptions extends EngineOptions, ReadingOptions {
  readonly data?: string;
  readonly dataDir?: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly lr?: number;
  readonly optimizer?: OptimizerName;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly size?: readonly [height: number, width: number];
  readonly order?: ChannelOrder;
  readonly antialias?: boolean;
  readonly holdOut?: number;
  readonly auxiliaryHeads?: boolean;
  readonly operatingPoint?: OperatingRule;
  readonly seed: number;
  readonly out?: string;
  readonly logEvery?: number;
  readonly json?: boolean;
}

export async function train(model: string, options: TrainCommandOptions, terminal: Terminal): Promise<number> {
  const { data = usualData(model).name, dataDir, seed, json = false, size, order, antialias } = options;
  const { holdOut, auxiliaryHeads, operatingPoint: operatingRule } = options;
  const { epochs, batchSize, optimizer, momentum, weightDecay, lr: learningRate } = options;
  const { name } = findData(data);
  const { evalName } = datasetKind(name);
  applyEngine(options);
  const download = new DownloadDisplay(terminal);
  const interruption = new Interruption(terminal);
  let display: TrainingDisplay | null = null;
  try {
    const run = await Run.create({
      model,
      data,
      out: options.out ?? newFolder(`${model}-${name}`),
      seed,
      dataDir,
      images: { ...(size && { size }), ...(order && { order }), ...(antialias && { antialias }) },
      reading: readingOf(options),
      holdOut,
      auxiliaryHeads,
      operatingRule,
      changes: { epochs, batchSize, optimizer, momentum, weightDecay, learningRate },
      onDownload: download.show,
    });
    download.end();
    const report = json ? new JsonReport(run, terminal) : new TextReport(run, terminal, evalName);
    report.begin();
    display = new TrainingDisplay(terminal, {
      logEvery: options.logEvery ?? run.folder.config.recipe.logEvery,
      batchSize: run.folder.config.recipe.batchSize,
      onLine: json ? (line) => printJson(terminal, { event: 'batch', ...line }) : undefined,
      onEpoch: (record) => report.epoch(record),
    });
    const outcome = await run.train({ callbacks: [display], signal: interruption.signal });
    report.end(outcome);
    return interruption.exitCode;
  } finally {
    download.end();
    display?.end();
    interruption.end();
  }
}

/** `runs/lenet-mnist-20250102-030405`, and with -2 and so on behind it if two begin at once. */
function newFolder(name: string): string {
  const now = new Date();
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  const path = join('runs', `${name}-${date}-${time}`);
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? path : `${path}-${i}`;
    if (!existsSync(candidate)) return candidate;
  }
}

class TextReport {
  readonly #run: Run;
  readonly #terminal: Terminal;
  readonly #evalName: string;

  constructor(run: Run, terminal: Terminal, evalName: string) {
    this.#run = run;
    this.#terminal = terminal;
    this.#evalName = evalName;
  }

  begin(): void {
    const { folder } = this.#run;
    const { model, data, recipe, engine, seed } = folder.config;
    const { train, eval: judged } = data;
    print(this.#terminal, `${modelKind(model.name).title} on ${data.title}`);
    printFacts(this.#terminal, [
      ['parameters', formatCount(model.parameters)],
      ['data', `${formatCount(train.images)} training and ${formatCount(judged.images)} ${this.#evalName} images`],
      ['source', train.source],
      ...unreadableFacts(train.unreadable.length + judged.unreadable.length),
      ['recipe', recipeLine(recipe)],
      ['seed', String(seed)],
      ['engine', `${engine.description}, ${engine.threads === 1 ? 'one thread' : `up to ${engine.threads} threads`}`],
      ['run folder', folder.path],
    ]);
    print(this.#terminal, '');
  }

  epoch(record: EpochRecord): void {
    const { epoch, trainLoss, evalLoss, evalAccuracy, imagesPerSecond, seconds } = record;
    const parts = [
      `epoch ${epoch}/${this.#run.folder.config.recipe.epochs}`,
      `training loss ${formatFigure(trainLoss)}`,
      `${this.#evalName} loss ${formatFigure(evalLoss ?? Number.NaN)}`,
      `accuracy ${formatPercent(evalAccuracy ?? Number.NaN)}`,
      formatDuration(seconds),
      `${formatRate(imagesPerSecond).replace('/s', '')} images/s`,
    ];
    print(this.#terminal, parts.join('  '));
  }

  end({ completed, evaluation, history }: TrainOutcome): void {
    const { folder } = this.#run;
    const { training } = folder.state;
    const notice = this.#run.plateau(history);
    if (notice !== null) print(this.#terminal, `\n${notice}`);
    const command = ownCommand();
    const path = quoted(folder.path);
    const figures =
      evaluation === null
        ? ''
        : `: ${formatPercent(evaluation.accuracy)} of ${formatCount(evaluation.samples)} ${this.#evalName} images right, ` +
          `loss ${formatFigure(evaluation.loss)}`;
    print(
      this.#terminal,
      completed
        ? `\nDone${figures}.`
        : `\nStopped in epoch ${training.epoch} after ${formatCount(training.batch)} batches; the state is saved.`,
    );
    const screening = completed && evaluation !== null ? screeningOf(evaluation, folder.state.operatingPoint) : null;
    if (screening !== null) {
      const { classNames, eval: judged } = folder.config.data;
      const about = { positiveName: classNames[1], unreadable: judged.unreadable.length };
      printFacts(this.#terminal, screeningFacts(screening, about));
      print(this.#terminal, `${noMedicalDevice}\n`);
    }
    print(this.#terminal, `Weights, optimizer, metrics and report.html are in ${folder.path}. Go on with:`);
    print(this.#terminal, `  ${command} eval ${path}`);
    print(this.#terminal, `  ${command} predict ${path} IMAGE…`);
  }
}

function unreadableFacts(count: number): [string, string][] {
  return count === 0 ? [] : [['unreadable', `${formatCount(count)} pictures, left out; config.json lists them`]];
}

class JsonReport {
  readonly #run: Run;
  readonly #terminal: Terminal;

  constructor(run: Run, terminal: Terminal) {
    this.#run = run;
    this.#terminal = terminal;
  }

  begin(): void {
    const { folder } = this.#run;
    printJson(this.#terminal, { event: 'start', run: folder.path, config: folder.config });
  }

  epoch(record: EpochRecord): void {
    printJson(this.#terminal, { event: 'epoch', ...record });
  }

  end({ completed, evaluation, history }: TrainOutcome): void {
    const { folder } = this.#run;
    const { epoch, batch, steps } = folder.state.training;
    printJson(this.#terminal, {
      event: 'end',
      run: folder.path,
      completed,
      epoch,
      batch,
      steps,
      evalLoss: evaluation?.loss ?? null,
      evalAccuracy: evaluation?.accuracy ?? null,
      confusion: evaluation?.confusion ?? null,
      screening: completed && evaluation !== null ? screeningOf(evaluation, folder.state.operatingPoint) : null,
      notice: this.#run.plateau(history),
    });
  }
}
