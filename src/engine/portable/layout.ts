import { bytesPerElement, type StoredDType } from '../../graph/dtype.js';
import { numel, type Shape } from '../../graph/shape.js';
import type { Layout as CommonLayout } from '../planned/layout.js';

/** An axis of which `size` neighbouring elements are innermost; the last block is padded with zeros. */
export interface Block {
  readonly axis: number;
  readonly size: number;
}

/** Bytes between neighbours along one axis: from block to block, and within a block. */
interface AxisStride {
  readonly outer: number;
  /** 0 for an axis without blocks. */
  readonly inner: number;
}

/** Axes from the outermost to the innermost, and possibly a block of one of them inside. */
export class Layout implements CommonLayout<Layout> {
  readonly size: number;
  readonly #key: string;
  readonly #isPlain: boolean;

  constructor(
    readonly shape: Shape,
    readonly dtype: StoredDType,
    readonly order: readonly number[],
    readonly block: Block | null = null,
  ) {
    const padded = shape.map((length, axis) => (axis === block?.axis ? roundUp(length, block.size) : length));
    this.size = numel(padded) * bytesPerElement(dtype);
    // The place of an axis with one element does not matter.
    const moved = order.filter((axis) => shape[axis] !== 1 || axis === block?.axis);
    this.#isPlain = block === null && moved.every((axis, i) => i === 0 || axis > moved[i - 1]);
    const inside = block === null ? '' : `/${block.size}x${block.axis}`;
    this.#key = `${dtype} ${shape} ${this.#isPlain ? 'plain' : moved + inside}`;
  }

  static plain(shape: Shape, dtype: StoredDType = 'float32'): Layout {
    return new Layout(
      shape,
      dtype,
      shape.map((_, axis) => axis),
    );
  }

  /** `[N, H, W, C]` for a shape `[N, C, H, W]`; row-major for fewer axes than three. */
  static channelsLast(shape: Shape): Layout {
    const [batch, channels, ...spatial] = shape.map((_, axis) => axis);
    return new Layout(shape, 'float32', spatial.length === 0 ? [batch, channels] : [batch, ...spatial, channels]);
  }

  equals(other: Layout): boolean {
    return this.#key === other.#key;
  }

  isPlain(): boolean {
    return this.#isPlain;
  }

  isOpaque(): boolean {
    return false;
  }

  /** Whether the last block of an axis is not full. */
  get isPadded(): boolean {
    return this.block !== null && this.shape[this.block.axis] % this.block.size !== 0;
  }

  withType(dtype: StoredDType): Layout {
    return new Layout(this.shape, dtype, this.order, this.block);
  }

  /** Elements between neighbours along each axis. */
  get strides(): readonly AxisStride[] {
    const { shape, order, block } = this;
    const strides = shape.map((): AxisStride => ({ outer: 0, inner: 0 }));
    let step = block?.size ?? 1;
    for (const axis of [...order].reverse()) {
      const isBlocked = axis === block?.axis;
      strides[axis] = { outer: step, inner: isBlocked ? 1 : 0 };
      step *= isBlocked ? Math.ceil(shape[axis] / block.size) : shape[axis];
    }
    return strides;
  }

  toString(): string {
    const letters = this.order.map((axis) => String.fromCharCode(97 + axis));
    const { block } = this;
    return letters.join('') + (block === null ? '' : `${block.size}${String.fromCharCode(97 + block.axis)}`);
  }
}

const roundUp = (length: number, size: number): number => Math.ceil(length / size) * size;
