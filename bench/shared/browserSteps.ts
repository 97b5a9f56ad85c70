/** Training steps that `bench/browser.ts` times, in Node and in the worker of a page. */
import { engineInfo, F, optimizer, seed, setEngine, setThreads, Tensor, vision } from '../../src/browser.js';

/** A measurement: a network by its name, and the images of a step. */
export interface Request {
  readonly network: string;
  readonly batch: number;
  readonly threads: number;
  /** Seconds of steps that are not measured, in which compilers make better code, and of those that are. */
  readonly seconds: readonly [warmup: number, measured: number];
}

export interface Answer {
  readonly engine: string;
  /** When the first step had ended, in milliseconds since 1970. */
  readonly firstEnd: number;
  /** Least milliseconds of a step. */
  readonly ms: number;
}

const { models } = vision;

/** Networks by name; LeNet is the tutorial's. */
export const networks = {
  lenet: { make: () => new models.course.LeNet({ numClasses: 10 }), image: [1, 28, 28] },
  alexnet: { make: () => models.alexnet({ numClasses: 10 }), image: [3, 224, 224] },
  resnet50: { make: () => models.resnet50({ numClasses: 10 }), image: [3, 224, 224] },
} as const;

/** Clocks of browsers are coarse, so short steps are timed together. */
const leastMs = 5;

const now = () => performance.timeOrigin + performance.now();

export async function timeSteps({ network: name, batch, threads, seconds }: Request): Promise<Answer> {
  setEngine('portable');
  setThreads(threads);
  seed(1);
  const { make, image } = networks[name as keyof typeof networks];
  const network = make();
  const momentum = new optimizer.Momentum({ learningRate: 0.001, parameters: network.parameters() });
  const shape = [batch, ...image];
  const pixels = new Float32Array(shape.reduce((product, size) => product * size)).fill(0.5);
  const step = async () => {
    const loss = F.crossEntropy(
      network.forward(Tensor.fromData(pixels, shape)),
      Tensor.fromData(Int32Array.from({ length: batch }, (_, i) => i % 10)),
    );
    loss.backward();
    await momentum.step();
    momentum.clearGrad();
    return loss.item();
  };
  await step();
  const firstEnd = now();
  const [warmup, measured] = seconds;
  let count = 1;
  let ms = Number.POSITIVE_INFINITY;
  for (const begin = now(); now() < begin + 1000 * (warmup + measured); ) {
    const start = now();
    for (let i = 0; i < count; i++) await step();
    const each = (now() - start) / count;
    if (start >= begin + 1000 * warmup) ms = Math.min(ms, each);
    count = Math.max(1, Math.ceil(leastMs / Math.max(each, leastMs / 1000)));
  }
  return { engine: engineInfo().description, firstEnd, ms };
}
