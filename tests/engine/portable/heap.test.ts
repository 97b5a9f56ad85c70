import { describe, expect, it } from 'vitest';
import { Heap, HeapBlock } from '../../../src/engine/portable/heap.js';
import { wasmTarget } from '../../../src/engine/portable/wasm/target.js';
import { webAssembly } from '../../../src/engine/portable/wasm/webAssembly.js';
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

  it('takes less where the system does not give 4 GiB, and says so', () => {
    const { Memory } = webAssembly;
    const most = 2 ** 30;
    class SmallMemory extends Memory {
      constructor(limits: ConstructorParameters<typeof Memory>[0]) {
        if (limits.maximum * 65_536 > most) throw new RangeError('no room');
        super(limits);
      }
    }
    Object.assign(webAssembly, { Memory: SmallMemory });
    try {
      const heap = new Heap(false);
      expect(heap.bytes).toBeLessThanOrEqual(most);
      expect(heap.bytes).toBeGreaterThan(most / 2);
      expect(heap.reason).toBe('this system gives WebAssembly no more');
      expect(() => new HeapBlock(heap, most)).toThrow(/has at most .* here; take a smaller batch/);
      // Code that imports this memory names the same limit.
      expect(wasmTarget(heap.limits)).not.toBeNull();
    } finally {
      Object.assign(webAssembly, { Memory });
    }
  });
});
