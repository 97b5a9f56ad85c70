/**
 * The orthonormal cosine transform of `size` values, as a matrix: `[size * frequency + place]`.
 */
export function cosineTransform(size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, i) => {
    const [frequency, place] = [Math.floor(i / size), i % size];
    return Math.cos(((2 * place + 1) * frequency * Math.PI) / (2 * size)) * Math.sqrt((frequency === 0 ? 1 : 2) / size);
  });
}
