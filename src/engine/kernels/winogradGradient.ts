import type { BasicAssembler, Integer, Pointer } from './assembler.js';
import { clearRow, padRows } from './rows.js';
import type { TaskKernel } from './taskKernel.js';
import { balanced, float, mostPixels, panelOf, panelVectors, spread } from './tile.js';
import {
  gradientTransform,
  inputTransform,
  type SquareTransform,
  tileInputs,
  tileSize,
  transformRowOf,
  transformSquare,
  weightResultTransform,
} from './winograd.js';
import {
  overVectors,
  type Planes,
  planesOf,
  tilesOf,
  transformedPlace,
  type WinogradConvolution,
} from './winogradConv.js';

/** Tiles whose products a sum in a register takes, at least, so that loading and storing it costs little. */
const leastTiles = 64;

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/**
 * The gradients of the transformed weights `[36][panels][inChannels][panel]`, for a convolution of 3×3 with
 * stride 1. Operands: input, gradient of the output, result, working memory. A task is one row of the 36
 * places, for a share of the panels of output channels.
 */
export function winogradGradient(shape: WinogradConvolution, threads: number): TaskKernel<BasicAssembler> {
  const { lanes, images, inChannels, outChannels, input, output, padding } = shape;
  const [rows, columns] = tilesOf(shape);
  const perImage = rows / images;
  const panels = Math.ceil(outChannels / (panelVectors * lanes));
  // Six rows of places are shared by as many threads as divide their number.
  const shares = Math.min(panels, threads / divisor(threads, tileInputs));
  const perShare = Math.ceil(panels / shares);
  const rowsPerBlock = Math.min(rows, Math.ceil(leastTiles / columns));
  const tiles = rowsPerBlock * columns;
  const width = columns * tileSize + tileInputs - tileSize;
  const stripe = tileInputs * width * inChannels * float;
  const gradientStripe = tileSize * columns * tileSize * outChannels * float;
  const [inPitch, pitch] = [spread(inChannels), spread(panels * panelVectors * lanes)];
  const [inPlace, outPlace] = [inPitch, pitch].map((numbers) => spread(tiles * numbers) * float);

  const [inPlanes, outPlanes] = [inChannels, outChannels].map((channels) => planesOf(shape, channels));

  const emit: TaskKernel<BasicAssembler>['emit'] = (to, [x, dy, result, scratch], firstTask, endTask) => {
    const panelBytes = panelOf(to) * float;
    const placeBytes = transformedPlace(panels * panelOf(to), inChannels) * float;
    const shareBytes = perShare * inChannels * panelBytes;
    const stripes = to.pointer(scratch);
    const gradientStripes = to.pointer(stripes, rowsPerBlock * stripe);
    const transformed = to.pointer(gradientStripes, rowsPerBlock * gradientStripe);
    const gradients = to.pointer(transformed, tileInputs * inPlace);
    // The last vectors of gradients have no channels behind them in part; what is there must be finite.
    to.scope(() => clearRow(to, gradients, (tileInputs * outPlace) / float));

    const atTask = (task: Integer) => {
      const target = to.pointer(result);
      to.advanceBy(target, to.quotient(task, shares), tileInputs * placeBytes);
      to.advanceBy(target, to.remainder(task, shares), shareBytes);
      return target;
    };
    /** Calls `body` for the panels of a task, of which the last share may have fewer. */
    const overPanels = (task: Integer, body: (panel: Integer) => void) => {
      const first = to.times(to.remainder(task, shares), perShare);
      to.range(first, to.least(to.plus(first, perShare), panels), (panel) => body(panel));
    };
    to.range(firstTask, endTask, (task) => {
      const at = atTask(task);
      to.repeat(tileInputs, () => {
        const place = to.pointer(at);
        overPanels(task, () => {
          clearRow(to, place, (inChannels * panelBytes) / float);
          to.advance(place, inChannels * panelBytes);
        });
        to.advance(at, placeBytes);
      });
    });
    to.repeat(Math.ceil(rows / rowsPerBlock), (block) => {
      const first = to.times(block, rowsPerBlock);
      const [toStripe, toGradient] = [to.pointer(stripes), to.pointer(gradientStripes)];
      to.range(first, to.plus(first, rowsPerBlock), (place) => {
        const [image, row] = [to.quotient(place, perImage), to.remainder(place, perImage)];
        const copy = (
          target: Pointer,
          from: Pointer,
          planes: Planes,
          size: readonly [number, number],
          isInput: boolean,
        ) => {
          const { count, channels } = planes;
          const [at, source] = [to.pointer(target), to.pointer(from)];
          to.advanceBy(source, image, size[0] * size[1] * channels * count * float);
          const before = isInput ? padding[1] : 0;
          // Rows beyond the last image are zeros.
          const start = to.plus(to.times(row, tileSize), isInput ? -padding[0] : 0);
          const copied = isInput ? tileInputs : tileSize;
          const pixels = isInput ? width : columns * tileSize;
          to.repeat(count, () => {
            padRows(to, at, source, start, {
              rows: copied,
              height: size[0],
              before: before * channels,
              row: size[1] * channels,
              after: (pixels - before - size[1]) * channels,
            });
            to.advance(at, copied * pixels * channels * float);
            to.advance(source, size[0] * size[1] * channels * float);
          });
        };
        to.ifLess(
          place,
          rows,
          () => {
            copy(toStripe, x, inPlanes, input, true);
            copy(toGradient, dy, outPlanes, output, false);
          },
          () => {
            clearRow(to, toStripe, stripe / float);
            clearRow(to, toGradient, gradientStripe / float);
          },
        );
        to.advance(toStripe, stripe);
        to.advance(toGradient, gradientStripe);
      });
      to.range(firstTask, endTask, (task) => {
        const row = to.quotient(task, shares);
        const sides = [
          {
            transform: inputTransform,
            from: stripes,
            into: transformed,
            planes: inPlanes,
            width,
            pitch: inPitch,
          },
          {
            transform: gradientTransform,
            from: gradientStripes,
            into: gradients,
            planes: outPlanes,
            width: columns * tileSize,
            pitch,
          },
        ];
        for (const side of sides) transformRow(to, row, side, { rowsPerBlock, columns });
        const at = atTask(task);
        const [px, pdy] = [to.pointer(transformed), to.pointer(gradients)];
        to.repeat(tileInputs, () => {
          const place = to.pointer(at);
          overPanels(task, (panel) => {
            const column = to.pointer(pdy);
            to.advanceBy(column, panel, panelBytes);
            const from = to.pointer(px);
            for (const { size, times } of balanced(inChannels, mostPixels(to))) {
              to.repeat(times, () => {
                addOuterProducts(to, [from, column, place], {
                  inputs: size,
                  tiles,
                  inBytes: inPitch * float,
                  outBytes: pitch * float,
                });
                to.advance(from, size * float);
                to.advance(place, size * panelBytes);
              });
            }
          });
          to.advance(at, placeBytes);
          to.advance(px, inPlace);
          to.advance(pdy, outPlace);
        });
      });
    });
  };
  return {
    emit,
    tasks: tileInputs * shares,
    scratch: rowsPerBlock * (stripe + gradientStripe) + tileInputs * (inPlace + outPlace),
    preparesMuch: true,
  };
}

interface Side {
  readonly transform: SquareTransform;
  readonly from: Pointer;
  readonly into: Pointer;
  readonly planes: Planes;
  /** Pixels of a row. */
  readonly width: number;
  /** Numbers from one tile to the next one, in the transformed features. */
  readonly pitch: number;
}

/** One row of the transforms of all tiles of a block, for six places. */
function transformRow(
  to: BasicAssembler,
  row: Integer,
  { transform, from, into, planes, width, pitch }: Side,
  { rowsPerBlock, columns }: { readonly rowsPerBlock: number; readonly columns: number },
): void {
  const place = spread(rowsPerBlock * columns * pitch) * float;
  const pixel = planes.channels * float;
  const ofRow = (r: number) => {
    const [stripe, target] = [to.pointer(from), to.pointer(into)];
    to.repeat(rowsPerBlock, () => {
      const at = to.pointer(stripe);
      to.repeat(columns, () => {
        const moved = [
          { pointer: at, plane: transform.size * width * pixel },
          { pointer: target, plane: pixel },
        ];
        overVectors(to, planes, moved, ([source, result], lanes) => {
          const load = (i: number, c: number) => to.loadPart(source, (i * width + c) * pixel, lanes);
          transformRowOf(to, transform, r, load).forEach((value, c) => {
            to.storePart(value, result, c * place, lanes);
          });
        });
        to.advance(at, tileSize * pixel);
        to.advance(target, pitch * float);
      });
      to.advance(stripe, transform.size * width * pixel * planes.count);
    });
  };
  const choose = (r: number): void => {
    if (r === tileInputs - 1) to.scope(() => ofRow(r));
    else
      to.ifLess(
        row,
        r + 1,
        () => ofRow(r),
        () => choose(r + 1),
      );
  };
  choose(0);
}

interface OuterProducts {
  readonly inputs: number;
  readonly tiles: number;
  /** Bytes from tile to tile. */
  readonly inBytes: number;
  readonly outBytes: number;
}

/** Steps of the loop that are written out. */
const unrolled = 4;

/** Adds, for some inputs and a panel of outputs, the products of all tiles. */
function addOuterProducts(
  to: BasicAssembler,
  [x, dy, result]: readonly Pointer[],
  { inputs, tiles, inBytes, outBytes }: OuterProducts,
): void {
  const vectorBytes = to.lanes * float;
  const indices = Array.from({ length: panelVectors }, (_, v) => v);
  const sums = Array.from({ length: inputs }, () => indices.map(() => to.zero()));
  const step = (px: Pointer, pdy: Pointer, tile: number) =>
    to.scope(() => {
      const gradients = indices.map((v) => to.load(pdy, tile * outBytes + v * vectorBytes));
      sums.forEach((ofInput, i) => {
        to.scope(() => {
          const value = to.broadcast(px, tile * inBytes + i * float);
          ofInput.forEach((sum, v) => {
            to.addProduct(sum, value, gradients[v]);
          });
        });
      });
    });
  const [px, pdy] = [to.pointer(x), to.pointer(dy)];
  const unroll = to.keepsOrder ? unrolled : 1;
  to.repeat(Math.floor(tiles / unroll), () => {
    for (let tile = 0; tile < unroll; tile++) step(px, pdy, tile);
    to.advance(px, unroll * inBytes);
    to.advance(pdy, unroll * outBytes);
  });
  for (let tile = 0; tile < tiles % unroll; tile++) step(px, pdy, tile);
  sums.forEach((ofInput, i) => {
    ofInput.forEach((sum, v) => {
      to.scope(() => {
        const bytes = (i * panelVectors + v) * vectorBytes;
        to.store(to.apply('add', sum, to.load(result, bytes)), result, bytes);
      });
    });
  });
}

/**
 * The gradients of weights, in panels `[panels][3][3][channels][panel]`, from those of the transformed
 * weights.
 * Operands: gradients `[36][panels][channels][panel]`, result. A task is one panel.
 */
export function winogradWeightResults(panels: number, channels: number): TaskKernel<BasicAssembler> {
  return {
    tasks: panels,
    scratch: 0,
    emit: (to, [gradients, result], first, end) => {
      const vectorBytes = to.lanes * float;
      const tapBytes = channels * panelVectors * vectorBytes;
      const placeBytes = transformedPlace(panels * panelOf(to), channels) * float;
      to.range(first, end, (task) => {
        const [from, target] = [to.pointer(gradients), to.pointer(result)];
        to.advanceBy(from, task, tapBytes);
        to.advanceBy(target, task, 9 * tapBytes);
        to.repeat(channels * panelVectors, () => {
          const load = (r: number, c: number) => to.load(from, (r * tileInputs + c) * placeBytes);
          transformSquare(to, weightResultTransform, load, (r, values) => {
            values.forEach((value, c) => {
              to.store(value, target, (3 * r + c) * tapBytes);
            });
          });
          to.advance(from, vectorBytes);
          to.advance(target, vectorBytes);
        });
      });
    },
  };
}
