import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FileError, InputError } from '../../../src/errors.js';
import { Cifar10, Cifar100, type CifarOptions } from '../../../src/vision/datasets/cifar.js';
import { parseTransforms } from '../../../src/vision/transforms/index.js';
import { LocalServer } from '../../server.js';
import { tar } from '../../tarWriter.js';
import { folderPerTest } from '../../temporary.js';
import {
  binaryBatch,
  type CifarBatch,
  cifar10BinaryFiles,
  cifar10Files,
  cifarArchive,
  cifarImage,
  pickledBatch,
  testBatch,
} from './cifarFiles.js';

/** No waiting between attempts to download. */
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const python = cifarArchive('cifar-10-batches-py', cifar10Files());
const binary = cifarArchive('cifar-10-batches-bin', cifar10BinaryFiles());
let folder = '';
folderPerTest((path) => {
  folder = path;
  vi.stubEnv('FOVEA_CACHE', join(folder, 'cache'));
});
afterEach(() => vi.unstubAllEnvs());

function place(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

function unpack(name: string, files: Readonly<Record<string, Uint8Array>>): string {
  for (const [file, content] of Object.entries(files)) place(join(name, file), content);
  return join(folder, name);
}

const unit = (seed: number) => Float32Array.from(cifarImage(seed), (value) => value / 255);

async function failure(options: CifarOptions, data: typeof Cifar10 | typeof Cifar100 = Cifar10): Promise<string> {
  const error = await data.open({ mode: 'test', ...options }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FileError);
  return (error as FileError).message;
}

describe('Cifar10', () => {
  const forms: Record<string, () => string> = {
    'the archive': () => place('mine.tar.gz', python),
    'the archive, not gzipped': () => place('mine.tar', gunzipSync(python)),
    'a folder with the archive': () => join(place('cifar-10-python.tar.gz', python), '..'),
    'a folder with the unpacked folder': () => join(unpack('cifar-10-batches-py', cifar10Files()), '..'),
    'the unpacked folder': () => unpack('any-name', cifar10Files()),
    'the archive of the binary version': () => place('mine.tar.gz', binary),
    'a folder with that archive': () => join(place('cifar-10-binary.tar.gz', binary), '..'),
    'the unpacked folder of the binary version': () => unpack('any-name', cifar10BinaryFiles()),
  };

  it.each(Object.keys(forms))('reads %s', async (form) => {
    const dataFile = forms[form]();
    const train = await Cifar10.open({ dataFile });
    expect(train.length).toBe(10);
    expect([...train.labels]).toEqual([1, 8, 2, 7, 3, 6, 4, 5, 5, 4]);
    expect(train.get(0)).toEqual({ image: unit(2), shape: [3, 32, 32], label: 1 });
    expect(train.get(9).image).toEqual(unit(11));
    expect(train.classNames.slice(0, 3)).toEqual(['airplane', 'automobile', 'bird']);
    expect(train.classNames).toHaveLength(10);
    const test = await Cifar10.open({ dataFile, mode: 'test' });
    expect([...test.labels]).toEqual([3, 0, 9]);
    expect(test.get(2).image).toEqual(unit(102));
    expect(test.source.origin).toBe('dataFile');
    for (const path of test.source.files) expect(path.startsWith(dataFile)).toBe(true);
  });

  it('reads what Python 3 has pickled again, with keys of bytes', async () => {
    const files = cifar10Files();
    const keyed = Buffer.from(files.test_batch);
    // U\x04data and U\x06labels become C\x04data and C\x06labels: bytes of protocol 3.
    keyed[1] = 3;
    for (const key of ['data', 'labels'])
      keyed.write('C', keyed.indexOf(`\x55${String.fromCharCode(key.length)}${key}`));
    const dataFile = unpack('again', { ...files, test_batch: keyed });
    expect([...(await Cifar10.open({ dataFile, mode: 'test' })).labels]).toEqual([3, 0, 9]);
  });

  it('takes transforms', async () => {
    const dataFile = place('mine.tar.gz', python);
    const transform = parseTransforms('RandomHorizontalFlip(1),ToTensor');
    const flipped = await Cifar10.open({ dataFile, mode: 'test', transform });
    const expected = unit(100).map((_, i, all) => all[i - (i % 32) + 31 - (i % 32)]);
    expect(flipped.get(0)).toEqual({ image: expected, shape: [3, 32, 32], label: 3 });
    await expect(Cifar10.open({ dataFile, mode: 'valid' as 'test' })).rejects.toThrow(InputError);
  });
});

describe('Cifar100', () => {
  const batch: CifarBatch = { seeds: [1, 2, 3], labels: [99, 0, 42] };

  it.each(['python', 'binary'])('reads the %s version', async (version) => {
    const files =
      version === 'python'
        ? { test: pickledBatch(batch, { key: 'fine_labels' }), meta: Buffer.from('K\x01.') }
        : { 'test.bin': binaryBatch(batch, true) };
    const dataFile = place('mine.tar.gz', cifarArchive(`cifar-100-${version}`, files));
    const data = await Cifar100.open({ dataFile, mode: 'test' });
    expect([...data.labels]).toEqual([99, 0, 42]);
    expect(data.get(1).image).toEqual(unit(2));
    expect([data.classNames[0], data.classNames[42], data.classNames[99]]).toEqual(['apple', 'leopard', 'worm']);
    expect(new Set(data.classNames).size).toBe(100);
    expect([...data.classNames].sort()).toEqual(data.classNames);
  });
});

describe('what is no such data set', () => {
  const archive = (changes: Readonly<Record<string, Uint8Array | undefined>>) => {
    const files = Object.entries({ ...cifar10Files(), ...changes }).filter(([, content]) => content !== undefined);
    return place('mine.tar.gz', cifarArchive('cifar-10-batches-py', Object.fromEntries(files as [string, Buffer][])));
  };

  it('cut anywhere, is refused', async () => {
    for (const share of [0.05, 0.3, 0.6, 0.9, 0.99]) {
      const dataFile = place('cut.tar.gz', python.subarray(0, Math.floor(share * python.length)));
      expect(await failure({ dataFile })).toMatch(/\[tar\] .*cut\.tar\.gz: expected an intact archive, got /);
    }
    const damaged = Buffer.from(python);
    damaged[damaged.length >> 1] ^= 255;
    expect(await failure({ dataFile: place('bad.tar.gz', damaged) })).toMatch(/\[tar\] .*bad\.tar\.gz: expected/);
  });

  it.each<[string, () => string, RegExp]>([
    [
      'without a batch',
      () => archive({ test_batch: undefined }),
      /expected test_batch there \(or with \.bin\), got no test_batch/,
    ],
    [
      'with a short row',
      () => archive({ test_batch: pickledBatch(testBatch, { columns: 3071 }) }),
      /data: expected bytes \[n,3072\], got u1 \[3,3071\]/,
    ],
    [
      'with other values',
      () => archive({ test_batch: pickledBatch(testBatch, { type: 'i1' }) }),
      /data: expected bytes \[n,3072\], got i1/,
    ],
    [
      'with a missing label',
      () => archive({ test_batch: pickledBatch({ ...testBatch, labels: [1, 2] }) }),
      /labels: expected a list of 3 integers, got 2/,
    ],
    [
      'without labels',
      () => archive({ test_batch: pickledBatch(testBatch, { key: 'other' }) }),
      /labels: expected a list of 3 integers, got no list/,
    ],
    [
      'with a class too many',
      () => archive({ test_batch: pickledBatch({ ...testBatch, labels: [1, 10, 2] }) }),
      /label 1: expected 0 to 9, got 10/,
    ],
    [
      'with a negative class',
      () => archive({ test_batch: pickledBatch({ ...testBatch, labels: [1, 2, -1] }) }),
      /label 2: expected 0 to 9, got -1/,
    ],
    [
      'with a call',
      () => archive({ test_batch: Buffer.from('\x80\x02cos\nsystem\nU\x04true\x85R.', 'latin1') }),
      /\[pickle\] .*test_batch: .*os\.system/,
    ],
    ['with a list', () => archive({ test_batch: Buffer.from('\x80\x02].', 'latin1') }), /pickle: expected a dict/],
    [
      'with a doubled batch',
      () => {
        const entry = { name: 'a/test_batch', content: pickledBatch(testBatch) };
        return place('twice.tar', tar([entry, { ...entry, name: 'b/test_batch' }]));
      },
      /expected test_batch once, got it twice/,
    ],
    [
      'with a cut record',
      () => unpack('bin', { 'test_batch.bin': binaryBatch(testBatch).subarray(1) }),
      /expected a multiple of 3073 bytes, got 9218/,
    ],
    [
      'in an empty folder',
      () => join(place('empty/readme.txt', Buffer.from('')), '..'),
      /expected test_batch there \(or with \.bin\), or the folder cifar-10-batches-py or cifar-10-batches-bin/,
    ],
    ['nowhere', () => join(folder, 'nowhere'), /nowhere: expected an archive or a folder, got nothing there/],
  ])('%s, is refused', async (_, make, message) => {
    expect(await failure({ dataFile: make() })).toMatch(message);
  });

  it('lists the training batches that are missing', async () => {
    const dataFile = archive({ data_batch_2: undefined, data_batch_5: undefined });
    expect(await failure({ dataFile, mode: 'train' })).toContain('got no data_batch_2, data_batch_5');
  });

  it('is another of the two', async () => {
    expect(await failure({ dataFile: place('mine.tar.gz', python) }, Cifar100)).toContain('expected test there');
  });
});

describe('downloading', () => {
  const server = new LocalServer();
  const md5 = createHash('md5').update(python).digest('hex');
  const mirror = () => ({ url: `${server.url}/cifar-10-python.tar.gz`, md5 });
  const cache = () => join(folder, 'cache', 'cifar');

  it('puts the archive into the cache, and continues after a cut', async () => {
    let cuts = 0;
    server.serve((request, response) => {
      const begin = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const rest = python.subarray(begin);
      const range = { 'content-range': `bytes ${begin}-${python.length - 1}/${python.length}` };
      response.writeHead(begin > 0 ? 206 : 200, { 'content-length': rest.length, ...(begin > 0 && range) });
      if (cuts++ > 0) response.end(rest);
      else response.write(rest.subarray(0, 500), () => setTimeout(() => response.destroy(), 10));
    });
    const data = await Cifar10.open({ mode: 'test', download: mirror() });
    expect(data.source).toEqual({ origin: 'download', files: [join(cache(), 'cifar-10-python.tar.gz')] });
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]).toMatch(/bytes=\d+-$/);
    const again = await Cifar10.open({ mode: 'train', download: false });
    expect([again.source.origin, again.length]).toEqual(['cache', 10]);
  });

  it('refuses another checksum and keeps nothing', async () => {
    server.serve((_, response) => response.end(python));
    const message = await failure({ download: { ...mirror(), md5: '0'.repeat(32) } });
    expect(message).toContain(`expected a file with md5 ${'0'.repeat(32)}, got ${python.length} bytes with md5 ${md5}`);
    expect(readdirSync(cache())).toEqual([]);
  });

  it('says where the archive belongs if it may not', async () => {
    expect(await failure({ download: false })).toBe(
      `[cifar10] files: expected cifar-10-python.tar.gz or cifar-10-binary.tar.gz in ${cache()}, got neither; ` +
        'place one there, give its path, or allow the download',
    );
  });
});
