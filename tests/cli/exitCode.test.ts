import { expect, it } from 'vitest';
import { exitCodeOf } from '../../src/cli/exitCode.js';
import { FileError, FoveaError, InputError } from '../../src/errors.js';

const system = (code: string) => Object.assign(new Error(code), { code });

it('a wrong call or input is 2, failed work is 1', () => {
  expect(exitCodeOf(new InputError('x'))).toBe(2);
  expect(exitCodeOf(new FileError('x', { cause: system('ENOENT') }))).toBe(2);
  expect(exitCodeOf(new FoveaError('x'))).toBe(1);
  expect(exitCodeOf('thrown text')).toBe(1);
});

it('a full disk is failed work, wherever the error was wrapped', () => {
  const full = new FileError('x', { cause: system('ENOSPC') });
  expect(exitCodeOf(full)).toBe(1);
  expect(exitCodeOf(new FileError('the state is kept', { cause: full }))).toBe(1);
});
