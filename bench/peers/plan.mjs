/** The measurements: entries of the tables, and the peers and variants of each. */

const photographs = ['resnet50', 'vgg16', 'googlenet', 'alexnet'];
export const networks = [...photographs, 'lenet', 'resnet50-cifar'];

/** Model and image of Fovea, where the model's name is another or the image not the usual one. */
export const foveaModels = {
  'resnet50-cifar': { model: 'zoo-resnet50', input: '3,32,32' },
  densenet121: { model: 'zoo-densenet121' },
  squeezenet1_1: { model: 'zoo-squeezenet1_1' },
  inception_v3: { model: 'zoo-inception_v3' },
  shufflenet_v2_x1_0: { model: 'zoo-shufflenet_v2_x1_0' },
  mobilenet_v3_small: { model: 'zoo-mobilenet_v3_small' },
  mobilenet_v3_large: { model: 'zoo-mobilenet_v3_large' },
  efficientnet_b0: {},
  regnet_y_400mf: {},
  convnext_tiny: {},
  vit_s_16: { model: 'vit_small_patch16_224' },
};

/** One or two networks of each other family, as torchvision has them. */
export const zoo = Object.keys(foveaModels).slice(1);

export const titles = {
  floor: 'Floor',
  fovea: 'Fovea',
  portable: 'Fovea portable',
  torch: 'PyTorch',
  paddle: 'PaddlePaddle',
  onnxruntime: 'onnxruntime-node',
  onnxruntimeWeb: 'onnxruntime-web',
  tfjs: 'TensorFlow.js',
  jaxjs: 'jax-js',
};

/** Peers that take part only when they are named: they compute in WebAssembly. */
const named = ['portable', 'onnxruntimeWeb'];
export const usualPeers = Object.keys(titles).filter((peer) => !named.includes(peer));

/**
 * The most informative entries come first, so that an interrupted run is of use. Small images are only trained on; LeNet is
 * too small for bfloat16 to matter.
 */
export function entriesOf(chosen, modes) {
  const of = (network, mode, ...batches) =>
    batches.flatMap((batch) =>
      (network === 'lenet' ? ['float32'] : ['float32', 'bf16']).map((precision) => ({
        network,
        mode,
        precision,
        batch,
      })),
    );
  return [
    ...photographs.flatMap((network) => of(network, 'train', 10)),
    ...photographs.flatMap((network) => of(network, 'infer', 1, 10)),
    ...of('lenet', 'train', 10),
    ...of('lenet', 'infer', 1, 10),
    ...of('resnet50-cifar', 'train', 64),
    ...zoo.map((network) => ({ network, mode: 'train', precision: 'float32', batch: 10 })),
    ...zoo.flatMap((network) => [1, 10].map((batch) => ({ network, mode: 'infer', precision: 'float32', batch }))),
  ].filter(({ network, mode }) => chosen.includes(network) && modes.includes(mode));
}

const variants = {
  floor: () => ['kernels'],
  fovea: () => ['default'],
  portable: ({ precision }) => (precision === 'float32' ? ['default'] : []),
  // Compiled code has its features channels last in any case. In bf16 inference short parameters spare the casts of autocast.
  torch: ({ mode, precision }) =>
    mode === 'infer' && precision === 'bf16'
      ? [
          'channels_last',
          'bfloat16_channels_last',
          'compile_bfloat16_channels_last',
          'torchscript_bfloat16_channels_last',
        ]
      : ['eager', 'channels_last', 'compile_channels_last', ...(mode === 'infer' ? ['torchscript'] : [])],
  paddle: ({ mode, precision }) => [
    ...(precision === 'float32' ? ['static'] : []),
    ...(mode === 'infer' ? ['predictor'] : precision === 'float32' ? ['dygraph'] : []),
  ],
  onnxruntime: ({ mode, precision }) => (mode === 'infer' && precision === 'float32' ? ['default'] : []),
  onnxruntimeWeb: ({ mode, precision }) => (mode === 'infer' && precision === 'float32' ? ['default'] : []),
  tfjs: ({ network, mode }) => (network !== 'lenet' ? [] : mode === 'train' ? ['cpu'] : ['cpu', 'wasm']),
  jaxjs: ({ network }) => (network === 'lenet' ? ['wasm'] : []),
};

/** Those of networks that are measured beside PyTorch alone. */
const variantsOfZoo = {
  fovea: () => ['default'],
  torch: () => ['eager', 'channels_last', 'compile_channels_last'],
};

export const peersOfZoo = Object.keys(variantsOfZoo);

/**
 * How all are held to an instruction set below that of the machine, and the peers that can be; `null` for another name.
 */
export function heldTo(isa) {
  if (isa !== 'avx2') return null;
  const env = { ONEDNN_MAX_CPU_ISA: 'AVX2', ATEN_CPU_CAPABILITY: 'avx2', MKL_ENABLE_INSTRUCTIONS: 'AVX2' };
  return { env, peers: ['floor', 'fovea', 'torch'] };
}

/** `{ peer, variant }` of all that take part. */
export function contendersOf(entry, peers) {
  const known = zoo.includes(entry.network) ? variantsOfZoo : variants;
  return peers.flatMap((peer) => known[peer]?.(entry).map((variant) => ({ peer, variant })) ?? []);
}

export const nameOf = ({ network, mode, precision, batch }) => [network, mode, batch, precision].join('-');

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const steps = (count, seconds, limit = 6) => ({ count, seconds, limit });
const turns = {
  screening: { warmup: steps(1, 0.3), steps: steps(2, 0.3) },
  first: { warmup: steps(3, 2), steps: steps(3, 1) },
  later: { warmup: steps(1, 0.3), steps: steps(3, 1) },
  laterSlow: { warmup: steps(0, 0), steps: steps(3, 1) },
  quick: { warmup: steps(1, 0), steps: steps(2, 0) },
};

/**
 * Steps of a turn.
 *
 * @param ms a step's time in the last turn of the same process, which has to warm up if it has had none; a process that
 *   continues with long steps needs no warm-up
 */
export function turnOf(round, ms, quick) {
  if (quick) return turns.quick;
  if (round === 0) return turns.screening;
  if (ms === undefined) return turns.first;
  return ms > 500 ? turns.laterSlow : turns.later;
}

/** A mode that is alone needs no screening. */
export const hasChoice = (contenders, { peer }) => contenders.filter((other) => other.peer === peer).length > 1;

/** The faster one of two steps: the other may still be warming up. */
export const screenedMs = ({ times }) => Math.min(...times);

/** Those worth measuring again: of each peer the best after screening, and the second if it takes at most a quarter longer. */
export function finalistsOf(contenders, screened) {
  return contenders.filter((contender) => {
    if (!hasChoice(contenders, contender)) return true;
    const own = screened
      .filter(({ peer, times }) => peer === contender.peer && times !== undefined)
      .sort((a, b) => screenedMs(a) - screenedMs(b));
    const place = own.findIndex(({ variant }) => variant === contender.variant);
    return place === 0 || (place === 1 && screenedMs(own[1]) <= 1.25 * screenedMs(own[0]));
  });
}

/** Each round begins with another contender, so that none always follows the same one. */
export function inTurn(contenders, round) {
  const first = (round - 1) % Math.max(1, contenders.length);
  return [...contenders.slice(first), ...contenders.slice(0, first)];
}
