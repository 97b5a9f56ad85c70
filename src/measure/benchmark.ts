import type { Precision } from '../compiler/precision.js';
import type { StepRecord } from '../engine/record.js';
import { currentEngine } from '../engine/select.js';
import { InputError } from '../errors.js';
import { allocate } from '../graph/dtype.js';
import { formatShape, numel, type Shape } from '../graph/shape.js';
import type { Layer } from '../nn/layer.js';
import { nameLayers } from '../nn/layerHooks.js';
import { RandomGenerator, seed } from '../random.js';
import { namedModel, usualData } from '../run/catalog/models.js';
import { lossOf, outputsFor } from '../run/losses.js';
import { makeOptimizer } from '../run/optimizers.js';
import { type Recipe, recipeFor } from '../run/recipe.js';
import { planAll } from '../tensor/evaluate.js';
import { noGrad } from '../tensor/noGrad.js';
import { Tensor } from '../tensor/tensor.js';
import { type PlanBatch, requireMemoryFor } from '../train/batchMemory.js';
import { stepPlanner } from '../train/step.js';
import { median, type Profile, profileOf, traceOf } from './profile.js';

export interface BenchmarkOptions {
  readonly model: string;
  readonly batch: number;
  /**
   * Measures the forward pass in evaluation mode without gradients, instead of a training step. Default:
   * false.
   */
  readonly inference?: boolean | undefined;
  /** `[channels, height, width]`; default: the input that the model is made for. */
  readonly input?: Shape | undefined;
  /** Number of measured steps. Default: as many as fit in 2 seconds, but at least 10. */
  readonly steps?: number | undefined;
  /**
   * Number of steps before the measured ones, including the step that compiles. Default: as many as fit in 2
   * seconds (Node compiles code that runs often), but at least 3.
   */
  readonly warmup?: number | undefined;
  /** Whether to measure the time of each kernel, in additional steps; not with the reference engine. */
  readonly profile?: boolean | undefined;
}

/**
 * Times of full training steps (data copied in, forward, backward, update, loss read), or of inference: data
 * copied in, forward, outputs read.
 */
export interface BenchmarkResult {
  readonly model: string;
  /** `[batch, channels, height, width]` */
  readonly input: Shape;
  readonly batch: number;
  readonly inference: boolean;
  readonly precision: Precision;
  readonly engine: string;
  /** The largest number of threads that a kernel used. */
  readonly threads: number;
  /** Time to compile the network to a program with its kernels. */
  readonly compileMs: number;
  /**
   * Time of the first step, which touches all its memory for the first time, and converts the parameters to
   * the kernels' layouts.
   */
  readonly firstMs: number;
  readonly medianMs: number;
  readonly minMs: number;
  readonly imagesPerSecond: number;
  /** Peak of resident memory of the whole process. */
  readonly peakRssMiB: number;
  /**
   * With bf16: the number of convolutions and linear layers of a step, counting each direction separately,
   * and the number of those that run in bf16.
   */
  readonly products?: { readonly total: number; readonly bfloat16: number };
  readonly profile?: Profile;
}

/** A measurement, and the profiled steps in Chrome's trace format. */
export interface BenchmarkOutcome {
  readonly result: BenchmarkResult;
  /** Milliseconds of each measured step. */
  readonly times: readonly number[];
  readonly trace: string | null;
}

const usualSeconds = 2;
/** Traces of more steps would take long to load. */
const tracedSteps = 5;

/**
 * Measures the training step of a model with the optimizer and loss of its recipe, or inference, on random
 * images.
 */
export async function benchmark(options: BenchmarkOptions): Promise<BenchmarkOutcome> {
  const { model, batch, warmup, steps, inference = false, profile = false } = options;
  const kind = namedModel(model);
  const input = options.input ?? kind.inputShape;
  for (const [name, value] of Object.entries({ batch, steps, warmup })) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
      throw new InputError(`[bench] ${name}: expected a positive integer, got ${value}`);
    }
  }
  if (input.length !== 3)
    throw new InputError(`[bench] input: expected channels,height,width, got ${formatShape(input)}`);
  const engine = currentEngine();
  const { precision } = engine.settings;
  const recordStep = () => engine.record?.(step) as Promise<StepRecord>;
  if (profile && engine.record === undefined) {
    throw new InputError(`[bench] profile: expected an engine that records its kernels, got ${engine.name}`);
  }
  const { step, compileMs } = makeStep(model, [batch, ...input], { inference, named: profile });
  const firstMs = await step();
  const products = precision === 'bf16' ? productsOf(await recordStep()) : null;
  let last = await step();
  const untilSteady = performance.now() + 1000 * usualSeconds;
  for (let done = 2; warmup === undefined ? done < 3 || performance.now() < untilSteady : done < warmup; done++) {
    last = await step();
  }
  const measured = steps ?? Math.max(10, Math.ceil((1000 * usualSeconds) / last));
  const times: number[] = [];
  for (let i = 0; i < measured; i++) times.push(await step());
  const medianMs = median(times);
  const result: BenchmarkResult = {
    model,
    input: [batch, ...input],
    batch,
    inference,
    precision,
    engine: engine.name,
    threads: engine.threadsUsed,
    compileMs,
    firstMs,
    medianMs,
    minMs: Math.min(...times),
    imagesPerSecond: (1000 * batch) / medianMs,
    peakRssMiB: process.resourceUsage().maxRSS / 1024,
    ...(products !== null && { products }),
  };
  if (!profile) return { result, times, trace: null };
  const records: StepRecord[] = [];
  const profiled = Math.min(measured, medianMs < 10 ? 200 : 10);
  for (let i = 0; i < profiled; i++) records.push(await recordStep());
  const title = `${inference ? 'inference' : 'training step'} of ${model}, batch ${batch}`;
  const trace = traceOf(records.slice(-tracedSteps), title);
  return { result: { ...result, profile: profileOf(records) }, times, trace };
}

function productsOf({ calls }: StepRecord): NonNullable<BenchmarkResult['products']> {
  const products = calls.filter(({ call }) => call.flops > 0);
  const isShort = ({ call }: (typeof products)[number]) => call.reads.some(({ dtype }) => dtype === 'bfloat16');
  return { total: products.length, bfloat16: products.filter(isShort).length };
}

interface Bench {
  /** Makes one step and returns its time in milliseconds. */
  readonly step: () => Promise<number>;
  /** Time to compile the step, and to check that there is memory for it. */
  readonly compileMs: number;
}

function makeStep(
  model: string,
  shape: Shape,
  { inference, named }: { readonly inference: boolean; readonly named: boolean },
): Bench {
  seed(0);
  const { classes } = usualData(model);
  const recipe = recipeFor(model, classes);
  const [batch, ...input] = shape;
  const network = namedModel(model).create({ numClasses: outputsFor(recipe, classes) }, input);
  if (named) nameLayers(network);
  const { plan, run } = inference ? inferenceOf(network, input) : trainingOf(network, input, recipe);
  const begun = performance.now();
  requireMemoryFor('bench', batch, input, plan);
  const compileMs = performance.now() - begun;
  const generator = new RandomGenerator(1);
  const pixels = generator.fillUniform(allocate('float32', numel(shape)), 0, 1);
  const labels = Int32Array.from({ length: batch }, () => generator.int(classes));
  const step = async () => {
    const start = performance.now();
    await run(Tensor.fromData(pixels, shape), labels);
    return performance.now() - start;
  };
  return { step, compileMs };
}

/** The measured work. */
interface Work {
  readonly plan: PlanBatch;
  readonly run: (images: Tensor, labels: Int32Array) => Promise<unknown>;
}

function trainingOf(network: Layer, input: Shape, recipe: Recipe): Work {
  network.train();
  const optimizer = makeOptimizer(recipe.optimizer, network.parameters());
  const loss = lossOf(recipe).compute;
  return {
    plan: stepPlanner({ network, optimizer, loss }, input, { finiteLoss: false }),
    run: async (images, labels) => {
      const value = loss(network.forward(images), Tensor.fromData(labels));
      value.backward();
      await optimizer.step();
      optimizer.clearGrad();
      await value.item();
    },
  };
}

function inferenceOf(network: Layer, input: Shape): Work {
  network.eval();
  const forward = (images: Tensor) => noGrad(() => network.forward(images));
  return {
    plan: (batch) => planAll([forward(Tensor.placeholder([batch, ...input], 'float32'))]),
    run: (images) => forward(images).data(),
  };
}
