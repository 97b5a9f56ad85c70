import { writeFileSync } from 'node:fs';
import {
  callbacks,
  io,
  Model,
  metric,
  nn,
  optimizer,
  seed,
  setEngine,
  Tensor,
  tensor,
  vision,
} from '../../src/index.js';

/** Trains up to so many epochs, from the state in a folder if there is one, and writes the results as JSON. */
const [folder, epochs, results] = process.argv.slice(2);

class Net extends nn.Layer {
  static readonly kind = 'Net';
  readonly norm = new nn.BatchNorm2D(1);
  readonly features = new nn.Sequential(new nn.Conv2D(1, 3, 3), new nn.ReLU(), new nn.Flatten());
  readonly head = new nn.Linear(3 * 6 * 6, 4);

  forward(x: Tensor): Tensor {
    return this.head.forward(this.features.forward(this.norm.forward(x)));
  }
}

setEngine('reference');
seed(3);
const network = new Net();
const labels = Int32Array.from({ length: 24 }, (_, i) => (i * 7) % 4);
const pixels = Float32Array.from({ length: 24 * 64 }, (_, i) => ((i * 37) % 101) / 101);
const data = new io.TensorDataset([Tensor.fromData(pixels, [24, 1, 8, 8]), tensor([...labels], 'int32')]);
const schedule = new optimizer.lr.StepDecay({ learningRate: 0.05, stepSize: 3 });
const rule = new optimizer.Momentum({
  learningRate: schedule,
  parameters: network.parameters(),
  gradClip: new optimizer.ClipGradByNorm({ clipNorm: 1 }),
});
const model = new Model(network);
model.prepare({
  optimizer: rule,
  loss: new nn.CrossEntropyLoss(),
  metrics: [new metric.Accuracy()],
});
const history = await model.fit({
  trainData: new io.DataLoader(data, { batchSize: 8, sampler: new io.StratifiedSampler(labels) }),
  evalData: data,
  epochs: Number(epochs),
  saveDir: folder,
  resume: true,
  verbose: 0,
  callbacks: [new callbacks.EarlyStopping({ monitor: 'loss', patience: 5, verbose: 0, saveBestModel: false })],
});
const { message, name } = (await io.load(`${folder}/none.safetensors`).catch((error: Error) => error)) as Error;
writeFileSync(
  results,
  JSON.stringify({
    losses: history.map(({ trainLoss, evalLoss }) => [trainLoss, evalLoss]),
    names: [...io.paddleNames(network).values(), ...io.paddleNames(vision.models.resnet18()).values()],
    tree: String(network),
    optimizer: String(rule),
    error: `${name}: ${message}`.replace(folder, ''),
  }),
);
