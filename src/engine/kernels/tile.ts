import type { BasicAssembler, Pointer, Vector } from './assembler.js';

export const float = Float32Array.BYTES_PER_ELEMENT;

/** Vectors of channels in a panel of weights: two leave registers for six pixels. */
export const panelVectors = 2;

/** Output channels in a panel of weights. */
export const panelOf = ({ lanes }: Pick<BasicAssembler, 'lanes'>): number => panelVectors * lanes;

/** Pixels that a tile can have so that its sums, one panel row and one input stay in registers. */
export function mostPixels({ registers, fuses, keepsOrder }: BasicAssembler): number {
  // A compiler that loads all inputs first needs registers for them too.
  if (!keepsOrder) return Math.floor((registers - panelVectors) / (panelVectors + 1));
  const others = panelVectors + (fuses ? 1 : 2);
  return Math.floor((registers - others) / panelVectors);
}

/** Sizes of groups of at most `most` for `count` neighbours, as equal as possible; larger ones first. */
export function balanced(count: number, most: number): readonly { readonly size: number; readonly times: number }[] {
  if (count === 0) return [];
  const groups = Math.ceil(count / most);
  const small = Math.floor(count / groups);
  const larger = count - small * groups;
  return [
    { size: small + 1, times: larger },
    { size: small, times: groups - larger },
  ].filter(({ times }) => times > 0);
}

/**
 * Numbers from row to row of a matrix of which many rows are read or written at once: at distances of a large
 * power of two they would share a few places of the caches.
 */
export const spread = (numbers: number): number => (numbers % 128 === 0 ? numbers + 16 : numbers);

/** A loop around the sums of a tile: bytes by which the input and the weights move in each turn. */
export interface TileLoop {
  readonly times: number;
  readonly input: number;
  readonly weights: number;
}

export interface TileSums {
  /** Loops from outside to inside. */
  readonly loops: readonly TileLoop[];
  /** Neighbouring inputs of a pixel that the innermost loop takes. */
  readonly run: number;
  /** Bytes from one pixel's inputs to the next one's. */
  readonly pixelBytes: number;
  /** Vectors in a row of weights; by default those of a panel. */
  readonly vectors?: number;
}

/** Steps of the innermost loop that are written out. */
const mostUnrolled = 8;

function unrollOf({ keepsOrder }: BasicAssembler, run: number): number {
  if (!keepsOrder) return 1;
  for (let unroll = mostUnrolled; unroll > mostUnrolled / 2; unroll--) if (run % unroll === 0) return unroll;
  return mostUnrolled;
}

/** `sums[pixel][v] += Σ input[pixel] · weights[v]` over all turns of the loops and the run inside. */
export function addProducts(
  to: BasicAssembler,
  sums: readonly (readonly Vector[])[],
  input: Pointer,
  weights: Pointer,
  { loops, run, pixelBytes, vectors = panelVectors }: TileSums,
): void {
  const vectorBytes = to.lanes * float;
  const rowBytes = vectors * vectorBytes;
  const step = (x: Pointer, w: Pointer, at: number) => {
    to.scope(() => {
      const row = sums[0].map((_, v) => to.load(w, at * rowBytes + v * vectorBytes));
      sums.forEach((ofPixel, pixel) => {
        to.scope(() => {
          const value = to.broadcast(x, pixel * pixelBytes + at * float);
          ofPixel.forEach((sum, v) => {
            to.addProduct(sum, value, row[v]);
          });
        });
      });
    });
  };
  const nest = (depth: number, x: Pointer, w: Pointer): void => {
    to.scope(() => {
      const [px, pw] = [to.pointer(x), to.pointer(w)];
      const loop = loops[depth];
      if (loop === undefined) {
        const unroll = unrollOf(to, run);
        const turns = Math.floor(run / unroll);
        to.repeat(turns, () => {
          for (let at = 0; at < unroll; at++) step(px, pw, at);
          to.advance(px, unroll * float);
          to.advance(pw, unroll * rowBytes);
        });
        for (let at = 0; at < run - turns * unroll; at++) step(px, pw, at);
      } else if (loop.times === 1) nest(depth + 1, x, w);
      else {
        to.repeat(loop.times, () => {
          nest(depth + 1, px, pw);
          to.advance(px, loop.input);
          to.advance(pw, loop.weights);
        });
      }
    });
  };
  nest(0, input, weights);
}
