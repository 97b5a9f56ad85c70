import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { RunFolder } from '../../run/folder.js';
import type { NetworkLayers, TrainForm, TrainingList } from '../api.js';
import type { StudioContext } from '../context.js';
import { OpenedSets } from '../data/opened.js';
import { dataChoices, placedIn } from '../dataSets.js';
import type { LiveFeatures } from '../featuresApi.js';
import { layersBefore, layersOf } from '../networks.js';
import { parameters } from '../parameters.js';
import { Refusal } from '../refusal.js';
import { estimateTraining } from '../trainings/estimate.js';
import { followEvents } from '../trainings/events.js';
import { formOptions, modelChoices, trainArguments } from '../trainings/form.js';
import { LiveFeatureMaps } from '../trainings/liveFeatures.js';
import { TrainingQueue } from '../trainings/queue.js';
import { runsFolder } from './runs.js';

const short = z.string().max(4096);
const runName = short.regex(/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,99}$/u, 'expected a name of letters, digits, . _ and -');
const request = z.object({ model: short, data: short, name: runName, options: z.record(short, short) });
const job = z.object({ id: short });
const network = z.looseObject({ model: short, data: short.optional(), size: short.optional() });
const live = job.extend({ index: z.coerce.number().int().min(0).max(999) });

/** The form, the queue, and the events of each training. */
export async function trainRoutes(app: FastifyInstance, context: StudioContext): Promise<void> {
  const { workspace, program, signal } = context;
  const queue = new TrainingQueue(workspace.root, program);
  await queue.open();
  app.addHook('onClose', () => queue.close());
  const features = new LiveFeatureMaps(workspace);
  const opened = new OpenedSets();
  const list = (): TrainingList => ({ jobs: queue.jobs, held: queue.held });

  app.get(
    '/api/train/form',
    async (): Promise<TrainForm> => ({
      models: modelChoices(),
      options: formOptions(),
      data: await dataChoices(workspace),
    }),
  );
  app.get('/api/train/layers', async ({ query }): Promise<NetworkLayers> => {
    const { model, data, size } = parameters(query, network);
    const placed = data === undefined ? undefined : await placedIn(workspace, data);
    // Sets with a name may have to be downloaded; most have the classes that the network is made for.
    const classes = placed?.includes(':') ? (await opened.layout(placed)).classNames.length : undefined;
    return layersBefore(model, { size, classes });
  });
  app.get('/api/trainings/layers', async ({ query }): Promise<NetworkLayers> => {
    const { run } = queue.job(parameters(query, job).id);
    const { config } = await RunFolder.begun(await workspace.path(run));
    return layersOf(config.model.name, config.model.options, config.model.inputShape);
  });
  app.get('/api/trainings/features', async ({ query }): Promise<LiveFeatures> => {
    const { id, index } = parameters(query, live);
    const { run, state } = queue.job(id);
    return features.of(run, index, state === 'running');
  });
  app.get('/api/trainings', list);
  app.post('/api/trainings', async ({ body }) => {
    const { run, words } = await asked(body);
    return queue.add(run, words);
  });
  app.post('/api/train/estimate', async ({ body }) =>
    estimateTraining(program, workspace.root, (await asked(body)).words, signal),
  );
  app.post('/api/trainings/resume', async ({ body }) => {
    const { run } = parameters(body, z.object({ run: short }));
    await RunFolder.begun(await workspace.path(run));
    return queue.add(run, ['train', `--resume=${run}`]);
  });
  app.post('/api/trainings/stop', async ({ body }) => {
    await queue.stop(parameters(body, job).id);
    return list();
  });
  app.post('/api/trainings/release', () => {
    queue.release();
    return list();
  });
  app.get('/api/trainings/events', (request, reply) => {
    const { id } = parameters(request.query, job);
    const path = queue.eventsOf(id);
    const state = () => queue.jobs.find((one) => one.id === id)?.state;
    const isOver = () => state() !== 'running' && state() !== 'waiting';
    const control = new AbortController();
    request.raw.on('close', () => control.abort());
    const ended = AbortSignal.any([control.signal, signal]);
    return reply.type('text/event-stream').send(Readable.from(followEvents(path, isOver, ended)));
  });

  async function asked(body: unknown) {
    const { model, data, name, options } = parameters(body, request);
    await placedIn(workspace, data);
    await requireFree(name);
    const run = `${runsFolder}/${name}`;
    return { run, words: trainArguments({ model, data, out: run, options }) };
  }

  async function requireFree(name: string): Promise<void> {
    const taken = await workspace.path(`${runsFolder}/${name}`).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Refusal && error.code === 'gone') return false;
        throw error;
      },
    );
    if (taken || queue.has(`${runsFolder}/${name}`))
      throw new InputError(`[studio] name: expected a new name, got '${name}'; choose another`);
  }
}
