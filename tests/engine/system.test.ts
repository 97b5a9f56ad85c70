import { afterEach, beforeEach, expect, test, vi } from 'vitest';

/** Libraries that were asked for, and calls into them. */
const asked: (string | null)[] = [];
const calls: unknown[][] = [];
let lacking: readonly string[] = [];

vi.mock('../../src/engine/onednn/ffi/koffi.js', () => ({
  koffi: () => ({
    load(library: string | null) {
      asked.push(library);
      if (library !== null && lacking.includes(library)) throw new Error(`${library}: cannot open shared object file`);
      return {
        func:
          (name: string) =>
          (...args: unknown[]) => {
            calls.push([library, name, ...args]);
            return 4096;
          },
      };
    },
  }),
}));

const { platform, arch } = process;

function fake(system: NodeJS.Platform, processor: NodeJS.Architecture = 'x64'): void {
  Object.defineProperty(process, 'platform', { value: system });
  Object.defineProperty(process, 'arch', { value: processor });
}

/** The module as new: it binds a system once. */
const load = () => import('../../src/engine/onednn/ffi/system.js');

beforeEach(() => {
  vi.resetModules();
  asked.length = 0;
  calls.length = 0;
  lacking = [];
});
afterEach(() => fake(platform, arch as NodeJS.Architecture));

test('Windows has memory, takes the size before the alignment, and neither signals nor machine code', async () => {
  fake('win32');
  const system = (await load()).system();
  expect(system.alignedAlloc(64, 1000)).toBe(4096);
  system.free(4096);
  system.keepLoaded('C:\\lib\\dnnl.dll');
  expect(calls).toEqual([
    ['ucrtbase.dll', '_aligned_malloc', 1000, 64],
    ['ucrtbase.dll', '_aligned_free', 4096],
    ['kernel32.dll', 'LoadLibraryW', 'C:\\lib\\dnnl.dll'],
  ]);
  expect([system.signals, system.code, system.adviseHugePages]).toEqual([null, null, null]);
});

test('macOS asks its own C library, with its own numbers', async () => {
  fake('darwin', 'arm64');
  const system = (await load()).system();
  system.alignedAlloc(64, 128);
  system.keepLoaded('libdnnl.dylib');
  system.signals?.setBlocked(1, 2);
  expect(calls).toEqual([
    ['libSystem.B.dylib', 'aligned_alloc', 64, 128],
    [null, 'dlopen', 'libdnnl.dylib', 0x82],
    ['libSystem.B.dylib', 'sigprocmask', 3, 1, 2],
  ]);
  expect([system.code, system.openMp()]).toEqual([null, null]);
});

test.each(['linux', 'darwin', 'win32'] as const)('the libraries of %s are opened once', async (name) => {
  fake(name);
  const { system } = await load();
  expect(system()).toBe(system());
  expect(asked).toEqual([...new Set(asked)]);
});

test.each([
  ['linux', 'libc.so.6'],
  ['darwin', 'libSystem.B.dylib'],
  ['win32', 'ucrtbase.dll'],
] as const)('on %s without a C library the error says so, and it says what still works', async (name, library) => {
  fake(name, 'riscv64');
  lacking = [library];
  const { system } = await load();
  // The error classes are new with the modules.
  const { EngineError } = await import('../../src/errors.js');
  expect(system).toThrow(EngineError);
  expect(system).toThrow(`expected the C library of this system as ${library}`);
  expect(system).toThrow('the portable engine works without it');
});

test('a missing OpenMP runtime is no error', async () => {
  fake('linux');
  lacking = ['libgomp.so.1'];
  expect((await load()).system().openMp()).toBeNull();
});

test.each(['darwin', 'win32'] as const)('on %s no machine code of the project runs', async (name) => {
  fake(name);
  const { canExecute } = await import('../../src/engine/onednn/ffi/executable.js');
  expect(canExecute()).toBe(false);
});

test('a run on a system without signal handlers blocks none', async () => {
  fake('win32');
  const { blockSignals, restoreSignals } = await import('../../src/engine/onednn/ffi/signals.js');
  blockSignals();
  restoreSignals();
  expect(calls).toEqual([]);
});
