import { readFileSync } from 'node:fs';
import type {
  OperatingRule,
  PrecisionRecallCurve,
  RocAuc,
  RocCurve,
  ThresholdMetrics,
} from '../../src/statistics/index.js';

/** A tensor of a golden file, row-major. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  readonly data: readonly number[];
}

/** A number for both axes, or height and width. */
type Size = number | readonly [number, number];
/** {@link Size}, or top, bottom, left and right. */
type PaddingSize = Size | readonly [number, number, number, number];
type Loss = { readonly reduction: 'none' | 'mean' | 'sum' };
type Reduction = { readonly axis?: readonly number[]; readonly keepdim?: boolean };
type None = Readonly<Record<string, never>>;

/** Options of the cases of each op. */
export interface GoldenOptions {
  conv2d: {
    readonly stride?: Size;
    readonly padding?: PaddingSize;
    readonly dilation?: Size;
    readonly groups?: number;
  };
  linear: None;
  maxPool2d: { readonly kernelSize: Size; readonly stride: Size; readonly padding?: PaddingSize };
  avgPool2d: {
    readonly kernelSize: Size;
    readonly stride: Size;
    readonly padding?: PaddingSize;
    readonly exclusive?: boolean;
  };
  adaptiveAvgPool2d: { readonly outputSize: Size };
  batchNorm2d: { readonly training: boolean; readonly momentum: number; readonly epsilon: number };
  relu: None;
  leakyRelu: { readonly negativeSlope?: number };
  sigmoid: None;
  tanh: None;
  hardswish: None;
  hardsigmoid: None;
  silu: None;
  gelu: None;
  channelShuffle: { readonly groups: number };
  square: None;
  abs: None;
  exp: None;
  log: None;
  sqrt: None;
  softmax: { readonly axis: number };
  logSoftmax: { readonly axis: number };
  crossEntropy: Loss & { readonly ignoreIndex?: number };
  bceWithLogits: Loss;
  mse: Loss;
  add: None;
  subtract: None;
  multiply: None;
  divide: None;
  maximum: None;
  minimum: None;
  sum: Reduction;
  mean: Reduction;
  max: Reduction;
  min: Reduction;
  concat: { readonly axis: number };
  /** Elements added in front of and behind each axis. */
  pad: { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number };
  /** `axes[i]` is cut to `starts[i]` … `ends[i]`; negative bounds count from the end. */
  slice: { readonly axes: readonly number[]; readonly starts: readonly number[]; readonly ends: readonly number[] };
  transpose: { readonly permutation: readonly number[] };
  topk: { readonly k: number; readonly axis: number };
  /** The condition is int32. */
  where: None;
  matmul: { readonly transposeX?: boolean; readonly transposeY?: boolean };
  clip: { readonly min?: number; readonly max?: number };
  pow: { readonly exponent: number };
  power: None;
  squeeze: { readonly axis?: number | readonly number[] };
  unsqueeze: { readonly axis: number };
  stack: { readonly axis: number };
  argmax: { readonly axis: number; readonly keepdim?: boolean };
}

export type GoldenOp = keyof GoldenOptions;

type Tensors = Readonly<Record<string, GoldenTensor>>;

interface CaseOf<K extends GoldenOp> {
  readonly name: string;
  readonly op: K;
  readonly options: GoldenOptions[K];
  readonly inputs: Tensors;
  /** `y`, or several of which the first is the one that is differentiated. */
  readonly outputs: Tensors;
  /** Upstream gradient of the first output, unless the op has no gradient. */
  readonly dy?: GoldenTensor;
  /** Gradients of the differentiable inputs. */
  readonly gradients?: Tensors;
}

/** One call of one op; a union over {@link GoldenOp}. */
export type GoldenCase = { [K in GoldenOp]: CaseOf<K> }[GoldenOp];

interface Header {
  readonly framework: 'paddlepaddle' | 'torch' | 'scikit-learn';
  readonly version: string;
  /** The type in which the framework computed. */
  readonly precision: 'float32' | 'float64';
}

export interface GoldenCases extends Header {
  readonly cases: readonly GoldenCase[];
}

/** The state of one parameter after some steps. */
export interface GoldenOptimizerState {
  readonly parameter: GoldenTensor;
  /** They have the shape of the parameter, except the powers of beta. */
  readonly accumulators: Partial<
    Record<'velocity' | 'moment1' | 'moment2' | 'beta1PowAcc' | 'beta2PowAcc', GoldenTensor>
  >;
}

export interface GoldenOptimizerOptions {
  readonly learningRate?: number;
  readonly momentum?: number;
  readonly useNesterov?: boolean;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

export interface GoldenOptimizers extends Header {
  readonly parameters: readonly GoldenTensor[];
  /** `gradients[step][parameter]`, the same for every case. */
  readonly gradients: readonly (readonly GoldenTensor[])[];
  readonly cases: readonly {
    readonly optimizer: 'SGD' | 'Momentum' | 'Adam' | 'AdamW';
    readonly options: GoldenOptimizerOptions;
    /** By the number of steps taken. */
    readonly states: Readonly<Record<string, readonly GoldenOptimizerState[]>>;
  }[];
}

/** The rates of a schedule before each of 60 steps. */
export interface GoldenSchedules extends Header {
  readonly cases: readonly {
    readonly schedule: string;
    readonly options: Readonly<Record<string, unknown>>;
    readonly rates: readonly number[];
  }[];
  /** The metric that ReduceOnPlateau gets at each step. */
  readonly metrics: readonly number[];
  readonly plateaus: readonly {
    readonly options: Readonly<Record<string, unknown>>;
    readonly rates: readonly number[];
  }[];
}

export interface GoldenClips extends Header {
  readonly gradients: readonly GoldenTensor[];
  readonly cases: readonly {
    readonly clip: 'ClipGradByValue' | 'ClipGradByNorm' | 'ClipGradByGlobalNorm';
    readonly options: Readonly<Record<string, number>>;
    readonly clipped: readonly GoldenTensor[];
  }[];
}

/** Every `stride`-th element of a flat parameter. */
export interface GoldenSamples {
  readonly name: string;
  readonly stride: number;
  readonly values: readonly number[];
}

/** Shape, seed and scale of an array that {@link formula} makes. */
export interface GoldenFormula {
  readonly shape: readonly number[];
  readonly seed: number;
  readonly scale: number;
}

export interface GoldenLeNet extends Header {
  /** The first values of `formula(8, 3, 0.5)`. */
  readonly formulaValues: GoldenTensor;
  readonly input: GoldenFormula;
  readonly labels: GoldenTensor;
  readonly parameters: readonly (GoldenFormula & { readonly name: string })[];
  readonly optimizer: {
    readonly name: 'Momentum';
    readonly options: { readonly learningRate: number; readonly momentum: number };
    readonly steps: number;
  };
  /** Logits of the first step; the gradients belong to it too. */
  readonly logits: GoldenTensor;
  readonly gradients: readonly GoldenSamples[];
  /** Mean cross entropy of each step, before its update. */
  readonly losses: GoldenTensor;
  /** Parameters and velocities after the last step. */
  readonly trained: readonly GoldenSamples[];
  readonly velocity: readonly GoldenSamples[];
}

export interface GoldenNet {
  readonly fullName: string;
  /** Name, class, full name; in order. */
  readonly sublayers: readonly (readonly [string, string, string])[];
  /** Structured name, parameter name. */
  readonly parameters: readonly (readonly [string, string])[];
  /** Key, parameter name, shape. */
  readonly stateDict: readonly (readonly [string, string, readonly number[]])[];
  readonly printed: string;
}

interface InitialWeights {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
  /** The distinct values of the bias. */
  readonly bias: readonly number[];
}

type GoldenInitialWeights =
  | (InitialWeights & {
      readonly layer: 'Conv2D';
      readonly arguments: {
        readonly inChannels: number;
        readonly outChannels: number;
        readonly kernelSize: number;
        readonly groups: number;
      };
      readonly distribution: 'normal';
      readonly fanIn: number;
      /** Standard deviation by the formula. */
      readonly expected: number;
    })
  | (InitialWeights & {
      readonly layer: 'Linear';
      readonly arguments: { readonly inFeatures: number; readonly outFeatures: number };
      readonly distribution: 'uniform';
      readonly fanIn: number;
      readonly fanOut: number;
      /** Limit by the formula. */
      readonly expected: number;
    })
  | (InitialWeights & {
      readonly layer: 'BatchNorm2D';
      readonly arguments: { readonly numFeatures: number };
      readonly distribution: 'constant';
      readonly runningMean: readonly number[];
      readonly runningVariance: readonly number[];
    });

export interface GoldenDefaults extends Header {
  /** Per class, the constructor's defaults that are plain numbers, switches and words. */
  readonly hyperparameters: Readonly<
    Record<string, Readonly<Record<string, number | boolean | string | readonly number[]>>>
  >;
  /** MaxPool2D without a stride. */
  readonly poolStride: {
    readonly kernelSize: number;
    readonly inputShape: readonly number[];
    readonly outputShape: readonly number[];
  };
  readonly initialWeights: readonly GoldenInitialWeights[];
  /** The distinct values that ones turn into. */
  readonly dropout: readonly {
    readonly mode: 'upscale_in_train' | 'downscale_in_infer';
    readonly p: number;
    readonly train: readonly number[];
    readonly eval: readonly number[];
  }[];
  /** Class, full name of its first instance, printed form. */
  readonly layerNames: readonly (readonly [string, string, string])[];
  readonly nets: { readonly LeNet: GoldenNet; readonly Net: GoldenNet };
}

/** Samples of a tensor with the norm of all of it. */
export interface GoldenNormedSamples extends GoldenSamples {
  readonly norm: number;
}

/** A few steps of a network on the same pictures. */
export interface GoldenTraining extends Header {
  /** Noise as by {@link formula}, on a colour for each picture and channel, by the same with the other seed and scale. */
  readonly input: GoldenFormula & { readonly colourSeed: number; readonly colourScale: number };
  readonly labels: GoldenTensor;
  /** Weight of the losses of auxiliary logits. */
  readonly auxiliaryWeight: number;
  /** Whether the network is in evaluation mode, where nothing is dropped. */
  readonly evaluationMode: boolean;
  /** The formula's values are moved away from 0 by the gap. */
  readonly parameters: readonly (GoldenFormula & { readonly name: string; readonly gap: number })[];
  readonly optimizer: {
    readonly name: 'Momentum' | 'Adam';
    readonly options: GoldenOptimizerOptions;
    readonly steps: number;
  };
  /** Logits of the first step (as the gradients): the network's own, then those of its auxiliary heads. */
  readonly logits: readonly GoldenTensor[];
  readonly gradients: readonly GoldenNormedSamples[];
  /** Mean binary cross entropy of each step, before its update. */
  readonly losses: GoldenTensor;
  /** Changes of the parameters, from the first step to the last. */
  readonly changes: readonly GoldenNormedSamples[];
  /** States of the optimizer after the last step. */
  readonly states: Readonly<Record<string, readonly GoldenNormedSamples[]>>;
  /** Running statistics after the last step. */
  readonly buffers: readonly GoldenNormedSamples[];
  /** Logits in evaluation mode after the last step. */
  readonly evaluated: readonly GoldenTensor[];
}

type ArchitectureName =
  | 'LeNet224'
  | 'AlexNet'
  | 'VGG16'
  | 'GoogLeNet'
  | 'GoogLeNetWithHeads'
  | 'ResNet50'
  | 'ResNet101'
  | 'ResNet152';

interface GoldenArchitecture {
  /** Number of trainable values. */
  readonly trainable: number;
  /** Shapes by name, in order. */
  readonly stateDict: Readonly<Record<string, readonly number[]>>;
}

export interface GoldenArchitectures extends Header {
  readonly networks: Readonly<Record<ArchitectureName, GoldenArchitecture>>;
}

/** Every `stride`-th value of a flat array. */
interface GoldenValues {
  readonly stride: number;
  readonly values: readonly number[];
}

/** A ready-made network with weights from {@link formula}, in evaluation or training mode. */
export interface GoldenZooCase {
  readonly network: string;
  readonly options: { readonly numClasses: number; readonly withPool?: boolean; readonly scale?: number };
  readonly training: boolean;
  readonly input: readonly number[];
  readonly outputs: readonly (GoldenValues & { readonly shape: readonly number[] })[];
  /** The running statistics after a pass in training mode. */
  readonly statistics: Readonly<Record<string, GoldenValues>>;
}

export interface GoldenZoo extends Header {
  /** Values after which those of a formula are repeated. */
  readonly period: number;
  readonly networks: Readonly<
    Record<
      string,
      {
        /** As `paddle.summary` counts: with and without running statistics. */
        readonly totalParams: number;
        readonly trainableParams: number;
        readonly entries: number;
        /** Hash of the state dict's lines `conv1.weight conv2d_0.w_0 64,3,7,7`. */
        readonly sha256: string;
      }
    >
  >;
  /** Standard deviation and largest magnitude of initial weights, of networks with 10 classes. */
  readonly initial: Readonly<Record<string, Readonly<Record<string, readonly [std: number, largest: number]>>>>;
  readonly cases: readonly GoldenZooCase[];
}

/** Networks of torchvision, with weights from {@link formula}. */
export interface GoldenTorchZoo extends Header {
  readonly networks: Readonly<
    Record<string, { readonly parameters: number; readonly entries: number; readonly sha256: string }>
  >;
  readonly cases: readonly (Pick<GoldenZooCase, 'network' | 'training' | 'input' | 'statistics'> & {
    readonly output: GoldenZooCase['outputs'][number];
  })[];
}

export interface GoldenScreening extends Header {
  readonly cases: readonly {
    readonly name: string;
    readonly labels: GoldenTensor;
    readonly scores: GoldenTensor;
    /** Null, as the curves are, where a class is missing that they need. */
    readonly auc: Extract<RocAuc, { value: number }> | null;
    readonly roc: RocCurve | null;
    readonly averagePrecision: number | null;
    readonly precisionRecall: PrecisionRecallCurve | null;
    readonly brierScore: number;
    /** Samples, those of class 1 and mean score of each bin. */
    readonly calibration: {
      readonly counts: readonly number[];
      readonly positives: readonly number[];
      readonly means: readonly (number | null)[];
      readonly expectedCalibrationError: number;
    };
    readonly atHalf: ThresholdMetrics;
    readonly points: readonly { readonly rule: OperatingRule; readonly chosenOn: ThresholdMetrics }[];
  }[];
}

export const trainingFiles = ['lenet224', 'alexnet', 'vgg16', 'googlenet', 'googlenetHeads', 'resnet50', 'resnet101', 'resnet152'] as const;

export const opFiles = [
  'conv2d',
  'linear',
  'pool2d',
  'batchNorm2d',
  'activation',
  'extreme',
  'loss',
  'elementwise',
  'reduce',
  'shape',
  'composed',
  'gate',
] as const;

/** Explanations of pytorch-grad-cam and Captum. */
export interface GoldenExplanations extends Header {
  readonly parameters: readonly (GoldenFormula & { readonly name: string })[];
  readonly images: GoldenFormula;
  readonly logits: GoldenTensor;
  readonly cams: readonly {
    readonly method: 'gradcam' | 'hirescam' | 'layercam';
    readonly layer: string;
    readonly class: number;
    readonly against: number | null;
    readonly map: GoldenTensor;
    /** Scaled to 0…1 and to the size of the images. */
    readonly shown: GoldenTensor;
  }[];
  readonly integratedGradients: readonly {
    readonly class: number;
    readonly baseline: number;
    readonly steps: number;
    readonly values: GoldenTensor;
    readonly delta: GoldenTensor;
  }[];
  readonly occlusion: readonly {
    readonly class: number;
    readonly patch: number;
    readonly stride: number;
    readonly baseline: number;
    readonly map: GoldenTensor;
  }[];
}

export type GoldenFiles = Record<(typeof opFiles)[number], GoldenCases> &
  Record<(typeof trainingFiles)[number], GoldenTraining> & {
    architectures: GoldenArchitectures;
    optimizers: GoldenOptimizers;
    lenet: GoldenLeNet;
    defaults: GoldenDefaults;
    schedules: GoldenSchedules;
    clips: GoldenClips;
    screening: GoldenScreening;
    explain: GoldenExplanations;
    zoo: GoldenZoo;
    torchZoo: GoldenTorchZoo;
  };

/** Reads `data/<name>.json`. */
export function loadGolden<K extends keyof GoldenFiles>(name: K): GoldenFiles[K] {
  return JSON.parse(readFileSync(new URL(`data/${name}.json`, import.meta.url), 'utf8')) as GoldenFiles[K];
}

/** The array that a golden file describes by seed and scale: a hash of the index, spread over ±scale. */
export function formula(length: number, seed: number, scale: number): Float32Array {
  const values = new Float32Array(length);
  const offset = Math.imul(seed, 0x9e3779b9);
  for (let i = 0; i < length; i++) {
    let h = i + offset;
    h ^= h >>> 16;
    h = Math.imul(h, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
    values[i] = ((h >>> 0) / 2 ** 31 - 1) * scale;
  }
  return values;
}

/**
 * Throws unless `|actual − expected| ≤ atol + rtol·|expected|` everywhere, and then names the element that misses by
 * the largest factor. Equal infinities agree; NaN agrees with nothing.
 */
export function closeTo(
  actual: ArrayLike<number>,
  expected: ArrayLike<number> | GoldenTensor,
  rtol: number,
  atol: number,
): void {
  const wanted = 'data' in expected ? expected.data : expected;
  if (actual.length !== wanted.length) {
    throw new Error(`[closeTo] length: expected ${wanted.length} elements, got ${actual.length}`);
  }
  let failures = 0;
  let worst = 0;
  let worstExcess = 1;
  for (let i = 0; i < wanted.length; i++) {
    if (actual[i] === wanted[i]) continue;
    const quotient = Math.abs(actual[i] - wanted[i]) / (atol + rtol * Math.abs(wanted[i]));
    const excess = Number.isNaN(quotient) ? Number.POSITIVE_INFINITY : quotient;
    if (excess <= 1) continue;
    failures++;
    if (excess > worstExcess) {
      worst = i;
      worstExcess = excess;
    }
  }
  if (failures === 0) return;
  const place = 'shape' in expected ? unravel(worst, expected.shape) : [worst];
  throw new Error(
    `[closeTo] ${failures} of ${wanted.length} elements differ; worst at [${place}]: expected ${wanted[worst]}, ` +
      `got ${actual[worst]}, off by ${worstExcess.toPrecision(3)} times the tolerance (rtol ${rtol}, atol ${atol})`,
  );
}

function unravel(index: number, shape: readonly number[]): number[] {
  const place = new Array<number>(shape.length);
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return place;
}
