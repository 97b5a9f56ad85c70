import { describe, expect, test } from 'vitest';
import { familyOf } from '../../src/engine/onednn/ffi/kernelFamily.js';
import { MemoryDesc } from '../../src/engine/onednn/ffi.js';

test.each([
  ['jit_wino_2x3:avx512_core', 'winograd2x2'],
  ['jit_wino_4x3:avx512_core', 'winograd4x4'],
  ['brgemm:avx512_core_bf16_amx_bf16', 'batchedProduct'],
  ['ref:any', 'reference'],
  ['brgconv:avx512_core', 'other'],
  ['jit:avx512_core', 'other'],
] as const)('the kernel %s is of the family %s', (name, family) => {
  expect(familyOf(name)).toBe(family);
});

describe('a layout', () => {
  const shape = [2, 32, 4, 5];

  test('of plain and of permuted arrays has no blocks', () => {
    const plain = MemoryDesc.plain(shape, 'float32');
    const channelsLast = MemoryDesc.channelsLast(shape, 'float32');
    expect([plain.order, plain.blocks]).toEqual([[0, 1, 2, 3], []]);
    expect([channelsLast.order, channelsLast.blocks]).toEqual([[0, 2, 3, 1], []]);
    expect([plain.hasBlocks([]), channelsLast.hasBlocks([])]).toEqual([true, false]);
    expect([plain.isChannelsLast(), channelsLast.isChannelsLast()]).toEqual([false, true]);
  });

  test('is the same arrangement for another shape, and not for another type or order', () => {
    const plain = MemoryDesc.plain(shape, 'float32');
    expect(plain.isArrangedAs(MemoryDesc.plain([7, 3, 2, 2], 'float32'))).toBe(true);
    expect(plain.isArrangedAs(MemoryDesc.plain(shape, 'bfloat16'))).toBe(false);
    expect(plain.isArrangedAs(MemoryDesc.channelsLast(shape, 'float32'))).toBe(false);
    expect(plain.isArrangedAs(MemoryDesc.plain([2, 3], 'float32'))).toBe(false);
  });

  test('that is not chosen yet has neither order nor blocks', () => {
    const open = MemoryDesc.any(shape);
    expect([open.order, open.blocks, open.isOpaque(), open.hasBlocks([])]).toEqual([[], [], false, false]);
  });
});
