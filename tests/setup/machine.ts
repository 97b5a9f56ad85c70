import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { openCandidate, openLibrary } from '../../src/engine/onednn/ffi/open.js';
import { EngineError } from '../../src/errors.js';
import type { Wheel } from '../../src/setup/byPip.js';
import { SetupError, type SetupOptions, setUp } from '../../src/setup/setUp.js';
import type { Libraries, Library, Way } from '../../src/setup/work.js';
import { tinyLibrary } from '../engine/elf.js';
import { folderPerTest, writeInto } from '../temporary.js';
import { makeZip } from '../zipWriter.js';

/** The call that libraries of these tests must have. */
const bind = (library: { func(name: string, result: string, parameters: string[]): unknown }) =>
  library.func('dnnl_compute', 'uintptr_t', []);
/** A library that can be used. */
export const usable = tinyLibrary({ version: [2, 6, 1], functions: ['dnnl_compute'] });
/** The package with it. */
export const oneDnn: Package = { release: '2.6.1+ds-1', file: 'libdnnl.so.2.6', contents: usable };

/** A library that needs others. */
export const needing = (...needs: string[]): Buffer => tinyLibrary({ functions: ['dnnl_compute'], needs });

/** A package of a fake apt. */
export interface Package {
  readonly release?: string;
  readonly file: string;
  readonly contents: Uint8Array;
  readonly depends?: string;
}

/**
 * A machine in a folder: the cache is `cache/onednn`, the folder of the system's loader `lib`. Its programs are shell
 * scripts in a search path that has nothing else, so that no test can reach the real package managers.
 */
export class FakeMachine {
  readonly cache: string;
  /** Lines of progress. */
  readonly said: string[] = [];
  readonly #bin: string;

  constructor(readonly root: string) {
    this.cache = join(root, 'cache/onednn');
    this.#bin = join(root, 'bin');
    vi.stubEnv('PATH', this.#bin);
  }

  /** Everything in the cache. */
  cached(): string[] {
    const cache = join(this.root, 'cache');
    return existsSync(cache) ? readdirSync(cache, { recursive: true, encoding: 'utf8' }).sort() : [];
  }

  install(ways: readonly Way[], more: Partial<SetupOptions> = {}): Promise<Library> {
    return setUp({
      libraries: this.#libraries(),
      offline: false,
      ways,
      signal: new AbortController().signal,
      idleMs: 60_000,
      say: (line) => this.said.push(line),
      ...more,
    });
  }

  /** The error of an installation that fails. */
  async failure(ways: readonly Way[], more?: Partial<SetupOptions>): Promise<SetupError> {
    const error = await this.install(ways, more).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SetupError);
    return error as SetupError;
  }

  #libraries(): Libraries {
    const { cache, root } = this;
    return {
      cache,
      find: () => {
        try {
          return openLibrary(bind, { named: '', cache, folders: [join(root, 'lib')] });
        } catch (error) {
          if (error instanceof EngineError) return null;
          throw error;
        }
      },
      examine: (path, way) => openCandidate({ path, origin: `cache by ${way}` }, bind),
    };
  }

  /** @param script lines for `/bin/sh`, which finds no programs but by absolute paths */
  addProgram(name: string, script: string): void {
    const path = writeInto(this.#bin, name, `#!/bin/sh\necho "${name} $*" >> '${this.#bin}/calls'\n${script}\n`);
    chmodSync(path, 0o755);
  }

  /** The calls of programs, without the options that all have. */
  calls(): string[] {
    const log = join(this.#bin, 'calls');
    if (!existsSync(log)) return [];
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    return lines.map((line) => line.replaceAll(/ -[oq]( [\w:-]+=\S+)?/g, ''));
  }

  /** Adds a pip that delivers a wheel with these contents. */
  addPip(contents: Uint8Array, name = 'tiny-1.data/data/lib/libdnnl.so.2.6'): Wheel {
    const archive = makeZip([
      { name, data: contents },
      { name: 'tiny-1.dist-info/RECORD', data: 'x' },
    ]);
    writeInto(this.root, 'index/tiny-1-py3-none-any.whl', archive);
    this.addProgram('python3', this.delivery);
    const sha256 = createHash('sha256').update(archive).digest('hex');
    return { name: 'tiny', version: '1', sha256, library: 'libdnnl.so.2.6', packages: ['libtiny1'] };
  }

  /** The end of a pip that delivers the wheel. */
  get delivery(): string {
    return `while [ "$1" != --dest ]; do shift; done; /bin/cp '${this.root}/index/'*.whl "$2"`;
  }

  /** Adds an apt and a dpkg with packages by name. */
  addApt(packages: Readonly<Record<string, Package>>): void {
    const index = join(this.root, 'index');
    const entries = Object.entries(packages);
    for (const [name, { file, contents }] of entries) writeInto(index, `${name}/${file}`, contents);
    const each = (line: (name: string, found: Package) => string) =>
      entries.map(([name, found]) => `${name}) ${line(name, found)};;`).join(' ');
    const last = 'for last; do :; done';
    const lib = join(this.root, 'lib');
    const install = `/bin/mkdir -p '${lib}'; case $last in ${each((name) => `/bin/cp '${index}/${name}/'* '${lib}'`)} esac`;
    this.addProgram(
      'apt-get',
      `for word; do
  case "$word" in Dir::State::Lists=*) lists="\${word#*=}";; update|download|install) action=$word;; esac
done
${last}
case $action in
  update) [ -z "$lists" ] || echo > "$lists/main_Packages";;
  download) echo $last > "$last"_1_amd64.deb;;
  install) case "$*" in *--download-only*) ;; *) ${install};; esac;;
esac`,
    );
    const show = each((_, { release = '1', depends = '' }) => `echo "Version: ${release}"; echo "Depends: ${depends}"`);
    this.addProgram(
      'apt-cache',
      `${last}
case "$*" in
  *pkgnames*) ${entries.map(([name]) => `echo ${name}`).join('; ')};;
  *) case $last in ${show} esac;;
esac`,
    );
    const unpack = `/bin/mkdir -p "$3/usr/lib/any" && /bin/cp '${index}/'$name/* "$3/usr/lib/any"`;
    this.addProgram('dpkg', `read name < "$2"; ${unpack}`);
  }
}

/** A new machine before each test. @returns the machine of the test that runs */
export function machinePerTest(): () => FakeMachine {
  let folder = '';
  let machine: FakeMachine;
  folderPerTest((made) => {
    folder = made;
  });
  beforeEach(() => {
    machine = new FakeMachine(folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
  return () => machine;
}

/** The contents of the cache after a setup that left nothing behind. */
export const empty = ['onednn'];
