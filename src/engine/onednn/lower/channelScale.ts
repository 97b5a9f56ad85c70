import type { GraphValue } from '../../../compiler/graph.js';
import { factorBytes, scalableLayout, scaleBackward, scaleForward } from '../code/channelScale.js';
import type { FeatureLayout } from '../code/featureLayout.js';
import { MemoryDesc } from '../ffi.js';
import type { Lower, Lowering, Operand } from '../lowering.js';
import { codeLanes } from '../processor.js';
import { denseLike } from './shape.js';

/** Features in a layout for the code, and the layout of their factors in the same order. */
interface Scalable {
  readonly src: Operand;
  readonly features: FeatureLayout;
  readonly factors: MemoryDesc;
}

function scalable(context: Lowering, x: GraphValue, scale: GraphValue): Scalable | null {
  const src = toScale(context, x);
  const features = scalableLayout(src.layout);
  if (features === null) return null;
  const factors = factorsLike(context, src.layout, scale);
  return factors !== null && factors.size === factorBytes(features) ? { src, features, factors } : null;
}

/** Plain features are copied, which takes a fraction of a plain loop. */
function toScale(context: Lowering, x: GraphValue): Operand {
  const own = context.withOwnAxes(x);
  const { shape, dtype } = own.layout;
  if (scalableLayout(own.layout) !== null || (dtype !== 'float32' && dtype !== 'bfloat16')) return own;
  const lanes = codeLanes(dtype);
  const isCopied = lanes !== null && shape.length === 4 && shape[1] % lanes === 0;
  return isCopied ? context.inLayout(x, MemoryDesc.channelsLast(shape, dtype)) : own;
}

function factorsLike(context: Lowering, layout: MemoryDesc, { shape }: GraphValue): MemoryDesc | null {
  if (layout.isChannelsLast()) return MemoryDesc.plain(shape, 'float32');
  const box = layout.withType('float32').sub(shape, [0, 0, 0, 0]);
  return box === null ? null : denseLike(context, box);
}

export const scaleChannels: Lower<'scaleChannels'> = (context, node) => {
  const [x, scale, shift] = node.inputs;
  const own = scalable(context, x, scale);
  if (own === null) {
    context.fallback(node);
    return;
  }
  const factors = context.inLayout(scale, own.factors);
  const summands = shift === undefined ? [] : [context.inLayout(shift, own.factors)];
  const dst = context.inPlace(x, own.src, node.outputs[0]);
  const code = context.generate(scaleForward, own.features, shift !== undefined);
  context.code(shift === undefined ? node.op : `${node.op}+add`, code, [own.src, factors, dst, ...summands], [dst]);
};

export const scaleChannelsBackward: Lower<'scaleChannelsBackward'> = (context, node) => {
  const [x, scale, dy] = node.inputs;
  const [dx, dScale] = node.outputs;
  const own = scalable(context, x, scale);
  if (own === null) {
    context.fallback(node);
    return;
  }
  const factors = context.inLayout(scale, own.factors);
  const diffDst = context.inLayout(dy, own.src.layout);
  const written = [context.output(dScale, own.factors)];
  const isWanted = context.isUsed(dx);
  if (isWanted) written.push(context.inPlace(dy, diffDst, dx));
  const operands = [own.src, factors, diffDst, ...written];
  context.code(node.op, context.generate(scaleBackward, own.features, isWanted), operands, written);
};
