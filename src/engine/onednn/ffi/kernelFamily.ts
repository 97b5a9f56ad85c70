/**
 * Kinds of kernels that the lowering distinguishes. Winograd's convolutions differ by the size of their tiles
 * of results. Products of matrices use batches of blocks, or one general product. The library's plain loops
 * are a kind too.
 */
export type KernelFamily = 'winograd2x2' | 'winograd4x4' | 'batchedProduct' | 'generalProduct' | 'reference' | 'other';

/**
 * Reads the names that the library gives its kernels. No other code does so, since they differ between
 * releases.
 */
export function familyOf(implementation: string): KernelFamily {
  // F(2×2, 3×3) and F(4×4, 3×3); the library counts the tile and the kernel.
  if (implementation.includes('wino_2x3')) return 'winograd2x2';
  if (implementation.includes('wino')) return 'winograd4x4';
  if (/^brg(emm|_matmul|:)/.test(implementation)) return 'batchedProduct';
  if (implementation.includes('gemm')) return 'generalProduct';
  return implementation.startsWith('ref') ? 'reference' : 'other';
}
