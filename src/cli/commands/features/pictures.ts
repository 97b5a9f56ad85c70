import { basename, extname, join } from 'node:path';
import { writeFileAtomic } from '../../../io/files/atomic.js';
import { type NearImage, nearestImages } from '../../../run/features/features.js';
import { type PictureFeatures, pictureFeatures } from '../../../run/features/pictures.js';
import { csvText } from '../../../text/csv.js';
import { formatPercent } from '../../../text/numbers.js';
import { contactSheet } from '../../../vision/images/contactSheet.js';
import { encodePng } from '../../../vision/images/png.js';
import { explain } from '../../../vision/index.js';
import { inFlags } from '../../flags.js';
import { complain, print, printJson } from '../../terminal.js';
import { freeName } from '../freeName.js';
import { type Work, watched } from './work.js';

const usualNeighbours = 6;
/** Most channels in the picture of a layer. */
const mostChannels = 64;

export interface PictureOptions {
  /** Layers whose maps are written. */
  readonly layers: readonly string[];
  /** Training images to find for each picture. */
  readonly neighbours?: number | undefined;
}

/** A picture with its files. */
interface Written {
  readonly features: PictureFeatures;
  readonly name: string;
  /** Files of the maps, by layer. */
  readonly maps: Readonly<Record<string, string>>;
}

/**
 * Writes the maps of pictures, layer by layer, and their nearest training images.
 *
 * @returns how many pictures could not be read
 */
export async function writePictures(work: Work, files: readonly string[], options: PictureOptions): Promise<number> {
  const { run, out, terminal, json } = work;
  const { layers, neighbours = usualNeighbours } = options;
  const taken = new Set<string>(['filters', 'channels', 'map', 'neighbours']);
  const written: Written[] = [];
  let unreadable = 0;
  for await (const result of pictureFeatures(run, files, { layers })) {
    if ('error' in result) {
      unreadable++;
      complain(terminal, result.error.message);
      if (json) printJson(terminal, 'features.unreadable', { file: result.file, error: inFlags(result.error.message) });
      continue;
    }
    const name = freeName(basename(result.file, extname(result.file)), taken);
    const maps = await writeMaps(result, join(out, name));
    // The maps of many pictures would fill the memory.
    written.push({ features: { ...result, maps: [] }, name, maps });
  }
  if (written.length === 0) return unreadable;
  const near = neighbours === 0 ? null : await neighboursOf(work, written, neighbours);
  for (const [i, one] of written.entries()) await show(work, one, near?.[i] ?? null);
  if (near !== null) await writeTable(join(out, 'neighbours.csv'), written, near);
  return unreadable;
}

/** A picture for each layer; returns their files by layer. */
async function writeMaps({ image, maps }: PictureFeatures, prefix: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  await writeFileAtomic(`${prefix}-picture.png`, await encodePng(image.values, image.shape));
  for (const map of maps) {
    const { values, shape } = explain.tiles(explain.channelPictures(map, { channels: mostChannels }));
    files[map.name] = `${prefix}-${map.name}.png`;
    await writeFileAtomic(files[map.name], await encodePng(values, shape));
  }
  return files;
}

function neighboursOf({ run, terminal, reading }: Work, written: readonly Written[], count: number) {
  const size = written[0].features.last.length;
  const queries = new Float32Array(written.length * size);
  for (const [i, { features }] of written.entries()) queries.set(features.last, i * size);
  return watched(terminal, 'neighbours', (onBatch) =>
    nearestImages(run, queries, { size, count, dataDir: reading.dataDir, onBatch }),
  );
}

async function show({ out, terminal, json }: Work, { features, name, maps }: Written, near: NearImage[] | null) {
  const { file, predicted, probability } = features;
  const sheet = near === null ? undefined : join(out, `${name}-neighbours.png`);
  if (near !== null && sheet !== undefined) await writeFileAtomic(sheet, await sheetOf(features, near));
  if (json) {
    const neighbours = near?.map(({ picture: _, ...facts }) => facts);
    printJson(terminal, 'features.picture', { kind: 'picture', file, predicted, probability, maps, neighbours, sheet });
    return;
  }
  const nearest = near === null ? '' : `; nearest training images: ${near.map((one) => one.class).join(', ')}`;
  print(terminal, `${file}: ${predicted}, ${formatPercent(probability, 1)}${nearest}`);
}

/** A picture and its neighbours in one row. */
async function sheetOf({ file, predicted, probability, image }: PictureFeatures, near: readonly NearImage[]) {
  const own = {
    source: await encodePng(image.values, image.shape),
    captions: [basename(file), `${predicted}, ${formatPercent(probability, 1)}`],
  };
  const others = near.map(({ picture, class: named, name, distance }) => ({
    source: picture,
    captions: [named, name, `distance ${distance.toPrecision(3)}`],
  }));
  const title = 'Nearest training images by the last features';
  return contactSheet([own, ...others], { columns: near.length + 1, title });
}

async function writeTable(path: string, written: readonly Written[], near: readonly (readonly NearImage[])[]) {
  const rows = near.flatMap((own, i) =>
    own.map(({ name, class: named, distance }, rank) => [
      ...[written[i].features.file, String(rank + 1), name, named, distance.toPrecision(6)],
    ]),
  );
  await writeFileAtomic(path, csvText([['picture', 'rank', 'image', 'class', 'distance'], ...rows]));
}
