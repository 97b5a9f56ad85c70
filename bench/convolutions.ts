/**
 * Every 3×3 convolution of stride 1 in the networks for photographs: direct kernels against Winograd's in all three
 * directions, what the rule takes, and what that costs beyond the best choice.
 *
 * usage: npm run bench -- convolutions [network|all] [batch] [threads]
 */
import { openOneDnn } from '../src/engine/onednn/engine.js';
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
} from '../src/engine/onednn/ffi.js';
import { algorithmsFor, type ConvDirection, winogradGain } from '../src/engine/onednn/lower/winograd.js';
import type { Node, Value } from '../src/graph/node.js';
import type { Conv2dParams } from '../src/graph/op.js';
import type { Shape } from '../src/graph/shape.js';
import { Generator } from '../src/random.js';
import { Tensor } from '../src/tensor/tensor.js';
import { modelKinds } from '../src/vision/models/registry.js';

interface Layer {
  readonly x: Shape;
  readonly weight: Shape;
  readonly y: Shape;
  readonly params: Conv2dParams;
  count: number;
}

const [wanted = 'all', batch = '10', threads = '2'] = process.argv.slice(2);
const seconds = 0.1;
openOneDnn().useThreads(Number(threads));
const execute = makeExecutor();

/** The layers, each shape once. */
function layersOf(network: string): Layer[] {
  const { create, inputShape } = modelKinds[network];
  const output: unknown = create({ numClasses: 2 }, inputShape)
    .eval()
    .forward(Tensor.zeros([Number(batch), ...inputShape]));
  const layers = new Map<string, Layer>();
  const seen = new Set<Node>();
  const visit = ({ node }: Value): void => {
    if (node === null || seen.has(node)) return;
    seen.add(node);
    node.inputs.forEach(visit);
    if (node.op !== 'conv2d') return;
    const params = node.params as Conv2dParams;
    const [x, weight] = node.inputs.map(({ shape }) => shape);
    if (weight[2] !== 3 || weight[3] !== 3 || params.stride.some((n) => n !== 1)) return;
    const key = JSON.stringify([x, weight, params]);
    const layer = layers.get(key) ?? { x, weight, y: node.outputs[0].shape, params, count: 0 };
    layer.count++;
    layers.set(key, layer);
  };
  for (const tensor of [output].flat()) visit((tensor as Tensor).value);
  return [...layers.values()];
}

type Arguments = readonly (readonly [argument: number, desc: MemoryDesc])[];

/** The primitive with its arguments; `null` where the library has none. */
function make(
  { x, weight, y, params }: Layer,
  direction: ConvDirection,
  algorithm: ConvAlgorithm,
): { primitive: Primitive; list: Arguments } | null {
  const [top, bottom, left, right] = params.padding;
  const geometry = { stride: params.stride, dilation: [0, 0], padBefore: [top, left], padAfter: [bottom, right] };
  const [src, weights, dst] = [x, weight, y].map((shape) => MemoryDesc.any(shape));
  const bias = MemoryDesc.plain([weight[0]], 'float32');
  const forward = Primitive.create(describe.convForward('training', algorithm, [src, weights, bias, dst], geometry));
  if (forward === null) return null;
  if (direction === 'forward') {
    const [s, w, d] = (['src', 'weights', 'dst'] as const).map((which) => forward.layout(which));
    const list = [
      [args.src, s],
      [args.weights, w],
      [args.bias, bias],
      [args.dst, d],
    ] as const;
    return { primitive: forward, list };
  }
  const toData = direction === 'backwardData';
  const opDesc = toData
    ? describe.convBackwardData(algorithm, [src, weights, dst], geometry)
    : describe.convBackwardWeights(algorithm, [src, weights, bias, dst], geometry);
  const primitive = Primitive.create(opDesc, {}, forward);
  forward.destroy();
  if (primitive === null) return null;
  const diffDst = [args.diffDst, primitive.layout('diffDst')] as const;
  const list = toData
    ? ([diffDst, [args.weights, primitive.layout('weights')], [args.diffSrc, primitive.layout('diffSrc')]] as const)
    : ([
        [args.src, primitive.layout('src')],
        diffDst,
        [args.diffBias, bias],
        [args.diffWeights, primitive.layout('diffWeights')],
      ] as const);
  return { primitive, list };
}

/** Least milliseconds of a call on random arguments, and the scratchpad in MiB. */
function measure(layer: Layer, direction: ConvDirection, algorithm: ConvAlgorithm) {
  const made = make(layer, direction, algorithm);
  if (made === null) return null;
  const { primitive } = made;
  const scratch = primitive.optionalLayout('scratchpad');
  const list: Arguments = scratch === null ? made.list : [[args.scratchpad, scratch], ...made.list];
  const memories = list.map(([argument, desc]) => {
    const memory = new NativeMemory(desc.size);
    if (argument !== args.scratchpad) {
      new Generator(1, argument).fillUniform(new Float32Array(memory.view(0, desc.size)), -1, 1);
    }
    const handle = new MemoryHandle(desc);
    handle.point(memory, 0);
    return { argument, memory, handle };
  });
  const block = new ArgBlock([memories.map(({ argument, handle }) => [argument, handle] as const)]);
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

function report(network: string): void {
  const layers = layersOf(network);
  if (layers.length === 0) return;
  const total = { direct: 0, winograd: 0, rule: 0, best: 0 };
  let scratch = 0;
  console.log(
    `${network}, batch ${batch}, threads ${threads}: milliseconds of direct / Winograd (ratio, rule's guess) taken`,
  );
  for (const layer of layers) {
    const columns: string[] = [];
    for (const direction of ['forward', 'backwardData', 'backwardWeights'] as const) {
      const { weight, params } = layer;
      const result = direction === 'backwardData' ? layer.x : layer.y;
      const conv = { direction, result, weight, params };
      // Nobody needs the gradient of the images.
      if (direction === 'backwardData' && layer.x[1] === 3) continue;
      const direct = measure(layer, direction, 'direct');
      if (direct === null) throw new Error(`no direct kernel for ${weight}`);
      const winograd = measure(layer, direction, 'winograd');
      const takes = winograd !== null && algorithmsFor('auto', conv)[0] === 'winograd';
      total.direct += layer.count * direct.ms;
      total.winograd += layer.count * (winograd ?? direct).ms;
      total.rule += layer.count * (takes ? winograd : direct).ms;
      total.best += layer.count * Math.min(direct.ms, winograd?.ms ?? direct.ms);
      if (winograd === null) {
        columns.push(`${direct.ms.toFixed(2)} / none`.padEnd(38));
        continue;
      }
      if (takes) {
        scratch = Math.max(scratch, winograd.scratchMiB);
      }
      const ratio = `(${(direct.ms / winograd.ms).toFixed(2)}, ${winogradGain(conv).toFixed(2)})`;
      columns.push(
        `${direct.ms.toFixed(2).padStart(6)} / ${winograd.ms.toFixed(2).padEnd(6)} ${ratio} ${takes ? 'W' : 'D'}`.padEnd(
          38,
        ),
      );
    }
    const [, from, height, width] = layer.x;
    console.log(`${layer.count} x ${from}→${layer.weight[0]} at ${height}×${width}`.padEnd(24) + columns.join(''));
  }
  const sums = Object.entries(total).map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
  console.log(
    `sum, ms: ${sums.join(', ')}; rule / best ${(total.rule / total.best).toFixed(3)}; ` +
      `largest scratchpad ${scratch.toFixed(0)} MiB\n`,
  );
}

const large = Object.keys(modelKinds).filter((name) => modelKinds[name].inputShape[0] === 3);
for (const network of wanted === 'all' ? large : [wanted]) {
  if (!Object.hasOwn(modelKinds, network)) throw new Error(`unknown network '${network}': one of ${large.join(', ')}`);
  report(network);
}
