import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { explainPictures } from '../../run/explain.js';
import { predictFiles } from '../../run/predict.js';
import { encodePng } from '../../vision/images/png.js';
import { explain } from '../../vision/index.js';
import type { StudioContext } from '../context.js';
import { onlyOne } from '../evaluation/explanations.js';
import type { Answer } from '../featuresApi.js';
import { OpenRuns, pictureAddress } from '../openRuns.js';
import { parameters } from '../parameters.js';

const tried = z.strictObject({
  run: z.string().max(4096),
  name: z.string().max(300),
  /** The picture's file in base64. */
  picture: z.base64(),
});

/** Classifies and explains a picture, which stays in memory. */
export function tryRoutes(app: FastifyInstance, { workspace }: StudioContext): void {
  const runs = new OpenRuns(workspace);
  app.post('/api/try', async ({ body }): Promise<Answer> => {
    const { run: path, name, picture } = parameters(body, tried);
    const run = await runs.open(path);
    const pictures = [{ name, picture: Buffer.from(picture, 'base64') }];
    const begun = performance.now();
    const answer = await onlyOne(predictFiles(run, pictures));
    const milliseconds = performance.now() - begun;
    if ('error' in answer) throw answer.error;
    const explained = await onlyOne(explainPictures(run, pictures));
    if ('error' in explained) throw explained.error;
    const { image, map, shape, layer, class: wanted } = explained;
    const shown = explain.overlay(image, map, explain.scaleFor([map]));
    return {
      name,
      milliseconds,
      note: answer.note,
      classes: answer.classes.map(({ name: named, probability }) => ({ name: named, probability })),
      explained: wanted,
      layer,
      picture: pictureAddress(await encodePng(image, shape)),
      overlay: pictureAddress(await encodePng(shown, [3, shape[1], shape[2]])),
    };
  });
}
