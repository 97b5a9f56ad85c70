/** What is measured: the entries of the tables, and who takes part in each in which variants. */

export const networks = ['lenet', 'alexnet', 'googlenet', 'resnet50', 'vgg16', 'resnet50-cifar'];

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

/** Training steps and inference, of small images training alone; LeNet is too small for bfloat16 to matter. */
export function entriesOf(chosen) {
  return chosen.flatMap((network) => {
    const precisions = network === 'lenet' ? ['float32'] : ['float32', 'bf16'];
    const of = (mode, batch) => precisions.map((precision) => ({ network, mode, precision, batch }));
    if (network === 'resnet50-cifar') return of('train', 64);
    return [...of('train', 10), ...of('infer', 1), ...of('infer', 10)];
  });
}

const variants = {
  floor: () => ['kernels'],
  fovea: () => ['default'],
  torch: ({ mode }) => [
    'eager',
    'channels_last',
    'compile',
    'compile_channels_last',
    ...(mode === 'infer' ? ['torchscript'] : []),
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
