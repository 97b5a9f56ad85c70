import type { Conv2dParams, Pair } from '../../graph/op.js';
import type { Shape } from '../../graph/shape.js';
import type { BasicAssembler, Integer, Pointer, Vector } from './assembler.js';
import { padRows } from './rows.js';
import type { TaskKernel } from './taskKernel.js';
import { addProducts, balanced, float, mostPixels, panelOf, panelVectors, spread } from './tile.js';
import {
  inputTransform,
  places,
  resultTransform,
  tileInputs,
  tileSize,
  transformSquare,
  weightTransform,
} from './winograd.js';

/** A convolution of 3×3 with stride 1, in either direction. */
export interface WinogradConvolution {
  /** Lanes of the target. */
  readonly lanes: number;
  /**
   * Whether features are in planes of `lanes` channels, `[N][channels/lanes][H][W][lanes]`. If not, their
   * channels are last.
   */
  readonly blocked: boolean;
  readonly images: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Height, width. */
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
  /** Zeros above the input, and to the left of it. */
  readonly padding: readonly [number, number];
}

/** Steps after the convolution itself. */
export interface WinogradExtras {
  readonly bias: boolean;
  readonly summand: boolean;
}

/** A convolution between two shapes of features, with the zeros above its input and to the left of it. */
export function winogradShape(
  kind: Pick<WinogradConvolution, 'lanes' | 'blocked'>,
  x: Shape,
  y: Shape,
  padding: Pair,
): WinogradConvolution {
  const [images, inChannels, ...input] = x;
  const [, outChannels, ...output] = y;
  const sizes = { input: input as unknown as Pair, output: output as unknown as Pair };
  return { ...kind, images, inChannels, outChannels, ...sizes, padding };
}

/** Whether the kernels compute a convolution with such weights, forward and both gradients. */
export function takesConvolution(weight: Shape, { stride, dilation, padding, groups }: Conv2dParams): boolean {
  return (
    [weight[2], weight[3]].every((size) => size === 3) &&
    [groups, ...stride, ...dilation].every((n) => n === 1) &&
    padding.every((n) => n <= 2)
  );
}

/** Tiles of 4×4 results: rows of tiles of all images, and tiles of a row. */
export function tilesOf({ images, output }: Pick<WinogradConvolution, 'images' | 'output'>): readonly [number, number] {
  const [rows, columns] = output.map((size) => Math.ceil(size / tileSize));
  return [images * rows, columns];
}

/** Bytes of transformed features of a task, and the fewest tiles for which weights are worth loading. */
const bytesPerTask = 1536 * 1024;
const leastTiles = 64;

/** The planes of an image, and the channels of a pixel that are side by side in each. */
export interface Planes {
  readonly count: number;
  readonly channels: number;
}

export function planesOf({ blocked, lanes }: Pick<WinogradConvolution, 'blocked' | 'lanes'>, channels: number): Planes {
  return blocked ? { count: channels / lanes, channels: lanes } : { count: 1, channels };
}

/** A pointer to a vector of channels, and the bytes from plane to plane. */
export interface Moved {
  readonly pointer: Pointer;
  readonly plane: number;
}

/** Calls `body` for all vectors of channels of a pixel; `moved` are pointers that go along. */
export function overVectors(
  to: BasicAssembler,
  planes: Planes,
  moved: readonly Moved[],
  body: (moved: readonly Pointer[], lanes: number) => void,
): void {
  const { lanes } = to;
  const whole = Math.floor(planes.channels / lanes);
  to.scope(() => {
    const pointers = moved.map(({ pointer }) => to.pointer(pointer));
    to.repeat(planes.count, () => {
      to.repeat(whole, () => {
        body(pointers, lanes);
        for (const pointer of pointers) to.advance(pointer, lanes * float);
      });
      if (planes.channels % lanes > 0) to.scope(() => body(pointers, planes.channels % lanes));
      if (planes.count === 1) return;
      moved.forEach(({ plane }, i) => {
        to.advance(pointers[i], plane - whole * lanes * float);
      });
    });
  });
}

/** Channels from tile to tile of products: whole panels, or whole vectors of them if features are blocked. */
function outPitchOf({ blocked, lanes, outChannels }: WinogradConvolution): number {
  const panel = panelVectors * lanes;
  return blocked ? outChannels : Math.ceil(outChannels / panel) * panel;
}

/**
 * Operands: input, transformed weights, bias if there is one, summand if there is one, output, working
 * memory. A task is some rows of tiles: their transforms, a product of matrices for each of the 36 places,
 * and the way back.
 *
 * @param activate the activation of results
 */
export function winogradKernel<T extends BasicAssembler>(
  shape: WinogradConvolution,
  extras: WinogradExtras,
  threads: number,
  activate?: Activate<T>,
): TaskKernel<T> {
  const { images, inChannels, outChannels, input, output, padding } = shape;
  const [rows, columns] = tilesOf(shape);
  const perImage = rows / images;
  const outPitch = outPitchOf(shape);
  const fitting = Math.floor(bytesPerTask / (places * (inChannels + outPitch) * float));
  const wanted = Math.ceil(rows / Math.max(1, Math.ceil(Math.max(leastTiles, fitting) / columns)));
  const rowsPerTask = Math.ceil(rows / Math.min(rows, Math.ceil(wanted / threads) * threads));
  const tiles = rowsPerTask * columns;
  const width = columns * tileSize + tileInputs - tileSize;
  const stripe = tileInputs * width * inChannels * float;
  const [inPlace, outPlace] = [tiles * inChannels, tiles * outPitch].map((numbers) => spread(numbers) * float);
  const [inPlanes, outPlanes] = [inChannels, outChannels].map((channels) => planesOf(shape, channels));
  const inPixel = inPlanes.channels * float;
  const outPixel = outPlanes.channels * float;
  const outPlane = output[0] * output[1] * outPixel;

  const emit: TaskKernel<T>['emit'] = (to, operands, firstTask, endTask) => {
    const list = [...operands];
    const [x, weights] = list.splice(0, 2);
    const bias = extras.bias ? (list.shift() as Pointer) : null;
    const summand = extras.summand ? (list.shift() as Pointer) : null;
    const [y, scratch] = list;
    const transformed = to.pointer(scratch, stripe);
    const products = to.pointer(transformed, places * inPlace);
    to.range(firstTask, endTask, (task) => {
      const first = to.times(task, rowsPerTask);
      const end = to.least(to.plus(first, rowsPerTask), rows);
      const eachRow = (body: (image: Integer, row: Integer) => void) =>
        to.range(first, end, (place) => body(to.quotient(place, perImage), to.remainder(place, perImage)));

      const target = to.pointer(transformed);
      eachRow((image, row) => {
        const source = to.pointer(x);
        to.advanceBy(source, image, input[0] * input[1] * inChannels * float);
        const top = to.plus(to.times(row, tileSize), -padding[0]);
        const plane = to.pointer(scratch);
        to.repeat(inPlanes.count, () => {
          padRows(to, plane, source, top, {
            rows: tileInputs,
            height: input[0],
            before: padding[1] * inPlanes.channels,
            row: input[1] * inPlanes.channels,
            after: (width - padding[1] - input[1]) * inPlanes.channels,
          });
          to.advance(plane, tileInputs * width * inPixel);
          to.advance(source, input[0] * input[1] * inPixel);
        });
        const at = to.pointer(scratch);
        to.repeat(columns, () => {
          const moved = [
            { pointer: at, plane: tileInputs * width * inPixel },
            { pointer: target, plane: inPixel },
          ];
          overVectors(to, inPlanes, moved, ([from, result], lanes) => {
            const load = (r: number, c: number) => to.loadPart(from, (r * width + c) * inPixel, lanes);
            transformSquare(to, inputTransform, load, (r, values) => {
              values.forEach((value, c) => {
                to.storePart(value, result, (r * tileInputs + c) * inPlace, lanes);
              });
            });
          });
          to.advance(at, tileSize * inPixel);
          to.advance(target, inChannels * float);
        });
      });
      multiply(to, [transformed, weights, products], { tiles, inChannels, outPitch, inPlace, outPlace });
      const from = to.pointer(products);
      eachRow((image, row) => {
        const moved = [y, summand].map((pointer) => {
          if (pointer === null) return null;
          const place = to.pointer(pointer);
          to.advanceBy(place, image, outPlanes.count * outPlane);
          to.advanceBy(place, row, tileSize * output[1] * outPixel);
          return place;
        });
        const firstRow = to.times(row, tileSize);
        const part = (times: number, size: number) =>
          to.repeat(times, () => {
            const pointers = [
              { pointer: from, plane: outPixel },
              ...moved.filter((pointer) => pointer !== null).map((pointer) => ({ pointer, plane: outPlane })),
              ...(bias === null ? [] : [{ pointer: bias, plane: outPixel }]),
            ];
            overVectors(to, outPlanes, pointers, ([products, result, ...others], lanes) => {
              const added = summand === null ? null : (others.shift() as Pointer);
              const [offsets] = others;
              const tile = { outPlace, outPixel, output, size, lanes, firstRow };
              results(to, tile, { products, result, added, offsets }, activate);
            });
            to.advance(from, outPitch * float);
            for (const pointer of moved) if (pointer !== null) to.advance(pointer, tileSize * outPixel);
          });
        const rest = output[1] % tileSize;
        part(rest === 0 ? columns : columns - 1, tileSize);
        if (rest > 0) part(1, rest);
      });
    });
  };
  return {
    emit,
    tasks: Math.ceil(rows / rowsPerTask),
    scratch: stripe + places * (inPlace + outPlace),
  };
}

interface Product {
  readonly tiles: number;
  readonly inChannels: number;
  /** Numbers from tile to tile of the products. */
  readonly outPitch: number;
  /** Bytes from place to place. */
  readonly inPlace: number;
  readonly outPlace: number;
}

/** The products `[tiles, inChannels] · [inChannels, panel]` for all places and panels. */
function multiply(
  to: BasicAssembler,
  [features, weights, products]: readonly Pointer[],
  { tiles, inChannels, outPitch, inPlace, outPlace }: Product,
): void {
  const panel = panelOf(to);
  const vectorBytes = to.lanes * float;
  to.scope(() => {
    const [x, w, y] = [to.pointer(features), to.pointer(weights), to.pointer(products)];
    to.repeat(places, () => {
      const column = to.pointer(y);
      const inPanels = (times: number, vectors: number) =>
        to.repeat(times, () => {
          const [from, target] = [to.pointer(x), to.pointer(column)];
          for (const { size, times } of balanced(tiles, mostPixels(to))) {
            to.repeat(times, () => {
              const sums = Array.from({ length: size }, () => Array.from({ length: vectors }, () => to.zero()));
              const loop = { loops: [], run: inChannels, pixelBytes: inChannels * float, vectors };
              addProducts(to, sums, from, w, loop);
              sums.forEach((ofTile, tile) => {
                ofTile.forEach((sum, v) => {
                  to.store(sum, target, tile * outPitch * float + v * vectorBytes);
                });
              });
              to.advance(from, size * inChannels * float);
              to.advance(target, size * outPitch * float);
            });
          }
          to.advance(w, inChannels * vectors * vectorBytes);
          to.advance(column, vectors * vectorBytes);
        });
      inPanels(Math.floor(outPitch / panel), panelVectors);
      if (outPitch % panel > 0) inPanels(1, 1);
      to.advance(w, (transformedPlace(outPitch, inChannels) - outPitch * inChannels) * float);
      to.advance(x, inPlace);
      to.advance(y, outPlace);
    });
  });
}

/** An activation of every lane. */
export type Activate<T extends BasicAssembler> = (to: T, x: Vector) => Vector;

interface ResultTile {
  /** Bytes from the products of one place to those of the next one. */
  readonly outPlace: number;
  /** Bytes from pixel to pixel of the output. */
  readonly outPixel: number;
  readonly output: readonly [number, number];
  /** Columns of the tile that are inside of the output. */
  readonly size: number;
  readonly lanes: number;
  readonly firstRow: Integer;
}

interface ResultPointers {
  readonly products: Pointer;
  readonly result: Pointer;
  readonly added: Pointer | null;
  readonly offsets: Pointer | undefined;
}

/** The results of one tile, for one vector of channels. */
function results<T extends BasicAssembler>(
  to: T,
  { outPlace, outPixel, output, size, lanes, firstRow }: ResultTile,
  { products, result, added, offsets }: ResultPointers,
  activate: Activate<T> | undefined,
): void {
  const bias = offsets === undefined ? null : to.loadPart(offsets, 0, lanes);
  const load = (r: number, c: number) => to.loadPart(products, (r * tileInputs + c) * outPlace, lanes);
  transformSquare(to, resultTransform, load, (r, values) => {
    const store = () =>
      values.slice(0, size).forEach((value, c) => {
        const bytes = (r * output[1] + c) * outPixel;
        if (bias !== null) to.applyTo(value, 'add', value, bias);
        if (added !== null) to.applyTo(value, 'add', value, to.loadPart(added, bytes, lanes));
        to.storePart(activate === undefined ? value : activate(to, value), result, bytes, lanes);
      });
    if (output[0] % tileSize === 0) store();
    else to.ifLess(to.plus(firstRow, r), output[0], store);
  });
}

/**
 * Numbers from place to place of transformed weights.
 *
 * @param outPitch output channels, with those that fill the last panel
 */
export const transformedPlace = (outPitch: number, inChannels: number): number => spread(outPitch * inChannels);

/**
 * Transforms weights of 3×3 from panels `[panels][3][3][channels][panel]` to `[36][panels][channels][panel]`,
 * where places are {@link transformedPlace} numbers apart.
 * Operands: weights, transformed weights. A task is one panel.
 *
 * @param turned whether the window is turned around, as for the gradient of the input
 */
export function winogradWeights(panels: number, channels: number, turned: boolean): TaskKernel<BasicAssembler> {
  return {
    tasks: panels,
    scratch: 0,
    emit: (to, [weights, transformed], first, end) => {
      const vectorBytes = to.lanes * float;
      const tapBytes = channels * panelVectors * vectorBytes;
      const placeBytes = transformedPlace(panels * panelOf(to), channels) * float;
      to.range(first, end, (task) => {
        const [from, target] = [to.pointer(weights), to.pointer(transformed)];
        to.advanceBy(from, task, 9 * tapBytes);
        to.advanceBy(target, task, tapBytes);
        to.repeat(channels * panelVectors, () => {
          const load = (r: number, c: number) => to.load(from, (turned ? 8 - 3 * r - c : 3 * r + c) * tapBytes);
          transformSquare(to, weightTransform, load, (r, values) => {
            values.forEach((value, c) => {
              to.store(value, target, (r * tileInputs + c) * placeBytes);
            });
          });
          to.advance(from, vectorBytes);
          to.advance(target, vectorBytes);
        });
      });
    },
  };
}
