/** Types of values, as WebAssembly encodes them. */
export const types = { i32: 0x7f, v128: 0x7b } as const;
export type ValueType = keyof typeof types;

/** The memory that a module imports as `env.memory`, in pages of 64 KiB. */
export interface ImportedMemory {
  readonly shared: boolean;
  readonly most: number;
}

/** Growing code. */
export class Bytes {
  #data = new Uint8Array(1024);
  length = 0;

  byte(value: number): void {
    if (this.length === this.#data.length) this.#grow(1);
    this.#data[this.length++] = value;
  }

  bytes(values: ArrayLike<number>): void {
    if (this.length + values.length > this.#data.length) this.#grow(values.length);
    this.#data.set(values, this.length);
    this.length += values.length;
  }

  /** LEB128 without sign. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** LEB128 with sign, of 32 bits. */
  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
      this.byte(isLast ? low : low | 0x80);
      if (isLast) return;
    }
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.unsigned(encoded.length);
    this.bytes(encoded);
  }

  /** Other bytes with their length before them. */
  sized(fill: (inner: Bytes) => void): void {
    const inner = new Bytes();
    fill(inner);
    this.unsigned(inner.length);
    this.bytes(inner.finish());
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#data.slice(0, this.length);
  }

  #grow(more: number): void {
    const larger = new Uint8Array(2 * (this.#data.length + more));
    larger.set(this.#data);
    this.#data = larger;
  }
}

const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const sections = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;

/**
 * A module with one exported function `run` over an imported memory. The format is chapter 5 of the
 * WebAssembly specification.
 *
 * @param parameters all of type i32; the function returns nothing
 * @param locals types of the local variables, which come after the parameters
 * @param code instructions, without the last `end`
 */
export function encodeModule(
  memory: ImportedMemory,
  parameters: number,
  locals: readonly ValueType[],
  code: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const module = new Bytes();
  module.bytes(magic);
  const section = (name: keyof typeof sections, fill: (to: Bytes) => void) => {
    module.byte(sections[name]);
    module.sized((to) => {
      to.unsigned(1);
      fill(to);
    });
  };
  section('type', (to) => {
    to.byte(0x60);
    to.unsigned(parameters);
    for (let i = 0; i < parameters; i++) to.byte(types.i32);
    to.unsigned(0);
  });
  section('import', (to) => {
    to.text('env');
    to.text('memory');
    to.byte(0x02);
    to.byte(memory.shared ? 0x03 : 0x01);
    to.unsigned(1);
    to.unsigned(memory.most);
  });
  section('function', (to) => to.unsigned(0));
  section('export', (to) => {
    to.text('run');
    to.byte(0x00);
    to.unsigned(0);
  });
  section('code', (to) =>
    to.sized((body) => {
      const runs = runsOf(locals);
      body.unsigned(runs.length);
      for (const { type, count } of runs) {
        body.unsigned(count);
        body.byte(types[type]);
      }
      body.bytes(code);
      body.byte(0x0b);
    }),
  );
  return module.finish();
}

function runsOf(locals: readonly ValueType[]): { type: ValueType; count: number }[] {
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  return runs;
}
