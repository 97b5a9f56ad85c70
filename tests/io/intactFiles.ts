import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { readConfiguration } from '../../src/cli/config.js';
import { lockFolder, ownerOf } from '../../src/io/files/lock.js';
import { thisProcess } from '../../src/io/files/owner.js';
import { readTar } from '../../src/io/files/tar.js';
import { ZipArchive } from '../../src/io/files/zip.js';
import { loadPdopt, savePdopt } from '../../src/io/weights/pdopt.js';
import { loadPdparams, savePdparams, writePdparams } from '../../src/io/weights/pdparams.js';
import { saveSafetensors } from '../../src/io/weights/safetensors.js';
import { load } from '../../src/io/weights/save.js';
import { Linear } from '../../src/nn/index.js';
import { Adam, lr } from '../../src/optimizer/index.js';
import { RandomGenerator } from '../../src/random.js';
import { SeenPictures } from '../../src/run/checksums.js';
import type { RunConfig } from '../../src/run/config.js';
import { RunFolder } from '../../src/run/folder.js';
import { readWeightsRecord } from '../../src/run/pretrained.js';
import { weightsMetadata } from '../../src/run/weightsRecord.js';
import type { Training } from '../../src/train/callback.js';
import { loadModel, saveModel } from '../../src/train/checkpoint/weights.js';
import { Cifar10 } from '../../src/vision/datasets/cifar.js';
import { listOfTable } from '../../src/vision/datasets/csvDataset.js';
import { readIdx } from '../../src/vision/datasets/idx.js';
import { readImage } from '../../src/vision/datasets/reading/cachedImage.js';
import { ImageCache } from '../../src/vision/datasets/reading/imageCache.js';
import { isOwnPicture } from '../../src/vision/images/contactSheet.js';
import { decodeImage, PictureFile } from '../../src/vision/images/decode.js';
import { thumbnailPng } from '../../src/vision/images/thumbnail.js';
import { countsOf, hashOf, readRecord, sizesOf } from '../../src/vision/palm/record.js';
import { tar } from '../tarWriter.js';
import { makeWorkbook, makeZip } from '../zipWriter.js';

type Files = Readonly<Record<string, Uint8Array>>;

/** A kind of file that Fovea reads. */
export interface FileKind {
  readonly name: string;
  /** The contents that the tests change. */
  readonly intact: Buffer;
  readonly isText?: boolean;
  /** The files of the folder that is read, with the changed contents in one of them. */
  readonly lay: (changed: Buffer) => Files;
  /** Reads the folder as the library does. */
  readonly read: (folder: string) => Promise<unknown>;
  /** Checksums cover all of it: what is read is what the intact file holds. */
  readonly isSealed?: boolean;
  /** The reader owns the file, and removes one that is of no use. */
  readonly mayRemove?: boolean;
}

const files = (folder: string): Record<string, Buffer> =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');

/** All kinds, made in a folder. */
export async function intactFiles(folder: string): Promise<FileKind[]> {
  return [
    ...(await pictures()),
    ...archives(),
    ...tables(),
    ...idx(),
    configuration(),
    ...(await weights(join(folder, 'weights'))),
    ...(await run(join(folder, 'run'))),
    palm(),
    await lock(),
    await cacheEntry(join(folder, 'cache')),
  ];
}

async function pictures(): Promise<FileKind[]> {
  const [width, height] = [24, 18];
  const noise = Uint8Array.from({ length: width * height * 3 }, (_, i) => ((i * i * 31) >>> 5) & 255);
  const drawn = () => sharp(noise, { raw: { width, height, channels: 3 } });
  const turned = () => drawn().withMetadata({ orientation: 6 });
  const made: Record<string, Promise<Buffer>> = {
    JPEG: turned().jpeg().toBuffer(),
    'JPEG, progressive': drawn().jpeg({ progressive: true }).toBuffer(),
    PNG: turned().png().toBuffer(),
    'PNG of 16 bits': drawn().toColourspace('rgb16').png().toBuffer(),
    'PNG with a palette and transparency': drawn().ensureAlpha(0.5).png({ palette: true }).toBuffer(),
    WebP: turned().webp().toBuffer(),
    'WebP without loss': drawn().ensureAlpha(0.5).webp({ lossless: true }).toBuffer(),
    GIF: drawn().gif().toBuffer(),
    TIFF: drawn().tiff({ compression: 'none' }).toBuffer(),
    'TIFF, deflated': drawn().tiff({ compression: 'deflate', predictor: 'horizontal' }).toBuffer(),
    'TIFF, JPEG inside': drawn().tiff({ compression: 'jpeg', tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
  };
  const preprocessing = { height: 8, width: 8, order: 'BGR', antialias: true, fit: 'squash' } as const;
  const kinds = Object.entries(made).map(
    async ([name, bytes], i): Promise<FileKind> => ({
      name,
      intact: await bytes,
      lay: (changed) => ({ picture: changed }),
      read: async (folder) => {
        const path = join(folder, 'picture');
        await isOwnPicture(path);
        // Each way to look at a picture refuses by itself.
        const results = await Promise.allSettled([
          decodeImage(path),
          PictureFile.open(path).then((picture) => picture.changes()),
          readImage({ path, preprocessing, cache: null }),
          ...(i % 3 === 0 ? [thumbnailPng(path, 16)] : []),
        ]);
        return all(results);
      },
    }),
  );
  return Promise.all(kinds);
}

/** @throws the first error that is not one of Fovea's, else the first */
function all(results: readonly PromiseSettledResult<unknown>[]): unknown[] {
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (errors.length > 0) throw errors.length === 1 ? errors[0] : new AggregateError(errors);
  return results.map((result) => (result.status === 'fulfilled' ? result.value : null));
}

function archives(): FileKind[] {
  const text = 'a text, a text, a text\n'.repeat(8);
  const zip = makeZip([
    { name: 'folder/a.txt', data: text },
    { name: 'b.bin', data: Uint8Array.from({ length: 300 }, (_, i) => i * i), stored: true },
  ]);
  const tarred = tar([
    { name: 'folder/', type: '5' },
    { name: 'x', content: '31 path=folder/a long name.txt\n', type: 'x' },
    { name: 'a.txt', content: text },
    { name: 'L', content: `${'n'.repeat(120)}\0`, type: 'L' },
    { name: 'short', content: 'b' },
    { name: 'c.bin', content: Uint8Array.from({ length: 600 }, (_, i) => i) },
  ]);
  const readZip = async (path: string) => {
    const archive = await ZipArchive.open(path);
    try {
      let bytes = 0;
      for (const entry of archive.entries) for await (const piece of entry.read()) bytes += piece.length;
      return [archive.entries.map(({ name }) => name), bytes];
    } finally {
      archive.close();
    }
  };
  const untar = async (path: string) => {
    const found: unknown[] = [];
    for await (const { name, bytes } of readTar(path, () => true)) found.push([name, bytes.length]);
    return found;
  };
  const batch = Buffer.alloc(2 * 3073, 3);
  const cifar = tar([{ name: 'cifar-10-batches-bin/test_batch.bin', content: batch }]);
  const readCifar = (folder: string) =>
    Cifar10.open({ dataFile: join(folder, 'c.tar.gz'), mode: 'test', download: false });
  return [
    {
      name: 'zip',
      intact: zip,
      lay: (changed) => ({ 'a.zip': changed }),
      read: (folder) => readZip(join(folder, 'a.zip')),
    },
    { name: 'tar', intact: tarred, lay: (changed) => ({ a: changed }), read: (folder) => untar(join(folder, 'a')) },
    {
      name: 'tar.gz',
      intact: gzipSync(tarred),
      lay: (changed) => ({ a: changed }),
      read: (folder) => untar(join(folder, 'a')),
    },
    {
      name: 'header in a tar.gz, checksum mended',
      intact: tarred.subarray(512, 1024),
      lay: (changed) => ({
        a: gzipSync(Buffer.concat([tarred.subarray(0, 512), headerMended(changed), tarred.subarray(1024)])),
      }),
      read: (folder) => untar(join(folder, 'a')),
    },
    { name: 'CIFAR-10, tar.gz', intact: gzipSync(cifar), lay: (changed) => ({ 'c.tar.gz': changed }), read: readCifar },
    { name: 'CIFAR-10, tar', intact: cifar, lay: (changed) => ({ 'c.tar.gz': changed }), read: readCifar },
    {
      name: 'CIFAR-10, batch',
      intact: batch,
      lay: (changed) => ({ 'c.tar.gz': tar([{ name: 'test_batch.bin', content: changed }]) }),
      read: readCifar,
    },
  ];
}

function headerMended(header: Buffer): Buffer {
  if (header.length < 156) return header;
  const result = Buffer.from(header);
  result.write(' '.repeat(8), 148);
  const sum = result.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  result.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return result;
}

function tables(): FileKind[] {
  const rows = [
    ['file', 'label', 'split'],
    ['a.jpg', 'cat', 'train'],
    ['b.jpg', 'dog', 'test'],
    ['c d.jpg', 'cat', 'train'],
  ];
  const beside = Object.fromEntries(['a.jpg', 'b.jpg', 'c d.jpg'].map((name) => [name, Buffer.from(name)]));
  const csv = rows
    .map((cells) => cells.map((cell) => (cell.includes(' ') ? `"${cell}"` : cell)).join(','))
    .join('\r\n');
  const workbook = makeWorkbook([...rows.slice(0, 3), ['c d.jpg', true, 2.5]]);
  const sheet = sheetOf(rows);
  const kind = (name: string, intact: Buffer, wrap: (changed: Buffer) => Buffer = (changed) => changed): FileKind => ({
    name,
    intact,
    isText: name !== 'XLSX',
    lay: (changed) => ({ ...beside, table: wrap(changed) }),
    read: async (folder) => {
      const { files, classNames, notes } = await listOfTable(join(folder, 'table'));
      return [files, classNames, notes];
    },
  });
  return [
    kind('CSV', Buffer.from(csv)),
    kind('CSV in UTF-16', Buffer.from(`\ufeff${csv}`, 'utf16le')),
    kind('XLSX', workbook),
    kind('sheet of an XLSX', Buffer.from(sheet.xml), (changed) => sheet.workbook({ sheet: changed })),
    kind('texts of an XLSX', Buffer.from(sheet.texts), (changed) => sheet.workbook({ texts: changed })),
    kind('styles of an XLSX', Buffer.from(sheet.styles), (changed) => sheet.workbook({ styles: changed })),
    kind('list of sheets of an XLSX', Buffer.from(sheet.sheets), (changed) => sheet.workbook({ sheets: changed })),
  ];
}

/** The parts of a workbook as Excel writes them, with shared texts and styles. */
function sheetOf(rows: readonly (readonly string[])[]) {
  const main = 'http://schemas.openxmlformats.org';
  const [sheetMain, types] = [`xmlns="${main}/spreadsheetml/2006/main"`, `${main}/officeDocument/2006/relationships`];
  const all = [...new Set(rows.flat())];
  const cell = (text: string, r: number, c: number) =>
    `<c r="${String.fromCharCode(65 + c)}${r + 1}" t="s" s="1"><v>${all.indexOf(text)}</v></c>`;
  const lines = rows.map((cells, r) => `<row r="${r + 1}">${cells.map((text, c) => cell(text, r, c)).join('')}</row>`);
  const parts = {
    sheet: `<worksheet ${sheetMain}><dimension ref="A1:D4"/><sheetData>${lines.join('')}<row r="5"><c r="A5" t="str"><v>a.jpg</v></c><c r="B5" t="str"><v>cat</v></c><c r="C5" s="1"><v>45000.25</v></c></row><row r="6"><c r="A6" t="str"><v>a.jpg</v></c><c r="B6" t="str"><v>cat</v></c><c r="C6" t="b"><v>1</v></c></row><row r="7"><c r="A7" t="str"><v>a.jpg</v></c><c r="B7" t="str"><v>cat</v></c><c r="C7"><f>1+1</f><v>2</v></c></row></sheetData></worksheet>`,
    texts: `<sst ${sheetMain} count="${all.length}">${all.map((text) => `<si><t>${text}</t></si>`).join('')}</sst>`,
    styles: `<styleSheet ${sheetMain}><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/></numFmts><cellStyleXfs><xf numFmtId="0"/></cellStyleXfs><cellXfs><xf numFmtId="0" xfId="0"/><xf numFmtId="164" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>`,
    sheets: `<workbook ${sheetMain} xmlns:r="${types}"><workbookPr date1904="false"/><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>`,
  };
  const link = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${types}/${type}" Target="${target}"/>`;
  const links = [
    link('r1', 'worksheet', 'worksheets/sheet1.xml'),
    link('r2', 'sharedStrings', 'sharedStrings.xml'),
    link('r3', 'styles', 'styles.xml'),
  ];
  const workbook = (changes: Partial<Record<keyof typeof parts, Buffer>>) => {
    const all: Record<keyof typeof parts, string | Buffer> = { ...parts, ...changes };
    return makeZip([
      { name: 'xl/workbook.xml', data: all.sheets },
      {
        name: 'xl/_rels/workbook.xml.rels',
        data: `<Relationships xmlns="${main}/package/2006/relationships">${links.join('')}</Relationships>`,
      },
      { name: 'xl/worksheets/sheet1.xml', data: all.sheet },
      { name: 'xl/sharedStrings.xml', data: all.texts },
      { name: 'xl/styles.xml', data: all.styles },
    ]);
  };
  return { xml: parts.sheet, texts: parts.texts, styles: parts.styles, sheets: parts.sheets, workbook };
}

function idx(): FileKind[] {
  const images = Buffer.concat([Buffer.from([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6]), Buffer.alloc(120, 9)]);
  const labels = Buffer.from([0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 2, 3]);
  const kind = (name: string, intact: Buffer, rank: 1 | 3, wrap = (changed: Buffer) => changed): FileKind => ({
    name,
    intact,
    lay: (changed) => ({ idx: wrap(changed) }),
    read: async (folder) => {
      const { shape, data } = await readIdx(join(folder, 'idx'), rank);
      return [shape, data.length];
    },
  });
  return [
    kind('IDX of images', images, 3),
    kind('IDX of labels', labels, 1),
    kind('IDX, gzip', gzipSync(images), 3),
    kind('IDX inside gzip', images, 3, (changed) => gzipSync(changed)),
  ];
}

function configuration(): FileKind {
  const yaml = `# a training
model: lenet
data: mnist
size: [28, 28]
epochs: 2
lr: 0.01
holdOut: 0.2
optimizer: &o momentum
operatingPoint: "sensitivity=0.9"
classWeight: [1, 2.5]
schedule:
  StepDecay: { stepSize: 10, gamma: 0.1 }
transforms:
  - RandomHorizontalFlip: {}
  - Normalize: { mean: [0.5], std: [0.5] }
saveBest: "loss"
`;
  return {
    name: 'configuration',
    intact: Buffer.from(yaml),
    isText: true,
    lay: (changed) => ({ 'a.yaml': changed }),
    read: (folder) => readConfiguration(join(folder, 'a.yaml')),
  };
}

function makeNetwork() {
  const network = new Linear(3, 2);
  const schedule = new lr.LinearWarmup({
    learningRate: new lr.StepDecay({ learningRate: 0.1, stepSize: 3 }),
    warmupSteps: 2,
    startLr: 0,
    endLr: 0.1,
  });
  return { network, optimizer: new Adam({ learningRate: schedule, parameters: network.parameters() }) };
}

async function weights(folder: string): Promise<FileKind[]> {
  mkdirSync(folder);
  const at = (name: string) => join(folder, name);
  const { network, optimizer } = makeNetwork();
  const metadata = weightsMetadata(runConfig);
  await saveSafetensors(network, at('a.safetensors'), metadata);
  await savePdparams(network, at('a.pdparams'), { note: metadata.training });
  await writePdparams(network, at('p2.pdparams'), { protocol: 2, note: metadata.training });
  await savePdopt(optimizer, network, at('a.pdopt'));
  await savePdopt(optimizer, network, at('p2.pdopt'), { protocol: 2 });
  await saveModel(at('m.safetensors'), network, optimizer);
  const made = files(folder);
  const read = (name: string) => async (where: string) => {
    const path = join(where, name);
    const into = makeNetwork();
    return all(
      await Promise.allSettled([
        load(path),
        readWeightsRecord(path),
        name.endsWith('.pdparams') ? loadPdparams(into.network, path) : loadModel(path, into.network, null, {}),
      ]),
    );
  };
  const readPdopt = async (where: string) => {
    const into = makeNetwork();
    return loadPdopt(into.optimizer, into.network, join(where, 'a.pdopt'), { skipMismatch: true });
  };
  const readModel = async (where: string) => {
    const into = makeNetwork();
    return [
      await loadModel(join(where, 'm'), into.network, into.optimizer, { skipMismatch: true }),
      into.optimizer.learningRate,
    ];
  };
  /** A header of the right length. */
  const headed = (file: Buffer) => {
    const length = Number(file.readBigUInt64LE());
    return {
      header: file.subarray(8, 8 + length),
      file: (header: Buffer) => {
        const size = Buffer.alloc(8);
        size.writeBigUInt64LE(BigInt(header.length));
        return Buffer.concat([size, header, file.subarray(8 + length)]);
      },
    };
  };
  const [plain, states] = [headed(made['a.safetensors']), headed(made['m.optimizer.safetensors'])];
  const model = { 'm.safetensors': made['m.safetensors'] };
  const whole = (name: string, file: string, source = file): FileKind => ({
    name,
    intact: made[source],
    lay: (changed) => ({ [file]: changed }),
    read: file.endsWith('.pdopt') ? readPdopt : read(file),
  });
  return [
    whole('safetensors', 'a.safetensors'),
    {
      ...whole('header of safetensors', 'a.safetensors'),
      intact: plain.header,
      isText: true,
      lay: (changed) => ({ 'a.safetensors': plain.file(changed) }),
    },
    whole('.pdparams', 'a.pdparams'),
    whole('.pdparams, protocol 2', 'a.pdparams', 'p2.pdparams'),
    whole('.pdopt', 'a.pdopt'),
    whole('.pdopt, protocol 2', 'a.pdopt', 'p2.pdopt'),
    {
      name: 'optimizer of a model',
      intact: states.header,
      isText: true,
      lay: (changed) => ({ ...model, 'm.optimizer.safetensors': states.file(changed) }),
      read: readModel,
    },
    {
      name: 'progress of an optimizer',
      intact: Buffer.from(
        '{"steps":7,"learningRate":0.1,"schedule":{"lastEpoch":7,"lastLr":0.1,"inner":{"lastEpoch":5,"lastLr":0.01}}}',
      ),
      isText: true,
      lay: (changed) => {
        const header = JSON.parse(states.header.toString()) as { __metadata__: Record<string, string> };
        header.__metadata__.progress = changed.toString();
        return { ...model, 'm.optimizer.safetensors': states.file(Buffer.from(JSON.stringify(header))) };
      },
      read: readModel,
    },
    {
      name: 'record of weights',
      intact: Buffer.from(metadata.training),
      isText: true,
      lay: (changed) => {
        const header = JSON.parse(plain.header.toString()) as { __metadata__: Record<string, string> };
        header.__metadata__.training = changed.toString();
        return { 'a.safetensors': plain.file(Buffer.from(JSON.stringify(header))) };
      },
      read: read('a.safetensors'),
    },
  ];
}

const split = { images: 4, source: 'x', sha256: 'a'.repeat(64), classCounts: [2, 2], unreadable: [] };
const runConfig: RunConfig = {
  format: 2,
  version: '1.0.0',
  started: '2025-01-01T00:00:00.000Z',
  model: { name: 'lenet', options: { numClasses: 2 }, inputShape: [3, 8, 8], parameters: 8 },
  data: {
    name: 'folder',
    title: 'Folder',
    location: '/x',
    images: { height: 8, width: 8, order: 'RGB', antialias: false, fit: 'squash' },
    holdOut: { share: 0.2, seed: 1 },
    onBadImage: 'skip',
    synthetic: false,
    classNames: ['cat', 'dog'],
    train: split,
    eval: { ...split, unreadable: [{ path: 'a.jpg', reason: 'cut' }] },
  },
  recipe: {
    optimizer: { name: 'adam', learningRate: 0.1, weightDecay: 0 },
    loss: 'crossEntropy',
    batchSize: 2,
    shuffle: true,
    epochs: 2,
    logEvery: 1,
    techniques: { transforms: [{ ToTensor: {} }, { Normalize: { mean: [0.5], std: [0.5] } }], classWeight: [1, 2] },
  },
  operatingRule: 'youden',
  positive: 'dog',
  seed: 1,
  engine: { name: 'reference', description: 'x', threads: 1, precision: 'float32', convolution: 'auto' },
  machine: { node: 'v20', platform: 'linux', processor: 'x' },
};

async function run(folder: string): Promise<FileKind[]> {
  const { network, optimizer } = makeNetwork();
  const generator = new RandomGenerator(1).state();
  const picture = Buffer.alloc(24, 7).toString('base64');
  const checksums = { files: picture, pixels: picture };
  const made = await RunFolder.create(folder, runConfig, { format: 1, train: checksums, validation: checksums });
  const metrics = { trainLoss: 0.5, evalLoss: 0.4, evalAccuracy: 0.5, imagesPerSecond: 10, seconds: 1, dataShare: 0.1 };
  const training: Pick<Training, 'network' | 'optimizer' | 'history' | 'epochs' | 'state'> = {
    network,
    optimizer,
    history: [
      { epoch: 1, ...metrics },
      { epoch: 2, ...metrics, trainAccuracy: 0.5, evalMetrics: { auc: null } },
    ],
    epochs: 2,
    state: () => ({
      epoch: 3,
      batch: 0,
      samples: 0,
      lossSum: 0,
      seconds: 0,
      dataSeconds: 0,
      shuffle: null,
      generator,
      steps: 4,
      learningRate: 0.1,
      schedule: { lastEpoch: 4, lastLr: 0.1, inner: { lastEpoch: 2, lastLr: 0.1 } },
      metrics: [],
      callbacks: {},
    }),
  };
  await made.locked(() => made.save(training as Training));
  const whole = files(folder);
  const { sha256: _, ...state } = JSON.parse(whole['state.json'].toString()) as Record<string, object> & {
    sha256: string;
  };
  const stateOf = (value: object) => Buffer.from(JSON.stringify({ ...value, sha256: sha256(JSON.stringify(value)) }));
  /** With the state that knows of the changed file. */
  const known = (name: string) => (changed: Buffer) => {
    const fingerprints = { ...state.files, [name]: { bytes: changed.length, sha256: sha256(changed) } };
    return { ...whole, [name]: changed, 'state.json': stateOf({ ...state, files: fingerprints }) };
  };
  const read = async (path: string) => {
    const opened = await RunFolder.open(path);
    const into = makeNetwork();
    await opened.loadWeights(into.network);
    await opened.loadOptimizer(into.optimizer, into.network);
    return [opened.config, opened.state, opened.history];
  };
  const kind = (name: string, others: Partial<FileKind> = {}): FileKind => ({
    name: `run folder, ${name}`,
    intact: whole[name],
    isText: !name.endsWith('.safetensors'),
    lay: (changed) => ({ ...whole, [name]: changed }),
    read,
    ...others,
  });
  const mended = (name: string): FileKind =>
    kind(name, { name: `run folder, ${name}, checksum mended`, lay: known(name) });
  return [
    ...['config.json', 'state.json', 'metrics.jsonl', 'weights.safetensors', 'optimizer.safetensors'].map((name) =>
      kind(name, { isSealed: true }),
    ),
    ...['config.json', 'metrics.jsonl', 'weights.safetensors', 'optimizer.safetensors'].map(mended),
    kind('state.json', {
      name: 'run folder, state.json, checksum mended',
      lay: (changed) => {
        try {
          const { sha256: __, ...others } = JSON.parse(changed.toString()) as Record<string, unknown>;
          return { ...whole, 'state.json': stateOf(others) };
        } catch {
          return { ...whole, 'state.json': changed };
        }
      },
    }),
    kind('pictures.json', {
      read: async (path) => {
        const found = await (await RunFolder.begun(path)).readPictures();
        if (found === null) return null;
        return [found.train, found.validation].map((part) =>
          new SeenPictures(part).has('a'.repeat(64), 'b'.repeat(64)),
        );
      },
    }),
  ];
}

function palm(): FileKind {
  const image = { bytes: 10, crc32: '01234567', sha256: 'a'.repeat(64), source: 'x/y.jpg', width: 20, height: 10 };
  const record = {
    format: 'fovea-palm',
    version: 1,
    synthetic: true,
    images: [
      { file: 'PALM-Training400/H0001.jpg', set: 'train', label: 0, ...image },
      { file: 'PALM-Validation400/V0001.jpg', set: 'validation', label: 1, ...image },
    ],
    quarantine: [{ file: 'PALM-Training400/P0002.jpg', set: 'train', label: 1, ...image, reason: 'cut' }],
  };
  return {
    name: 'list of an import',
    intact: Buffer.from(JSON.stringify(record)),
    isText: true,
    lay: (changed) => ({ 'palm.json': changed }),
    read: async (folder) => {
      const { images } = await readRecord(folder);
      return [countsOf(images, 'train'), sizesOf(images), hashOf(images)];
    },
  };
}

async function lock(): Promise<FileKind> {
  return {
    name: 'lock',
    // The owner is a process of this system that has ended, since no process has so large a number.
    intact: Buffer.from(JSON.stringify({ ...(await thisProcess()), pid: 2 ** 30 })),
    isText: true,
    mayRemove: true,
    lay: (changed) => ({ '.lock': changed }),
    read: async (folder) => {
      const owner = await ownerOf(folder);
      // Without contents it may be one that is being written, which is waited for.
      if (/^\0*$/.test(readFileSync(join(folder, '.lock'), 'latin1'))) return owner;
      await (await lockFolder(folder, 'fuzz')).release();
      return owner;
    },
  };
}

async function cacheEntry(folder: string): Promise<FileKind> {
  const image = { pixels: new Uint8Array(3 * 4 * 5).fill(7), height: 4, width: 5, sourceHeight: 40, sourceWidth: 50 };
  await new ImageCache({ folder }).put('key', image);
  const [[name, intact]] = Object.entries(files(folder));
  return {
    name: 'image cache',
    intact,
    isSealed: true,
    mayRemove: true,
    lay: (changed) => ({ [name]: changed }),
    read: async (where) => {
      const found = await new ImageCache({ folder: where }).get('key');
      // It is read from the picture then.
      if (found === null) return image;
      return found;
    },
  };
}

/** Writes the files of a case into an empty folder. */
export function writeFiles(folder: string, all: Files): void {
  for (const [name, bytes] of Object.entries(all)) writeFileSync(join(folder, name), bytes);
}

/** The contents of a folder, to be compared. */
export function contentsOf(folder: string): Record<string, string> {
  return Object.fromEntries(Object.entries(files(folder)).map(([name, bytes]) => [name, sha256(bytes)]));
}
