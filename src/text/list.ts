const most = 10;

/** `a, b, c`, or the first ten and how many more there are. */
export function listed(items: readonly (string | number)[]): string {
  const more = items.length - most;
  return items.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** `a, b and c`, or the first ten and how many more. */
export function inWords(items: readonly string[]): string {
  if (items.length === 1) return items[0];
  return items.length > most ? listed(items) : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;
}
