import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Graph } from '../../../src/compiler/graph.js';
import { optimize } from '../../../src/compiler/optimize.js';
import type { Program } from '../../../src/engine/engine.js';
import type { EngineName } from '../../../src/engine/engines.js';
import { openOneDnn } from '../../../src/engine/onednn/engine.js';
import { lowerings as oneDnnLowerings } from '../../../src/engine/onednn/lower/table.js';
import { Lowering as OneDnnLowering } from '../../../src/engine/onednn/lowering.js';
import type { Lower, LoweringTable } from '../../../src/engine/planned/lowering.js';
import { PlannedProgram } from '../../../src/engine/planned/program.js';
import { openPortable } from '../../../src/engine/portable/engine.js';
import { lowerings as portableLowerings } from '../../../src/engine/portable/lower/table.js';
import { Lowering as PortableLowering } from '../../../src/engine/portable/lowering.js';
import { setEngine } from '../../../src/engine/select.js';
import type { OpName } from '../../../src/graph/op.js';
import * as nn from '../../../src/nn/index.js';
import * as ops from '../../../src/ops/index.js';
import { Adam, Momentum, SGD } from '../../../src/optimizer/index.js';
import { capture, toGraph } from '../../../src/runtime/capture.js';
import { tensor } from '../../../src/tensor/fromArrays.js';
import * as F from '../../../src/tensor/functional.js';
import { Parameter } from '../../../src/tensor/state.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { fused } from '../../compiler/support.js';
import { fastEngines, noise } from '../../engines.js';

const image = (seed: number): Tensor => Tensor.fromData(noise([4, 3, 8, 8], seed).data, [4, 3, 8, 8]);
const labels = tensor([0, 1, 2, 1], 'int32');

const network = () =>
  new nn.Sequential(
    new nn.Conv2D(3, 17, 3, { padding: 1 }),
    new nn.BatchNorm2D(17),
    new nn.ReLU(),
    new nn.MaxPool2D(2),
    new nn.Conv2D(17, 34, 3, { groups: 17 }),
    new nn.Sigmoid(),
    new nn.Flatten(),
    new nn.Linear(34 * 4, 3),
  );

describe.each(fastEngines)('FOVEA_VALIDATE=1 on %s', (engine) => {
  beforeEach(() => {
    vi.stubEnv('FOVEA_VALIDATE', '1');
    setEngine(engine);
  });
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    ['SGD', SGD],
    ['Momentum', Momentum],
    ['Adam', Adam],
  ] as const)('passes training steps with %s, and they learn', async (_, Optimizer) => {
    const net = network();
    const optimizer = new Optimizer({ parameters: net.parameters(), learningRate: 0.02, weightDecay: 0.001 });
    const losses: number[] = [];
    for (let step = 0; step < 8; step++) {
      const loss = F.crossEntropy(net.forward(image(1)), labels);
      loss.backward();
      await optimizer.step();
      optimizer.clearGrad();
      losses.push(await loss.item());
    }
    expect(losses[7]).toBeLessThan(losses[0]);
    net.eval();
    expect((await net.forward(image(2)).data()).every(Number.isFinite)).toBe(true);
  });

  it('allows for the rounding of gradients of a softmax that cancel', async () => {
    const x = new Parameter(noise([64, 64], 3, 0.1).data as Float32Array, [64, 64]);
    F.softmax(x).sum().backward();
    expect((await (x.grad as Tensor).data()).every((value) => Math.abs(value) < 1e-6)).toBe(true);
  });

  it('allows for the rounding of gradients of batch norms that cancel', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const [outer, inner] = [new nn.BatchNorm2D(1), new nn.BatchNorm2D(1)];
      const x = new Parameter(noise([2, 1, 1, 6], 2 * seed, 1, 1).data as Float32Array, [2, 1, 1, 6]);
      const factors = Tensor.fromData(noise([2, 1, 1, 6], 2 * seed + 1).data, [2, 1, 1, 6]);
      const y = outer.forward(inner.forward(x));
      F.softmax(y.mul(factors), 1).sum().add(y.mul(factors).sum()).mul(0.01).backward();
      for (const { grad } of [x, ...outer.parameters(), ...inner.parameters()]) {
        expect((await (grad as Tensor).data()).every(Number.isFinite)).toBe(true);
      }
    }
  });
});

const options = { convolution: 'auto', winograd: 'library', threads: 1 } as const;

/** Whether the wrong lowerings of an engine are caught, one at a time. */
function catchesMistakes<X>(
  engine: EngineName,
  lowerings: LoweringTable<X>,
  compile: (graph: Graph, table: LoweringTable<X>, validate: boolean) => Program,
): void {
  /** One training step, lowered by the given table. */
  function run(table: LoweringTable<X>, validate: boolean): void {
    const [weight, bias] = [new Parameter(noise([5, 3, 3, 3], 1).data as Float32Array, [5, 3, 3, 3]), noise([5], 2)];
    const shift = new Parameter(bias.data as Float32Array, [5]);
    const y = F.maxPool2d(F.relu(F.conv2d(image(1), weight, shift, { padding: [1, 0, 1, 1] })).affine(2, 1), 2);
    y.mul(y).mean().backward();
    const rate = Tensor.full([], 0.1).value;
    const gradient = (weight.grad as Tensor).value;
    const [updated] = ops.sgdUpdate({ weightDecay: 0 }, weight.value, gradient, rate);
    const captured = capture([y.value], [weight.overwrite(updated)]);
    const program = compile(optimize(toGraph(captured), fused), table, validate);
    try {
      program.run(captured.sources);
    } finally {
      program.dispose();
    }
  }

  /** The lowering of another node in place of the node's own. */
  const mistaken = <K extends OpName>(op: K, change: Partial<Parameters<Lower<K, X>>[1]['params']>) => {
    const right = lowerings[op] as Lower<K, X>;
    const wrong: Lower<K, X> = (context, node) => {
      const params = { ...node.params, ...change };
      right(context, { ...node, params, inputs: node.inputs, outputs: node.outputs });
    };
    return { ...lowerings, [op]: wrong };
  };

  beforeEach(() => setEngine(engine));

  it('and passes the right ones', () => {
    run(lowerings, true);
  });

  it.each([
    ['conv2d', mistaken('conv2d', { padding: [0, 1, 1, 1] })],
    ['affine', mistaken('affine', { shift: 1.001 })],
    ['conv2dBackwardWeights', mistaken('conv2dBackwardWeights', { padding: [0, 1, 1, 1] })],
    ['sgdUpdate', mistaken('sgdUpdate', { weightDecay: 0.5 })],
  ] as const)('%s', (op, table) => {
    run(table, false);
    expect(() => run(table, true)).toThrow(
      new RegExp(`^internal: validation of %\\d+ ${op}: element \\d+ is \\S+, reference \\S+$`),
    );
  });
}

describe('validation catches a lowering that is wrong', () => {
  describe('onednn', () => {
    catchesMistakes('onednn', oneDnnLowerings, (graph, table, validate) => {
      const engine = openOneDnn();
      const lowering = new OneDnnLowering(graph, engine.backend, { ...options, validate });
      return new PlannedProgram(lowering.lower(table), engine.backend, engine);
    });
  });

  describe('portable', () => {
    catchesMistakes('portable', portableLowerings, (graph, table, validate) => {
      const engine = openPortable();
      const lowering = new PortableLowering(graph, engine.backend, { ...options, validate }, true);
      return new PlannedProgram(lowering.lower(table), engine.backend, engine);
    });
  });
});
