import { describe, expect, test } from 'vitest';
import { bfloat16Unit, instructionSet } from '../../src/engine/onednn/ffi/library.js';
import { isSupported, versionProblem } from '../../src/engine/onednn/library/version.js';

describe('the version of oneDNN', () => {
  test.each([
    [2, 6, 0],
    [2, 6, 3],
    [2, 7, 1],
  ] as const)('%i.%i.%i is taken', (...version) => {
    expect([isSupported(version), versionProblem(version)]).toEqual([true, null]);
  });

  test.each([
    [[1, 8, 0], 'version 1.8.0 is too old'],
    [[2, 5, 4], 'version 2.5.4 is too old'],
    [[4, 0, 0], 'version 4.0.0 is not supported'],
  ] as const)('%j is refused', (version, problem) => {
    expect([isSupported(version), versionProblem(version)]).toEqual([false, problem]);
  });
});

test.each([
  [0x3e7, 'AVX-512 with AMX', 'AMX'],
  [0xe7, 'AVX-512 with BF16', 'AVX-512'],
  [0x27, 'AVX-512', null],
  [0x7, 'AVX2', null],
  [0x12345, 'isa 0x12345', null],
])('instruction set %i: %s, bfloat16 by %s', (isa, name, unit) => {
  expect([instructionSet(isa), bfloat16Unit(isa)]).toEqual([name, unit]);
});
