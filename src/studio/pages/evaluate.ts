import { isAbsolute } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { explainMethods } from '../../run/explainMethods.js';
import { RunFolder } from '../../run/folder.js';
import { positiveClass } from '../../run/positive.js';
import { safeCell } from '../../text/csv.js';
import type {
  EvaluationView,
  ExplanationView,
  RelabelAnswer,
  ReportAnswer,
  SampleDetails,
  SampleList,
  ThresholdView,
} from '../api.js';
import type { StudioContext } from '../context.js';
import { Explanations } from '../evaluation/explanations.js';
import { RunPictures } from '../evaluation/pictures.js';
import { StoredTables } from '../evaluation/stored.js';
import { type DecisionAt, evaluationOf, samplesOf, thresholdOf } from '../evaluation/views.js';
import type { NearPictures } from '../featuresApi.js';
import { AllFixes, type StudioFixes } from '../fixes.js';
import { Neighbours } from '../neighbours.js';
import { OpenRuns } from '../openRuns.js';
import { parameters } from '../parameters.js';

const short = z.string().max(4096);
const natural = z.coerce.number().int().min(0);
const share = z.coerce.number().min(0).max(1);
const place = z.object({ run: short, part: short.optional(), threshold: share.optional() });
const filter = z.object({
  label: natural.optional(),
  predicted: natural.optional(),
  low: share.optional(),
  high: share.optional(),
  wrong: z.stringbool().optional(),
  from: natural.default(0),
  most: natural.max(500).default(60),
});
const sampleOf = place.extend({ sample: natural });
const explained = sampleOf.extend({ method: z.enum(explainMethods).default('gradcam'), class: short.optional() });

/** Evaluations of finished runs from their stored predictions, and the pictures behind them. */
export function evaluateRoutes(app: FastifyInstance, { workspace, signal }: StudioContext): void {
  const tables = new StoredTables();
  const pictures = new RunPictures();
  const explanations = new Explanations(new OpenRuns(workspace), new Neighbours(signal));
  const fixes = new AllFixes(workspace);

  /** Predictions of a part, and how they decide. */
  const find = async ({ run, part, threshold }: z.output<typeof place>) => {
    const path = await workspace.path(run);
    const { predictions } = await tables.read(path);
    const { record } = predictions;
    const found = await tables.part(path, part);
    const positive = positiveClass(found.own.classNames, record.positive ?? undefined);
    const at: DecisionAt | null = positive && { positive, threshold: threshold ?? record.threshold ?? 0.5 };
    return { path, at, ...found };
  };
  /** Null for data that are no single files. */
  const fixesOf = async (path: string): Promise<StudioFixes | null> => {
    const { data } = (await RunFolder.begun(path)).config;
    return data.images === null || data.location === undefined ? null : fixes.of(data.location);
  };
  const sampleIn = <T>(values: ArrayLike<T>, sample: number): T => {
    if (sample < values.length) return values[sample];
    throw new InputError(`[studio] sample: expected a number below ${values.length}, got ${sample}`);
  };

  /** The file of a picture, or its pixels. */
  const pictureOf = async (asked: z.output<typeof sampleOf>) => {
    const { path, part, own } = await find(asked);
    const name = sampleIn(own.files, asked.sample);
    const file = await pictures.pathOf(path, part, name);
    return file ?? { name, picture: await pictures.png(path, part, name, 512) };
  };

  app.get('/api/evaluation', async ({ query }): Promise<EvaluationView> => {
    const asked = parameters(query, place);
    const { path, at, part, parts, own } = await find(asked);
    const { data } = (await RunFolder.begun(path)).config;
    return {
      run: asked.run,
      data: data.title,
      part,
      parts,
      classNames: own.classNames,
      canRelabel: (await fixesOf(path)) !== null,
      ...evaluationOf(own, at),
    };
  });
  app.get('/api/evaluation/threshold', async ({ query }): Promise<ThresholdView> => {
    const { prevalence } = parameters(query, z.looseObject({ prevalence: share }));
    const { own, at } = await find(parameters(query, place));
    if (at === null) throw new InputError('[studio] threshold: expected a run with two classes, got more');
    return thresholdOf(own, at, prevalence);
  });
  app.get('/api/evaluation/samples', async ({ query }): Promise<SampleList> => {
    const { from, most, ...wanted } = parameters(query, filter);
    const { own, at } = await find(parameters(query, place));
    const all = samplesOf(own, at, wanted);
    return { total: all.length, samples: all.slice(from, from + most) };
  });
  app.get('/api/evaluation/sample', async ({ query }): Promise<SampleDetails> => {
    const asked = parameters(query, sampleOf);
    const { path, part, own, at } = await find(asked);
    const file = sampleIn(own.files, asked.sample);
    // A picture that is gone has no place; its prediction is shown all the same.
    const stored = await pictures.pathOf(path, part, file).catch(() => null);
    const [view] = samplesOf(own, at, {}).filter(({ sample }) => sample === asked.sample);
    const classes = own.classNames.length;
    const decided = await (await fixesOf(path))?.read();
    return {
      ...view,
      path: stored === null ? null : (workspace.nameOf(stored) ?? stored),
      group: own.groups[asked.sample],
      probabilities: Array.from(own.probabilities.subarray(asked.sample * classes, (asked.sample + 1) * classes)),
      relabelled: decided?.relabelled[safeCell(file)] ?? null,
    };
  });
  app.get('/api/evaluation/picture', async ({ query }, reply) => {
    const size = natural.min(16).max(2048).default(160);
    const asked = parameters(query, place.extend({ sample: natural.optional(), file: short.optional(), size }));
    const { path, part, own } = await find(asked);
    // A name that is no picture of the run is refused there.
    const file = asked.file ?? sampleIn(own.files, asked.sample ?? 0);
    const png = await pictures.png(path, part, file, asked.size);
    return reply.type('image/png').header('cache-control', 'private, max-age=300').send(Buffer.from(png));
  });
  app.get('/api/evaluation/explanation', async ({ query }): Promise<ExplanationView> => {
    const asked = parameters(query, explained.extend({ check: z.stringbool().default(false) }));
    return explanations.explain(asked.run, await pictureOf(asked), asked);
  });
  app.post('/api/evaluation/report', async ({ body }): Promise<ReportAnswer> => {
    const asked = parameters(body, explained.extend({ check: z.boolean().default(false) }));
    const { path } = await find(asked);
    const names = await explanations.report(asked.run, await pictureOf(asked), asked);
    const files = names.map((name) => (isAbsolute(name) ? (workspace.nameOf(name) ?? name) : null));
    return { report: `${workspace.nameOf(path)}/report.html`, files };
  });
  app.get('/api/evaluation/neighbours', async ({ query }): Promise<NearPictures> => {
    const asked = parameters(query, sampleOf);
    return explanations.near(asked.run, await pictureOf(asked));
  });
  app.post('/api/evaluation/relabel', async ({ body }): Promise<RelabelAnswer> => {
    const asked = parameters(body, sampleOf.extend({ label: short.nullable() }));
    const { path, own } = await find(asked);
    const table = await fixesOf(path);
    if (table === null) {
      throw new InputError(
        '[studio] label: expected data of single pictures, got a set of fixed files; choose other data',
      );
    }
    if (asked.label !== null && !own.classNames.includes(asked.label)) {
      throw new InputError(`[studio] label: expected ${own.classNames.join(', ')}, got '${asked.label}'`);
    }
    await table.decide([sampleIn(own.files, asked.sample)], asked.label === null ? null : { label: asked.label });
    return { fixes: table.name };
  });
}
