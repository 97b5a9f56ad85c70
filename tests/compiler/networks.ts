import type { TypedArray } from '../../src/graph/dtype.js';
import type { Shape } from '../../src/graph/shape.js';
import * as ops from '../../src/ops/index.js';
import { RandomGenerator } from '../../src/random.js';
import { concat, stack, where } from '../../src/tensor/combine.js';
import * as F from '../../src/tensor/functional.js';
import { Buffer, Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { noise } from '../engines.js';

/** One layer of a random network; the numbers choose operands and variants, so that any of them is valid. */
export interface Instruction {
  readonly layer: keyof typeof layers;
  /** The number of values from here back to the input. */
  readonly from: number;
  /** Which of the fitting others is the second operand. */
  readonly other: number;
  readonly variant: number;
}

/** A maximum over windows. */
export interface Pool {
  readonly x: Tensor;
  readonly size: number;
  readonly stride: number;
  /** Top, bottom, left, right. */
  readonly padding: [number, number, number, number];
}

/** The least distance between the maximum of a window and the largest element below it. */
export function leastLead({ x, size, stride, padding: [top, bottom, left, right] }: Pool, data: TypedArray): number {
  const [height, width] = x.shape.slice(2);
  let least = Number.POSITIVE_INFINITY;
  for (let plane = 0; plane < data.length; plane += height * width) {
    for (let y = -top; y + size <= height + bottom; y += stride) {
      for (let z = -left; z + size <= width + right; z += stride) {
        let [most, next] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
        for (let i = Math.max(0, y); i < Math.min(height, y + size); i++) {
          for (let j = Math.max(0, z); j < Math.min(width, z + size); j++) {
            const value = data[plane + i * width + j];
            if (value > most) [most, next] = [value, most];
            else if (value < most && value > next) next = value;
          }
        }
        least = Math.min(least, most - next);
      }
    }
  }
  return least;
}

/** A network of random layers over images. Its states stay, but its graph is built again at every step. */
export class RandomNetwork {
  readonly parameters: Parameter[] = [];
  readonly buffers: Buffer[] = [];
  readonly values: Tensor[] = [];
  /** Differences that a maximum or a relu hangs on: near 0 the engines may rightly disagree. */
  readonly kinks: Tensor[] = [];
  /** Maxima over windows: near a tie the engines may rightly take another element. */
  readonly pools: Pool[] = [];
  /** Batch statistics: computing them renews the running ones. */
  readonly statistics: Tensor[] = [];
  readonly convolutions: { readonly weight: Parameter; readonly groups: number }[] = [];
  generator = new RandomGenerator(0);
  #parameters = 0;
  #buffers = 0;

  constructor(
    public input: Tensor,
    readonly list: readonly Instruction[],
  ) {
    if (input instanceof Parameter) this.parameters.push(input);
  }

  /** The parameter that this place in the graph has had since the first step. */
  parameter(shape: Shape, scale: number, shift = 0): Parameter {
    const index = this.#parameters++;
    if (index === this.parameters.length) {
      const { data } = noise(shape, 1000 + index, scale, shift);
      this.parameters.push(new Parameter(data as Float32Array, shape));
    }
    return this.parameters[index];
  }

  buffer(shape: Shape, value: number): Buffer {
    const index = this.#buffers++;
    if (index === this.buffers.length) this.buffers.push(Buffer.filled(shape, value));
    return this.buffers[index];
  }

  /** One of the values computed so far that fit; the newest always does. */
  another(fits: (t: Tensor) => boolean, choice: number): Tensor {
    const fitting = this.values.filter(fits);
    return fitting[choice % fitting.length];
  }

  newest(back: number): Tensor {
    return this.values[this.values.length - 1 - (back % this.values.length)];
  }

  /** Builds the graph of one step. */
  build(): void {
    this.#parameters = this.input instanceof Parameter ? 1 : 0;
    this.#buffers = 0;
    for (const list of [this.kinks, this.pools, this.statistics, this.convolutions]) list.length = 0;
    this.generator = new RandomGenerator(5);
    this.values.splice(0, this.values.length, this.input);
    for (const { layer, from, other, variant } of this.list) {
      const x = this.newest(from);
      const y = layers[layer](this, x, variant, other);
      if (y !== null && y.size < 20_000) this.values.push(y);
    }
  }
}

type LayerRule = (net: RandomNetwork, x: Tensor, n: number, other: number) => Tensor | null;

function convolution(net: RandomNetwork, x: Tensor, weightShape: Shape, groups: number, n: number): Tensor {
  const [out, perGroup, kh, kw] = weightShape;
  const weight = net.parameter(weightShape, 1 / Math.sqrt(perGroup * kh * kw));
  net.convolutions.push({ weight, groups });
  const bias = n % 2 === 0 ? null : net.parameter([out], 0.1);
  const padding = kh === 3 ? ([n % 2, 1, 1, n % 3] as const) : 0;
  return F.conv2d(x, weight, bias, { groups, padding, stride: n % 5 === 0 ? 2 : 1 });
}

/** A weight that some convolution has used, if x fits it. */
function usedWeight(net: RandomNetwork, x: Tensor, choice: number) {
  const used = net.convolutions[choice % (net.convolutions.length || 1)];
  if (used === undefined) return null;
  const [, perGroup, kh, kw] = used.weight.shape;
  return perGroup * used.groups === x.shape[1] && x.shape[2] >= kh && x.shape[3] >= kw ? used : null;
}

const elementwise =
  (fn: (x: Tensor) => Tensor): LayerRule =>
  (_, x) =>
    fn(x);

/** A function with a kink where its argument is 0. */
const kinked =
  (fn: (x: Tensor) => Tensor): LayerRule =>
  (net, x) => {
    net.kinks.push(x);
    return fn(x);
  };

const pooled =
  (
    pool: (x: Tensor, size: number, options: Omit<Pool, 'x' | 'size'>, n: number, net: RandomNetwork) => Tensor,
  ): LayerRule =>
  (net, x, n) => {
    if (x.shape[2] < 3 || x.shape[3] < 3) return null;
    const padding: Pool['padding'] = n % 2 === 0 ? [0, 1, 1, 0] : [0, 0, 0, 0];
    return pool(x, n % 2 === 0 ? 3 : 2, { stride: n % 3 === 0 ? 1 : 2, padding }, n, net);
  };

const sameShape = (x: Tensor) => (t: Tensor) => t.shape.join() === x.shape.join();

/** All layers that a network may have; one that does not fit the input is left out. */
export const layers = {
  conv(net, x, n) {
    const k = (n % 3) + 1;
    const [, channels, height, width] = x.shape;
    if (height < k || width < k) return null;
    return convolution(net, x, [[1, 3, 5, 16, 17, 33][n % 6], channels, k, k], 1, n);
  },
  grouped(net, x, n) {
    const [, channels, height, width] = x.shape;
    if (height < 2 || width < 2) return null;
    const groups = [2, 3, 1].find((g) => channels % g === 0) as number;
    return convolution(net, x, [groups * [1, 3, 5, 8][n % 4], channels / groups, 3, 3], groups, n);
  },
  depthwise(net, x, n) {
    const [, channels, height, width] = x.shape;
    return height < 2 || width < 2 ? null : convolution(net, x, [channels, 1, 3, 3], channels, n);
  },
  sharedWeight(net, x, _, other) {
    const used = usedWeight(net, x, other);
    return used === null ? null : F.conv2d(x, used.weight, null, { groups: used.groups });
  },
  weightNorm(net, x, _, other) {
    const used = usedWeight(net, x, other);
    if (used === null) return null;
    const [, perGroup] = used.weight.shape;
    const [scale, shift] = [net.parameter([perGroup], 0.1, 1), net.parameter([perGroup], 0.1)];
    const [weight] = ops.batchNormTrain({ epsilon: 1e-3 }, used.weight.value, scale.value, shift.value);
    return F.conv2d(x, new Tensor(weight), null, { groups: used.groups });
  },
  weightPenalty(net, x, n, other) {
    const used = net.convolutions[other % (net.convolutions.length || 1)];
    if (used === undefined) return null;
    const { weight } = used;
    return x.add(
      n % 2 === 0
        ? weight.square().mean()
        : F.tanh(weight)
            .sum({ axis: [1, 2, 3], keepdim: true })
            .mean(),
    );
  },
  linear(net, x, n) {
    const flat = x.flatten({ startAxis: 1 });
    const [batch, features] = flat.shape;
    const weight = net.parameter([features, 12], 1 / Math.sqrt(features));
    return F.linear(flat, weight, n % 2 === 0 ? null : net.parameter([12], 0.1)).reshape([batch, 3, 2, 2]);
  },
  norm(net, x) {
    const [batch, channels, height, width] = x.shape;
    if (batch * height * width < 4) return null;
    const [scale, shift] = [net.parameter([channels], 0.2, 1), net.parameter([channels], 0.2)];
    const [mean, variance] = [net.buffer([channels], 0), net.buffer([channels], 1)];
    const [y, m, v] = ops.batchNormTrain({ epsilon: 1e-3 }, x.value, scale.value, shift.value);
    mean.assign(ops.runningAverage(0.9, mean.value, m), y);
    variance.assign(ops.runningAverage(0.9, variance.value, v), y);
    net.statistics.push(new Tensor(m));
    return new Tensor(y);
  },
  normByBuffers(net, x) {
    const [, channels] = x.shape;
    const [scale, shift] = [net.parameter([channels], 0.2, 1), net.parameter([channels], 0.2)];
    const [mean, variance] = [net.buffer([channels], 0.1), net.buffer([channels], 0.8)];
    return new Tensor(ops.batchNorm({ epsilon: 1e-3 }, x.value, mean.value, variance.value, scale.value, shift.value));
  },
  relu: kinked(F.relu),
  relu6(net, x) {
    net.kinks.push(x, x.affine(1, -6));
    return F.relu6(x);
  },
  leakyRelu: kinked((x) => F.leakyRelu(x, 0.3)),
  sigmoid: elementwise(F.sigmoid),
  tanh: elementwise(F.tanh),
  exp: elementwise((x) => F.tanh(x).exp()),
  root: elementwise((x) => x.square().affine(1, 0.5).sqrt()),
  logarithm: elementwise((x) => x.square().affine(1, 0.5).log()),
  power: elementwise((x) => x.square().affine(1, 0.5).pow(1.5).affine(0.3, 0)),
  absolute: kinked((x) => x.abs()),
  clip(net, x) {
    net.kinks.push(x.affine(1, -1), x.affine(1, 1));
    return x.clip(-1, 1);
  },
  affine: elementwise((x) => x.affine(0.7, 0.3)),
  softmax: elementwise((x) => F.softmax(x, 1).affine(2, 0)),
  logSoftmax: elementwise((x) => F.logSoftmax(x, 1).affine(0.3, 0)),
  detach: elementwise((x) => x.detach().add(x)),
  dropout: (net, x) => F.dropout(x, { p: 0.3, generator: net.generator }),
  noDropout: (net, x) => F.dropout(x, { p: 0, generator: net.generator }),
  maxPool: pooled((x, size, options, _, net) => {
    net.pools.push({ x, size, ...options });
    return F.maxPool2d(x, size, options);
  }),
  avgPool: pooled((x, size, options, n) => F.avgPool2d(x, size, { ...options, exclusive: n % 5 > 2 })),
  adaptivePool: (_, x) => F.adaptiveAvgPool2d(x, [Math.min(x.shape[2], 2), Math.min(x.shape[3], 3)]),
  add: (net, x, _, other) => x.add(net.another(sameShape(x), other)),
  multiply(net, x, n, other) {
    const y = net.another(sameShape(x), other);
    return n % 2 === 0 ? x.mul(F.tanh(y)) : x.mul(y).affine(0.3, 0);
  },
  divide: (net, x, _, other) => x.div(net.another(sameShape(x), other).square().affine(1, 0.5)),
  choose(net, x, _, other) {
    const y = net.another(sameShape(x), other);
    net.kinks.push(x);
    return where(x.greater(0), F.tanh(y), x);
  },
  minimum(net, x, _, other) {
    const y = net.another(sameShape(x), other);
    if (y === x) return null;
    net.kinks.push(x.sub(y));
    return x.minimum(y);
  },
  product(net, x) {
    const [, , , width] = x.shape;
    return x.matmul(net.parameter([width, width], 1 / Math.sqrt(width)));
  },
  stack: (net, x, _, other) => stack([x, net.another(sameShape(x), other)], 2).flatten({ startAxis: 2, stopAxis: 3 }),
  maximum(net, x, _, other) {
    const y = net.another(sameShape(x), other);
    if (y === x) return null;
    net.kinks.push(x.sub(y));
    return x.maximum(y);
  },
  concat(net, x, _, other) {
    const fits = ({ shape }: Tensor) => shape.every((size, axis) => axis === 1 || size === x.shape[axis]);
    return concat([x, net.another(fits, other)], 1);
  },
  slice: (_, x, n) => x.slice([0, n % x.shape[1]], []),
  pad: (_, x, n) => x.pad([0, n % 2, 1, 0], [0, 0, 0, 1]),
  reshape(_, x, n) {
    const [batch, channels, height, width] = x.shape;
    if (n % 3 === 0) return x.flatten({ startAxis: 1 }).affine(0.5, 0.1).reshape(x.shape);
    if (n % 3 === 1) return F.tanh(x.reshape([batch * channels, 1, height, width])).reshape(x.shape);
    return F.tanh(x.flatten({ startAxis: 1 }))
      .reshape([batch, channels, width, height])
      .affine(1.5, 0)
      .reshape(x.shape);
  },
  transpose: (_, x) => x.transpose([0, 1, 3, 2]),
  perChannel(net, x, n) {
    const [, channels] = x.shape;
    if (n % 2 === 0) return net.parameter([channels, 1, 1], 0.2).add(x);
    return x.mul(net.parameter([1, channels, 1, 1], 0.2, 1));
  },
  centre: (_, x, n) => x.sub(x.mean({ axis: n % 2 === 0 ? [1] : [2, 3], keepdim: true })),
} satisfies Record<string, LayerRule>;
