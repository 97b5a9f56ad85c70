import type { Lanes } from '../../../src/engine/onednn/code/assembler.js';
import type { FeatureLayout } from '../../../src/engine/onednn/code/featureLayout.js';
import type { KernelCode } from '../../../src/engine/onednn/code/kernel.js';
import { MachineCode } from '../../../src/engine/onednn/code/machineCode.js';
import { NativeMemory } from '../../../src/engine/onednn/ffi.js';
import type { Shape } from '../../../src/graph/shape.js';
import { RandomGenerator } from '../../../src/random.js';
import type { Feature } from '../../needs.js';

export type Layout = 'blocked' | 'channelsLast';
export type Type = 'float32' | 'bfloat16';

/** Type and width of code that a processor runs. */
export type Width = readonly [type: Type, lanes: Lanes];

/** All widths, with what they need. */
export const widths: readonly (readonly [Feature, Width])[] = [
  ['avx2', ['float32', 8]],
  ['avx512', ['float32', 16]],
  ['bf16', ['bfloat16', 16]],
];

export const nameOf = ([type, lanes]: Width): string => `${lanes} × ${type}`;

const bits = new Uint32Array(1);
const asFloat = new Float32Array(bits.buffer);

/** Native memory with features of `[N, C, H, W]`, read and written by their row-major index. */
export class Features {
  /** The layout for the code: channels last, or in blocks of one vector. */
  readonly features: FeatureLayout;
  readonly memory: NativeMemory;
  readonly #data: Float32Array | Uint16Array;

  constructor(
    readonly shape: Shape,
    readonly layout: Layout,
    readonly type: Type,
    readonly lanes: Lanes,
  ) {
    const [batch, channels, rows, columns] = shape;
    const blocks = Math.ceil(channels / lanes);
    const pixel = layout === 'blocked' ? { planes: batch * blocks, channels: lanes } : { planes: batch, channels };
    this.features = { type, lanes, rows, columns, ...pixel };
    const bytes = pixel.planes * pixel.channels * rows * columns * (type === 'float32' ? 4 : 2);
    this.memory = new NativeMemory(bytes);
    const view = this.memory.view(0, bytes);
    this.#data = type === 'float32' ? new Float32Array(view) : new Uint16Array(view);
    this.#data.fill(77);
  }

  /** Calls `body` with each place in memory, in row-major order of the features. */
  #forEach(body: (place: number, index: number) => void): void {
    const [batch, channels, height, width] = this.shape;
    const [pixels, { lanes }] = [height * width, this];
    const blocks = Math.ceil(channels / lanes);
    let index = 0;
    for (let image = 0; image < batch; image++) {
      for (let channel = 0; channel < channels; channel++) {
        const inBlock = (image * blocks + Math.floor(channel / lanes)) * pixels * lanes + (channel % lanes);
        const [start, step] =
          this.layout === 'blocked' ? [inBlock, lanes] : [image * pixels * channels + channel, channels];
        for (let pixel = 0; pixel < pixels; pixel++) body(start + pixel * step, index++);
      }
    }
  }

  get length(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** Values that both types hold exactly, among them many that are equal. */
  fill(seed: number, steps = 40): this {
    const generator = new RandomGenerator(seed);
    const values = new Float32Array(this.length);
    for (let i = 0; i < values.length; i++) values[i] = (generator.int(steps) - steps / 2) / 8;
    this.write(values);
    return this;
  }

  write(values: Float32Array): void {
    if (this.layout === 'blocked') this.#data.fill(0);
    const [data, isFloat] = [this.#data, this.type === 'float32'];
    this.#forEach((place, i) => {
      asFloat[0] = values[i];
      data[place] = isFloat ? values[i] : bits[0] >>> 16;
    });
  }

  read(): Float32Array {
    const [data, isFloat] = [this.#data, this.type === 'float32'];
    const values = new Float32Array(this.length);
    this.#forEach((place, i) => {
      bits[0] = data[place] << 16;
      values[i] = isFloat ? data[place] : asFloat[0];
    });
    return values;
  }
}

/** Native memory of plain float32. */
export function numbers(length: number, values?: Float32Array): { memory: NativeMemory; data: Float32Array } {
  const memory = new NativeMemory(4 * length);
  const data = new Float32Array(memory.view(0, 4 * length));
  if (values !== undefined) data.set(values);
  return { memory, data };
}

export function run(kernel: KernelCode, operands: readonly { readonly memory: NativeMemory }[], threads = 2): void {
  const code = new MachineCode(kernel);
  operands.forEach(({ memory }, i) => {
    code.point(i, memory, 0);
  });
  code.run(threads);
  code.destroy();
}
