/** Numbers as the command line prints them. */

export function percent(share: number | null, decimals = 2): string {
  return share === null || !Number.isFinite(share) ? '–' : `${(100 * share).toFixed(decimals)}\u00a0%`;
}

/** A whole number. @public */
export function count(n: number): string {
  return String(Math.round(n)).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

export function metric(x: number | null): string {
  if (x === null || !Number.isFinite(x)) return '–';
  return Math.abs(x) >= 1000 ? x.toFixed(1) : x.toFixed(4);
}

/** Seconds, in the unit that fits. @public */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 59.95) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A size of memory or of a file. @public */
export function bytes(n: number): string {
  if (n < 2 ** 20) return `${Math.ceil(n / 1024)} KiB`;
  return n < 2 ** 30 ? `${(n / 2 ** 20).toFixed(0)} MiB` : `${(n / 2 ** 30).toFixed(1)} GiB`;
}
