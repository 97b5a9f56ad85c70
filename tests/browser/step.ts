import { io, nn, optimizer, seed, setEngine, Tensor, tensor, train, vision } from '../../src/browser.js';

/** The engines of browsers. */
export const browserEngines = ['portable', 'reference'] as const;
export type BrowserEngine = (typeof browserEngines)[number];

/** Results of a training, as JSON can hold them. */
export interface Results {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  /** After one step. */
  readonly weights: Readonly<Record<string, readonly number[]>>;
  readonly epochLoss: number;
  /** After an epoch of `train`, through each file format. */
  readonly safetensors: Readonly<Record<string, readonly number[]>>;
  readonly pdparams: Readonly<Record<string, readonly number[]>>;
  /** Bytes of a transformed picture. */
  readonly picture: readonly number[];
}

type Arrays = ReadonlyMap<string, { readonly data: ArrayLike<number> }>;
const listed = (arrays: Arrays) =>
  Object.fromEntries([...arrays].map(([name, { data }]) => [name, Array.from(data)] as const));

async function read(tensors: ReadonlyMap<string, Tensor>): Promise<Map<string, io.TensorData>> {
  const entries = [...tensors].map(async ([name, one]) => {
    return [name, { shape: one.shape, dtype: one.dtype, data: await one.data() }] as const;
  });
  return new Map(await Promise.all(entries));
}

const bytesOf = async (pieces: Iterable<Uint8Array>) =>
  new Uint8Array(await new Blob([...pieces] as Uint8Array<ArrayBuffer>[]).arrayBuffer());

/** One training step of LeNet, an epoch of `train`, the weights as files, a transform. */
export async function trainLeNet(engine: BrowserEngine): Promise<Results> {
  setEngine(engine);
  seed(7);
  const network = vision.models.lenet();
  const pixels = Float32Array.from({ length: 4 * 784 }, (_, i) => ((i * 37) % 101) / 101);
  const images = Tensor.fromData(pixels, [4, 1, 28, 28]);
  const labels = tensor([3, 1, 4, 1], 'int32');
  const rule = new optimizer.Momentum({ learningRate: 0.01, parameters: network.parameters() });
  const objective = new nn.CrossEntropyLoss();
  const loss = objective.forward(network.forward(images), labels);
  loss.backward();
  const gradients = await read(
    new Map([...network.namedParameters()].map(([name, { grad }]) => [name, grad as Tensor] as const)),
  );
  await rule.step();
  const weights = listed(await read(network.stateDict()));
  rule.clearGrad();

  const trainLoader = new io.DataLoader(new io.TensorDataset([images, labels]), { batchSize: 2, shuffle: true });
  const { history } = await train({
    network,
    optimizer: rule,
    loss: (outputs, classes) => objective.forward(outputs, classes),
    trainLoader,
    epochs: 1,
  });
  const arrays = await read(network.stateDict());
  const pdparams = io.encodePdparams(arrays, { parameterNames: io.paddleNames(network) });

  const data = Uint8Array.from({ length: 3 * 8 * 8 }, (_, i) => (i * 7) % 256);
  const picture = new vision.transforms.Resize([5, 5]).apply({ data, height: 8, width: 8, channels: 3, layout: 'HWC' });
  return {
    loss: await loss.item(),
    gradients: listed(gradients),
    weights,
    epochLoss: history[0].trainLoss,
    safetensors: listed(io.decodeSafetensors(await bytesOf(io.encodeSafetensors(arrays))).tensors),
    pdparams: listed(io.decodePdparams(await bytesOf(pdparams)).tensors),
    picture: Array.from(picture.data),
  };
}
