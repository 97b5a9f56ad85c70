import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planArena, type Span } from '../../../src/engine/planned/arenaPlan.js';

const alignment = 64;
const rounded = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;
const alive = (span: Span, step: number): boolean => span.first <= step && step <= span.last;

const spans = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 1, max: 5000 }), first: fc.integer({ min: -1, max: 30 }), length: fc.nat(12) })
    .map(({ bytes, first, length }): Span => ({ bytes, first, last: first + length })),
  { maxLength: 40 },
);

/** Most bytes that matter at one step: no plan can do with less. */
function leastBytes(list: readonly Span[]): number {
  let most = 0;
  for (let step = -1; step <= 43; step++) {
    const bytes = list.filter((span) => alive(span, step)).reduce((sum, span) => sum + rounded(span.bytes), 0);
    most = Math.max(most, bytes);
  }
  return most;
}

describe('planArena', () => {
  it('never lets two spans overlap in time and memory', () => {
    fc.assert(
      fc.property(spans, (list) => {
        const { offsets, bytes } = planArena(list);
        expect(offsets).toHaveLength(list.length);
        list.forEach((a, i) => {
          expect(offsets[i] % alignment).toBe(0);
          expect(offsets[i] + a.bytes).toBeLessThanOrEqual(bytes);
          list.slice(0, i).forEach((b, j) => {
            if (a.first > b.last || b.first > a.last) return;
            const apart = offsets[i] + a.bytes <= offsets[j] || offsets[j] + b.bytes <= offsets[i];
            if (!apart) expect.fail(`spans ${j} and ${i} overlap at ${offsets[j]} and ${offsets[i]}`);
          });
        });
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('needs at least what is alive at once, and at most everything side by side', () => {
    fc.assert(
      fc.property(spans, (list) => {
        const { bytes } = planArena(list);
        expect(bytes).toBeGreaterThanOrEqual(leastBytes(list));
        expect(bytes).toBeLessThanOrEqual(list.reduce((sum, span) => sum + rounded(span.bytes), 0));
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it('shares memory where it can', () => {
    const chain = Array.from({ length: 10 }, (_, i) => ({ bytes: 1000, first: i, last: i + 1 }));
    expect(planArena(chain).bytes).toBe(2 * rounded(1000));
    expect(planArena([]).bytes).toBe(0);
    // The last one takes the place of the first; the one in between cannot.
    expect(
      planArena([
        { bytes: 640, first: 0, last: 1 },
        { bytes: 320, first: 1, last: 2 },
        { bytes: 500, first: 2, last: 3 },
      ]),
    ).toEqual({ offsets: [0, 640, 0], bytes: 960 });
  });
});
