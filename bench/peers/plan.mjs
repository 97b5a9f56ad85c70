/** What is measured: the entries of the tables, and who takes part in each in which variants. */

const photographs = ['resnet50', 'vgg16', 'googlenet', 'alexnet'];
export const networks = [...photographs, 'lenet', 'resnet50-cifar'];

/** Model and image of Fovea, where the model's name is another or the image not the usual one. */
export const foveaModels = { 'resnet50-cifar': { model: 'zoo-resnet50', input: '3,32,32' } };

export const titles = {
  floor: 'Floor',
  fovea: 'Fovea',
  torch: 'PyTorch',
  paddle: 'PaddlePaddle',
  onnxruntime: 'onnxruntime-node',
  tfjs: 'TensorFlow.js',
  jaxjs: 'jax-js',
};

/**
 * What says most comes first, so that an interrupted run is of use. Of small images training alone; LeNet is too small for
 * bfloat16 to matter.
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
  ].filter(({ network, mode }) => chosen.includes(network) && modes.includes(mode));
}

const variants = {
  floor: () => ['kernels'],
  fovea: () => ['default'],
  // Compiled code has its features channels last in any case; the other layout would only be converted at first.
  torch: ({ mode, precision }) => [
    'eager',
    'channels_last',
    'compile_channels_last',
    ...(mode === 'infer' ? ['torchscript'] : []),
    ...(mode === 'infer' && precision === 'bf16'
      ? ['bfloat16_channels_last', 'compile_bfloat16_channels_last', 'torchscript_bfloat16_channels_last']
      : []),
  ],
  paddle: ({ mode, precision }) => [
    ...(precision === 'float32' ? ['dygraph', 'static'] : []),
    ...(mode === 'infer' ? ['predictor'] : []),
  ],
  onnxruntime: ({ mode, precision }) => (mode === 'infer' && precision === 'float32' ? ['default'] : []),
  tfjs: ({ network, mode }) => (network !== 'lenet' ? [] : mode === 'train' ? ['cpu'] : ['cpu', 'wasm']),
  jaxjs: ({ network }) => (network === 'lenet' ? ['wasm'] : []),
};

/** `{ peer, variant }` of all that take part. */
export function contendersOf(entry, peers) {
  return peers.flatMap((peer) => variants[peer](entry).map((variant) => ({ peer, variant })));
}

export const nameOf = ({ network, mode, precision, batch }) => [network, mode, batch, precision].join('-');

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const steps = (count, seconds, limit = 10) => ({ count, seconds, limit });
/** Steps of a turn: of the screening, of a process that has done none yet, of one that has. */
export const turns = {
  screening: { warmup: steps(1, 0.3), steps: steps(2, 0.3) },
  first: { warmup: steps(3, 2), steps: steps(3, 1) },
  later: { warmup: steps(1, 0.3), steps: steps(3, 1) },
  quick: { warmup: steps(1, 0), steps: steps(2, 0) },
};

/** A mode that is alone needs no screening. */
export const hasChoice = (contenders, { peer }) => contenders.filter((other) => other.peer === peer).length > 1;

/** Of two steps the slower one may still be warming up. */
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

/** Each round begins with another one, so that nobody always comes after the same. */
export function inTurn(contenders, round) {
  const first = (round - 1) % Math.max(1, contenders.length);
  return [...contenders.slice(first), ...contenders.slice(0, first)];
}
