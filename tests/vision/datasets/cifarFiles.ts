import { gzipSync } from 'node:zlib';
import { tar } from '../../tarWriter.js';

/** Image `i` of a batch: bytes that differ from image to image, plane to plane, pixel to pixel. */
export function cifarImage(seed: number): Uint8Array {
  return Uint8Array.from({ length: 3072 }, (_, p) => (seed * 31 + p * 7 + (p >> 10) * 90) & 255);
}

export interface CifarBatch {
  /** The seeds of the images, for {@link cifarImage}. */
  readonly seeds: readonly number[];
  readonly labels: readonly number[];
}

const text = (value: string) => Buffer.from(`U${String.fromCharCode(value.length)}${value}`, 'latin1');
const int32 = (code: string, value: number) => {
  const bytes = Buffer.alloc(5);
  bytes.write(code, 'latin1');
  bytes.writeInt32LE(value, 1);
  return bytes;
};
const raw = (value: string) => Buffer.from(value, 'latin1');

/** A batch as Python 2 pickled it for the python version: protocol 2, keys and contents as plain strings. */
export function pickledBatch(
  { seeds, labels }: CifarBatch,
  { key = 'labels', columns = 3072, type = 'u1' } = {},
): Buffer {
  const data = Buffer.concat(seeds.map((seed) => cifarImage(seed).subarray(0, columns)));
  return Buffer.concat([
    raw('\x80\x02}('),
    text('batch_label'),
    text('training batch 1 of 5'),
    text(key),
    raw(']('),
    ...labels.map((label) => int32('J', label)),
    raw('e'),
    text('data'),
    raw('cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01'),
    int32('J', seeds.length),
    int32('J', columns),
    raw('\x86cnumpy\ndtype\n'),
    text(type),
    raw('K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89'),
    int32('T', data.length),
    data,
    raw('tbu.'),
  ]);
}

/** A batch of the binary version. */
export function binaryBatch({ seeds, labels }: CifarBatch, coarse = false): Buffer {
  return Buffer.concat(
    seeds.flatMap((seed, i) => [Buffer.from(coarse ? [19, labels[i]] : [labels[i]]), cifarImage(seed)]),
  );
}

/** Batch `i` has two images, the test batch three. */
const batchOf = (i: number): CifarBatch => ({ seeds: [2 * i, 2 * i + 1], labels: [i, 9 - i] });
export const testBatch: CifarBatch = { seeds: [100, 101, 102], labels: [3, 0, 9] };

/** The files of CIFAR-10's python version, ten training images and three test images, by name. */
export function cifar10Files(): Record<string, Buffer> {
  const batches = [1, 2, 3, 4, 5].map((i) => [`data_batch_${i}`, pickledBatch(batchOf(i))]);
  return { ...Object.fromEntries(batches), test_batch: pickledBatch(testBatch), 'batches.meta': Buffer.from('K\x01.') };
}

export function cifar10BinaryFiles(): Record<string, Buffer> {
  const batches = [1, 2, 3, 4, 5].map((i) => [`data_batch_${i}.bin`, binaryBatch(batchOf(i))]);
  return { ...Object.fromEntries(batches), 'test_batch.bin': binaryBatch(testBatch) };
}

/** As in the real archives: the folder, then its files. */
export function cifarArchive(folder: string, files: Readonly<Record<string, Uint8Array>>): Buffer {
  const entries = Object.entries(files).map(([name, content]) => ({ name: `${folder}/${name}`, content }));
  return gzipSync(tar([{ name: `${folder}/`, type: '5' }, ...entries]));
}
