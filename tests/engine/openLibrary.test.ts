import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { examine } from '../../src/engine/onednn/ffi/library.js';
import { examinedLibraries, openLibrary } from '../../src/engine/onednn/ffi/open.js';
import { candidates, type Places } from '../../src/engine/onednn/library/candidates.js';
import { elfProblem } from '../../src/engine/onednn/library/elf.js';
import { EngineError, InputError } from '../../src/errors.js';
import { itWith } from '../needs.js';
import { folderPerTest, writeInto } from '../temporary.js';
import { machines, tinyLibrary } from './elf.js';

let root = '';
folderPerTest((folder) => {
  root = folder;
});

const places = (more: Partial<Places> = {}): Places => ({
  named: '',
  cache: join(root, 'cache'),
  folders: [join(root, 'lib')],
  ...more,
});
/** Needs one call beside the version. */
const bind = (library: { func(name: string, result: string, parameters: string[]): unknown }) => ({
  compute: library.func('dnnl_compute', 'uintptr_t', []),
});
const open = (more?: Partial<Places>) => openLibrary(bind, places(more));
const usable = (version: [number, number, number] = [2, 6, 1]) => tinyLibrary({ version, functions: ['dnnl_compute'] });
const put = (name: string, contents: string | Uint8Array = usable()) => writeInto(root, name, contents);

describe('the order of candidates', () => {
  const listed = (more?: Partial<Places>) =>
    candidates(places(more)).map(({ path, origin }) => [path.replace(`${root}/`, ''), origin]);

  it('begins with the cache, and prefers releases with Winograd kernels among the others', () => {
    const names = [
      'libdnnl.so.3.6',
      'libdnnl.so.3.1',
      'libdnnl.so.2.6',
      'libdnnl.so',
      'libdnnl.so.2.6.debug',
      'libgomp.so.1',
    ];
    for (const name of names) put(`lib/${name}`);
    put('usr/libdnnl.so.2.7');
    put('cache/pip-1/libdnnl.so.2.6');
    put('cache/apt-1/libdnnl.so.3.6');
    put('cache/.fovea-half.tmp/libdnnl.so.2.6');
    expect(listed({ folders: [join(root, 'lib'), join(root, 'usr'), join(root, 'absent')] })).toEqual([
      ['cache/pip-1/libdnnl.so.2.6', 'cache by pip'],
      ['cache/apt-1/libdnnl.so.3.6', 'cache by apt'],
      ['lib/libdnnl.so.2.6', 'system'],
      ['usr/libdnnl.so.2.7', 'system'],
      ['lib/libdnnl.so.3.1', 'system'],
      ['lib/libdnnl.so.3.6', 'system'],
    ]);
  });

  it('lists a file with several names once', () => {
    put('lib/libdnnl.so.2.6');
    symlinkSync('libdnnl.so.2.6', join(root, 'lib/libdnnl.so.2'));
    symlinkSync('lib', join(root, 'lib64'));
    expect(listed({ folders: [join(root, 'lib64'), join(root, 'lib')] })).toEqual([['lib/libdnnl.so.2.6', 'system']]);
  });

  it('has the file of the user alone', () => {
    put('lib/libdnnl.so.2.6');
    expect(listed({ named: '/own/x.so' })).toEqual([['/own/x.so', 'environment']]);
  });
});

describe('headers', () => {
  const problem = (contents: string | Uint8Array) => elfProblem(put('x', contents));
  const changed = (at: number, ...bytes: number[]) => {
    const file = tinyLibrary();
    file.set(bytes, at);
    return file;
  };

  it('are in order for a library of this processor', () => expect(problem(tinyLibrary())).toBeNull());

  const other = process.arch === 'arm64' ? 'x64' : 'arm64';
  it.each([
    ['an empty file', '', 'not a shared library: no ELF header'],
    ['a text', 'libdnnl\n'.repeat(100), 'not a shared library: no ELF header'],
    ['a text that begins as a library does', '\x7fELF', /^cut off: it has 4 bytes/],
    ['half a library', tinyLibrary().subarray(0, 300), /^cut off: it has 300 bytes/],
    ['a library without its last byte', tinyLibrary().subarray(0, -1), /^cut off/],
    ['a table of sections behind the end', changed(40, 0xff, 0xff, 0xff), /^cut off/],
    ['segments behind the end', changed(32, 0xff, 0xff, 0xff), /^cut off/],
    [
      'another processor',
      tinyLibrary({ arch: other }),
      `made for another processor: ${other === 'arm64' ? 'ARM64' : 'x86-64'}`,
    ],
    ['an unknown processor', changed(18, 0x34, 0x12), 'made for another processor: ELF machine 4660'],
    ['32 bits', changed(4, 1), /^made for another processor/],
    ['the other order of bytes', changed(5, 2), /^made for another processor/],
    ['a program', changed(16, 2), 'not a shared library'],
  ] as const)('%s', (_, contents, expected) => {
    const found = problem(contents);
    if (typeof expected === 'string') expect(found).toBe(expected);
    else expect(found).toMatch(expected);
  });

  itWith('posix', 'a pipe is not opened', () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    expect(elfProblem(join(root, 'pipe'))).toBe('not a file');
  });

  it('know both processors of the tests', () => expect(Object.keys(machines)).toContain(process.arch));
});

describe('opening', () => {
  it('takes the first that can be used, and says why the others cannot', () => {
    put('cache/apt-1/libdnnl.so.2.6', usable().subarray(0, 200));
    put('cache/pip-1/libdnnl.so.2.6', 'no library');
    put('lib/libdnnl.so.2.2', tinyLibrary({ version: [2, 2, 4] }));
    put('lib/libdnnl.so.2.6.9', tinyLibrary({ version: [2, 6, 9] }));
    put('lib/libdnnl.so.2.7');
    put('lib/libdnnl.so.3.6', usable([3, 6, 0]));
    const { api, ...library } = open();
    expect(library).toEqual({
      path: join(root, 'lib/libdnnl.so.2.7'),
      origin: 'system',
      version: [2, 6, 1],
      problem: null,
    });
    expect(api.compute).toBeTypeOf('function');
    expect(examinedLibraries().map(({ version, problem }) => [version, problem])).toEqual([
      [null, expect.stringMatching(/^cut off: it has 200 bytes/)],
      [null, 'not a shared library: no ELF header'],
      [[2, 2, 4], 'version 2.2.4 is too old'],
      [[2, 6, 9], expect.stringMatching(/^lacks calls that are needed: .*dnnl_compute/)],
      [[2, 6, 1], null],
    ]);
  });

  it.each([
    [2, 7, 0],
    [3, 6, 0],
  ] as const)('refuses %i.%i.%i without calls that the engine needs', (...version) => {
    const path = put('libdnnl.so', tinyLibrary({ version }));
    expect(examine({ path, origin: 'system' })).toEqual({
      path,
      origin: 'system',
      version,
      problem: expect.stringMatching(/^lacks calls that are needed: .*'dnnl_\w+'/),
    });
  });

  it('without a usable one names them all, with the command that helps', () => {
    put('lib/libdnnl.so.2.2', tinyLibrary({ version: [2, 2, 4] }));
    put('lib/libdnnl.so.2.6', 'no library');
    expect(open).toThrow(EngineError);
    expect(open).toThrow(expect.objectContaining({ install: 'npx fovea setup' }));
    expect(open).toThrow(
      `${join(root, 'lib/libdnnl.so.2.2')} (version 2.2.4 is too old), ` +
        `${join(root, 'lib/libdnnl.so.2.6')} (not a shared library: no ELF header); install it with: npx fovea setup`,
    );
    expect(() => open({ folders: [] })).toThrow(/got none; install it with: npx fovea setup$/);
  });

  it('does not pass over the file of the user', () => {
    put('lib/libdnnl.so.2.6');
    const named = put('own.so', tinyLibrary({ version: [1, 8, 0] }));
    expect(() => open({ named })).toThrow(InputError);
    expect(() => open({ named })).toThrow(
      `got ${named}: version 1.8.0 is too old; name another file, or unset the variable`,
    );
    expect(() => open({ named: join(root, 'absent.so') })).toThrow(
      /absent\.so: cannot be read \(ENOENT\); name another/,
    );
    expect(() => open({ named: root })).toThrow(/: not a file; name another/);
    expect(open({ named: put('right.so') })).toMatchObject({ origin: 'environment', version: [2, 6, 1] });
  });

  it('takes a library that is needed from the same folder, where the system lacks it', () => {
    const needs = ['libtiny-openmp.so.1'];
    const wanted = put('cache/pip-1/libdnnl.so.2.6', tinyLibrary({ functions: ['dnnl_compute'], needs }));
    expect(open).toThrow(`${wanted} (cannot be loaded: libtiny-openmp.so.1: cannot open shared object file`);
    put('cache/pip-1/libtiny-openmp.so.1', tinyLibrary({ name: 'libtiny-openmp.so.1' }));
    expect(open()).toMatchObject({ path: wanted, problem: null });
  });

  itWith('posix', 'refuses a file in the cache that other users can change', () => {
    put('cache/pip-1/libdnnl.so.2.6');
    chmodSync(join(root, 'cache/pip-1'), 0o777);
    expect(open).toThrow(`other users can change ${join(root, 'cache/pip-1')}`);
    chmodSync(join(root, 'cache/pip-1'), 0o755);
    expect(open()).toMatchObject({ origin: 'cache by pip' });
  });

  it('survives folders that are files, and links without a target', () => {
    put('cache');
    mkdirSync(join(root, 'lib'));
    symlinkSync('nowhere', join(root, 'lib/libdnnl.so.2'));
    expect(open).toThrow('cannot be read (ENOENT)');
  });
});
