import { version } from 'fovea';

/** The metadata by which `fovea eval` knows the network, its inputs and its data. */
export const weightsMetadata: Readonly<Record<string, string>> = {
  model: 'lenet',
  data: 'mnist',
  fovea: version,
  training: JSON.stringify({
    format: 1,
    fovea: version,
    model: 'lenet',
    data: 'mnist',
    inputShape: [1, 28, 28],
    images: null,
    range: 'unit',
    transforms: [],
    classNames: Array.from('0123456789'),
    positive: null,
    loss: 'crossEntropy',
  }),
};
