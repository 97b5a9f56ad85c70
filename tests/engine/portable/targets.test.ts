import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { PortableBackend } from '../../../src/engine/portable/backend.js';
import { PortableEngine } from '../../../src/engine/portable/engine.js';
import { Heap } from '../../../src/engine/portable/heap.js';
import { wasmTarget } from '../../../src/engine/portable/wasm/target.js';
import { openEngine } from '../../../src/engine/select.js';
import { realizeAll } from '../../../src/tensor/evaluate.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { contracted, expectAgreement, tensorsOf } from '../../engines.js';
import type { Case } from '../../ops/cases/common.js';
import { nn } from '../../ops/cases/nn.js';
import { norm } from '../../ops/cases/norm.js';

const { chosen } = vi.hoisted(() => ({ chosen: { engine: null as Engine | null } }));

vi.mock('../../../src/engine/select.js', async (original) => {
  const select = await original<typeof import('../../../src/engine/select.js')>();
  return { ...select, currentEngine: () => chosen.engine ?? select.currentEngine() };
});

/** Outputs of a case, and gradients under random cotangents. */
async function evaluate(engine: Engine, { build, inputs }: Case) {
  chosen.engine = engine;
  const tensors = tensorsOf(inputs);
  const built = build(...tensors.map(({ value }) => value));
  const outputs = [built].flat().map((value) => new Tensor(value as never));
  contracted(outputs)?.backward();
  const gradients = tensors.flatMap((tensor) =>
    'grad' in tensor && tensor.grad instanceof Tensor ? [tensor.grad] : [],
  );
  const all = [...outputs, ...gradients];
  await realizeAll(all);
  return Promise.all(all.map((tensor) => tensor.data()));
}

const heap = new Heap(false);
const machine = wasmTarget(heap.limits);
if (machine === null) throw new Error('this machine has no WebAssembly with vectors');

beforeEach(() => {
  chosen.engine = null;
});
afterAll(() => {
  chosen.engine = null;
});

const cases = Object.entries<readonly Case[]>({ ...nn, ...norm }).flatMap(([op, all]) =>
  all.map((one) => [`${op} ${one.name}`, one] as const),
);

/** Machines without fused multiply-add, and compilers of either kind, compute the same but for rounding. */
describe.each([
  { fuses: false, keepsOrder: machine.keepsOrder },
  { fuses: machine.fuses, keepsOrder: !machine.keepsOrder },
])('code for $fuses, $keepsOrder', (traits) => {
  const engine = new PortableEngine(new PortableBackend(heap, { ...machine, ...traits }), 1);

  it.each(cases)('%s', async (name, one) => {
    const expected = await evaluate(openEngine('reference'), one);
    const actual = await evaluate(engine, one);
    expect(actual).toHaveLength(expected.length);
    actual.forEach((data, i) => {
      expectAgreement(data, expected[i], `${name}, ${i}`);
    });
  });
});
