/** IEEE 754 binary16. */
export function fromHalf(elements: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(elements);
  const out = new Float32Array(halves.length);
  for (let i = 0; i < out.length; i++) {
    const exponent = (halves[i] >> 10) & 31;
    const fraction = halves[i] & 1023;
    const sign = halves[i] & 0x8000 ? -1 : 1;
    if (exponent === 0) out[i] = sign * fraction * 2 ** -24;
    else if (exponent === 31) out[i] = fraction === 0 ? sign * Infinity : Number.NaN;
    else out[i] = sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  return out;
}

/** bfloat16 is the upper half of float32. */
export function fromBrain(elements: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(elements);
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < words.length; i++) words[i] = halves[i] << 16;
  return new Float32Array(words.buffer);
}

/** @throws {RangeError} for values that do not fit in 32 bits */
export function fromLong(elements: ArrayBuffer): Int32Array {
  const words = new Int32Array(elements);
  const out = new Int32Array(words.length / 2);
  for (let i = 0; i < out.length; i++) {
    const low = words[2 * i];
    if (words[2 * i + 1] !== low >> 31) {
      const value = new BigInt64Array(elements)[i];
      throw new RangeError(`expected 64-bit integers that fit in 32 bits, got ${value} at ${i}`);
    }
    out[i] = low;
  }
  return out;
}
