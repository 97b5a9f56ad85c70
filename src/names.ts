/**
 * The candidate that is the word behind a prefix, else the one that is fewest edits away from it, whatever the case; null
 * if none is near.
 */
export function nearestName(word: string, candidates: readonly string[]): string | null {
  const prefixed = candidates.find((candidate) => candidate.toLowerCase().endsWith(`-${word.toLowerCase()}`));
  if (prefixed !== undefined) return prefixed;
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(word.length / 2)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's: insertions, deletions and replacements. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    previous = row;
  }
  return previous[b.length];
}
