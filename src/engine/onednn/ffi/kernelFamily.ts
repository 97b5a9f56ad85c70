/**
 * Kinds of kernels that the lowering distinguishes: Winograd's convolutions by the size of their tiles of
 * results, products of matrices by batches of blocks or by one general product, and the library's plain
 * loops.
 */
export type KernelFamily = 'winograd2x2' | 'winograd4x4' | 'batchedProduct' | 'generalProduct' | 'reference' | 'other';

/**
 * The only place that reads the names which the library gives its kernels: they change from release to
 * release.
 */
export function familyOf(implementation: string): KernelFamily {
  // F(2×2, 3×3) and F(4×4, 3×3); the library counts the tile and the kernel.
  if (implementation.includes('wino_2x3')) return 'winograd2x2';
  if (implementation.includes('wino')) return 'winograd4x4';
  if (implementation.startsWith('brgemm')) return 'batchedProduct';
  if (implementation.includes('gemm')) return 'generalProduct';
  return implementation.startsWith('ref') ? 'reference' : 'other';
}
