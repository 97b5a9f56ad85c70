/**
 * Measures the import of the released archives of iChallenge-PM: images of 2124×2056 are unpacked, written, verified,
 * decoded and resized. A few synthetic images are repeated under other names, in the layout of the release.
 *
 * usage: npm run bench -- import [pictures=100] [--different=4] [--workers=N] [--no-cache] [--json]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeFileAtomic } from '../src/io/files/atomic.js';
import { importPalm } from '../src/vision/palm/import.js';
import { workbookOf, zipOf } from '../src/vision/palm/synth/archive.js';
import { Painters } from '../src/vision/palm/synth/painters.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    different: { type: 'string', default: '4' },
    workers: { type: 'string' },
    'no-cache': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const count = Number(positionals[0] ?? 100);
const [trainFolder, validationFolder] = ['PALM-Training400', 'PALM-Validation400'];

async function draw(size: number): Promise<Buffer[]> {
  const painters = new Painters();
  const jobs = Array.from({ length: Number(values.different) }, (_, stream) => {
    const kind = stream % 2 === 0 ? ('P' as const) : ('N' as const);
    return { seed: 0, stream, kind, camera: 'Zeiss' as const, size };
  });
  const pictures: Buffer[] = [];
  for await (const jpeg of painters.drawAll(jobs)) pictures.push(Buffer.from(jpeg));
  await painters.close();
  return pictures;
}

/** The three archives, with as many pictures for training as for validation. */
async function writeArchives(folder: string, pictures: readonly Buffer[]): Promise<void> {
  const half = Math.ceil(count / 2);
  const entries = (prefixes: string, into: string, length: number) =>
    Array.from({ length }, (_, i) => {
      const name = `${prefixes[i % prefixes.length]}${String(i + 1).padStart(4, '0')}.jpg`;
      return { name: `${into}/${name}`, data: pictures[i % pictures.length] };
    });
  const training = zipOf(entries('PN', trainFolder, half));
  const judging = entries('V', validationFolder, count - half);
  const rows = judging.map(({ name }, i) => [i + 1, name.slice(-9), (i + 1) % 2, 0, 0]);
  const sheet = await workbookOf([['ID', 'imgName', 'Label', 'Fovea_X', 'Fovea_Y'], ...rows]);
  const archives = {
    'training.zip': [{ name: `${trainFolder}/${trainFolder}.zip`, data: training }],
    'validation.zip': judging,
    'valid_gt.zip': [{ name: 'PALM-Validation-GT/PM_Label_and_Fovea_Location.xlsx', data: sheet }],
  };
  for (const [name, parts] of Object.entries(archives)) await writeFileAtomic(join(folder, name), zipOf(parts));
}

const folder = await mkdtemp(join(tmpdir(), 'fovea-import-'));
try {
  const pictures = await draw(2124);
  await writeArchives(folder, pictures);
  const begin = performance.now();
  const { train, validation } = await importPalm(folder, join(folder, 'out'), {
    cache: values['no-cache'] ? false : { folder: join(folder, 'cache') },
    ...(values.workers !== undefined && { numWorkers: Number(values.workers) }),
  });
  const seconds = (performance.now() - begin) / 1000;
  const images = train.images + validation.images;
  const megabytes = pictures.reduce((sum, { length }) => sum + length, 0) / pictures.length / 1e6;
  const result = { images, seconds, imagesPerSecond: images / seconds, megabytes };
  console.log(
    values.json
      ? JSON.stringify(result)
      : `${images} pictures of ${megabytes.toFixed(1)} MB in ${seconds.toFixed(1)} s: ${result.imagesPerSecond.toFixed(1)} images/s`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
