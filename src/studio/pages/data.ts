import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { findData } from '../../run/catalog/datasets.js';
import type { AddedPicture, DataChoices, DataDecisions, TransformedPictures } from '../api.js';
import type { StudioContext } from '../context.js';
import { addPicture } from '../data/add.js';
import { archive, archiveLayout } from '../data/archives.js';
import { DataChecks } from '../data/checks.js';
import { OpenedSets } from '../data/opened.js';
import { archivesOf, dataChoices, placedIn } from '../dataSets.js';
import { AllFixes } from '../fixes.js';
import { pictureAddress } from '../openRuns.js';
import { nameParameter, parameters } from '../parameters.js';

const short = z.string().max(4096);
const natural = z.coerce.number().int().min(0);
const set = z.object({ data: short });
const decision = set.extend({
  files: z.array(short).min(1).max(1000),
  decision: z.union([z.literal('exclude'), z.object({ label: short }), z.null()]),
});

const name = short.regex(
  /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u,
  'expected a name of letters, digits, blanks, . _ and -',
);
const added = z.strictObject({ folder: name, class: name, picture: z.base64() });

/** Data sets: their layout, their pictures, their check, and decisions about single pictures. */
export function dataRoutes(app: FastifyInstance, { workspace, program, signal }: StudioContext): void {
  const opened = new OpenedSets();
  const checks = new DataChecks(program, workspace.root, signal);
  const fixes = new AllFixes(workspace);

  const fixesOf = (data: string) => {
    const { location } = findData(data);
    if (location !== undefined) return fixes.of(location);
    throw new InputError(
      `[studio] ${data}: expected data of single pictures, got a set of fixed files; choose other data`,
    );
  };
  const decisionsOf = async (data: string): Promise<DataDecisions> => {
    const own = fixesOf(data);
    return { folder: own.name, ...(await own.read()) };
  };

  app.get(
    '/api/data',
    async (): Promise<DataChoices> => ({ data: await dataChoices(workspace), archives: await archivesOf(workspace) }),
  );
  app.get('/api/data/archive', async (request) => {
    const path = await workspace.path(nameParameter(request, 'name'));
    if (archive.test(path)) return archiveLayout(path);
    throw new InputError(`[studio] name: expected an archive, got '${nameParameter(request, 'name')}'`);
  });
  app.get('/api/data/layout', async ({ query }) => {
    const data = await placedIn(workspace, parameters(query, set).data);
    opened.forget(data);
    return opened.layout(data);
  });
  app.get('/api/data/pictures', async ({ query }) => {
    const asked = parameters(
      query,
      set.extend({
        part: short.optional(),
        label: natural.optional(),
        from: natural.default(0),
        most: natural.max(1000).default(200),
      }),
    );
    return opened.pictures(await placedIn(workspace, asked.data), asked);
  });
  app.get('/api/data/picture', async ({ query }, reply) => {
    const asked = parameters(
      query,
      set.extend({ picture: natural.optional(), name: short.optional(), size: natural.min(16).max(1024).default(128) }),
    );
    const data = await placedIn(workspace, asked.data);
    const number = asked.picture ?? (await opened.numberOf(data, asked.name ?? ''));
    const png = await opened.png(data, number, asked.size);
    return reply.type('image/png').header('cache-control', 'private, max-age=300').send(Buffer.from(png));
  });
  app.get('/api/data/transformed', async ({ query }): Promise<TransformedPictures> => {
    const asked = parameters(
      query,
      set.extend({
        picture: natural,
        transforms: short.default(''),
        versions: natural.min(1).max(24).default(6),
        seed: natural.default(0),
      }),
    );
    const data = await placedIn(workspace, asked.data);
    const { size, plain, changed } = await opened.transformed(data, asked.picture, asked);
    return { size, plain: pictureAddress(plain), changed: changed.map(pictureAddress) };
  });
  app.post('/api/data/add', async ({ body }): Promise<AddedPicture> => {
    const { folder, class: className, picture } = parameters(body, added);
    const inClass = await addPicture(workspace, folder, className, Buffer.from(picture, 'base64'));
    return { data: `folder:${folder}`, inClass };
  });
  app.get('/api/data/check', async ({ query }) => {
    const { data } = parameters(query, set);
    await placedIn(workspace, data);
    return checks.state(data);
  });
  app.post('/api/data/check', async ({ body }) => {
    const { data } = parameters(body, set);
    await placedIn(workspace, data);
    return checks.start(data);
  });
  app.get('/api/data/decisions', async ({ query }) => {
    const { data } = parameters(query, set);
    await placedIn(workspace, data);
    return decisionsOf(data);
  });
  app.post('/api/data/decisions', async ({ body }) => {
    const asked = parameters(body, decision);
    await placedIn(workspace, asked.data);
    await fixesOf(asked.data).decide(asked.files, asked.decision);
    return decisionsOf(asked.data);
  });
}
