/**
 * The candidate with the fewest edits from a mistyped word, ignoring case; null if no candidate is near. A
 * missing prefix counts as less than one edit.
 */
export function nearestName(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(word.length / 2)) + 1;
  for (const candidate of candidates) {
    const [typed, known] = [word.toLowerCase(), candidate.toLowerCase()];
    const distance = known.endsWith(`-${typed}`) ? 0.5 : editDistance(typed, known);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `; did you mean NAME?` with the nearest of the candidates; empty if none is near. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const near = nearestName(word, candidates);
  return near === null ? '' : `; did you mean ${near}?`;
}

/** Levenshtein distance: the number of insertions, deletions and replacements. */
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
