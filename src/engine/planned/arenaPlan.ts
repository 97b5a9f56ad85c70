/** A piece of memory with the span of steps during which its contents matter. */
export interface Span {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Bytes: a cache line, and the widest vector. */
export const alignment = 64;

/**
 * Places pieces of memory in one arena so that pieces which matter at the same time do not overlap: largest
 * first, each at the lowest offset that is free over its whole span (Pisarchyk & Lee, "Efficient Memory
 * Management for Deep Neural Net Inference", 2020, greedy by size).
 */
export function planArena(spans: readonly Span[]): { offsets: number[]; bytes: number } {
  const offsets = new Array<number>(spans.length).fill(0);
  const order = spans.map((_, i) => i).sort((a, b) => spans[b].bytes - spans[a].bytes || a - b);
  const placed: number[] = []; // by offset
  let total = 0;
  for (const i of order) {
    const span = spans[i];
    const size = Math.ceil(span.bytes / alignment) * alignment;
    let offset = 0;
    for (const j of placed) {
      const other = spans[j];
      if (other.last < span.first || other.first > span.last) continue;
      if (offsets[j] >= offset + size) break;
      offset = Math.max(offset, offsets[j] + Math.ceil(other.bytes / alignment) * alignment);
    }
    offsets[i] = offset;
    total = Math.max(total, offset + size);
    let place = placed.length;
    while (place > 0 && offsets[placed[place - 1]] > offset) place--;
    placed.splice(place, 0, i);
  }
  return { offsets, bytes: total };
}
