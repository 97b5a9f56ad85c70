import { describe, expect, it } from 'vitest';
import { Heap, HeapBlock } from '../../../src/engine/portable/heap.js';
import { MemoryError } from '../../../src/errors.js';

describe('the heap', () => {
  it('gives blocks that do not overlap, aligned to cache lines', () => {
    const heap = new Heap(false);
    const blocks = [1, 64, 65, 1000, 4].map((bytes) => new HeapBlock(heap, bytes));
    const ranges = blocks.map(({ offset, bytes }) => [offset, offset + bytes]).sort(([a], [b]) => a - b);
    for (const [i, [start]] of ranges.entries()) {
      expect(start % 64).toBe(0);
      if (i > 0) expect(start).toBeGreaterThanOrEqual(ranges[i - 1][1]);
    }
  });

  it('takes freed memory again, also joined from neighbours', () => {
    const heap = new Heap(false);
    const blocks = Array.from({ length: 4 }, () => new HeapBlock(heap, 1000));
    blocks[1].free();
    blocks[2].free();
    expect(new HeapBlock(heap, 2000).offset).toBe(blocks[1].offset);
    blocks[3].free();
    blocks[0].free();
    expect(heap.blocks).toBe(1);
    expect(new HeapBlock(heap, 900).offset).toBe(blocks[0].offset);
  });

  it('keeps contents when it grows', () => {
    const heap = new Heap(false);
    const block = new HeapBlock(heap, 16);
    block.array('float32', 0, 4).set([1, 2, 3, 4]);
    const before = heap.generation;
    const large = new HeapBlock(heap, 2 ** 26);
    expect(heap.generation).toBe(before + 1);
    expect([...block.array('float32', 0, 4)]).toEqual([1, 2, 3, 4]);
    large.array('float32', 2 ** 26 - 16, 4).set([5, 6, 7, 8]);
  });

  it('refuses more than WebAssembly can address, and works on', () => {
    const heap = new Heap(false);
    expect(() => new HeapBlock(heap, 2 ** 32)).toThrow(MemoryError);
    expect(heap.blocks).toBe(0);
    expect(new HeapBlock(heap, 100).array('uint8', 0, 100)).toHaveLength(100);
  });
});
