import type { GraphNode } from '../../../compiler/graph.js';
import { asArray } from '../../planned/steps.js';
import { runKernel } from '../../reference/engine.js';
import { plainLayout } from '../backend.js';
import { adamCode, momentumCode, sgdCode } from '../code/update.js';
import {
  type Attributes,
  args,
  type BinaryKernel,
  describe,
  MemoryDesc,
  type PostOp,
  Primitive,
  postOpSrc,
} from '../ffi.js';
import type { Lower, Lowering, Operand } from '../lowering.js';
import { codeLanes } from '../processor.js';
import { required } from './common.js';

/** One number in memory. */
const constantOf = (context: Lowering, value: number): Operand => ({
  buffer: context.constant(Float32Array.of(value)),
  layout: MemoryDesc.plain([1], 'float32'),
});

/**
 * `dst = fn(a, b)`, then the post-ops of the attributes, with their operands in order. `dst` may be `a`.
 */
function combine(
  context: Lowering,
  name: string,
  fn: BinaryKernel,
  a: Operand,
  b: Operand,
  dst: Operand,
  attributes: Attributes,
  operands: readonly Operand[] = [],
): void {
  const operation = describe.binary(fn, a.layout, b.layout, dst.layout);
  const primitive = required(Primitive.create(operation, attributes), name);
  const binaries = (attributes.postOps ?? []).flatMap((op, i) => (op.kind === 'binary' ? [i] : []));
  const reads = [
    [args.src, a],
    [args.src1, b],
    ...operands.map((operand, i) => [postOpSrc(binaries[i]), operand] as const),
    ...primitive.factors.map(([argument, factor]) => [argument, constantOf(context, factor)] as const),
  ] as const;
  context.call(name, primitive, reads, [[args.dst, dst]]);
}

/**
 * The memory as one row of numbers. The order of elements does not matter to an update if all its arrays have
 * the same layout. Padding stays zero in every update here.
 */
function flat({ buffer, layout }: Operand): Operand {
  return { buffer, layout: MemoryDesc.plain([layout.size / 4], 'float32') };
}

/** The gradient in the parameter's layout. */
function gradientOf(context: Lowering, { inputs: [parameter, gradient] }: GraphNode): Operand {
  return flat(context.inLayout(gradient, context.locate(parameter).layout));
}

/** The same gradient with the L2 decay added. */
function decayedGradient(context: Lowering, node: GraphNode, parameter: Operand, weightDecay: number): Operand {
  const gradient = gradientOf(context, node);
  if (weightDecay === 0) return gradient;
  const decayed = { buffer: context.scratch(parameter.layout.size), layout: parameter.layout };
  const scales = [[args.src1, weightDecay]] as const;
  combine(context, 'weightDecay', 'add', gradient, parameter, decayed, { scales });
  return decayed;
}

/** parameter −= rate·direction */
function descend(context: Lowering, name: string, parameter: Operand, direction: Operand, rate: Operand): void {
  const { layout } = parameter;
  combine(
    context,
    name,
    'mul',
    direction,
    rate,
    parameter,
    { scales: [[args.src, -1]], postOps: [{ kind: 'binary', fn: 'add', operand: layout }] },
    [parameter],
  );
}

/** With this many numbers or fewer, a TypeScript loop ends before the kernel calls begin. */
const smallUpdate = 512;

/**
 * The whole update in one TypeScript loop; `targets` are read first among the inputs and then overwritten.
 */
function updateSmall(
  context: Lowering,
  node: GraphNode,
  inputs: readonly Operand[],
  targets: readonly Operand[],
): void {
  const asRow = (operand: Operand) => asArray(operand, { shape: operand.layout.shape, dtype: 'float32' });
  context.addTypeScript(node.op, inputs.map(asRow), targets.map(asRow), (reads, writes) =>
    runKernel(node, reads, writes),
  );
}

export const sgdUpdate: Lower<'sgdUpdate'> = (context, node) => {
  const [parameter, , rate] = node.inputs;
  const updated = flat(context.updateInPlace(parameter, node.outputs[0], context.locate(parameter).layout));
  const lanes = codeLanes('float32');
  if (lanes !== null) {
    const g = gradientOf(context, node);
    const code = context.generate(sgdCode, lanes, updated.layout.size, node.params);
    context.code('sgd', code, [updated, g, context.plain(rate)], [updated]);
    return;
  }
  const gradient = decayedGradient(context, node, updated, node.params.weightDecay);
  descend(context, 'sgd', updated, gradient, context.plain(rate));
};

export const momentumUpdate: Lower<'momentumUpdate'> = (context, node) => {
  const [parameter, , velocity, rate] = node.inputs;
  const { momentum, weightDecay, nesterov } = node.params;
  const { layout } = context.locate(parameter);
  const p = flat(context.updateInPlace(parameter, node.outputs[0], layout));
  const v = flat(context.updateInPlace(velocity, node.outputs[1], layout));
  if (p.layout.shape[0] <= smallUpdate) {
    const g = flat(context.inLayout(node.inputs[1], layout));
    updateSmall(context, node, [p, g, v, context.plain(rate)], [p, v]);
    return;
  }
  const lanes = codeLanes('float32');
  if (lanes !== null) {
    const code = context.generate(momentumCode, lanes, layout.size, node.params);
    context.code('momentum', code, [p, gradientOf(context, node), v, context.plain(rate)], [p, v]);
    return;
  }
  const g = decayedGradient(context, node, p, weightDecay);
  combine(context, 'momentum', 'add', v, g, v, { scales: [[args.src, momentum]] });
  let direction = v;
  if (nesterov) {
    direction = { buffer: context.scratch(p.layout.size), layout: p.layout };
    combine(context, 'nesterov', 'add', v, g, direction, { scales: [[args.src, momentum]] });
  }
  descend(context, 'descend', p, direction, context.plain(rate));
};

/** Replaces a factor of 0 (decay to 0), since the update divides by the factor. */
const tiny = 1e-30;

export const adamUpdate: Lower<'adamUpdate'> = (context, node) => {
  const [parameter, , moment1, moment2, scalars] = node.inputs;
  const { beta1, beta2, epsilon, weightDecay } = node.params;
  const layout = context.locate(parameter).layout;
  const p = flat(context.updateInPlace(parameter, node.outputs[0], layout));
  const m = flat(context.updateInPlace(moment1, node.outputs[1], layout));
  const v = flat(context.updateInPlace(moment2, node.outputs[2], layout));
  const one = (): Operand => ({ buffer: context.scratch(4), layout: MemoryDesc.plain([1], 'float32') });
  const asScalar = (operand: Operand) => asArray(operand, { shape: [1], dtype: 'float32' });
  const lanes = codeLanes('float32');
  if (lanes !== null) {
    const [step, floor, keep] = [one(), one(), one()];
    context.addTypeScript(
      'adamScalars',
      [asArray(context.plain(scalars), scalars)],
      [asScalar(step), asScalar(floor), asScalar(keep)],
      ([{ data }], [stepOut, floorOut, keepOut]) => {
        const [rate, correction1, correction2, kept] = data;
        const root = Math.sqrt(correction2);
        stepOut.data[0] = (rate * root) / correction1;
        floorOut.data[0] = epsilon * root;
        keepOut.data[0] = kept;
      },
    );
    const code = context.generate(adamCode, lanes, p.layout.size, node.params);
    context.code('adam', code, [p, gradientOf(context, node), m, v, step, floor, keep], [p, m, v]);
    return;
  }
  const [rate, correction, keep] = [one(), one(), one()];
  context.addTypeScript(
    'adamScalars',
    [asArray(context.plain(scalars), scalars)],
    [asScalar(rate), asScalar(correction), asScalar(keep)],
    ([{ data }], [rateOut, correctionOut, keepOut]) => {
      // p·keep − x is computed as (p − x/keep)·keep, so that it needs no extra pass over the memory.
      const factor = data[3] || tiny;
      rateOut.data[0] = -data[0] / data[1] / factor;
      correctionOut.data[0] = 1 / data[2];
      keepOut.data[0] = factor;
    },
  );
  const g = decayedGradient(context, node, p, weightDecay);
  const mean = [
    [args.src, beta1],
    [args.src1, 1 - beta1],
  ] as const;
  combine(context, 'moment1', 'add', m, g, m, { scales: mean });
  combine(context, 'moment2', 'mul', g, g, v, {
    scales: [[args.src, 1 - beta2]],
    postOps: [{ kind: 'sum', scale: beta2 }],
  });
  // The rest takes one pass over the memory: it adds −rate·m̂/(√v̂ + ε) to the parameter.
  const postOps: readonly PostOp[] = [
    { kind: 'eltwise', fn: 'sqrt', alpha: 0, beta: 0 },
    { kind: 'eltwise', fn: 'linear', alpha: 1, beta: epsilon },
    { kind: 'eltwise', fn: 'pow', alpha: 1, beta: -1 },
    { kind: 'binary', fn: 'mul', operand: m.layout },
    { kind: 'binary', fn: 'mul', operand: rate.layout },
    { kind: 'binary', fn: 'add', operand: p.layout },
    { kind: 'binary', fn: 'mul', operand: keep.layout },
  ];
  combine(context, 'adam', 'mul', v, correction, p, { postOps }, [m, rate, p, keep]);
};

/** Writes in place, where the statistics are stored: one number per channel. */
export const runningAverage: Lower<'runningAverage'> = (context, node) => {
  const [running, batch] = node.inputs;
  const place = context.updateInPlace(running, node.outputs[0], plainLayout(running));
  updateSmall(context, node, [place, context.plain(batch)], [place]);
};
