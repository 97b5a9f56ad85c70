import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { setThreads } from '../../src/engine/select.js';
import type { NetworkLayers } from '../../src/studio/api.js';
import type {
  Answer,
  ChannelsOfLayer,
  FeatureMap,
  FeaturesOfImage,
  FiltersOfRun,
  LiveFeatures,
} from '../../src/studio/featuresApi.js';
import { MNIST } from '../../src/vision/datasets/mnist.js';
import { encodePng } from '../../src/vision/images/png.js';
import { runFovea } from '../cli/run.js';
import { temporaryFolder } from '../temporary.js';
import { type TestStudio, testStudio } from './studioApp.js';
import { trainDigits } from './trainDigits.js';

const root = join(temporaryFolder(), 'work');
const run = 'runs/digits';
let studio: TestStudio;

beforeAll(async () => {
  setThreads(1);
  mkdirSync(join(root, 'runs'), { recursive: true });
  await trainDigits(root, run);
  studio = await testStudio(root);
});

const isPicture = (address: string) => expect(address).toMatch(/^data:image\/png;base64,iVBOR/);

describe('features', () => {
  it('gives filters and channels', async () => {
    const filters = await studio.json<FiltersOfRun>(`/api/features/filters?run=${run}`);
    expect(filters).toMatchObject({ layer: 'conv1', count: 6, height: 5, width: 5 });
    isPicture(filters.picture);
    const channels = await studio.json<ChannelsOfLayer[]>(`/api/features/channels?run=${run}`);
    expect(channels.map(({ name, channels: n }) => [name, n])).toEqual([
      ...[
        ['conv1', 6],
        ['conv2', 16],
      ],
      ...[
        ['conv3', 120],
        ['fc1', 64],
      ],
    ]);
  });

  it('places images, and shows one of them layer by layer', async () => {
    const map = await studio.json<FeatureMap>(`/api/features/map?run=${run}&method=pca`);
    expect(map.classNames).toHaveLength(10);
    expect(map.points).toHaveLength(60);
    expect(map.explained).toBeGreaterThan(0);
    const image = await studio.json<FeaturesOfImage>(`/api/features/image?run=${run}&index=7`);
    expect(image.name).toBe(map.points[7].name);
    expect(image.class).toBe(map.classNames[map.points[7].label]);
    expect(image.maps.map(({ name, shape }) => [name, shape])).toEqual([
      ['conv1', [1, 6, 24, 24]],
      ['conv2', [1, 16, 8, 8]],
    ]);
    expect(image.searched).toBe(200);
    expect(image.neighbours).toHaveLength(6);
    for (const { picture } of [image, ...image.maps, ...image.neighbours]) isPicture(picture);
    const distances = image.neighbours.map(({ distance }) => distance);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
  });

  it.each([
    ['features/filters', 'run=runs/none', 404],
    ['features/filters', 'run=../secret', 403],
    ['features/map', `run=${run}&method=tsne`, 422],
    ['features/map', `run=${run}`, 422],
    ['features/image', `run=${run}&index=-1`, 422],
    ['features/image', `run=${run}`, 422],
  ])('refuses %s?%s', async (path, query, status) => {
    expect((await studio.ask(`/api/${path}?${query}`)).status).toBe(status);
  });
});

describe('features in a training', () => {
  it('follow its newest saved state', async () => {
    const queue = join(root, '.fovea-studio/trainings/queue.json');
    const job = { id: '0123456789ab', run, words: ['train', 'lenet'], state: 'finished', message: null };
    writeFileSync(queue, JSON.stringify({ format: 1, jobs: [job] }));
    const own = await testStudio(root);
    const look = () => own.json<LiveFeatures>(`/api/trainings/features?id=${job.id}&index=7`);
    const before = await look();
    expect(before.epoch).toBe(1);
    expect(before.nextMs).toBeGreaterThanOrEqual(1000);
    expect(before.image?.maps.map(({ name }) => name)).toEqual(['conv1', 'conv2']);
    // The same state gives the same pictures.
    expect((await look()).image).toEqual(before.image);
    const { code } = await runFovea('train', '--resume', join(root, run), '--epochs', '2');
    expect(code).toBe(0);
    const after = await look();
    expect([after.epoch, after.image?.name]).toEqual([2, before.image?.name]);
    expect(after.image?.maps[0].picture).not.toBe(before.image?.maps[0].picture);
    expect(await own.json<NetworkLayers>(`/api/trainings/layers?id=${job.id}`)).toMatchObject({
      model: 'lenet',
      input: [1, 28, 28],
      parameters: 41_806,
    });
    await own.app.close();
  });
});

describe('a picture that is tried', () => {
  it('gets an answer, a map and a time', async () => {
    const digits = await MNIST.open({ mode: 'test', download: false });
    const { image, shape } = digits.get(0);
    const picture = Buffer.from(await encodePng(image, shape)).toString('base64');
    const answer = await studio.post<Answer>('/api/try', { run, name: 'seven.png', picture });
    expect(answer).toMatchObject({ name: 'seven.png', layer: 'conv2' });
    expect(answer.explained).toBe(answer.classes[0].name);
    expect(answer.milliseconds).toBeGreaterThan(0);
    isPicture(answer.picture);
    isPicture(answer.overlay);
  });

  it.each([
    ['no picture', { run, name: 'x.png', picture: Buffer.from('text').toString('base64') }, 422],
    ['no base64', { run, name: 'x.png', picture: '§' }, 422],
    ['no run', { name: 'x.png', picture: '' }, 422],
    ['a run that is gone', { run: 'runs/none', name: 'x.png', picture: '' }, 404],
  ])('is refused with %s', async (_, payload, status) => {
    expect((await studio.ask('/api/try', { method: 'POST', payload })).status).toBe(status);
  });

  it('is refused once its run is damaged, although the run was open', async () => {
    // As fovea writes: under another name, then renamed.
    writeFileSync(join(root, run, 'new'), '{');
    renameSync(join(root, run, 'new'), join(root, run, 'config.json'));
    const { status, body } = await studio.ask(`/api/features/filters?run=${run}`);
    expect([status, body]).toEqual([422, expect.stringContaining('config.json')]);
  });
});
