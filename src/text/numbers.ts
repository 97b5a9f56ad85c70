/** Formats of numbers for people, the same in progress lines, tables and reports. */

/** `60,000`. */
export function formatCount(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * A loss, a rate or another computed number: four decimals, or an exponent where four decimals would hide the
 * value (`0.0432`, `1.2e-5`, `3.1e+8`).
 */
export function formatMetric(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? 'NaN' : x > 0 ? '∞' : '−∞';
  const size = Math.abs(x);
  if (x === 0 || (size >= 1e-3 && size < 1e6)) return size >= 1000 ? x.toFixed(1) : x.toFixed(4);
  return x.toExponential(1);
}

/** `95.65 %` of a share from 0 to 1. */
export function formatPercent(share: number, decimals = 2): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(decimals)} %` : '–';
}

/** `92.4–96.7 %` of an interval of shares from 0 to 1. */
export function formatInterval([low, high]: readonly [number, number], decimals = 1): string {
  return `${(100 * low).toFixed(decimals)}–${(100 * high).toFixed(decimals)} %`;
}

/**
 * `0.5`, `0.326`, `0.99997`: a threshold of probabilities with enough decimals to distinguish it from 0 and
 * 1.
 */
export function formatThreshold(x: number): string {
  for (let decimals = 3; decimals <= 16; decimals++) {
    const rounded = Number(x.toFixed(decimals));
    if ((rounded !== 0 && rounded !== 1) || rounded === x) return String(rounded);
  }
  return x.toPrecision(2);
}

/** `8.3 s`, `4:05`, `2:04:09`: seconds, minutes:seconds, hours:minutes:seconds. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Work per second: `31,204/s`, `4.21/s`, `0.052/s`. */
export function formatRate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return '–';
  return perSecond >= 100 ? `${formatCount(perSecond)}/s` : `${Number(perSecond.toPrecision(3))}/s`;
}
