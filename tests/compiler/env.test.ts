import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as Env from '../../src/env.js';

/** The module as a process with this environment would load it. */
async function withEnvironment(variables: Record<string, string | undefined>): Promise<typeof Env> {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  vi.resetModules();
  return import('../../src/env.js');
}

afterEach(() => vi.unstubAllEnvs());

describe('FOVEA_DEBUG', () => {
  it.each([
    [undefined, 0],
    ['', 0],
    ['0', 0],
    ['1', 1],
    ['5', 5],
  ])('%j is level %i', async (text, level) => {
    const { debugLevel } = await withEnvironment({ FOVEA_DEBUG: text });
    expect(debugLevel()).toBe(level);
  });

  it.each(['6', '-1', '1.5', 'yes', '1x', 'NaN'])('%j is refused', async (text) => {
    const { debugLevel } = await withEnvironment({ FOVEA_DEBUG: text });
    expect(() => debugLevel()).toThrow(`[env] FOVEA_DEBUG: expected an integer from 0 to 5, got '${text}'`);
  });

  it('is overridden inside withDebug and restored, also after an error', async () => {
    const { debugLevel, withDebug } = await withEnvironment({ FOVEA_DEBUG: '2' });
    expect(withDebug(4, () => debugLevel())).toBe(4);
    expect(debugLevel()).toBe(2);
    const fail = () => {
      throw new Error('body');
    };
    expect(() => withDebug(0, fail)).toThrow('body');
    expect(debugLevel()).toBe(2);
  });
});

describe('FOVEA_VALIDATE', () => {
  it.each([
    [undefined, false],
    ['', false],
    ['0', false],
    ['1', true],
  ])('%j is %s', async (text, on) => {
    const { validating } = await withEnvironment({ FOVEA_VALIDATE: text });
    expect(validating()).toBe(on);
  });

  it.each(['true', '2', 'no'])('%j is refused', async (text) => {
    const { validating } = await withEnvironment({ FOVEA_VALIDATE: text });
    expect(() => validating()).toThrow(`[env] FOVEA_VALIDATE: expected 0 or 1, got '${text}'`);
  });
});

describe('what each level shows', () => {
  const written: string[] = [];

  beforeEach(() => {
    written.length = 0;
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  it.each([
    [0, []],
    [1, ['[compile] onednn']],
    [2, ['[compile] program', '[compile] onednn']],
    [3, ['[compile] graph as captured', '[compile] graph after all passes', '[compile] program', '[compile] onednn']],
    [
      4,
      [
        '[compile] graph as captured',
        '[compile] graph after simplify',
        '[compile] graph after all passes',
        '[compile] program',
        '[compile] onednn',
      ],
    ],
    [5, ['[compile] graph as captured', '[compile] program', '[compile] onednn', '[run]']],
  ])('level %i', async (level, expected) => {
    await withEnvironment({ FOVEA_DEBUG: String(level) });
    // The modules were reset: everything below sees the new environment.
    const { setEngine } = await import('../../src/engine/select.js');
    const { tensor } = await import('../../src/tensor/fromArrays.js');
    setEngine('onednn');
    await tensor([1, 2]).exp().add(level).data();
    const shown = written.map((text) => text.split(/[:\n]/)[0]);
    let place = 0;
    for (const start of expected) {
      place = shown.findIndex((line, i) => i >= place && line.startsWith(start));
      expect(place, `${start} in ${shown.join(' | ')}`).toBeGreaterThanOrEqual(0);
    }
    if (level === 0) expect(written).toEqual([]);
    if (level < 5) expect(shown.some((line) => line.startsWith('[run]'))).toBe(false);
    if (level < 4) expect(shown).not.toContain('[compile] graph after simplify');
    if (level < 3) expect(shown).not.toContain('[compile] graph as captured');
    if (level < 2) expect(shown).not.toContain('[compile] program');
  });

  it('the kernels of the portable engine too', async () => {
    await withEnvironment({ FOVEA_DEBUG: '2' });
    const { setEngine } = await import('../../src/engine/select.js');
    const { tensor } = await import('../../src/tensor/fromArrays.js');
    setEngine('portable');
    await tensor([1, 2])
      .mul(tensor([3, 4]))
      .data();
    expect(written.join('')).toMatch(/^\[compile\] program.*\bmul .*kernel=portable /ms);
    expect(written.join('')).toMatch(/^\[compile\] portable/m);
  });
});
