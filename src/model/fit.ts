import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FileError, InputError } from '../errors.js';
import { DataLoader } from '../io/data/dataloader.js';
import { type Dataset, labelsOf } from '../io/data/dataset.js';
import { makeFolder, reasonOf } from '../io/files/atomic.js';
import { type Lock, lockFile, lockFolder } from '../io/files/lock.js';
import { requireRoom } from '../memory.js';
import type { Metric } from '../metric/index.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import type { Tensor } from '../tensor/tensor.js';
import { standardError } from '../text/output.js';
import { visibleLine } from '../text/visible.js';
import type { Callback } from '../train/callback.js';
import { LRScheduler, ModelCheckpoint, ProgBarLogger } from '../train/callbacks/index.js';
import { StateFolder } from '../train/checkpoint/folder.js';
import { classWeightsOf, orderOf } from '../train/classBalance.js';
import type { EpochRecord } from '../train/history.js';
import { missingInEvaluation } from '../train/missingClasses.js';
import type { LossFunction } from '../train/objective.js';
import type { TrainOptions } from '../train/options.js';
import { identitiesOf } from '../train/sampleIdentity.js';
import type { ComputeScope } from '../train/scope.js';
import { train } from '../train/train.js';
import { fitAdvice } from './advice.js';
import { checkFitOptions } from './checkOptions.js';
import { listOf, withWorkers } from './inputs.js';
import type { FitOptions } from './options.js';

/** The parts that `Model.prepare` combines. */
export interface Prepared extends Pick<ComputeScope, 'precision'> {
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly loss: LossFunction;
  readonly metrics: readonly Metric[];
}

/** Files that `Model.fit` and `Model.save` write besides the saved state. */
const ownFiles = /^(epoch-\d+|final|best|best_model|weights|optimizer)(\.optimizer)?\.safetensors$|^metrics\.jsonl$/;

/** See `Model.fit`. */
export async function fitModel(prepared: Prepared, options: FitOptions): Promise<readonly EpochRecord[]> {
  checkFitOptions(options, prepared.optimizer);
  const { saveDir, saveSteps, resume = false } = options;
  if (saveDir === undefined && (resume || saveSteps !== undefined)) {
    throw new InputError('[fit] saveDir: expected a folder for the state of the training, got none; give saveDir');
  }
  const callbacks = await callbacksOf(prepared, options);
  const loop = await loopOf(prepared, options);
  warnOfMissing(loop, options);
  const locks = await lockCheckpoints(callbacks, saveDir);
  try {
    const { history, done } =
      saveDir === undefined
        ? { ...(await train({ ...loop, callbacks })), done: 0 }
        : await fitIn(saveDir, prepared, { ...loop, callbacks, saveDir, saveSteps }, resume);
    const advice = history.length > done ? fitAdvice(history, loop, options) : null;
    if (advice !== null) loop.onNote?.(advice);
    return history;
  } finally {
    for (const lock of locks) await lock.release();
  }
}

/** @returns the epochs, and how many of them an earlier call had done */
async function fitIn(
  saveDir: string,
  prepared: Prepared,
  options: TrainOptions,
  resume: boolean,
): Promise<{ readonly history: readonly EpochRecord[]; readonly done: number }> {
  await makeSaveDir(saveDir);
  // A killed training leaves its lock, which proves that the files in the folder are its own.
  const killed = existsSync(join(saveDir, lockFile));
  const folder = new StateFolder(saveDir);
  const from = await folder.locked(() => beginning(folder, prepared, resume, killed));
  await folder.lock();
  try {
    const { history } = await train({ ...options, save: (training) => folder.save(training), from });
    return { history, done: from?.history.length ?? 0 };
  } finally {
    await folder.unlock();
  }
}

function warnOfMissing({ trainLoader, evalLoader }: TrainOptions, { verbose = 2 }: FitOptions): void {
  if (evalLoader === undefined || verbose === 0) return;
  const warning = missingInEvaluation(trainLoader.dataset, evalLoader.dataset);
  if (warning !== null) standardError.write(`[fit] evalData: ${visibleLine(warning)}\n`);
}

async function makeSaveDir(path: string): Promise<void> {
  await makeFolder(path).catch((error: unknown) => {
    throw new FileError(
      `[fit] ${path}: expected a folder, or to make one, got ${reasonOf(error)}; choose another saveDir`,
      { cause: error },
    );
  });
}

/** Prevents other trainings from writing to folders of checkpoints that are not `saveDir`. */
async function lockCheckpoints(callbacks: readonly Callback[], saveDir: string | undefined): Promise<Lock[]> {
  const folders = callbacks.flatMap((callback) =>
    callback instanceof ModelCheckpoint && callback.saveDir !== null ? [resolve(callback.saveDir)] : [],
  );
  const locks: Lock[] = [];
  for (const folder of new Set(folders)) {
    if (saveDir !== undefined && folder === resolve(saveDir)) continue;
    try {
      await makeSaveDir(folder);
      locks.push(await lockFolder(folder, 'ModelCheckpoint'));
    } catch (error) {
      for (const lock of locks) await lock.release();
      throw error;
    }
  }
  return locks;
}

/** Restores the saved state, if there is one and the training is to be resumed. */
async function beginning(
  folder: StateFolder,
  { network, optimizer }: Prepared,
  resume: boolean,
  killed: boolean,
): Promise<TrainOptions['from']> {
  const hasState = await folder.hasState();
  const names = await readdir(folder.path);
  const foreign = names.find((name) => name === 'config.json' || (!hasState && ownFiles.test(name)));
  // A training that was killed before it saved a state has nothing to restore: it is run again from the
  // start.
  if (foreign !== undefined && (foreign === 'config.json' || !(killed && resume))) {
    throw new InputError(
      `[fit] ${folder.path}: expected a folder of Model.fit or a new one, got one with ${foreign} of something else ` +
        '(nothing is ever overwritten); choose another saveDir',
    );
  }
  if (!hasState) return undefined;
  if (!resume) {
    throw new InputError(
      `[fit] ${folder.path}: expected a folder without a training, got one with the state of one; ` +
        'continue it with resume: true, or choose another saveDir',
    );
  }
  await folder.read();
  await folder.loadWeights(network);
  await folder.loadOptimizer(optimizer, network);
  return { state: folder.state.training, history: folder.history };
}

async function loopOf(prepared: Prepared, options: FitOptions): Promise<TrainOptions> {
  const { trainData, evalData, batchSize = 1, epochs = 1, evalFreq, signal } = options;
  const { shuffle = true, dropLast = false, numWorkers = 0, sampler, accumulateGradBatches } = options;
  const [trainSize, evalSize] = typeof batchSize === 'number' ? [batchSize, batchSize] : batchSize;
  let trainLoader: DataLoader;
  if (trainData instanceof DataLoader) {
    trainLoader = trainData;
  } else {
    const dataset = withWorkers(trainData, numWorkers);
    const own = await orderOf(dataset, sampler, shuffle);
    trainLoader = new DataLoader(dataset, { batchSize: trainSize, dropLast, ...own });
  }
  const evalLoader =
    evalData === undefined || evalData instanceof DataLoader
      ? evalData
      : new DataLoader(withWorkers(evalData, numWorkers), { batchSize: evalSize });
  const classWeight = await weightsOf(trainLoader.dataset, prepared.loss, options.classWeight);
  return {
    ...prepared,
    classWeight,
    ...(classWeight !== undefined && { classWeights: [...(await classWeight.data())] }),
    ...(options.saveDir !== undefined && { samples: await identitiesOf(trainLoader, evalLoader) }),
    trainLoader,
    evalLoader,
    epochs,
    evalFreq,
    accumulateGradBatches,
    numIters: options.numIters,
    initialEpoch: options.initialEpoch,
    generator: options.generator,
    signal,
    onNote: (options.verbose ?? 2) > 0 ? (note) => void standardError.write(`[fit] ${visibleLine(note)}\n`) : undefined,
  };
}

async function weightsOf(
  dataset: Dataset,
  loss: LossFunction,
  classWeight: FitOptions['classWeight'],
): Promise<Tensor | undefined> {
  if (classWeight === undefined) return undefined;
  if (loss.length < 3) {
    throw new InputError(
      '[fit] classWeight: expected a loss that takes the weights as its third parameter, got one with ' +
        `${loss.length}; use CrossEntropyLoss, or give the loss that parameter`,
    );
  }
  const labels = await labelsOf(dataset);
  const classes = dataset.classNames?.length ?? labels.reduce((most, label) => Math.max(most, label + 1), 0);
  requireRoom(classes * Float64Array.BYTES_PER_ELEMENT, () => `counts of ${classes} classes`);
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]++;
  return classWeightsOf(classWeight, counts);
}

/** The user's callbacks, and those that `fit` adds, like Paddle, if the user gives none of their kind. */
async function callbacksOf({ optimizer }: Prepared, options: FitOptions): Promise<readonly Callback[]> {
  const { callbacks = [], logFreq = 10, verbose = 2, saveDir } = options;
  const own = listOf(callbacks);
  const has = (kind: new (...args: never[]) => Callback) => own.some((callback) => callback instanceof kind);
  const { monitor, mode, saveFreq, saveBest, keepLastN, restoreBest } = options;
  const all = [...own];
  if (!has(LRScheduler) && optimizer.schedule !== null) all.unshift(new LRScheduler({ monitor, mode }));
  if (!has(ModelCheckpoint) && (saveDir !== undefined || restoreBest === true)) {
    const followed = saveBest === true || restoreBest === true ? { monitor, mode } : {};
    all.push(new ModelCheckpoint({ saveDir, ...followed, saveFreq, saveBest, keepLastN, restoreBest, verbose }));
  }
  if (!has(ProgBarLogger) && verbose > 0) all.unshift(new ProgBarLogger({ logFreq, verbose }));
  return all;
}
