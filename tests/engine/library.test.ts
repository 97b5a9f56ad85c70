import { describe, expect, test } from 'vitest';
import { bfloat16UnitOf, instructionSetOf } from '../../src/engine/onednn/ffi/instructionSets.js';
import { instructionSets as sets2 } from '../../src/engine/onednn/ffi/onednn2/numbers.js';
import { instructionSets as sets3 } from '../../src/engine/onednn/ffi/onednn3/numbers.js';
import { isSupported, versionProblem } from '../../src/engine/onednn/library/version.js';

describe('the version of oneDNN', () => {
  test.each([
    [2, 6, 0],
    [2, 6, 3],
    [2, 7, 1],
    [3, 1, 0],
    [3, 12, 1],
  ] as const)('%i.%i.%i is taken', (...version) => {
    expect([isSupported(version), versionProblem(version)]).toEqual([true, null]);
  });

  test.each([
    [[1, 8, 0], 'version 1.8.0 is too old'],
    [[2, 5, 4], 'version 2.5.4 is too old'],
    [[3, 0, 1], 'version 3.0.1 is not supported'],
    [[4, 0, 0], 'version 4.0.0 is not supported'],
  ] as const)('%j is refused', (version, problem) => {
    expect([isSupported(version), versionProblem(version)]).toEqual([false, problem]);
  });
});

test.each([
  [sets2, 0x3e7, 'AVX-512 with AMX', 'AMX'],
  [sets2, 0xe7, 'AVX-512 with BF16', 'AVX-512'],
  [sets2, 0x27, 'AVX-512', null],
  [sets2, 0x407, 'AVX2 with VNNI', null],
  [sets2, 0x7, 'AVX2', null],
  [sets2, 0x0, 'isa 0x0', null],
  [sets3, 0xfef, 'AVX-512 with AMX', 'AMX'],
  [sets3, 0x1fef, 'AVX-512 with AMX', 'AMX'],
  [sets3, 0x1ef, 'AVX-512 with BF16', 'AVX-512'],
  [sets3, 0xe7, 'AVX-512 with BF16', 'AVX-512'],
  [sets3, 0x1f, 'AVX2 with VNNI', null],
  [sets3, 0x7, 'AVX2', null],
] as const)('an instruction set of a table: %#', (sets, isa, name, unit) => {
  expect([instructionSetOf(sets, isa), bfloat16UnitOf(sets, isa)]).toEqual([name, unit]);
});
