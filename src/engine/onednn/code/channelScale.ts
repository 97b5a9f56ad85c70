import type { MemoryDesc } from '../ffi.js';
import { codeLanes } from '../processor.js';
import type { Assembler } from './assembler.js';
import {
  bytesOf,
  type FeatureLayout,
  featureLayoutFor,
  loadFeatures,
  storeFeatures,
  vectorBytesOf,
  vectorsOf,
} from './featureLayout.js';
import { at } from './generalAssembler.js';
import { type KernelCode, kernelCode, loadOperand, scratch } from './kernel.js';
import { Registers } from './registers.js';

const float = 4;
/** Pixels of one vector of channels that the loop processes at once, so that an addition need not wait. */
const together = 4;

/** The layout of features whose channels the code can scale; `null` for others, and on other processors. */
export function scalableLayout(desc: MemoryDesc): FeatureLayout | null {
  const { dtype, shape } = desc;
  if ((dtype !== 'float32' && dtype !== 'bfloat16') || shape.length !== 4) return null;
  return featureLayoutFor(desc, codeLanes(dtype));
}

/** Bytes of an array with one float32 for each channel of each image, in the order of the features. */
export const factorBytes = ({ planes, channels }: FeatureLayout): number => planes * channels * float;

interface Loop {
  /** Operands with a feature for every pixel. */
  readonly features: readonly number[];
  /** Operands with a number for every channel of every image. */
  readonly factors: readonly number[];
  readonly begin: (to: Assembler, place: (operand: number, v: number) => ReturnType<typeof at>) => void;
  readonly pixel: (to: Assembler, place: (operand: number, v: number) => ReturnType<typeof at>, step: number) => void;
  readonly end?: (to: Assembler, place: (operand: number, v: number) => ReturnType<typeof at>) => void;
}

const stepsOf = (layout: FeatureLayout): number => (vectorsOf(layout) === 1 ? together : 1);

/** Code for the pixels of some vectors of channels after another, a task for each image and such vectors. */
function overChannels(layout: FeatureLayout, { features, factors, begin, pixel, end }: Loop): KernelCode {
  const { lanes, planes, rows, columns, channels } = layout;
  const vectors = vectorsOf(layout);
  const [count, ...pointers] = scratch;
  const pointerOf = new Map([...features, ...factors].map((operand, i) => [operand, pointers[i]]));
  const pointer = (operand: number) => pointerOf.get(operand) as (typeof pointers)[number];
  const perPixel = channels * bytesOf(layout);
  const pixels = rows * columns;
  const steps = stepsOf(layout);
  const [blocks, rest] = [Math.floor(pixels / steps), pixels % steps];
  return kernelCode(lanes, (to) => {
    const routine = to.label();
    to.bind(routine);
    for (const operand of features) loadOperand(to, pointer(operand), operand, 0);
    for (const operand of factors) loadOperand(to, pointer(operand), operand, 1);
    const ofFactor = (operand: number, v: number) => at(pointer(operand), v * lanes * float);
    const pixelAt = (step: number) => (operand: number, v: number) =>
      at(pointer(operand), step * perPixel + v * vectorBytesOf(layout));
    const advance = (by: number) => {
      for (const operand of features) to.addConstant(pointer(operand), by * perPixel);
    };
    begin(to, ofFactor);
    if (blocks > 0) {
      to.repeat(count, blocks, () => {
        for (let step = 0; step < steps; step++) pixel(to, pixelAt(step), step);
        advance(steps);
      });
    }
    for (let step = 0; step < rest; step++) pixel(to, pixelAt(step), step);
    end?.(to, ofFactor);
    to.ret();
    const groups = channels / (vectors * lanes);
    const tasks = Array.from({ length: planes * groups }, (_, i) => {
      const [plane, group] = [Math.floor(i / groups), i % groups];
      const channel = group * vectors * lanes;
      return {
        routine,
        numbers: [plane * pixels * perPixel + channel * bytesOf(layout), (plane * channels + channel) * float],
      };
    });
    return [tasks];
  });
}

const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** Operands: x, factors, y, and the summands of the channels if there are any. */
export function scaleForward(layout: FeatureLayout, adds: boolean): KernelCode {
  const [x, factors, y, summands] = [0, 1, 2, 3];
  const registers = new Registers(layout.lanes);
  const vectors = vectorsOf(layout);
  const [loaded, values] = [registers.vectors(vectors), registers.vectors(vectors)];
  const added = registers.vectors(adds ? vectors : 0);
  return overChannels(layout, {
    features: [x, y],
    factors: adds ? [factors, summands] : [factors],
    begin: (to, place) => {
      for (const v of upTo(vectors)) {
        to.vload(loaded[v], place(factors, v));
        if (adds) to.vload(added[v], place(summands, v));
      }
    },
    pixel: (to, place) => {
      for (const v of upTo(vectors)) {
        loadFeatures(to, layout, values[v], place(x, v));
        if (adds) to.v('mulAdd', values[v], loaded[v], added[v]);
        else to.v('mul', values[v], values[v], loaded[v]);
        storeFeatures(to, layout, place(y, v), values[v]);
      }
    },
  });
}

/** Operands: x, factors, dy, gradients of the factors, and dx unless it is not wanted. */
export function scaleBackward(layout: FeatureLayout, differentiates: boolean): KernelCode {
  const [x, factors, dy, dFactors, dx] = [0, 1, 2, 3, 4];
  const registers = new Registers(layout.lanes);
  const vectors = vectorsOf(layout);
  const steps = stepsOf(layout);
  const [loaded, sums] = [registers.vectors(vectors), registers.vectors(vectors * steps)];
  const [value, gradient] = registers.vectors(2);
  return overChannels(layout, {
    features: differentiates ? [x, dy, dx] : [x, dy],
    factors: [factors, dFactors],
    begin: (to, place) => {
      for (const v of upTo(vectors)) to.vload(loaded[v], place(factors, v));
      for (const sum of sums) to.vzero(sum);
    },
    pixel: (to, place, step) => {
      for (const v of upTo(vectors)) {
        loadFeatures(to, layout, value, place(x, v));
        loadFeatures(to, layout, gradient, place(dy, v));
        to.v('addMul', sums[step * vectors + v], value, gradient);
        if (!differentiates) continue;
        to.v('mul', gradient, gradient, loaded[v]);
        storeFeatures(to, layout, place(dx, v), gradient);
      }
    },
    end: (to, place) => {
      for (const v of upTo(vectors)) {
        for (let step = 1; step < steps; step++) to.v('add', sums[v], sums[v], sums[step * vectors + v]);
        to.vstore(place(dFactors, v), sums[v]);
      }
    },
  });
}
