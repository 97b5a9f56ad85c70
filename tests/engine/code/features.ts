import type { KernelCode } from '../../../src/engine/onednn/code/kernel.js';
import { MachineCode } from '../../../src/engine/onednn/code/machineCode.js';
import { describe as descriptors, MemoryDesc, NativeMemory, Primitive } from '../../../src/engine/onednn/ffi.js';
import type { Shape } from '../../../src/graph/shape.js';
import { RandomGenerator } from '../../../src/random.js';

export type Layout = 'blocked' | 'channelsLast';
export type Type = 'float32' | 'bfloat16';

/** The layout that convolutions of float32 like: blocks of 16 channels. */
function blocked(shape: Shape, type: Type): MemoryDesc {
  const any = MemoryDesc.any(shape);
  const weight = MemoryDesc.any([shape[1], shape[1], 1, 1]);
  const geometry = { stride: [1, 1], dilation: [0, 0], padBefore: [0, 0], padAfter: [0, 0] };
  const conv = descriptors.convForward('training', 'direct', [any, weight, MemoryDesc.none(), any], geometry);
  const primitive = Primitive.create(conv) as Primitive;
  const desc = primitive.layout('src').withType(type);
  primitive.destroy();
  if (!String(desc).startsWith('aBcd16b')) throw new Error(`expected blocks of 16 channels, got ${desc}`);
  return desc;
}

const bits = new Uint32Array(1);
const asFloat = new Float32Array(bits.buffer);

/** Native memory with features of `[N, C, H, W]`, read and written by their row-major index. */
export class Features {
  readonly desc: MemoryDesc;
  readonly memory: NativeMemory;
  readonly #data: Float32Array | Uint16Array;

  constructor(
    readonly shape: Shape,
    readonly layout: Layout,
    readonly type: Type,
  ) {
    this.desc = layout === 'blocked' ? blocked(shape, type) : MemoryDesc.channelsLast(shape, type);
    this.memory = new NativeMemory(this.desc.size);
    const view = this.memory.view(0, this.desc.size);
    this.#data = type === 'float32' ? new Float32Array(view) : new Uint16Array(view);
    this.#data.fill(77);
  }

  #place(index: number): number {
    const [, channels, height, width] = this.shape;
    const pixels = height * width;
    const [plane, pixel] = [Math.floor(index / pixels), index % pixels];
    const [image, channel] = [Math.floor(plane / channels), plane % channels];
    if (this.layout === 'channelsLast') return (image * pixels + pixel) * channels + channel;
    const blocks = Math.ceil(channels / 16);
    return ((image * blocks + (channel >> 4)) * pixels + pixel) * 16 + (channel & 15);
  }

  get length(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** Values that both types hold exactly, among them many that are equal. */
  fill(seed: number, steps = 40): this {
    const generator = new RandomGenerator(seed);
    this.write(Float32Array.from({ length: this.length }, () => (generator.int(steps) - steps / 2) / 8));
    return this;
  }

  write(values: Float32Array): void {
    if (this.layout === 'blocked') this.#data.fill(0);
    for (let i = 0; i < values.length; i++) {
      asFloat[0] = values[i];
      this.#data[this.#place(i)] = this.type === 'float32' ? values[i] : bits[0] >>> 16;
    }
  }

  read(): Float32Array {
    return Float32Array.from({ length: this.length }, (_, i) => {
      const value = this.#data[this.#place(i)];
      if (this.type === 'float32') return value;
      bits[0] = value << 16;
      return asFloat[0];
    });
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
