import { describe, expect, test } from 'vitest';
import { familyOf } from '../../src/engine/onednn/ffi/kernelFamily.js';
import { describe as describeOperation, MemoryDesc, Primitive } from '../../src/engine/onednn/ffi.js';
import { bytesPerElement } from '../../src/graph/dtype.js';
import { itWith } from '../needs.js';

test.each([
  ['jit_wino_2x3:avx512_core', 'winograd2x2'],
  ['jit_wino_4x3:avx512_core', 'winograd4x4'],
  ['brgemm:avx512_core_bf16_amx_bf16', 'batchedProduct'],
  ['ref:any', 'reference'],
  ['brgemm_bwd_w:avx512_core_amx', 'batchedProduct'],
  ['brg_matmul:avx512_core', 'batchedProduct'],
  ['gemm:jit', 'generalProduct'],
  ['brgconv:avx512_core', 'other'],
  ['brg_conv_fwd:avx512_core', 'other'],
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

  test('keeps its order with elements of another type', () => {
    const changed = MemoryDesc.channelsLast(shape, 'float32').withType('int32');
    expect([changed.dtype, changed.order, changed.size]).toEqual(['int32', [0, 2, 3, 1], 4 * 2 * 32 * 4 * 5]);
    expect(MemoryDesc.any(shape).withType('bfloat16').equals(MemoryDesc.any(shape, 'bfloat16'))).toBe(true);
  });

  test('with swapped axes, with an axis of size 1 more, and of a box inside it has the expected strides', () => {
    const plain = MemoryDesc.plain(shape, 'float32');
    expect(plain.permuted([0, 2, 3, 1]).shape).toEqual([2, 5, 32, 4]);
    expect(plain.permuted([0, 2, 3, 1]).order).toEqual([0, 2, 3, 1]);
    const row = plain.reshaped([2, 32, 4, 1, 5]);
    expect([row.shape, row.order]).toEqual([
      [2, 32, 4, 1, 5],
      [0, 1, 2, 3, 4],
    ]);
    const box = plain.sub([1, 4, 2, 5], [1, 8, 2, 0]) as MemoryDesc;
    expect([box.shape, box.isPlain()]).toEqual([[1, 4, 2, 5], false]);
    expect(plain.sub([1, 4, 2, 5], [2, 8, 2, 0])).toBe(null);
  });

  itWith('bf16', 'in blocks keeps them with elements of another type', () => {
    const geometry = { stride: [1, 1], dilation: [0, 0], padBefore: [0, 0], padAfter: [0, 0] };
    for (const type of ['float32', 'bfloat16'] as const) {
      const other = type === 'float32' ? 'bfloat16' : 'float32';
      const descs = [MemoryDesc.any([2, 32, 8, 8], type), MemoryDesc.any([64, 32, 1, 1], type), MemoryDesc.none()];
      const convolution = describeOperation.convForward(
        'training',
        'direct',
        [...descs, MemoryDesc.any([2, 64, 8, 8], type)],
        geometry,
      );
      const primitive = Primitive.create(convolution) as Primitive;
      const layout = primitive.layout('weights');
      primitive.destroy();
      const changed = layout.withType(other);
      expect(changed.blocks).toEqual(layout.blocks);
      expect(changed.order).toEqual(layout.order);
      expect(changed.withType(type).equals(layout)).toBe(true);
      expect(changed.size * bytesPerElement(type)).toBe(layout.size * bytesPerElement(other));
    }
  });

  test('that is not chosen yet has neither order nor blocks', () => {
    const open = MemoryDesc.any(shape);
    expect([open.order, open.blocks, open.isOpaque(), open.hasBlocks([])]).toEqual([[], [], false, false]);
  });
});
