import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { TrainedRun } from '../../run/evaluate.js';
import { runActivity, runFeatures } from '../../run/features/features.js';
import { imagesOf } from '../../run/features/images.js';
import { mapMethods } from '../../run/features/mapMethods.js';
import { orderOf } from '../../run/inputPipeline.js';
import { encodePng } from '../../vision/images/png.js';
import { explain } from '../../vision/index.js';
import type { StudioContext } from '../context.js';
import type { ChannelsOfLayer, FeatureMap, FeaturesOfImage, FiltersOfRun } from '../featuresApi.js';
import { layerMaps } from '../layerMaps.js';
import { Neighbours } from '../neighbours.js';
import { OpenRuns, pictureAddress } from '../openRuns.js';
import { nameParameter, parameters } from '../parameters.js';

/** Images of the map and of the channels: the first numbers of the command line. */
const images = { split: 'validation', images: 1000, seed: 0 } as const;

/** Filters, channels and maps of a network, and an image layer by layer. */
export function featuresRoutes(app: FastifyInstance, { workspace, signal }: StudioContext): void {
  const runs = new OpenRuns(workspace);
  const neighbours = new Neighbours(signal);
  app.get('/api/features/filters', async (request) => filtersOf(await runs.open(nameParameter(request, 'run'))));
  app.get('/api/features/channels', async (request): Promise<ChannelsOfLayer[]> => {
    const activity = await runActivity(await runs.open(nameParameter(request, 'run')), { ...images, signal });
    return activity.map(({ name, mean, dead }) => ({ name, channels: mean.length, dead: [...dead] }));
  });
  app.get('/api/features/map', async ({ query }): Promise<FeatureMap> => {
    const { run: name, method } = parameters(query, z.looseObject({ run: z.string(), method: z.enum(mapMethods) }));
    const run = await runs.open(name);
    const { values, size, labels, names } = await runFeatures(run, { ...images, signal });
    const pca = method === 'pca' ? explain.principalComponents(values, size) : null;
    const points = pca?.points ?? (await explain.umap(values, size, { seed: images.seed, signal }));
    return {
      classNames: run.folder.config.data.classNames,
      explained: pca === null ? null : pca.explained[0] + pca.explained[1],
      points: names.map((name, i) => ({ name, label: labels[i], x: points[2 * i], y: points[2 * i + 1] })),
    };
  });
  app.get('/api/features/image', async ({ query }): Promise<FeaturesOfImage> => {
    const index = z.coerce
      .number()
      .int()
      .min(0)
      .max(images.images - 1);
    const asked = parameters(query, z.looseObject({ run: z.string(), index }));
    return imageOf(await runs.open(asked.run), asked.index, neighbours);
  });
}

async function filtersOf({ network, folder }: TrainedRun): Promise<FiltersOfRun> {
  const filters = await explain.firstFilters(network);
  const blueFirst = orderOf(folder.config.data) === 'BGR';
  const { values, shape } = explain.tiles(explain.filterPictures(filters, { blueFirst }));
  const [count, , height, width] = filters.shape;
  return { layer: filters.layer, count, height, width, picture: pictureAddress(await encodePng(values, shape)) };
}

async function imageOf(run: TrainedRun, index: number, neighbours: Neighbours): Promise<FeaturesOfImage> {
  const { network, folder } = run;
  const { classNames } = folder.config.data;
  const own = await imagesOf(run, images);
  const at = Math.min(index, own.length - 1);
  const input = await own.input(at);
  const last = await explain.lastFeatures(network, input).data('float32');
  return {
    name: own.nameOf(at),
    class: classNames[await own.labelOf(at)],
    picture: pictureAddress(await own.picture(at)),
    maps: await layerMaps(network, input),
    ...(await neighbours.of(run, last)),
  };
}
