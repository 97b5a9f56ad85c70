import type { Pair } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import type { BasicAssembler, Integer, Pointer, Vector } from '../../kernels/assembler.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { float, panelVectors } from '../../kernels/tile.js';
import { tileInputs, transformSquare, weightResultTransform, weightTransform } from '../../kernels/winograd.js';
import {
  transformedPlace,
  type WinogradConvolution,
  type WinogradExtras,
  winogradKernel,
  winogradShape,
} from '../../kernels/winogradConv.js';
import { winogradGradient } from '../../kernels/winogradGradient.js';
import type { Lanes } from './assembler.js';
import type { KernelCode } from './kernel.js';
import { taskCode } from './taskCode.js';

// The weights of these kernels are in blocks of as many channels as a vector has lanes, of both sides:
// `[outBlocks][inBlocks][3][3][lanes][lanes]`. The last axis is the one of the results: output channels for
// the convolution itself, input channels for the gradient of its input.

/** The weights of a convolution of 3×3, as one of its directions sees them. */
export interface BlockedWeights {
  readonly lanes: Lanes;
  /** Channels that the products add up, and channels of the results. */
  readonly inChannels: number;
  readonly outChannels: number;
  /** For the gradient of the input: blocks of its results are inside, the window is turned. */
  readonly turned: boolean;
}

const taps = 9;

/**
 * Calls `body` for each pair of vectors of weights, plain and transformed. A task is a block of both sides.
 *
 * @param panels whole panels; a block beyond them is a panel of one vector
 */
function overBlocks(
  to: BasicAssembler,
  { lanes, inChannels, outChannels, turned }: BlockedWeights,
  panels: number,
  [weights, transformed]: readonly Pointer[],
  [first, end]: readonly [Integer, Integer],
  body: (weights: Pointer, transformed: Pointer) => void,
): void {
  const [inBlocks, outBlocks] = [inChannels / lanes, outChannels / lanes];
  const vectorBytes = lanes * float;
  const blockBytes = taps * lanes * vectorBytes;
  to.range(first, end, (task) => {
    const [inBlock, outBlock] = [to.remainder(task, inBlocks), to.quotient(task, inBlocks)];
    const from = to.pointer(weights);
    to.advanceBy(from, outBlock, (turned ? 1 : inBlocks) * blockBytes);
    to.advanceBy(from, inBlock, (turned ? outBlocks : 1) * blockBytes);
    const panel = to.quotient(outBlock, panelVectors);
    const target = to.pointer(transformed);
    to.advanceBy(target, panel, inChannels * panelVectors * vectorBytes);
    const ofPanel = (vectors: number) => {
      to.advanceBy(target, inBlock, lanes * vectors * vectorBytes);
      if (vectors > 1) to.advanceBy(target, to.remainder(outBlock, panelVectors), vectorBytes);
      to.repeat(lanes, () => {
        body(from, target);
        to.advance(from, vectorBytes);
        to.advance(target, vectors * vectorBytes);
      });
    };
    to.ifLess(
      panel,
      panels,
      () => ofPanel(panelVectors),
      () => ofPanel(1),
    );
  });
}

/**
 * Transforms weights to `[36][panels][inChannels][panel]`.
 * Operands: weights, transformed weights.
 */
function blockedWinogradWeights(weights: BlockedWeights): TaskKernel<BasicAssembler> {
  const { lanes, inChannels, outChannels, turned } = weights;
  const panel = panelVectors * lanes;
  const place = transformedPlace(outChannels, inChannels) * float;
  return {
    tasks: (inChannels / lanes) * (outChannels / lanes),
    scratch: 0,
    emit: (to, operands, first, end) =>
      overBlocks(to, weights, Math.floor(outChannels / panel), operands, [first, end], (from, target) => {
        const load = (r: number, c: number) =>
          to.load(from, (turned ? taps - 1 - 3 * r - c : 3 * r + c) * lanes * lanes * float);
        transformSquare(to, weightTransform, load, (r, values) => {
          values.forEach((value, c) => {
            to.store(value, target, (r * tileInputs + c) * place);
          });
        });
      }),
  };
}

/**
 * The gradients of weights from those of the transformed ones, `[36][panels][inChannels][panel]`, whose last
 * panel is filled up.
 * Operands: gradients of weights, of transformed weights.
 */
function blockedWinogradResults(weights: Omit<BlockedWeights, 'turned'>): TaskKernel<BasicAssembler> {
  const { lanes, inChannels, outChannels } = weights;
  const pitch = gradientPitch(lanes, outChannels);
  const panels = pitch / (panelVectors * lanes);
  const place = transformedPlace(pitch, inChannels) * float;
  return {
    tasks: (inChannels / lanes) * (outChannels / lanes),
    scratch: 0,
    emit: (to, operands, first, end) =>
      overBlocks(to, { ...weights, turned: false }, panels, operands, [first, end], (target, from) => {
        const load = (r: number, c: number) => to.load(from, (r * tileInputs + c) * place);
        transformSquare(to, weightResultTransform, load, (r, values) => {
          values.forEach((value, c) => {
            to.store(value, target, (3 * r + c) * lanes * lanes * float);
          });
        });
      }),
  };
}

/** Vectors that are added to sums of their own. */
const sumsAtOnce = 4;

/**
 * The sums of each channel over all images and pixels, of features in planes of `lanes` channels.
 * Operands: features, sums. A task is one plane of all images.
 */
function planeSums(lanes: number, images: number, planes: number, pixels: number): TaskKernel<BasicAssembler> {
  return {
    tasks: planes,
    scratch: 0,
    emit: (to, [features, results], first, end) =>
      to.range(first, end, (task) => {
        const vectorBytes = lanes * float;
        const at = to.pointer(features);
        to.advanceBy(at, task, pixels * vectorBytes);
        const sums = Array.from({ length: sumsAtOnce }, () => to.zero());
        const add = (vectors: number) => {
          for (let i = 0; i < vectors; i++) to.applyTo(sums[i], 'add', sums[i], to.load(at, i * vectorBytes));
          to.advance(at, vectors * vectorBytes);
        };
        to.repeat(images, () => {
          to.repeat(Math.floor(pixels / sumsAtOnce), () => add(sumsAtOnce));
          add(pixels % sumsAtOnce);
          to.advance(at, (planes - 1) * pixels * vectorBytes);
        });
        const [a, b, c, d] = sums;
        const result = to.pointer(results);
        to.advanceBy(result, task, vectorBytes);
        to.store(to.apply('add', to.apply('add', a, b), to.apply('add', c, d)), result);
      }),
  };
}

type OfLanes<T> = T & { readonly lanes: Lanes };

/** A convolution of features in planes, with the zeros above its input and to the left of it. */
export const blockedShape = (lanes: Lanes, x: Shape, y: Shape, padding: Pair): OfLanes<WinogradConvolution> => ({
  ...winogradShape({ lanes, blocked: true }, x, y, padding),
  lanes,
});

/** Output channels of the gradients of transformed weights, with those that fill the last panel. */
export function gradientPitch(lanes: Lanes, outChannels: number): number {
  const panel = panelVectors * lanes;
  return Math.ceil(outChannels / panel) * panel;
}

/** Operands: input, transformed weights, bias and summand if there are any, output. */
export function convolutionCode(
  shape: OfLanes<WinogradConvolution>,
  extras: WinogradExtras,
  rectifies: boolean,
  threads: number,
): KernelCode {
  const rectify = (to: BasicAssembler, x: Vector) => to.apply('max', x, to.zero());
  const kernel = winogradKernel(shape, extras, threads, rectifies ? rectify : undefined);
  return taskCode(shape.lanes, kernel, 3 + Number(extras.bias) + Number(extras.summand), threads);
}

/** Operands: input, gradient of the output, gradients of the transformed weights. */
export const gradientCode = (shape: OfLanes<WinogradConvolution>, threads: number): KernelCode =>
  taskCode(shape.lanes, winogradGradient(shape, threads), 3, threads);

/** Operands: weights, transformed weights. */
export const weightsCode = (weights: OfLanes<BlockedWeights>, threads: number): KernelCode =>
  pairCode(weights.lanes, blockedWinogradWeights(weights), threads);

/** Operands: gradients of weights, and of transformed weights. */
export const resultsCode = (weights: OfLanes<Omit<BlockedWeights, 'turned'>>, threads: number): KernelCode =>
  pairCode(weights.lanes, blockedWinogradResults(weights), threads);

/** Operands: features, their sums. */
export const sumsCode = (lanes: Lanes, images: number, planes: number, pixels: number, threads: number): KernelCode =>
  pairCode(lanes, planeSums(lanes, images, planes, pixels), threads);

/** Code of a kernel that has one operand to read and one to write. */
const pairCode = (lanes: Lanes, kernel: TaskKernel<BasicAssembler>, threads: number): KernelCode =>
  taskCode(lanes, kernel, 2, threads);
