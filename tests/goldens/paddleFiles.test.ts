import { loadPdparams, savePdparams } from '../../src/io/weights/pdparams.js';
import { paddleNames } from '../../src/io/formats/paddle/names.js';
import { loadPdopt, savePdopt } from '../../src/io/weights/pdopt.js';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { BatchNorm2D, Conv2D, Layer, Linear } from '../../src/nn/index.js';
import { Adam, lr, Momentum, type Optimizer } from '../../src/optimizer/index.js';
import * as F from '../../src/tensor/functional.js';
import type { State } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import * as models from '../../src/vision/models/index.js';
import { engines, expectAgreement } from '../engines.js';
import { temporaryFolder } from '../temporary.js';
import { formula } from './load.js';

const files = fileURLToPath(new URL('paddle', import.meta.url));
const names = ['momentum', 'adam'] as const;
/** Adam too, but convolution and batch norm are frozen before the second and third step: the latter has no state. */
const late = 'late';
type Name = (typeof names)[number] | typeof late;

interface Golden {
  readonly labels: readonly number[];
  /** SHA-256 of the names of all that ready-made networks save, as JSON. */
  readonly names: Readonly<Record<string, string>>;
  /** Losses of three steps after those of the files. */
  readonly fromPaddle: Readonly<Record<Name, readonly number[]>>;
  /** Files that Paddle loaded from Fovea, and the losses of its three steps. */
  readonly fromFovea: Readonly<
    Record<(typeof names)[number], { readonly sha256: Readonly<Record<string, string>>; readonly losses: readonly number[] }>
  >;
}

let golden: Golden | null = null;
const read = () => {
  golden ??= JSON.parse(readFileSync(join(files, 'files.json'), 'utf8')) as Golden;
  return golden;
};

class Net extends Layer {
  readonly conv = new Conv2D(1, 4, 3);
  readonly bn = new BatchNorm2D(4);
  readonly fc = new Linear(36, 3);

  forward(x: Tensor): Tensor {
    return this.fc.forward(F.maxPool2d(F.relu(this.bn.forward(this.conv.forward(x))), 2).flatten({ startAxis: 1 }));
  }
}

function begun(name: Name): { net: Net; optimizer: Optimizer } {
  const net = new Net();
  const parameters = net.parameters();
  const optimizer =
    name === 'momentum'
      ? new Momentum({ parameters, learningRate: 0.1, momentum: 0.9, weightDecay: 0.001 })
      : new Adam({ parameters, learningRate: new lr.StepDecay({ learningRate: 0.01, stepSize: 1, gamma: 0.5 }) });
  return { net, optimizer };
}

/** Losses of the third to fifth step. */
async function goOn({ net, optimizer }: ReturnType<typeof begun>): Promise<number[]> {
  const { labels } = read();
  const losses: number[] = [];
  for (const step of [2, 3, 4]) {
    const images = Tensor.fromData(formula(labels.length * 64, 100 + step, 1), [labels.length, 1, 8, 8]);
    const loss = F.crossEntropy(net.forward(images), Tensor.fromData(Int32Array.from(labels)));
    loss.backward();
    await optimizer.step();
    optimizer.clearGrad();
    if (optimizer.schedule instanceof lr.StepDecay) optimizer.schedule.step();
    losses.push(await loss.item());
  }
  return losses;
}

/** A state as after two steps, by the formula: the same bits on every machine. */
function middle(name: Name): ReturnType<typeof begun> {
  const { net, optimizer } = begun(name);
  let seed = 10;
  const load = (states: ReadonlyMap<string, State>, scaleOf: (key: string) => [scale: number, shift: number]) => {
    const entries = new Map(
      [...states].map(([key, { shape, size }]) => {
        const [scale, shift] = scaleOf(key);
        const data = formula(size, seed++, scale).map((x) => x + shift);
        return [key, { shape, dtype: 'float32' as const, data }];
      }),
    );
    return entries;
  };
  net.loadStateDict(load(net.stateDict(), (key) => (/_variance|bn.weight/.test(key) ? [0.3, 1] : [0.3, 0])));
  const parameters = net.namedParameters();
  // Second moments are squares.
  const scaleOf = (key: string): [number, number] => (key.endsWith('moment2') ? [0.004, 0.006] : [0.05, 0]);
  optimizer.loadStateDict(parameters, load(optimizer.stateDict(parameters), scaleOf), { steps: 2 });
  optimizer.schedule?.setStateDict({ lastEpoch: 2, lastLr: 0.0025 });
  return { net, optimizer };
}

describe.each(engines)('%s', (engine) => {
  beforeEach(() => setEngine(engine));
  const close = { tolerance: 1e-5, floor: 1 };

  it.each([...names, late] as const)('continues from the files of Paddle: %s', async (name) => {
    const run = begun(name);
    await loadPdparams(run.net, join(files, `${name}.pdparams`));
    await loadPdopt(run.optimizer, run.net, join(files, `${name}.pdopt`));
    expectAgreement(Float32Array.from(await goOn(run)), read().fromPaddle[name], 'losses', close);
  });

  it.each(names)('continues after it wrote files as Paddle continues from them: %s', async (name) => {
    expectAgreement(
      Float32Array.from(await goOn(middle(name))),
      read().fromFovea[name].losses,
      'losses',
      close,
    );
  });
});

it.each([
  ['resnet18', models.resnet18],
  ['googlenet', models.googlenet],
  ['mobilenet_v2', models.mobilenetV2],
] as const)('parameters have the names that Paddle gives them: %s', async (name, make) => {
  const names = JSON.stringify(Object.fromEntries(paddleNames(await make())));
  expect(createHash('sha256').update(names).digest('hex')).toBe(read().names[name]);
});

describe('files for Paddle', () => {
  // The script that makes the goldens has them written where it can load them.
  const folder = process.env.FOVEA_WRITE_TO ?? temporaryFolder();

  it.each(names)('writes the bytes that Paddle has loaded: %s', async (name) => {
    setEngine('reference');
    const { net, optimizer } = middle(name);
    const path = (ending: string) => join(folder, `${name}.${ending}`);
    await savePdparams(net, path('pdparams'));
    await savePdopt(optimizer, net, path('pdopt'));
    const sha256 = (ending: string) => createHash('sha256').update(readFileSync(path(ending))).digest('hex');
    expect({ pdparams: sha256('pdparams'), pdopt: sha256('pdopt') }).toEqual(read().fromFovea[name].sha256);
  });

  it('are what is read back', async () => {
    const { net, optimizer } = middle('adam');
    await savePdparams(net, join(folder, 'back.pdparams'), { protocol: 2 });
    await savePdopt(optimizer, net, join(folder, 'back.pdopt'), { protocol: 2 });
    const back = begun('adam');
    await loadPdparams(back.net, join(folder, 'back.pdparams'));
    await loadPdopt(back.optimizer, back.net, join(folder, 'back.pdopt'));
    expect(back.optimizer.steps).toBe(2);
    expect(back.optimizer.schedule?.stateDict()).toEqual(optimizer.schedule?.stateDict());
    const parameters = net.namedParameters();
    const states = { ...Object.fromEntries(net.stateDict()), ...Object.fromEntries(optimizer.stateDict(parameters)) };
    const found = new Map([...back.net.stateDict(), ...back.optimizer.stateDict(back.net.namedParameters())]);
    expect([...found.keys()]).toEqual(Object.keys(states));
    for (const [key, state] of found) expect(await state.data(), key).toEqual(await states[key].data());
  });
});
