import {
  ArgBlock,
  args,
  type ConvAlgorithm,
  describe,
  MemoryDesc,
  MemoryHandle,
  makeExecutor,
  NativeMemory,
  Primitive,
} from '../../src/engine/onednn/ffi.js';
import { isPointwiseProduct, pointwiseWeightGradient } from '../../src/engine/onednn/lower/pointwise.js';
import type { ConvDirection } from '../../src/engine/onednn/lower/winograd.js';
import type { StoredDType } from '../../src/graph/dtype.js';
import type { Node, Value } from '../../src/graph/node.js';
import type { Conv2dParams } from '../../src/graph/op.js';
import type { Shape } from '../../src/graph/shape.js';
import { namedModels, usualData } from '../../src/run/catalog/models.js';
import { outputsFor } from '../../src/run/losses.js';
import { recipeFor } from '../../src/run/recipe.js';
import { Tensor } from '../../src/tensor/tensor.js';

/** A convolution or linear layer of a network. */
export interface KernelLayer {
  readonly x: Shape;
  /** `[out, in, height, width]`, or `[in, out]` of a linear layer. */
  readonly weight: Shape;
  readonly y: Shape;
  /** `null` of a linear layer. */
  readonly params: Conv2dParams | null;
  readonly bias: boolean;
  /** Whether the layer reads the images, which need no gradient. */
  readonly first: boolean;
  /** How many of these there are. */
  readonly count: number;
}

export const directions = ['forward', 'backwardData', 'backwardWeights'] as const satisfies readonly ConvDirection[];

/** The layers of a network for as many classes as its usual data set has, each shape once. */
export function layersOf(network: string, batch: number, input?: Shape): KernelLayer[] {
  if (!Object.hasOwn(namedModels, network)) {
    throw new Error(`unknown network '${network}': one of ${Object.keys(namedModels).join(', ')}`);
  }
  const { create, inputShape } = namedModels[network];
  const shape = input ?? inputShape;
  const { classes } = usualData(network);
  const images = Tensor.placeholder([batch, ...shape], 'float32');
  const output: unknown = create({ numClasses: outputsFor(recipeFor(network, classes), classes) }, shape)
    .eval()
    .forward(images);
  const layers = new Map<string, KernelLayer>();
  const seen = new Set<Node>();
  const visit = ({ node }: Value): void => {
    if (node === null || seen.has(node)) return;
    seen.add(node);
    node.inputs.forEach(visit);
    if (node.op !== 'conv2d' && node.op !== 'linear') return;
    const [x, weight] = node.inputs.map(({ shape }) => shape);
    const params = node.op === 'conv2d' ? (node.params as Conv2dParams) : null;
    const first = node.inputs[0] === images.value;
    const layer = { x, weight, y: node.outputs[0].shape, params, bias: node.inputs.length > 2, first };
    const key = JSON.stringify(layer);
    layers.set(key, { ...layer, count: 1 + (layers.get(key)?.count ?? 0) });
  };
  for (const tensor of [output].flat()) visit((tensor as Tensor).value);
  return [...layers.values()];
}

type Arguments = readonly (readonly [argument: number, desc: MemoryDesc])[];

interface Kernel {
  readonly primitive: Primitive;
  readonly list: Arguments;
}

/** The primitive with its arguments, every layout left to it; `null` where the library has none. */
function make(
  layer: KernelLayer,
  direction: ConvDirection,
  algorithm: ConvAlgorithm,
  dtype: StoredDType,
): Kernel | null {
  const { params } = layer;
  const descs = operandsOf(layer, dtype);
  const { src, weights, bias, dst } = descs;
  const geometry = params === null ? null : geometryOf(params);
  const forward = Primitive.create(
    geometry === null
      ? describe.linearForward('training', [src, weights, bias, dst])
      : describe.convForward('training', algorithm, [src, weights, bias, dst], geometry),
  );
  if (forward === null) return null;
  const biases = (argument: number): Arguments => (layer.bias ? [[argument, bias]] : []);
  if (direction === 'forward') {
    const [s, w, d] = (['src', 'weights', 'dst'] as const).map((which) => forward.layout(which));
    const list: Arguments = [[args.src, s], [args.weights, w], ...biases(args.bias), [args.dst, d]];
    return { primitive: forward, list };
  }
  const toData = direction === 'backwardData';
  const operands = toData ? [src, weights, dst] : [src, weights, bias, dst];
  const opDesc =
    geometry === null
      ? describe[toData ? 'linearBackwardData' : 'linearBackwardWeights'](operands)
      : describe[toData ? 'convBackwardData' : 'convBackwardWeights'](algorithm, operands, geometry);
  const primitive = Primitive.create(opDesc, {}, forward);
  forward.destroy();
  if (primitive === null) return null;
  const diffDst = [args.diffDst, primitive.layout('diffDst')] as const;
  const list: Arguments = toData
    ? [diffDst, [args.weights, primitive.layout('weights')], [args.diffSrc, primitive.layout('diffSrc')]]
    : [
        [args.src, primitive.layout('src')],
        diffDst,
        ...biases(args.diffBias),
        [args.diffWeights, primitive.layout('diffWeights')],
      ];
  return { primitive, list };
}

/** The gradient of a 1×1 convolution's weights as a product of matrices, where the engine would take that. */
function makeProduct({ x, weight, params, bias }: KernelLayer): Kernel | null {
  if (params === null) return null;
  const gradient = { x, weight, params, bias };
  const hints: Primitive[] = [];
  const own = (hint: Primitive) => {
    hints.push(hint);
    return hint;
  };
  const product = isPointwiseProduct(gradient) ? pointwiseWeightGradient(gradient, own) : null;
  for (const hint of hints) hint.destroy();
  if (product === null) return null;
  const { primitive, src, diffDst, diffWeights } = product;
  const biases: Arguments = bias ? [[args.diffBias, MemoryDesc.plain([weight[0]], 'float32')]] : [];
  const list: Arguments = [[args.src, src], [args.diffDst, diffDst], ...biases, [args.diffWeights, diffWeights]];
  return { primitive, list };
}

function geometryOf({ stride, padding, dilation }: Conv2dParams) {
  const [top, bottom, left, right] = padding;
  return { stride, dilation: dilation.map((n) => n - 1), padBefore: [top, left], padAfter: [bottom, right] };
}

function operandsOf({ x, weight, y, params, bias }: KernelLayer, dtype: StoredDType) {
  const out = y[1];
  // The library has the weights of linear layers as [out, in].
  const weightShape = params === null ? [out, weight[0]] : weight;
  const [src, weights, dst] = [x, weightShape, y].map((shape) => MemoryDesc.any(shape, dtype));
  return { src, weights, dst, bias: bias ? MemoryDesc.plain([out], 'float32') : MemoryDesc.none() };
}

/** Two bfloat16 numbers, and one float32 number, a little above one. */
const ones = 0x3f813f81;

export interface KernelTime {
  /** Least milliseconds of a call. */
  readonly ms: number;
  readonly scratchMiB: number;
}

/**
 * Measures the kernel of a layer in one direction, in the layouts that it likes best; `null` where the library has none.
 *
 * @param seconds of calls; three at least
 */
export function measureKernel(
  layer: KernelLayer,
  direction: ConvDirection,
  algorithm: ConvAlgorithm | 'product',
  { seconds, dtype = 'float32' }: { readonly seconds: number; readonly dtype?: StoredDType },
): KernelTime | null {
  const made = algorithm === 'product' ? makeProduct(layer) : make(layer, direction, algorithm, dtype);
  if (made === null) return null;
  const { primitive } = made;
  const scratch = primitive.optionalLayout('scratchpad');
  const list: Arguments = scratch === null ? made.list : [[args.scratchpad, scratch], ...made.list];
  const memories = list.map(([argument, desc]) => {
    const memory = new NativeMemory(desc.size);
    new Uint32Array(memory.view(0, desc.size & ~3)).fill(ones);
    const handle = new MemoryHandle(desc);
    handle.point(memory, 0);
    return { argument, memory, handle };
  });
  const block = new ArgBlock([memories.map(({ argument, handle }) => [argument, handle] as const)]);
  const execute = makeExecutor();
  let ms = Number.POSITIVE_INFINITY;
  const end = performance.now() + 1000 * seconds;
  for (let i = 0; i < 3 || performance.now() < end; i++) {
    const start = performance.now();
    execute(primitive, list.length, block.addressOf(0));
    ms = Math.min(ms, performance.now() - start);
  }
  for (const part of memories) {
    part.handle.destroy();
    part.memory.free();
  }
  primitive.destroy();
  return { ms, scratchMiB: (scratch?.size ?? 0) / 2 ** 20 };
}
