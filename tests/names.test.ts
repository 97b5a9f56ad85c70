import { expect, it } from 'vitest';
import * as fovea from '../src/index.js';

it('no name of the package hides one of the language or of Node', () => {
  // `F`, `io`, `nn` and so on are namespaces; what is in them has a prefix.
  const hidden = Object.keys(fovea).filter((name) => name in globalThis);
  expect(hidden).toEqual([]);
  expect(fovea.nn.Buffer.filled([2], 1)).toBeInstanceOf(fovea.Tensor);
  expect(String(new fovea.RandomGenerator(0))).toMatch(/^RandomGenerator\(/);
});
