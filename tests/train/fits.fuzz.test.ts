import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { loadSafetensors } from '../../src/io/weights/safetensors.js';
import { Accuracy } from '../../src/metric/index.js';
import { Model } from '../../src/model/model.js';
import type { FitOptions } from '../../src/model/options.js';
import { CrossEntropyLoss, Dropout, Linear, Sequential } from '../../src/nn/index.js';
import { Adam, lr, Momentum, SGD } from '../../src/optimizer/index.js';
import { RandomGenerator, seed } from '../../src/random.js';
import type { Json } from '../../src/text/json.js';
import { Callback, CallbackError, type Training } from '../../src/train/callback.js';
import { EarlyStopping, ModelCheckpoint, ReduceLROnPlateau } from '../../src/train/callbacks/index.js';
import type { EpochRecord } from '../../src/train/history.js';
import { fuzzing } from '../fuzzing.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();

/** A user's callback with a state of its own, which it never resets. */
class Counter extends Callback {
  seen: number[] = [];

  override onEpochEnd(_: Training, { epoch }: EpochRecord): void {
    this.seen.push(epoch);
  }

  override stateDict(): Json {
    return { seen: [...this.seen] };
  }

  override setStateDict(state: Json): void {
    this.seen = [...(state as { seen: number[] }).seen];
  }
}

interface CheckpointOptions {
  readonly saveFreq: number;
  readonly keepLastN?: number;
  readonly saveBest: boolean;
  readonly restoreBest: boolean;
}

/** The callbacks of a training, made from the case's options. */
interface Kit {
  readonly stopping: EarlyStopping | null;
  readonly checkpoint: ModelCheckpoint | null;
  readonly plateau: ReduceLROnPlateau | null;
  readonly counter: Counter;
}

interface KitOptions {
  readonly patience: number | null;
  readonly checkpoint: CheckpointOptions | null;
  readonly plateau: boolean;
}

/** A training as a whole. */
interface Spec {
  readonly name: string;
  readonly seed: number;
  readonly kit: number;
  readonly folder: boolean;
  readonly optimizer: 'sgd' | 'momentum' | 'adam';
  readonly scheduled: boolean;
  readonly evaluated: boolean;
  readonly epochs: number;
  readonly batchSize: number;
  readonly accumulate: number;
  /** Steps after which it is interrupted, rising, and how. */
  readonly stops: readonly { readonly step: number; readonly by: 'signal' | 'batch' | 'epoch' }[];
}

/** Points whose class is partly chance, so that losses go up and down. */
function points(length: number, from: number): Dataset {
  const generator = new RandomGenerator(from);
  const samples = Array.from({ length }, () => {
    const image = Float32Array.of(generator.normal(), generator.normal());
    return { image, shape: [2], label: image[0] + 2 * generator.normal() > 0 ? 1 : 0 };
  });
  return { length, labels: samples.map(({ label }) => label), get: (index) => samples[index] };
}

const trainData = points(13, 1);
const evalData = points(9, 2);

const makeKit = ({ patience, checkpoint, plateau }: KitOptions): Kit => ({
  stopping: patience === null ? null : new EarlyStopping({ patience, restoreBest: checkpoint === null, verbose: 0 }),
  checkpoint: checkpoint === null ? null : new ModelCheckpoint({ ...checkpoint, verbose: 0 }),
  plateau: plateau ? new ReduceLROnPlateau({ patience: 1, factor: 0.5, verbose: 0 }) : null,
  counter: new Counter(),
});

function makeModel({ seed: from, optimizer, scheduled }: Spec): Model {
  seed(from);
  const model = new Model(new Sequential(new Linear(2, 3), new Dropout(0.2), new Linear(3, 2)));
  const learningRate = scheduled ? new lr.StepDecay({ learningRate: 0.4, stepSize: 3, gamma: 0.7 }) : 0.4;
  const Kind = { sgd: SGD, momentum: Momentum, adam: Adam }[optimizer];
  const metrics = new Accuracy();
  model.prepare({
    optimizer: new Kind({ learningRate, parameters: model.parameters() }),
    loss: new CrossEntropyLoss(),
    metrics,
  });
  return model;
}

function optionsOf(spec: Spec, kit: Kit, saveDir: string | undefined, extra: readonly Callback[]): FitOptions {
  const own = [kit.stopping, kit.checkpoint, spec.scheduled ? null : kit.plateau, kit.counter];
  return {
    trainData,
    ...(spec.evaluated && { evalData }),
    batchSize: spec.batchSize,
    epochs: spec.epochs,
    accumulateGradBatches: spec.accumulate,
    callbacks: [...own.filter((callback) => callback !== null), ...extra],
    verbose: 0,
    ...(saveDir !== undefined && { saveDir, resume: true }),
  };
}

type Weights = Readonly<Record<string, readonly number[]>>;

async function weightsOf({ network }: Model): Promise<Weights> {
  const entries = [...network.stateDict()].map(async ([name, state]) => [name, [...(await state.data())]] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function weightsIn(file: string): Promise<Weights> {
  const { tensors } = await loadSafetensors(file);
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name, [...data]]));
}

const untimed = (history: readonly EpochRecord[]) =>
  history.map((record) => ({ ...record, seconds: 0, imagesPerSecond: 0, dataShare: 0 }));

/** The result of a training. */
interface Outcome {
  readonly history: readonly EpochRecord[];
  readonly weights: Weights;
  readonly bestEpochs: readonly (number | null | undefined)[];
  readonly counted: readonly number[];
  readonly rate: number;
  readonly files: Readonly<Record<string, Weights>>;
}

async function outcomeOf(
  model: Model,
  kit: Kit,
  history: readonly EpochRecord[],
  saveDir: string | undefined,
): Promise<Outcome> {
  const names = saveDir === undefined ? [] : readdirSync(saveDir).sort();
  const files = names.map(async (name) => {
    return [name, name.endsWith('.safetensors') ? await weightsIn(join(saveDir as string, name)) : {}] as const;
  });
  return {
    history: untimed(history),
    weights: await weightsOf(model),
    bestEpochs: [kit.stopping?.bestEpoch, kit.checkpoint?.bestEpoch],
    counted: [...kit.counter.seen],
    rate: history.at(-1)?.learningRate ?? 0,
    files: Object.fromEntries(await Promise.all(files)),
  };
}

/** Alone, with callbacks of its own, and held next to a model of a few lines. */
async function expectedOf(spec: Spec, options: KitOptions, saveDir: string | undefined): Promise<Outcome> {
  const kit = makeKit(options);
  const model = makeModel(spec);
  const after: Weights[] = [];
  const watch: Callback = { onEpochEnd: async () => void after.push(await weightsOf(model)) };
  const history = await model.fit(optionsOf(spec, kit, saveDir, [watch]));
  const outcome = await outcomeOf(model, kit, history, saveDir);
  const { patience, checkpoint } = options;

  const losses = history.map(({ evalLoss, trainLoss }) => (spec.evaluated ? (evalLoss as number) : trainLoss));
  const bestUpTo = (epoch: number) => losses.slice(0, epoch).reduce((a, b, i, all) => (b < all[a] ? i : a), 0) + 1;
  const stops = losses.findIndex(
    (_, i) => i + 1 - bestUpTo(i + 1) >= Math.max(1, patience ?? Number.POSITIVE_INFINITY),
  );
  expect(history).toHaveLength(stops < 0 ? spec.epochs : stops + 1);
  const best = bestUpTo(history.length);
  const watches = checkpoint !== null && (checkpoint.saveBest || checkpoint.restoreBest);
  expect(outcome.bestEpochs[1]).toBe(checkpoint === null ? undefined : watches ? best : null);
  const restores = checkpoint === null ? patience !== null : checkpoint.restoreBest;
  expect(outcome.weights).toEqual(after[(restores ? best : history.length) - 1]);
  expect(outcome.counted).toEqual(history.map(({ epoch }) => epoch));
  if (saveDir === undefined) return outcome;

  const { saveFreq = 1, keepLastN = Number.POSITIVE_INFINITY } = checkpoint ?? {};
  const written = history.map(({ epoch }) => epoch).filter((epoch) => saveFreq > 0 && epoch % saveFreq === 0);
  const kept = written.slice(-Math.min(keepLastN, written.length)).map((epoch) => `epoch-${epoch}`);
  const pairs = [...(written.length > 0 ? kept : []), ...(saveFreq > 0 ? ['final'] : [])];
  expect(Object.keys(outcome.files)).toEqual(
    [
      ...pairs.flatMap((name) => [`${name}.safetensors`, `${name}.optimizer.safetensors`]),
      ...(watches ? ['best.safetensors'] : []),
      ...(patience !== null ? ['best_model.safetensors'] : []),
      ...['metrics.jsonl', 'optimizer.safetensors', 'state.json', 'weights.safetensors'],
    ].sort(),
  );
  if (watches) expect(outcome.files['best.safetensors']).toEqual(after[best - 1]);
  if (patience !== null) expect(outcome.files['best_model.safetensors']).toEqual(after[best - 1]);
  for (const name of kept) expect(outcome.files[`${name}.safetensors`]).toEqual(after[Number(name.slice(6)) - 1]);
  return outcome;
}

/** Runs the next part of a training with callbacks that others use as well; null if it was interrupted. */
async function runPart(
  spec: Spec,
  part: number,
  kit: Kit,
  model: Model,
  saveDir: string | undefined,
): Promise<readonly EpochRecord[] | null> {
  const stop = spec.stops[part];
  const controller = new AbortController();
  const fail = () => {
    throw new Error('broken on purpose');
  };
  const due = ({ optimizer }: Training) => stop !== undefined && optimizer.steps >= stop.step;
  let interrupted = false;
  const interrupter: Callback = {
    onBatchEnd: (training) => {
      if (stop?.by === 'epoch' || interrupted || !training.updated || !due(training)) return;
      interrupted = true;
      if (stop.by === 'signal') controller.abort();
      else fail();
    },
    onEpochEnd: (training) => {
      if (stop?.by !== 'epoch' || interrupted || !due(training)) return;
      interrupted = true;
      fail();
    },
  };
  const options = { ...optionsOf(spec, kit, saveDir, [interrupter]), signal: controller.signal };
  const history = await model.fit(options).catch((error: unknown) => {
    if (!(error instanceof CallbackError) || !interrupted) throw error;
    return null;
  });
  return interrupted ? null : history;
}

test('trainings in any order that share callbacks come to what each comes to alone', async () => {
  setEngine('reference');
  const { numRuns, seed: from } = fuzzing('fits', 4, { share: 0.1 });
  const random = new RandomGenerator(from);
  const below = (n: number) => Math.floor(random.uniform() * n);
  const maybe = () => random.uniform() < 0.5;
  for (let run = 0; run < numRuns; run++) {
    const kitOptions: KitOptions[] = Array.from({ length: 2 }, () => {
      const saveFreq = below(3);
      const checkpoint = {
        saveFreq,
        ...(saveFreq > 0 && maybe() && { keepLastN: 1 + below(2) }),
        saveBest: maybe(),
        restoreBest: maybe(),
      };
      return { patience: maybe() ? below(3) : null, checkpoint: maybe() ? checkpoint : null, plateau: maybe() };
    });
    const specs: Spec[] = Array.from({ length: 3 }, (_, i) => {
      const kit = below(2);
      const { checkpoint } = kitOptions[kit];
      // Without a folder a checkpoint is refused that would do nothing.
      const folder = random.uniform() < 0.7 || (checkpoint !== null && !checkpoint.restoreBest);
      const steps = Array.from({ length: folder ? below(3) : 0 }, () => 1 + below(12)).sort((a, b) => a - b);
      return {
        name: `${run}-${i}`,
        seed: below(1000),
        kit,
        folder,
        optimizer: (['sgd', 'momentum', 'adam'] as const)[below(3)],
        scheduled: maybe(),
        evaluated: maybe(),
        epochs: 1 + below(5),
        batchSize: 3 + below(6),
        accumulate: 1 + below(2),
        stops: steps.map((step) => ({ step, by: (['signal', 'batch', 'epoch'] as const)[below(3)] })),
      };
    });
    const told = `case ${run} of seed ${from}: ${JSON.stringify({ kitOptions, specs })}`;
    try {
      const folderOf = ({ name, folder }: Spec, kind: string) => (folder ? join(root, `${kind}-${name}`) : undefined);
      const expected: Outcome[] = [];
      for (const spec of specs) expected.push(await expectedOf(spec, kitOptions[spec.kit], folderOf(spec, 'alone')));
      const kits = kitOptions.map(makeKit);
      const models = specs.map(makeModel);
      const next = specs.map(() => 0);
      const waiting = specs.map((_, i) => i);
      while (waiting.length > 0) {
        const place = below(waiting.length);
        const i = waiting[place];
        const spec = specs[i];
        // A part may continue with the network of before, or with a new one. The first begins as the one alone did.
        if (next[i] === 0 || maybe()) models[i] = makeModel(spec);
        const saveDir = folderOf(spec, 'shared');
        const history = await runPart(spec, next[i]++, kits[spec.kit], models[i], saveDir);
        if (history === null) continue;
        waiting.splice(place, 1);
        expect(await outcomeOf(models[i], kits[spec.kit], history, saveDir), spec.name).toEqual(expected[i]);
      }
    } catch (error) {
      process.stderr.write(`${told}\n`);
      throw error;
    }
    for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
  }
});
