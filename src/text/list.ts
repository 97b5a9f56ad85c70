const most = 10;

/** `a, b, c`, or the first ten and how many more there are. */
export function listed(items: readonly (string | number)[]): string {
  const more = items.length - most;
  return items.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
