import { describe, expect, test } from 'vitest';
import { bfloat16Unit, checkVersion, instructionSet } from '../../src/engine/onednn/ffi/library.js';
import { EngineError } from '../../src/errors.js';

describe('the version of oneDNN', () => {
  test.each([
    [2, 6, 0],
    [2, 6, 3],
    [2, 7, 1],
  ] as const)('%i.%i.%i is taken', (...version) => {
    expect(() => checkVersion(version, 'libdnnl.so.2')).not.toThrow();
  });

  test.each([
    [1, 8, 0],
    [2, 5, 4],
    [3, 1, 0],
  ] as const)('%i.%i.%i is refused, with the command that helps', (...version) => {
    const call = () => checkVersion(version, 'libdnnl.so.2');
    expect(call).toThrow(EngineError);
    expect(call).toThrow(expect.objectContaining({ install: 'sudo apt-get install libdnnl2' }));
    expect(call).toThrow(
      `[onednn] library version: expected 2.6 or later 2.x, got ${version.join('.')} (libdnnl.so.2); ` +
        'install it with: sudo apt-get install libdnnl2',
    );
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
