import type { Assembler, Integer, Pointer } from '../../kernels/assembler.js';
import { clearRow, copyRow } from '../../kernels/rows.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { balanced, float, mostPixels, panelOf, panelVectors } from '../../kernels/tile.js';

/** Pixels whose products a sum in a register takes: each such block goes over the whole result once. */
const mostBlock = 256;

/** Numbers of both operands that the innermost loops go over: they stay in the first cache. */
const chunkNumbers = 6144;

/** Chunks are made of tiles of any size. */
const chunkUnit = 24;

/** Pixels that a turn of the innermost loop takes. */
const mostUnrolled = 8;

interface Shape {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Inputs that a chunk has. */
  readonly chunk: number;
  readonly adds: boolean;
}

/** A number of pixels in equal blocks if it can be, else in blocks of two sizes. */
function blocksOf(pixels: number): readonly { readonly size: number; readonly times: number }[] {
  for (let size = mostBlock; size >= mostBlock / 2; size--) {
    if (pixels % size === 0) return [{ size, times: pixels / size }];
  }
  return balanced(pixels, mostBlock);
}

/**
 * The gradient of the weights of a product of matrices `[pixels, inChannels]` and `[inChannels,
 * outChannels]`, in panels `[panels][inChannels][panel]`. Both operands are copied in pieces first: their
 * columns are far apart in memory, at distances that caches handle badly.
 *
 * Operands: input, gradient of the output, gradient of the weights, working memory. A task is one panel.
 */
export function productWeightsKernel(pixels: number, inChannels: number, outChannels: number): TaskKernel {
  const blocks = blocksOf(pixels);
  const most = Math.max(...blocks.map(({ size }) => size));
  const units = Math.max(1, Math.floor(chunkNumbers / most / chunkUnit));
  const chunk = Math.min(inChannels, units * chunkUnit);
  const adds = blocks.reduce((sum, { times }) => sum + times, 0) > 1;
  const shape = { inChannels, outChannels, chunk, adds };
  // The number of panels depends on the lanes of the target: 4 in WebAssembly.
  const tasks = Math.ceil(outChannels / panelOf({ lanes: 4 }));
  return {
    tasks,
    scratch: most * (chunk + tasks * panelOf({ lanes: 4 })) * float,
    preparesMuch: true,
    emit: (to, [x, dy, dw, scratch], first, end) => {
      const panel = panelOf(to);
      const resultBytes = inChannels * panel * float;
      if (adds) {
        to.range(first, end, (task) => {
          const at = to.pointer(dw);
          to.advanceBy(at, task, resultBytes);
          clearRow(to, at, resultBytes / float);
        });
      }
      const [inputs, gradients] = [to.pointer(x), to.pointer(dy)];
      const packed = to.pointer(scratch, most * chunk * float);
      for (const { size, times } of blocks) {
        to.repeat(times, () => {
          to.range(first, end, (task) => packGradients(to, shape, gradients, packed, task, size));
          const parts = [
            { count: Math.floor(inChannels / chunk), length: chunk },
            { count: 1, length: inChannels % chunk },
          ].filter(({ length }) => length > 0);
          const [from, target] = [to.pointer(inputs), to.pointer(dw)];
          for (const { count, length } of parts) {
            to.repeat(count, () => {
              packInputs(to, shape, from, scratch, length, size);
              to.range(first, end, (task) => {
                const [above, at] = [to.pointer(packed), to.pointer(target)];
                to.advanceBy(above, task, size * panel * float);
                to.advanceBy(at, task, resultBytes);
                overTiles(to, shape, [scratch, above, at], length, size);
              });
              to.advance(from, length * float);
              to.advance(target, length * panel * float);
            });
          }
          to.advance(inputs, size * inChannels * float);
          to.advance(gradients, size * outChannels * float);
        });
      }
    },
  };
}

/** Copies a chunk of the inputs of some pixels: `[pixels][chunk]`. */
function packInputs(to: Assembler, { inChannels }: Shape, x: Pointer, target: Pointer, chunk: number, pixels: number) {
  to.scope(() => {
    const [from, at] = [to.pointer(x), to.pointer(target)];
    to.repeat(pixels, () => {
      copyRow(to, at, from, chunk);
      to.advance(from, inChannels * float);
      to.advance(at, chunk * float);
    });
  });
}

/** Copies a panel of the gradients of some pixels: `[pixels][panel]`, with zeros for missing channels. */
function packGradients(
  to: Assembler,
  { outChannels }: Shape,
  dy: Pointer,
  packed: Pointer,
  task: Integer,
  pixels: number,
): void {
  const panel = panelOf(to);
  const [from, at] = [to.pointer(dy), to.pointer(packed)];
  to.advanceBy(from, task, panel * float);
  to.advanceBy(at, task, pixels * panel * float);
  const copy = (channels: number) =>
    to.repeat(pixels, () => {
      for (let v = 0; v < panelVectors; v++) {
        const lanes = Math.max(0, Math.min(to.lanes, channels - v * to.lanes));
        const bytes = v * to.lanes * float;
        to.scope(() => to.store(lanes === 0 ? to.zero() : to.loadPart(from, bytes, lanes), at, bytes));
      }
      to.advance(from, outChannels * float);
      to.advance(at, panel * float);
    });
  const [whole, tail] = [Math.floor(outChannels / panel), outChannels % panel];
  if (tail === 0) copy(panel);
  else
    to.ifLess(
      task,
      whole,
      () => copy(panel),
      () => copy(tail),
    );
}

/** All tiles of a chunk, for one panel. */
function overTiles(to: Assembler, { adds }: Shape, operands: readonly Pointer[], chunk: number, pixels: number): void {
  const [x, dy, dw] = operands;
  const panelBytes = panelOf(to) * float;
  to.scope(() => {
    const [inputs, at] = [to.pointer(x), to.pointer(dw)];
    for (const { size, times } of balanced(chunk, mostPixels(to))) {
      to.repeat(times, () => {
        tile(to, [inputs, dy, at], { inputs: size, pixels, pitch: chunk * float, adds });
        to.advance(inputs, size * float);
        to.advance(at, size * panelBytes);
      });
    }
  });
}

interface Tile {
  readonly inputs: number;
  readonly pixels: number;
  /** Bytes from pixel to pixel of the inputs. */
  readonly pitch: number;
  readonly adds: boolean;
}

/** The products of some inputs with a panel of gradients, summed over pixels. */
function tile(to: Assembler, [x, dy, dw]: readonly Pointer[], { inputs, pixels, pitch, adds }: Tile): void {
  const vectorBytes = to.lanes * float;
  const panelBytes = panelVectors * vectorBytes;
  const vectors = Array.from({ length: panelVectors }, (_, v) => v);
  const sums = Array.from({ length: inputs }, () => vectors.map(() => to.zero()));
  const step = (px: Pointer, pdy: Pointer, pixel: number) =>
    to.scope(() => {
      const gradients = vectors.map((v) => to.load(pdy, pixel * panelBytes + v * vectorBytes));
      sums.forEach((ofInput, i) => {
        to.scope(() => {
          const value = to.broadcast(px, pixel * pitch + i * float);
          ofInput.forEach((sum, v) => {
            to.addProduct(sum, value, gradients[v]);
          });
        });
      });
    });
  const [px, pdy] = [to.pointer(x), to.pointer(dy)];
  const unroll = to.keepsOrder ? Math.min(mostUnrolled, pixels) : 1;
  const turns = Math.floor(pixels / unroll);
  to.repeat(turns, () => {
    for (let pixel = 0; pixel < unroll; pixel++) step(px, pdy, pixel);
    to.advance(px, unroll * pitch);
    to.advance(pdy, unroll * panelBytes);
  });
  for (let pixel = 0; pixel < pixels - turns * unroll; pixel++) step(px, pdy, pixel);
  sums.forEach((ofInput, i) => {
    ofInput.forEach((sum, v) => {
      to.scope(() => {
        const bytes = i * panelBytes + v * vectorBytes;
        to.store(adds ? to.apply('add', sum, to.load(dw, bytes)) : sum, dw, bytes);
      });
    });
  });
}
