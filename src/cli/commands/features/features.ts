import { join } from 'node:path';
import { type Effects, requireEffect } from '../../../effect.js';
import { InputError } from '../../../errors.js';
import { makeFolder, writeFileAtomic } from '../../../io/files/atomic.js';
import type { Split } from '../../../run/catalog/datasets.js';
import { openRun, type TrainedRun } from '../../../run/evaluate.js';
import { runActivity, runFeatures } from '../../../run/features/features.js';
import type { MapMethod } from '../../../run/features/mapMethods.js';
import { orderOf } from '../../../run/inputPipeline.js';
import { expandFolders } from '../../../run/predict.js';
import { csvText } from '../../../text/csv.js';
import { formatCount, formatPercent } from '../../../text/numbers.js';
import { formatTable } from '../../../text/table.js';
import { describePassedOver } from '../../../vision/datasets/listing.js';
import { encodePng } from '../../../vision/images/png.js';
import { scatterPng } from '../../../vision/images/scatter.js';
import { explain } from '../../../vision/index.js';
import { newFolder } from '../../newOutput.js';
import { applyEngine, applyPrecision, type EngineOptions } from '../../options.js';
import { complain, print, printJson, type Terminal } from '../../terminal.js';
import { writePictures } from './pictures.js';
import { type Work, watched } from './work.js';

interface FeaturesCommandOptions extends EngineOptions {
  readonly layers?: string;
  readonly neighbours?: number;
  readonly map?: MapMethod;
  readonly split?: Split;
  readonly images?: number;
  readonly seed?: number;
  readonly dataDir?: string;
  readonly out?: string;
  readonly best?: boolean;
  readonly json?: boolean;
}

const usualFolder = 'features';
const usualImages = 1000;
/** Most layers whose maps are written unless the caller names some. */
const mostLayers = 12;
export async function features(
  path: string,
  pictures: readonly string[],
  options: FeaturesCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const effects: Effects<FeaturesCommandOptions> = {
    neighbours: () => (pictures.length > 0 ? null : 'neighbours are those of pictures, and none is given'),
  };
  requireEffect('features', options, effects);
  applyEngine(options);
  const { out = usualFolder, json = false, best, split, images = usualImages, seed = 0, dataDir } = options;
  await newFolder(out, 'features', '--out');
  const run = await openRun(path, { best });
  applyPrecision(options.precision, run.folder.config.engine.precision);
  const layers = layersOf(run, options.layers);
  const files = await expandFolders(pictures, (folder, passedOver) => {
    complain(terminal, `passed over in ${folder}: ${describePassedOver(passedOver)}`);
  });
  await makeFolder(out);
  const work: Work = { run, out, terminal, json, reading: { split, images, seed, dataDir } };
  await writeFilters(work);
  await writeChannels(work);
  await writeMap(work, options.map ?? 'pca');
  const unreadable = files.length === 0 ? 0 : await writePictures(work, files, { ...options, layers });
  if (!json) print(terminal, `\nPictures and tables are in ${out}.`);
  return unreadable === 0 ? 0 : 2;
}

/** The layers whose maps are written: those that are named, else some from the first to the last. */
function layersOf({ network, folder }: TrainedRun, asked: string | undefined): string[] {
  const known = explain.featureLayers(network, [1, ...folder.config.model.inputShape]);
  if (asked !== undefined) {
    const names = asked.split(',').map((name) => name.trim());
    return explain.chosenLayers(known, names).map(({ name }) => name);
  }
  const maps = known.filter(({ shape }) => shape.length === 4 && shape[2] * shape[3] > 1).map(({ name }) => name);
  if (maps.length <= mostLayers) return maps;
  return Array.from({ length: mostLayers }, (_, i) => maps[Math.round((i * (maps.length - 1)) / (mostLayers - 1))]);
}

async function writeFilters({ run, out, terminal, json }: Work): Promise<void> {
  const filters = await explain.firstFilters(run.network).catch((error: unknown) => {
    // A network without convolutions has other features to look at.
    if (error instanceof InputError) return null;
    throw error;
  });
  if (filters === null) return;
  const blueFirst = orderOf(run.folder.config.data) === 'BGR';
  const { values, shape } = explain.tiles(explain.filterPictures(filters, { blueFirst }));
  const file = join(out, 'filters.png');
  await writeFileAtomic(file, await encodePng(values, shape));
  const [count, , height, width] = filters.shape;
  if (json)
    printJson(terminal, 'features.filters', { kind: 'filters', layer: filters.layer, shape: filters.shape, file });
  else print(terminal, `${formatCount(count)} filters of ${height}×${width} in the layer ${filters.layer}: ${file}\n`);
}

async function writeChannels({ run, out, terminal, json, reading }: Work): Promise<void> {
  const activity = await watched(terminal, 'channels', (onBatch) => runActivity(run, { ...reading, onBatch }));
  const file = join(out, 'channels.csv');
  const rows = activity.flatMap(({ name, least, most, mean, dead }) =>
    Array.from(mean, (value, c) => [
      ...[name, String(c), least[c].toPrecision(6), most[c].toPrecision(6), value.toPrecision(6)],
      dead.includes(c) ? 'dead' : '',
    ]),
  );
  await writeFileAtomic(file, csvText([['layer', 'channel', 'least', 'most', 'mean', 'dead'], ...rows]));
  if (json) {
    for (const { name, mean, dead } of activity) {
      printJson(terminal, 'features.layer', { kind: 'layer', layer: name, channels: mean.length, dead });
    }
    return;
  }
  const table = activity.map(({ name, least, most, mean, dead }) => {
    const values = `${Math.min(...least).toPrecision(3)} to ${Math.max(...most).toPrecision(3)}`;
    return [name, formatCount(mean.length), formatCount(dead.length), values];
  });
  const columns = [
    { header: 'layer' },
    { header: 'channels', align: 'right' as const },
    { header: 'dead', align: 'right' as const },
    { header: 'values' },
  ];
  print(terminal, formatTable(columns, table));
  print(terminal, `A dead channel gives the same for every image. All channels: ${file}\n`);
}

async function writeMap({ run, out, terminal, json, reading }: Work, method: MapMethod): Promise<void> {
  const found = await watched(terminal, 'map', (onBatch) => runFeatures(run, { ...reading, onBatch }));
  const { values, size, labels, names } = found;
  const { classNames } = run.folder.config.data;
  const [file, table] = [join(out, 'map.png'), join(out, 'map.csv')];
  const pca = method === 'pca' ? explain.principalComponents(values, size) : null;
  const points = pca?.points ?? (await explain.umap(values, size, { seed: reading.seed }));
  const share = pca === null ? '' : `, ${formatPercent(pca.explained[0] + pca.explained[1], 0)} of the variance`;
  const title = `${method.toUpperCase()} of the last features of ${formatCount(names.length)} images${share}`;
  await writeFileAtomic(file, await scatterPng({ points, labels, classNames, title }));
  const rows = names.map((name, i) => [
    ...[name, classNames[labels[i]], points[2 * i].toPrecision(6), points[2 * i + 1].toPrecision(6)],
  ]);
  await writeFileAtomic(table, csvText([['file', 'class', 'x', 'y'], ...rows]));
  if (json) {
    printJson(terminal, 'features.map', {
      kind: 'map',
      method,
      images: names.length,
      features: size,
      explained: pca?.explained,
      file,
      table,
    });
  } else print(terminal, `${title}: ${file}`);
}
