import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { currentEngine, setEngine } from '../../src/engine/select.js';
import * as fovea from '../../src/index.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { temporaryFolder } from '../temporary.js';
import { calls } from './calls.js';
import { describePlace, faultOf, placesOf, rubbish, withValueAt } from './rubbish.js';

const folder = temporaryFolder();
const home = process.cwd();
let before: ReturnType<typeof currentEngine>['name'];

beforeAll(() => {
  // Functions that write take some of the rubbish for the name of a file.
  process.chdir(folder);
  before = currentEngine().name;
});

afterAll(() => {
  process.chdir(home);
  setEngine(before as Parameters<typeof setEngine>[0]);
});

async function outcome(call: () => unknown): Promise<unknown> {
  setEngine('reference');
  try {
    const result = await call();
    if (result instanceof Tensor) await result.data();
    return null;
  } catch (error) {
    return error;
  }
}

/** Names of the graph's and the engine's objects, which no text for users has. */
const internals = /lazy:|storage:|sink:|inputs:|WeakRef|usedBy|\[Circular/;

it.each(Object.keys(calls))('the result of %s can be printed, and has JSON', async (name) => {
  setEngine('reference');
  const { args, call } = calls[name];
  let result: unknown = null;
  try {
    result = await call(...args());
  } catch (error) {
    expect(faultOf(error)).toBeNull();
  }
  expect(inspect(result)).not.toMatch(internals);
  expect(inspect([{ result }])).not.toMatch(internals);
  expect(() => JSON.stringify(result)).not.toThrow();
});

it.each(Object.keys(calls))('%s takes its arguments, and refuses others with an error of its own', async (name) => {
  vi.stubEnv('FOVEA_MEMORY_LIMIT', '1GiB');
  const { args, call } = calls[name];
  const right = await outcome(() => call(...args()));
  expect(faultOf(right ?? new fovea.FoveaError('')), `${name} with right arguments`).toBeNull();
  const faults: string[] = [];
  const note = (what: string, error: unknown) => {
    if (error === null || faultOf(error) === null) return;
    faults.push(`${what}: ${faultOf(error)}`);
  };
  for (const place of placesOf(args())) {
    for (const value of rubbish()) {
      const error = await outcome(() => call(...withValueAt(args(), place, value)));
      const shown =
        typeof value === 'symbol'
          ? 'a symbol'
          : typeof value === 'object'
            ? Object.prototype.toString.call(value)
            : `${value}`;
      note(`${describePlace(place)} = ${shown.slice(0, 40)}`, error);
    }
  }
  for (let length = 0; length < args().length; length++) {
    note(`${length} arguments`, await outcome(() => call(...args().slice(0, length))));
  }
  expect(faults).toEqual([]);
});

/** Exports with tests of their own arguments: files, pictures, run folders, and classes to derive from. */
const elsewhere = [
  /^(FoveaError|\w+Error|FlopCount|ParameterCounts|version)$/,
  /^io\.Epoch$/,
  /^nn\.Layer$/,
  /^optimizer\.(Optimizer|lr\.(LRScheduler|Schedule))$/,
  /^runs\.(RunFolder|explainPictures|nearestImages|pictureFeatures|runActivity|runFeatures|readPredictions|writeEvaluation)$/,
  /^statistics\./,
  /^vision\.(datasets|explain|images|transforms)\./,
  // They check their options as the networks with calls do.
  /^vision\.models\.(course\.)?\w+$/,
];

it('every export has a call here, or is tested elsewhere', () => {
  const names = Object.entries(fovea).flatMap(([name, value]): string[] => namesIn(name, value));
  const known = new Set(Object.keys(calls).flatMap((name) => prefixesOf(name)));
  expect(names.filter((name) => !known.has(name) && !elsewhere.some((one) => one.test(name)))).toEqual([]);
});

function namesIn(name: string, value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [name];
  return Object.entries(value).flatMap(([key, inner]) => namesIn(`${name}.${key}`, inner));
}

/** `io.DataLoader.epoch` is a call of `io.DataLoader` too. */
function prefixesOf(name: string): string[] {
  const parts = name.split('.');
  return parts.map((_, i) => parts.slice(0, i + 1).join('.'));
}
