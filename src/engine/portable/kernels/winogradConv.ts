import type { Activation } from '../../../graph/op.js';
import type { Assembler, Integer, Pointer } from '../assembler.js';
import { activate } from './activation.js';
import { padRows, type TaskKernel } from './conv.js';
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

/** A convolution of 3×3 with stride 1, in either direction, of features with their channels last. */
export interface WinogradConvolution {
  readonly images: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Height, width. */
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
  /** Zeros above the input, and to the left of it. */
  readonly padding: readonly [number, number];
  readonly bias: boolean;
  readonly summand: boolean;
  readonly activation?: Activation | undefined;
}

/** Tiles of 4×4 results: rows of tiles of all images, and tiles of a row. */
export function tilesOf({ images, output }: Pick<WinogradConvolution, 'images' | 'output'>): readonly [number, number] {
  const [rows, columns] = output.map((size) => Math.ceil(size / tileSize));
  return [images * rows, columns];
}

/** Bytes of transformed features of a task, and the fewest tiles for which weights are worth loading. */
const bytesPerTask = 1536 * 1024;
const leastTiles = 64;

/** Calls `body` for vectors of channels; `moved` are pointers that go along. */
export function overVectors(
  to: Assembler,
  channels: number,
  moved: readonly Pointer[],
  body: (moved: readonly Pointer[], lanes: number) => void,
): void {
  to.scope(() => {
    const pointers = moved.map((pointer) => to.pointer(pointer));
    to.repeat(Math.floor(channels / to.lanes), () => {
      body(pointers, to.lanes);
      for (const pointer of pointers) to.advance(pointer, to.lanes * float);
    });
    if (channels % to.lanes > 0) to.scope(() => body(pointers, channels % to.lanes));
  });
}

/**
 * Operands: input, transformed weights, bias if there is one, summand if there is one, output, working
 * memory. A task is some rows of tiles: their transforms, a product of matrices for each of the 36 places,
 * and the way back.
 */
export function winogradKernel(shape: WinogradConvolution, threads: number): TaskKernel {
  const { images, inChannels, outChannels, input, output, padding } = shape;
  const [rows, columns] = tilesOf(shape);
  const perImage = rows / images;
  const panel = panelVectors * 4;
  const outPitch = Math.ceil(outChannels / panel) * panel;
  const fitting = Math.floor(bytesPerTask / (places * (inChannels + outPitch) * float));
  const wanted = Math.ceil(rows / Math.max(1, Math.ceil(Math.max(leastTiles, fitting) / columns)));
  const rowsPerTask = Math.ceil(rows / Math.min(rows, Math.ceil(wanted / threads) * threads));
  const tiles = rowsPerTask * columns;
  const width = columns * tileSize + tileInputs - tileSize;
  const stripe = tileInputs * width * inChannels * float;
  const [inPlace, outPlace] = [tiles * inChannels, tiles * outPitch].map((numbers) => spread(numbers) * float);

  const emit: TaskKernel['emit'] = (to, operands, firstTask, endTask) => {
    const list = [...operands];
    const [x, weights] = list.splice(0, 2);
    const bias = shape.bias ? (list.shift() as Pointer) : null;
    const summand = shape.summand ? (list.shift() as Pointer) : null;
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
        padRows(to, scratch, source, to.plus(to.times(row, tileSize), -padding[0]), {
          rows: tileInputs,
          height: input[0],
          before: padding[1] * inChannels,
          row: input[1] * inChannels,
          after: (width - padding[1] - input[1]) * inChannels,
        });
        const at = to.pointer(scratch);
        to.repeat(columns, () => {
          overVectors(to, inChannels, [at, target], ([from, result], lanes) => {
            const load = (r: number, c: number) => to.loadPart(from, (r * width + c) * inChannels * float, lanes);
            transformSquare(to, inputTransform, load, (r, values) => {
              values.forEach((value, c) => {
                to.storePart(value, result, (r * tileInputs + c) * inPlace, lanes);
              });
            });
          });
          to.advance(at, tileSize * inChannels * float);
          to.advance(target, inChannels * float);
        });
      });
      multiply(to, [transformed, weights, products], { tiles, inChannels, outPitch, inPlace, outPlace });
      const from = to.pointer(products);
      eachRow((image, row) => {
        const moved = [y, summand].map((pointer) => {
          if (pointer === null) return null;
          const place = to.pointer(pointer);
          to.advanceBy(place, image, output[0] * output[1] * outChannels * float);
          to.advanceBy(place, row, tileSize * output[1] * outChannels * float);
          return place;
        });
        const firstRow = to.times(row, tileSize);
        const part = (times: number, size: number) =>
          to.repeat(times, () => {
            const pointers = [from, ...[...moved, bias].filter((pointer) => pointer !== null)];
            overVectors(to, outChannels, pointers, ([products, result, ...others], lanes) => {
              const added = summand === null ? null : (others.shift() as Pointer);
              const [offsets] = others;
              results(to, shape, { outPlace, size, lanes, firstRow }, { products, result, added, offsets });
            });
            to.advance(from, outPitch * float);
            for (const pointer of moved) if (pointer !== null) to.advance(pointer, tileSize * outChannels * float);
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
  to: Assembler,
  [features, weights, products]: readonly Pointer[],
  { tiles, inChannels, outPitch, inPlace, outPlace }: Product,
): void {
  const panel = panelOf(to);
  const vectorBytes = to.lanes * float;
  to.scope(() => {
    const [x, w, y] = [to.pointer(features), to.pointer(weights), to.pointer(products)];
    to.repeat(places, () => {
      const column = to.pointer(y);
      to.repeat(outPitch / panel, () => {
        const [from, target] = [to.pointer(x), to.pointer(column)];
        for (const { size, times } of balanced(tiles, mostPixels(to))) {
          to.repeat(times, () => {
            const sums = Array.from({ length: size }, () => Array.from({ length: panelVectors }, () => to.zero()));
            addProducts(to, sums, from, w, { loops: [], run: inChannels, pixelBytes: inChannels * float });
            sums.forEach((ofTile, tile) => {
              ofTile.forEach((sum, v) => {
                to.store(sum, target, tile * outPitch * float + v * vectorBytes);
              });
            });
            to.advance(from, size * inChannels * float);
            to.advance(target, size * outPitch * float);
          });
        }
        to.advance(w, inChannels * panel * float);
        to.advance(column, panel * float);
      });
      to.advance(w, (spread(outPitch * inChannels) - outPitch * inChannels) * float);
      to.advance(x, inPlace);
      to.advance(y, outPlace);
    });
  });
}

interface ResultTile {
  /** Bytes from the products of one place to those of the next one. */
  readonly outPlace: number;
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
function results(
  to: Assembler,
  { output, outChannels, activation }: WinogradConvolution,
  { outPlace, size, lanes, firstRow }: ResultTile,
  { products, result, added, offsets }: ResultPointers,
): void {
  const bias = offsets === undefined ? null : to.loadPart(offsets, 0, lanes);
  const load = (r: number, c: number) => to.loadPart(products, (r * tileInputs + c) * outPlace, lanes);
  transformSquare(to, resultTransform, load, (r, values) => {
    const store = () =>
      values.slice(0, size).forEach((value, c) => {
        const bytes = (r * output[1] + c) * outChannels * float;
        if (bias !== null) to.applyTo(value, 'add', value, bias);
        if (added !== null) to.applyTo(value, 'add', value, to.loadPart(added, bytes, lanes));
        to.storePart(activation === undefined ? value : activate(to, activation, value), result, bytes, lanes);
      });
    if (output[0] % tileSize === 0) store();
    else to.ifLess(to.plus(firstRow, r), output[0], store);
  });
}

/** Numbers from place to place of transformed weights. */
export const transformedPlace = (panels: number, channels: number): number =>
  spread(panels * channels * panelOf({ lanes: 4 }));

/**
 * Transforms weights of 3×3 from panels `[panels][3][3][channels][panel]` to `[36][panels][channels][panel]`,
 * where places are {@link transformedPlace} numbers apart.
 * Operands: weights, transformed weights. A task is one panel.
 *
 * @param turned whether the window is turned around, as for the gradient of the input
 */
export function winogradWeights(panels: number, channels: number, turned: boolean): TaskKernel {
  return {
    tasks: panels,
    scratch: 0,
    emit: (to, [weights, transformed], first, end) => {
      const vectorBytes = to.lanes * float;
      const tapBytes = channels * panelVectors * vectorBytes;
      const placeBytes = transformedPlace(panels, channels) * float;
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
