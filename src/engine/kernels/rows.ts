import type { BasicAssembler, Integer, Pointer } from './assembler.js';

const float = Float32Array.BYTES_PER_ELEMENT;

/** Vectors that one turn of a loop copies. */
const unrolled = 4;

/** Calls `step` for all vectors of a row of `count` numbers, in a loop if there are many. */
function overRow(
  to: BasicAssembler,
  count: number,
  pointers: readonly Pointer[],
  step: (moved: readonly Pointer[], bytes: number, lanes: number) => void,
): void {
  to.scope(() => {
    const { lanes } = to;
    const moved = pointers.map((pointer) => to.pointer(pointer));
    const turns = Math.floor(count / (unrolled * lanes));
    to.repeat(turns, () => {
      for (let i = 0; i < unrolled; i++) step(moved, i * lanes * float, lanes);
      for (const pointer of moved) to.advance(pointer, unrolled * lanes * float);
    });
    const rest = count - turns * unrolled * lanes;
    for (let done = 0; done < rest; done += lanes) {
      to.scope(() => step(moved, done * float, Math.min(lanes, rest - done)));
    }
  });
}

/** Copies `count` numbers. */
export function copyRow(to: BasicAssembler, target: Pointer, from: Pointer, count: number): void {
  overRow(to, count, [target, from], ([at, source], bytes, lanes) => {
    to.storePart(to.loadPart(source, bytes, lanes), at, bytes, lanes);
  });
}

/** Writes `count` zeros. */
export function clearRow(to: BasicAssembler, target: Pointer, count: number): void {
  to.scope(() => {
    const zero = to.zero();
    overRow(to, count, [target], ([at], bytes, lanes) => to.storePart(zero, at, bytes, lanes));
  });
}

interface Padding {
  readonly rows: number;
  readonly height: number;
  /** Numbers before a row of the image, of it, and after it. */
  readonly before: number;
  readonly row: number;
  readonly after: number;
}

/** Copies rows of an image from `first` on, with zeros around it. */
export function padRows(
  to: BasicAssembler,
  target: Pointer,
  image: Pointer,
  first: Integer,
  { rows, height, before, row, after }: Padding,
): void {
  to.scope(() => {
    const at = to.pointer(target);
    to.repeat(rows, (turn) => {
      const place = to.sum(first, turn);
      to.ifLess(
        place,
        height,
        () => {
          const source = to.pointer(image);
          to.advanceBy(source, place, row * float);
          clearRow(to, at, before);
          copyRow(to, to.pointer(at, before * float), source, row);
          clearRow(to, to.pointer(at, (before + row) * float), after);
        },
        () => clearRow(to, at, before + row + after),
      );
      to.advance(at, (before + row + after) * float);
    });
  });
}
