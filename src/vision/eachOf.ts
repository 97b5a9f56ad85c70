/**
 * Runs `work` on all items in their order, up to `width` at the same time. The first failure stops the rest.
 */
export async function eachOf<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const run = async () => {
    while (next < items.length && !failed) {
      const index = next++;
      await work(items[index], index).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const results = await Promise.allSettled(Array.from({ length: width }, run));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
