import { describe, expect, it } from 'vitest';
import type { Value } from '../../src/graph/node.js';
import type { OpName } from '../../src/graph/op.js';
import * as o from '../../src/ops/index.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { checkOp, fastEngines } from '../engines.js';
import type { CaseTable } from './cases/common.js';
import { elementwise } from './cases/elementwise.js';
import { nn } from './cases/nn.js';
import { norm } from './cases/norm.js';
import { shape } from './cases/shape.js';
import { training } from './cases/training.js';

/** A new op does not compile without its cases, nor pass the first test. */
const cases: CaseTable = { ...elementwise, ...shape, ...nn, ...norm, ...training };

const names = Object.keys(o.ops) as OpName[];

it('every op has cases', () => {
  expect(Object.keys(cases).sort()).toEqual([...names].sort());
  for (const name of names) expect(cases[name].length, name).toBeGreaterThan(0);
});

/** Whether the graph behind the values holds the op. */
function uses(op: OpName, values: readonly Value[]): boolean {
  return values.some(({ node }) => node !== null && (node.op === op || uses(op, node.inputs)));
}

describe.each(names.flatMap((op) => fastEngines.map((engine) => [op, engine] as const)))(
  '%s: reference = %s',
  (op, engine) => {
    it.each(cases[op].map(({ name, ...rest }) => [name, rest] as const))('%s', async (name, { build, inputs }) => {
      const tensors = (...args: Tensor[]): Tensor[] => {
        const built = build(...args.map((arg) => arg.value));
        const values = Array.isArray(built) ? (built as readonly Value[]) : [built as Value];
        expect(uses(op, values), `${op} in the graph`).toBe(true);
        return values.map((value) => new Tensor(value));
      };
      await checkOp(tensors, inputs, name, engine);
    });
  },
);
