import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fovea from '../../src/index.js';

const { nn, optimizer, metric, statistics, io, callbacks, F, tensor, Tensor } = fovea;
const { lr } = optimizer;

/** A call with valid arguments. */
export interface Call {
  /** New arguments. */
  args(): readonly unknown[];
  call(...args: unknown[]): unknown;
}

const folder = mkdtempSync(join(tmpdir(), 'fovea-arguments-'));
const file = (name: string) => join(folder, name);

const image = () => Tensor.full([2, 3, 4, 4], 0.5);
const matrix = () =>
  tensor([
    [1, 2],
    [3, 4],
  ]);
const labels = () => tensor([0, 1], 'int32');
const parameter = () => new fovea.Parameter(Float32Array.of(1, 2), [2]);
const generator = () => new fovea.RandomGenerator(1);
const network = () => new nn.Sequential(new nn.Flatten(), new nn.Linear(4, 2));
const dataset = () => new io.TensorDataset([Tensor.full([4, 1, 2, 2], 0.5), tensor([0, 1, 0, 1], 'int32')]);
const loader = () => new io.DataLoader(dataset(), { batchSize: 2 });
const table = () => ({ labels: [0, 1, 0, 1], groups: ['a', 'b', 'c', 'd'], files: ['1', '2', '3', '4'] });
const loss = (outputs: fovea.Tensor, classes: fovea.Tensor) => F.crossEntropy(outputs, classes);
const binary = () => ({ labels: Int32Array.of(0, 1, 1), scores: Float32Array.of(0.2, 0.7, 0.4) });
const state = () => new Map([['weight', { shape: [2], dtype: 'float32', data: Float32Array.of(1, 2) }]]);

type Class = new (...args: never[]) => unknown;
type Method = (...args: never[]) => unknown;

function made(kind: unknown, args: () => readonly unknown[]): Call {
  return { args, call: (...given) => new (kind as Class)(...(given as never[])) };
}

function called(fn: unknown, args: () => readonly unknown[]): Call {
  return { args, call: (...given) => (fn as Method)(...(given as never[])) };
}

/** A method of a new object. */
function method(make: () => object, name: string, args: () => readonly unknown[]): Call {
  return {
    args,
    call: (...given) => {
      const object = make() as Record<string, Method>;
      return object[name](...(given as never[]));
    },
  };
}

const methodsOf = (make: () => object, table: Readonly<Record<string, () => readonly unknown[]>>, prefix: string) =>
  Object.fromEntries(Object.entries(table).map(([name, args]) => [`${prefix}.${name}`, method(make, name, args)]));

/** Layers take these inputs, so that what a constructor accepts is used as well. */
const layer = (kind: unknown, args: () => readonly unknown[], input: () => unknown = image): Call => ({
  args,
  call: (...given) => {
    const object = new (kind as Class)(...(given as never[])) as { forward: Method };
    return object.forward(input() as never);
  },
});

const step = (kind: unknown, args: () => readonly unknown[]): Call => ({
  args,
  call: async (...given) => {
    const opt = new (kind as Class)(...(given as never[])) as InstanceType<typeof optimizer.SGD>;
    for (const one of opt.parameters) one.sum().backward();
    await opt.step();
  },
});

const schedule = (kind: unknown, args: () => readonly unknown[]): Call => ({
  args,
  call: (...given) => {
    const made = new (kind as Class)(...(given as never[])) as { getLr(): number; step(x?: number): void };
    for (let i = 0; i < 3; i++) {
      if (!Number.isFinite(made.getLr())) throw new Error(`the rate is ${made.getLr()}`);
      made.step(...((kind as unknown) === lr.ReduceOnPlateau ? [1] : []));
    }
  },
});

const batches = (kind: unknown, args: () => readonly unknown[]): Call => ({
  args,
  call: (...given) => {
    const value = new (kind as Class)(...(given as never[])) as InstanceType<typeof metric.Accuracy>;
    value.update(Float32Array.of(0.2, 0.8, 0.6, 0.4), Int32Array.of(1, 0));
    return value.accumulate();
  },
});

const initializer = (make: unknown, args: () => readonly unknown[]): Call => ({
  args,
  call: (...given) => (make as Method)(...(given as never[])) as Method,
});

const rate = { learningRate: 0.1 };
const { models } = fovea.vision;
/** Builders whose networks would take long to make again and again have the checks of the smaller ones. */
const digits = () => Tensor.zeros([1, 1, 28, 28]);

/** Every callable export of `src/index.ts`, and methods of the classes that users call most. */
export const calls: Readonly<Record<string, Call>> = {
  ...methodsOf(
    matrix,
    {
      add: () => [matrix()],
      sub: () => [1],
      mul: () => [matrix()],
      div: () => [2],
      maximum: () => [matrix()],
      minimum: () => [0],
      clip: () => [0, 1],
      pow: () => [2],
      matmul: () => [matrix(), { transposeX: true, transposeY: false }],
      where: () => [matrix(), 0],
      equal: () => [matrix()],
      less: () => [0],
      neg: () => [],
      affine: () => [2, 1],
      sum: () => [{ axis: [0, 1], keepdim: true }],
      mean: () => [{ axis: 1 }],
      max: () => [{ axis: 0 }],
      min: () => [{ axis: -1 }],
      argmax: () => [{ axis: 0, keepdim: true }],
      topk: () => [1, { axis: 0 }],
      reshape: () => [[4]],
      flatten: () => [{ startAxis: 0, stopAxis: 1 }],
      squeeze: () => [0],
      unsqueeze: () => [0],
      transpose: () => [[1, 0]],
      broadcastTo: () => [[3, 2, 2]],
      slice: () => [[0], [1]],
      pad: () => [[1, 0], [0, 1], 3],
      cast: () => ['int32'],
      data: () => ['float32'],
    },
    'Tensor',
  ),
  'Tensor.fromData': called(Tensor.fromData, () => [Float32Array.of(1, 2), [2]]),
  'Tensor.full': called(Tensor.full, () => [[2], 1, 'float32']),
  'Tensor.zeros': called(Tensor.zeros, () => [[2], 'int32']),
  tensor: called(tensor, () => [[[1, 2]], 'float32']),
  grad: {
    args: () => {
      const x = matrix().withGrad();
      return [x.sum(), [x]];
    },
    call: (...given) => fovea.grad(...(given as Parameters<typeof fovea.grad>)),
  },
  noGrad: called(fovea.noGrad, () => [() => matrix()]),
  where: called(fovea.where, () => [matrix(), matrix(), 1]),
  matmul: called(fovea.matmul, () => [matrix(), matrix(), { transposeX: false }]),
  stack: called(fovea.stack, () => [[matrix(), matrix()], 0]),
  concat: called(fovea.concat, () => [[matrix(), matrix()], 1]),
  rand: called(fovea.rand, () => [[2], { generator: generator() }]),
  randn: called(fovea.randn, () => [[2], { generator: generator() }]),
  uniform: called(fovea.uniform, () => [[2], { min: 0, max: 1, generator: generator() }]),
  normal: called(fovea.normal, () => [0, 1, [2], { generator: generator() }]),
  randint: called(fovea.randint, () => [0, 3, [2], { generator: generator() }]),
  randperm: called(fovea.randperm, () => [3, { generator: generator() }]),
  seed: called(fovea.seed, () => [0]),
  withGenerator: called(fovea.withGenerator, () => [generator(), () => 1]),
  defaultGenerator: called(fovea.defaultGenerator, () => []),
  engineInfo: called(fovea.engineInfo, () => []),
  setEngine: called(fovea.setEngine, () => ['reference']),
  setThreads: called(fovea.setThreads, () => [1]),
  setPrecision: called(fovea.setPrecision, () => ['float32']),
  setConvolution: called(fovea.setConvolution, () => ['auto']),
  RandomGenerator: made(fovea.RandomGenerator, () => [1, 2]),
  ...methodsOf(
    generator,
    {
      restore: () => [generator().state()],
      fork: () => ['label'],
      int: () => [3],
      fillUniform: () => [new Float32Array(2), 0, 1],
      fillNormal: () => [new Float32Array(2), 0, 1],
      permutation: () => [3],
    },
    'RandomGenerator',
  ),
  Parameter: made(fovea.Parameter, () => [Float32Array.of(1, 2), [2], { trainable: true }]),
  'Parameter.load': method(parameter, 'load', () => [Float32Array.of(3, 4)]),

  'F.conv2d': called(F.conv2d, () => [
    image(),
    Tensor.ones([2, 3, 2, 2]),
    Tensor.zeros([2]),
    { stride: 1, padding: [0, 0], dilation: 1, groups: 1 },
  ]),
  'F.linear': called(F.linear, () => [matrix(), matrix(), tensor([1, 2])]),
  'F.maxPool2d': called(F.maxPool2d, () => [image(), 2, { stride: [1, 1], padding: 0 }]),
  'F.avgPool2d': called(F.avgPool2d, () => [image(), [2, 2], { stride: 1, padding: 0, exclusive: true }]),
  'F.adaptiveAvgPool2d': called(F.adaptiveAvgPool2d, () => [image(), [2, 1]]),
  'F.relu': called(F.relu, () => [matrix()]),
  'F.relu6': called(F.relu6, () => [matrix()]),
  'F.sigmoid': called(F.sigmoid, () => [matrix()]),
  'F.tanh': called(F.tanh, () => [matrix()]),
  'F.hardswish': called(F.hardswish, () => [matrix()]),
  'F.hardsigmoid': called(F.hardsigmoid, () => [matrix()]),
  'F.silu': called(F.silu, () => [matrix()]),
  'F.swish': called(F.swish, () => [matrix()]),
  'F.gelu': called(F.gelu, () => [matrix()]),
  'F.channelShuffle': called(F.channelShuffle, () => [fovea.Tensor.zeros([1, 4, 2, 2]), 2]),
  'F.leakyRelu': called(F.leakyRelu, () => [matrix(), 0.1]),
  'F.softmax': called(F.softmax, () => [matrix(), 1]),
  'F.logSoftmax': called(F.logSoftmax, () => [matrix(), 1]),
  'F.dropout': called(F.dropout, () => [
    matrix(),
    { p: 0.5, training: true, mode: 'upscaleInTrain', generator: generator() },
  ]),
  'F.crossEntropy': called(F.crossEntropy, () => [
    matrix(),
    labels(),
    { reduction: 'mean', ignoreIndex: -100, weight: tensor([1, 2]) },
  ]),
  'F.binaryCrossEntropyWithLogits': called(F.binaryCrossEntropyWithLogits, () => [
    matrix(),
    matrix(),
    { reduction: 'sum' },
  ]),
  'F.layerNorm': called(F.layerNorm, () => [matrix(), [2], {}]),
  'F.scaledDotProductAttention': called(F.scaledDotProductAttention, () =>
    Array.from({ length: 3 }, () => Tensor.zeros([1, 2, 1, 2])),
  ),
  'F.mseLoss': called(F.mseLoss, () => [matrix(), matrix(), { reduction: 'none' }]),
  'F.accuracy': called(F.accuracy, () => [matrix(), labels(), 1]),
  classProbabilities: called(fovea.classProbabilities, () => [matrix(), { kind: 'softmax', ignoreIndex: null }]),

  'nn.Conv2D': layer(nn.Conv2D, () => [
    3,
    2,
    [2, 2],
    { stride: 1, padding: 1, dilation: 1, groups: 1, weightAttr: { trainable: true }, biasAttr: false },
  ]),
  'nn.Linear': layer(nn.Linear, () => [2, 3, { weightAttr: { initializer: nn.initializer.constant(1) } }], matrix),
  'nn.BatchNorm2D': layer(nn.BatchNorm2D, () => [3, { momentum: 0.9, epsilon: 1e-5, useGlobalStats: null }]),
  'nn.LayerNorm': layer(nn.LayerNorm, () => [[2], { epsilon: 1e-5 }], matrix),
  'nn.MaxPool2D': layer(nn.MaxPool2D, () => [2, { stride: 1, padding: 0 }]),
  'nn.AvgPool2D': layer(nn.AvgPool2D, () => [2, { stride: 1, padding: 0, exclusive: true }]),
  'nn.AdaptiveAvgPool2D': layer(nn.AdaptiveAvgPool2D, () => [[1, 1]]),
  'nn.Dropout': layer(nn.Dropout, () => [0.5, { mode: 'upscaleInTrain', generator: generator() }]),
  'nn.ReLU': layer(nn.ReLU, () => []),
  'nn.ReLU6': layer(nn.ReLU6, () => []),
  'nn.LeakyReLU': layer(nn.LeakyReLU, () => [0.1]),
  'nn.Sigmoid': layer(nn.Sigmoid, () => []),
  'nn.Tanh': layer(nn.Tanh, () => []),
  'nn.Hardswish': layer(nn.Hardswish, () => []),
  'nn.Hardsigmoid': layer(nn.Hardsigmoid, () => []),
  'nn.Silu': layer(nn.Silu, () => []),
  'nn.Swish': layer(nn.Swish, () => []),
  'nn.GELU': layer(nn.GELU, () => []),
  'nn.Softmax': layer(nn.Softmax, () => [1]),
  'nn.LogSoftmax': layer(nn.LogSoftmax, () => [1]),
  'nn.Flatten': layer(nn.Flatten, () => [{ startAxis: 1, stopAxis: 2 }]),
  'nn.Identity': layer(nn.Identity, () => []),
  'nn.Sequential': layer(nn.Sequential, () => [new nn.ReLU(), new nn.Tanh()]),
  'nn.CrossEntropyLoss': made(nn.CrossEntropyLoss, () => [
    { reduction: 'sum', ignoreIndex: 3, weight: tensor([1, 2]) },
  ]),
  'nn.BCEWithLogitsLoss': made(nn.BCEWithLogitsLoss, () => [{ reduction: 'mean' }]),
  'nn.MSELoss': made(nn.MSELoss, () => [{ reduction: 'mean' }]),
  'nn.Buffer': made(nn.Buffer, () => [Float32Array.of(1), [1]]),
  'nn.initializer.constant': initializer(nn.initializer.constant, () => [1]),
  'nn.initializer.normal': initializer(nn.initializer.normal, () => [0, 1, { generator: generator() }]),
  'nn.initializer.uniform': initializer(nn.initializer.uniform, () => [0, 1, { generator: generator() }]),
  'nn.initializer.xavierUniform': initializer(nn.initializer.xavierUniform, () => [{ generator: generator() }]),
  'nn.initializer.kaimingNormal': initializer(nn.initializer.kaimingNormal, () => [{ generator: generator() }]),
  'nn.initializer.kaimingUniform': initializer(nn.initializer.kaimingUniform, () => [{ generator: generator() }]),
  'nn.freeze': called(nn.freeze, () => [network(), '0']),
  'nn.layerOutputs': called(nn.layerOutputs, () => [network(), ['1'], Tensor.zeros([1, 1, 2, 2])]),
  'nn.summarize': called(nn.summarize, () => [network(), [1, 1, 2, 2]]),
  ...methodsOf(
    () => new nn.Linear(2, 2),
    {
      forward: () => [matrix()],
      addSublayer: () => ['name', new nn.ReLU()],
      addParameter: () => ['name', parameter()],
      loadStateDict: () => [state(), { skipMismatch: true }],
      checkStateDict: () => [state(), { skipMismatch: true }],
    },
    'nn.Layer',
  ),
  ...Object.fromEntries(
    [nn.Conv2D, nn.BatchNorm2D].map((kind) => [
      `${kind.kind}.forward`,
      method(
        () => new (kind as unknown as new (...args: number[]) => object)(3, 2, 2),
        'forward',
        () => [image()],
      ),
    ]),
  ),
  ...methodsOf(network, { forward: () => [Tensor.zeros([1, 1, 2, 2])] }, 'nn.Sequential'),
  ...methodsOf(() => new nn.CrossEntropyLoss(), { forward: () => [matrix(), labels()] }, 'nn.CrossEntropyLoss'),
  ...methodsOf(() => new nn.BCEWithLogitsLoss(), { forward: () => [matrix(), matrix()] }, 'nn.BCEWithLogitsLoss'),
  ...methodsOf(() => new nn.MSELoss(), { forward: () => [matrix(), matrix()] }, 'nn.MSELoss'),
  summary: called(fovea.summary, () => [network(), [1, 1, 2, 2]]),
  flops: called(fovea.flops, () => [network(), [1, 1, 2, 2]]),

  'vision.models.LeNet': layer(models.LeNet, () => [{ numClasses: 3 }], digits),
  'vision.models.lenet': called(models.lenet, () => [{ numClasses: 3, pretrained: false }]),
  'vision.models.course.LeNet': layer(models.course.LeNet, () => [{ numClasses: 3 }], digits),
  'vision.models.course.LeNet224': made(models.course.LeNet224, () => [{ numClasses: 3 }]),
  'vision.models.MobileNetV1': made(models.MobileNetV1, () => [{ numClasses: 0, withPool: false, scale: 0.1 }]),
  'vision.models.MobileNetV2': made(models.MobileNetV2, () => [{ numClasses: 0, withPool: false, scale: 0.1 }]),

  'runs.openRun': called(fovea.runs.openRun, () => [file('no run')]),
  'runs.evaluateRun': called(fovea.runs.evaluateRun, () => [file('no run')]),
  'runs.evaluateWeights': called(fovea.runs.evaluateWeights, () => [file('none.safetensors')]),
  'runs.predictFiles': {
    args: () => [{}, [file('no.png')], { top: 1 }],
    call: async (...given) => {
      for await (const _ of fovea.runs.predictFiles(...(given as Parameters<typeof fovea.runs.predictFiles>)));
    },
  },
  'runs.slimRun': called(fovea.runs.slimRun, () => [file('no run')]),
  'runs.readWeightsRecord': called(fovea.runs.readWeightsRecord, () => [file('none.safetensors')]),
  'runs.Run.create': called(fovea.runs.Run.create.bind(fovea.runs.Run), () => [
    { model: 'lenet', data: 'folder:/none', out: file('run') },
  ]),
  'runs.Run.resume': called(fovea.runs.Run.resume.bind(fovea.runs.Run), () => [file('no run')]),

  'optimizer.SGD': step(optimizer.SGD, () => [{ parameters: [parameter()], ...rate, weightDecay: 0.1 }]),
  'optimizer.Momentum': step(optimizer.Momentum, () => [
    {
      parameters: [parameter()],
      ...rate,
      momentum: 0.9,
      useNesterov: true,
      weightDecay: 0,
      gradClip: new optimizer.ClipGradByNorm({ clipNorm: 1 }),
    },
  ]),
  'optimizer.Adam': step(optimizer.Adam, () => [
    { parameters: [parameter()], ...rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  ]),
  'optimizer.AdamW': step(optimizer.AdamW, () => [{ parameters: [parameter()], ...rate, weightDecay: 0.1 }]),
  'optimizer.ClipGradByNorm': made(optimizer.ClipGradByNorm, () => [{ clipNorm: 1 }]),
  'optimizer.ClipGradByGlobalNorm': made(optimizer.ClipGradByGlobalNorm, () => [{ clipNorm: 1 }]),
  'optimizer.ClipGradByValue': made(optimizer.ClipGradByValue, () => [{ max: 1, min: -1 }]),
  ...methodsOf(
    () => new optimizer.SGD({ parameters: [parameter()] }),
    {
      step: () => [{ also: [matrix()], finiteLoss: true }],
      stateDict: () => [new Map([['weight', parameter()]])],
      loadStateDict: () => [new Map([['weight', parameter()]]), state(), { steps: 1, skipMismatch: true }],
    },
    'optimizer.SGD',
  ),
  'optimizer.lr.NoamDecay': schedule(lr.NoamDecay, () => [{ dModel: 8, warmupSteps: 10, learningRate: 1 }]),
  'optimizer.lr.PiecewiseDecay': schedule(lr.PiecewiseDecay, () => [{ boundaries: [1, 2], values: [3, 2, 1] }]),
  'optimizer.lr.NaturalExpDecay': schedule(lr.NaturalExpDecay, () => [{ ...rate, gamma: 0.1 }]),
  'optimizer.lr.InverseTimeDecay': schedule(lr.InverseTimeDecay, () => [{ ...rate, gamma: 0.1 }]),
  'optimizer.lr.ExponentialDecay': schedule(lr.ExponentialDecay, () => [{ ...rate, gamma: 0.1 }]),
  'optimizer.lr.PolynomialDecay': schedule(lr.PolynomialDecay, () => [
    { ...rate, decaySteps: 5, endLr: 0, power: 2, cycle: true },
  ]),
  'optimizer.lr.LinearWarmup': schedule(lr.LinearWarmup, () => [{ ...rate, warmupSteps: 2, startLr: 0, endLr: 0.1 }]),
  'optimizer.lr.MultiStepDecay': schedule(lr.MultiStepDecay, () => [{ ...rate, milestones: [1, 2], gamma: 0.1 }]),
  'optimizer.lr.StepDecay': schedule(lr.StepDecay, () => [{ ...rate, stepSize: 1, gamma: 0.1, lastEpoch: -1 }]),
  'optimizer.lr.LambdaDecay': schedule(lr.LambdaDecay, () => [{ ...rate, lrLambda: () => 1 }]),
  'optimizer.lr.MultiplicativeDecay': schedule(lr.MultiplicativeDecay, () => [{ ...rate, lrLambda: () => 1 }]),
  'optimizer.lr.LinearLR': schedule(lr.LinearLR, () => [{ ...rate, totalSteps: 3, startFactor: 0.5, endFactor: 1 }]),
  'optimizer.lr.CosineAnnealingDecay': schedule(lr.CosineAnnealingDecay, () => [{ ...rate, tMax: 3, etaMin: 0 }]),
  'optimizer.lr.CosineAnnealingWarmRestarts': schedule(lr.CosineAnnealingWarmRestarts, () => [
    { ...rate, t0: 2, tMult: 2, etaMin: 0 },
  ]),
  'optimizer.lr.OneCycleLR': schedule(lr.OneCycleLR, () => [
    {
      maxLearningRate: 1,
      totalSteps: 9,
      divideFactor: 25,
      endLearningRate: 0,
      phasePct: 0.3,
      annealStrategy: 'cos',
      threePhase: true,
    },
  ]),
  'optimizer.lr.CyclicLR': schedule(lr.CyclicLR, () => [
    {
      baseLearningRate: 0.1,
      maxLearningRate: 1,
      stepSizeUp: 2,
      stepSizeDown: 2,
      mode: 'exp_range',
      expGamma: 0.9,
      scaleFn: () => 1,
      scaleMode: 'cycle',
    },
  ]),
  'optimizer.lr.ReduceOnPlateau': schedule(lr.ReduceOnPlateau, () => [
    {
      ...rate,
      mode: 'min',
      factor: 0.5,
      patience: 1,
      threshold: 0,
      thresholdMode: 'rel',
      cooldown: 0,
      minLr: 0,
      epsilon: 0,
    },
  ]),
  'optimizer.lr.StepDecay.step': method(
    () => new lr.StepDecay({ ...rate, stepSize: 2 }),
    'step',
    () => [1],
  ),
  'optimizer.lr.MultiplicativeDecay.step': method(
    () => new lr.MultiplicativeDecay({ ...rate, lrLambda: () => 1 }),
    'step',
    () => [1],
  ),
  'optimizer.lr.StepDecay.setStateDict': method(
    () => new lr.StepDecay({ ...rate, stepSize: 2 }),
    'setStateDict',
    () => [{ lastEpoch: 1, lastLr: 0.1 }],
  ),
  'optimizer.lr.ReduceOnPlateau.step': method(
    () => new lr.ReduceOnPlateau(rate),
    'step',
    () => [1, 2],
  ),
  'optimizer.lr.ReduceOnPlateau.setStateDict': method(
    () => new lr.ReduceOnPlateau(rate),
    'setStateDict',
    () => [{ lastEpoch: 1, lastLr: 0.1, best: 1, badEpochs: 0, cooldownCounter: 0 }],
  ),

  'metric.Accuracy': batches(metric.Accuracy, () => [{ topk: [1], name: 'acc' }]),
  'metric.Precision': batches(metric.Precision, () => [{ name: 'p' }]),
  'metric.Recall': batches(metric.Recall, () => [{ name: 'r' }]),
  'metric.Auc': batches(metric.Auc, () => [{ name: 'auc' }]),
  ...Object.fromEntries(
    [metric.Accuracy, metric.Precision, metric.Recall, metric.Auc].flatMap((Kind) => {
      const make = () => new Kind();
      const own = make().stateDict();
      const args = () => [Float32Array.of(0.1, 0.9, 0.8, 0.2), Int32Array.of(1, 0)];
      const name = `metric.${Kind.name}`;
      return [
        [`${name}.update`, method(make, 'update', args)],
        [`${name}.setStateDict`, method(make, 'setStateDict', () => [own])],
      ] as const;
    }),
  ),
  'statistics.rocAuc': called(statistics.rocAuc, () => [binary()]),
  'statistics.rocCurve': called(statistics.rocCurve, () => [binary()]),
  'statistics.precisionRecallCurve': called(statistics.precisionRecallCurve, () => [binary()]),
  'statistics.averagePrecision': called(statistics.averagePrecision, () => [binary()]),
  'statistics.brierScore': called(statistics.brierScore, () => [binary()]),
  'statistics.calibration': called(statistics.calibration, () => [binary(), { bins: 3 }]),
  'statistics.thresholdMetrics': called(statistics.thresholdMetrics, () => [binary(), 0.5]),
  'statistics.screeningMetrics': called(statistics.screeningMetrics, () => [{ ...binary(), threshold: 0.5 }]),
  'statistics.chooseOperatingPoint': called(statistics.chooseOperatingPoint, () => [binary(), { sensitivity: 0.5 }]),
  'statistics.predictiveValues': called(statistics.predictiveValues, () => [
    { sensitivity: 0.9, specificity: 0.8, prevalence: 0.1 },
  ]),
  'statistics.clopperPearsonInterval': called(statistics.clopperPearsonInterval, () => [1, 2]),
  'statistics.wilsonInterval': called(statistics.wilsonInterval, () => [1, 2]),

  'io.DataLoader': {
    args: () => [
      dataset(),
      {
        batchSize: 2,
        shuffle: false,
        dropLast: false,
        sampler: new io.BalancedSampler([0, 1, 0, 1]),
        generator: generator(),
        prefetch: 1,
        reuse: false,
      },
    ],
    call: async (...given) => {
      const made = new io.DataLoader(...(given as ConstructorParameters<typeof io.DataLoader>));
      for await (const [images] of made) await images.data();
    },
  },
  'io.DataLoader.epoch': method(loader, 'epoch', () => [{ from: generator().state(), skip: 1 }]),
  'io.TensorDataset': made(io.TensorDataset, () => [[image(), labels()]]),
  'io.Subset': made(io.Subset, () => [dataset(), [0, 1]]),
  'io.ConcatDataset': made(io.ConcatDataset, () => [[dataset(), dataset()]]),
  'io.randomSplit': called(io.randomSplit, () => [dataset(), [0.5, 0.5], { generator: generator() }]),
  'io.holdOut': called(io.holdOut, () => [table(), { validation: 0.5, test: 0, seed: 1 }]),
  'io.kFolds': called(io.kFolds, () => [table(), { folds: 2, seed: 1 }]),
  'io.dividedGroups': called(io.dividedGroups, () => [
    ['a', 'b'],
    ['x', 'x'],
  ]),
  'io.labelsOf': called(io.labelsOf, () => [dataset()]),
  'io.BalancedSampler': made(io.BalancedSampler, () => [[0, 1, 0]]),
  'io.StratifiedSampler': made(io.StratifiedSampler, () => [[0, 1, 0]]),
  'io.StratifiedSampler.sample': method(
    () => new io.StratifiedSampler([0, 1]),
    'sample',
    () => [generator()],
  ),
  'io.save': called(io.save, () => [{ x: matrix() }, file('a.safetensors')]),
  'io.load': called(io.load, () => [file('none.safetensors')]),
  'io.saveSafetensors': called(io.saveSafetensors, () => [{ x: matrix() }, file('b.safetensors'), { made: 'here' }]),
  'io.loadSafetensors': called(io.loadSafetensors, () => [file('none.safetensors')]),
  'io.decodeIdx': called(io.decodeIdx, () => [Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 7), 1, 'bytes']),
  'io.encodeSafetensors': called(io.encodeSafetensors, () => [state(), { made: 'here' }]),
  'io.decodeSafetensors': called(io.decodeSafetensors, () => [new Uint8Array(9), 'bytes']),
  'io.readPdparams': called(io.readPdparams, () => [file('none.pdparams')]),
  'io.loadPdparams': called(io.loadPdparams, () => [network(), file('none.pdparams')]),
  'io.savePdparams': called(io.savePdparams, () => [network(), file('c.pdparams'), { protocol: 4, note: null }]),
  'io.writePdparams': called(io.writePdparams, () => [{ x: matrix() }, file('d.pdparams'), { protocol: 2, note: 'n' }]),
  'io.encodePdparams': called(io.encodePdparams, () => [
    state(),
    { protocol: 4, note: 'n', parameterNames: new Map() },
  ]),
  'io.decodePdparams': called(io.decodePdparams, () => [new Uint8Array(9), 'bytes']),
  'io.readPdopt': called(io.readPdopt, () => [file('none.pdopt')]),
  'io.writePdopt': called(io.writePdopt, () => [
    { states: new Map([['linear_0.w_0', state()]]), schedule: null },
    file('e.pdopt'),
    { protocol: 4 },
  ]),
  'io.encodePdopt': called(io.encodePdopt, () => [
    { states: new Map([['linear_0.w_0', state()]]), schedule: null },
    { protocol: 4 },
  ]),
  'io.decodePdopt': called(io.decodePdopt, () => [new Uint8Array(9), 'bytes']),
  'io.savePdopt': {
    args: () => {
      const net = network();
      return [new optimizer.SGD({ parameters: net.parameters() }), net, file('f.pdopt'), { protocol: 4 }];
    },
    call: (...given) => io.savePdopt(...(given as Parameters<typeof io.savePdopt>)),
  },
  'io.loadPdopt': {
    args: () => {
      const net = network();
      return [new optimizer.SGD({ parameters: net.parameters() }), net, file('f.pdopt'), { skipMismatch: false }];
    },
    call: (...given) => io.loadPdopt(...(given as Parameters<typeof io.loadPdopt>)),
  },
  'io.loadPickle': called(io.loadPickle, () => [file('none.pickle')]),
  'io.parsePickle': called(io.parsePickle, () => [new Uint8Array(9), 'bytes']),
  'io.paddleNames': called(io.paddleNames, () => [network()]),
  'io.writeFileAtomic': called(io.writeFileAtomic, () => [file('text'), 'text']),
  'io.download': called(io.download, () => [
    'http://127.0.0.1:9/none',
    file('downloaded'),
    { md5: '0'.repeat(32), attempts: 1, timeoutMs: 50, maxBytes: 10, onProgress: () => {} },
  ]),

  'callbacks.CSVLogger': made(callbacks.CSVLogger, () => [file('log.csv'), { separator: ';' }]),
  'callbacks.EarlyStopping': made(callbacks.EarlyStopping, () => [
    {
      monitor: 'loss',
      mode: 'min',
      patience: 1,
      minDelta: 0,
      baseline: 1,
      saveBestModel: false,
      restoreBest: false,
      verbose: 0,
    },
  ]),
  'callbacks.LRScheduler': made(callbacks.LRScheduler, () => [{ byStep: true, byEpoch: false, monitor: 'loss' }]),
  'callbacks.ModelCheckpoint': made(callbacks.ModelCheckpoint, () => [
    {
      saveDir: file('m'),
      saveFreq: 1,
      keepLastN: 1,
      saveBest: true,
      restoreBest: false,
      monitor: 'loss',
      metadata: {},
    },
  ]),
  'callbacks.ProgBarLogger': made(callbacks.ProgBarLogger, () => [{ logFreq: 1, verbose: 1, stream: process.stdout }]),
  'callbacks.ReduceLROnPlateau': made(callbacks.ReduceLROnPlateau, () => [
    { factor: 0.5, patience: 1, minDelta: 0, cooldown: 0, minLr: 0, verbose: 0, monitor: 'loss', mode: 'min' },
  ]),
  'callbacks.TensorBoard': made(callbacks.TensorBoard, () => [{ logDir: file('t'), updateFreq: 'epoch' }]),
  'callbacks.TerminateOnNaN': made(callbacks.TerminateOnNaN, () => []),
  Callback: made(fovea.Callback, () => []),

  Model: made(fovea.Model, () => [network()]),
  ...methodsOf(
    () => {
      const model = new fovea.Model(network());
      model.prepare({ optimizer: new optimizer.SGD({ parameters: model.parameters() }), loss });
      return model;
    },
    {
      prepare: () => [
        {
          optimizer: new optimizer.SGD({ parameters: network().parameters() }),
          loss,
          metrics: [new metric.Accuracy()],
          ampConfigs: 'O0',
        },
      ],
      evaluate: () => [dataset(), { batchSize: 2, verbose: 0, callbacks: [] }],
      predict: () => [dataset(), { batchSize: 2, verbose: 0, stackOutputs: true, numIters: 1 }],
      fit: () => [{ trainData: dataset(), evalData: dataset(), batchSize: 2, epochs: 1, verbose: 0, callbacks: [{}] }],
      trainBatch: () => [Tensor.zeros([2, 1, 2, 2]), labels(), { update: true }],
      evalBatch: () => [Tensor.zeros([2, 1, 2, 2]), labels()],
      predictBatch: () => [Tensor.zeros([2, 1, 2, 2])],
      save: () => [file('model'), { training: true }],
      load: () => [file('none'), { skipMismatch: true }],
      summary: () => [[1, 1, 2, 2]],
      flops: () => [[1, 1, 2, 2]],
    },
    'Model',
  ),
  train: called(fovea.train, () => {
    const net = network();
    return [
      {
        network: net,
        optimizer: new optimizer.SGD({ parameters: net.parameters() }),
        loss,
        trainLoader: loader(),
        evalLoader: loader(),
        epochs: 1,
        evalFreq: 1,
        metrics: [],
        initialEpoch: 0,
        accumulateGradBatches: 1,
        callbacks: [],
        generator: generator(),
      },
    ];
  }),
  evaluate: called(fovea.evaluate, () => [
    { network: network(), loader: loader(), loss, mistakes: 1, metrics: [], numIters: 1, callbacks: [] },
  ]),
};
