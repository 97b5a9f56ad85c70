import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { namedDatasets } from '../../src/run/catalog/datasets.js';
import { namedModels } from '../../src/run/catalog/models.js';
import { optimizerNames } from '../../src/run/optimizers.js';
import type { TrainingOption } from '../../src/run/option.js';
import { scheduleOptions } from '../../src/run/schedule.js';
import { trainingOptions } from '../../src/run/trainingOptions.js';
import { fixedTransformNames, transformNames } from '../../src/vision/transforms/registry.js';
import { optionsPage } from './guide.js';
import { runFovea } from './run.js';

const datasetNames = Object.keys(namedDatasets);

/** The words of a help text that are not in it. */
async function missing(args: readonly string[], words: readonly string[]): Promise<string[]> {
  const { code, out } = await runFovea(...args, '--help');
  expect(code).toBe(0);
  const known = new Set(out.split(/[\s,":()]+/));
  return words.filter((word) => !known.has(word));
}

it('the page of options is up to date; `npm run docs:options` writes it', async () => {
  await expect(optionsPage).toMatchFileSnapshot('../../docs/options.md');
});

it('the help of train has every option, network, data set, optimizer, transform and schedule', async () => {
  const flags = Object.entries<TrainingOption>(trainingOptions).flatMap(([key, { placeholder, flag }]) =>
    placeholder === null ? [] : `--${flag ?? key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
  const names = [...Object.keys(namedModels), ...datasetNames, ...optimizerNames, ...transformNames];
  expect(await missing(['train'], [...flags, ...names, ...Object.keys(scheduleOptions)])).toEqual([]);
});

it('the help of eval and data show has every data set', async () => {
  expect(await missing(['eval'], datasetNames)).toEqual([]);
  expect(await missing(['data', 'show'], datasetNames)).toEqual([]);
});

it('the example of the guide has keys that exist', () => {
  const guide = readFileSync('docs/training.md', 'utf8');
  expect(guide).toContain('options.md');
  const [, example] = /```yaml\n([\s\S]*?)```/.exec(guide) ?? [];
  const keys = (example ?? '').match(/^\w+/gm) ?? [];
  expect(keys.length).toBeGreaterThan(5);
  expect(keys.filter((key) => !Object.hasOwn(trainingOptions, key))).toEqual([]);
});

const pages = ['README.md', ...readdirSync('docs').flatMap((name) => (name.endsWith('.md') ? `docs/${name}` : []))];
const lists = {
  'data sets': datasetNames,
  'networks of the tutorial': Object.keys(namedModels).filter((name) => !name.startsWith('zoo-')),
  optimizers: optimizerNames,
  schedules: Object.keys(scheduleOptions),
  'fixed transforms': fixedTransformNames,
};

it.each(pages)('%s forgets no name in its lists', (page) => {
  const paragraphs = readFileSync(page, 'utf8').split(/\n\s*\n/);
  const forgotten = paragraphs.flatMap((paragraph) => {
    const words = new Set(paragraph.match(/[\w-]+/g));
    return Object.entries(lists).flatMap(([kind, names]) => {
      const missing = names.filter((name) => !words.has(name));
      // A paragraph with two thirds of the names is a list of them.
      return missing.length > 0 && missing.length <= names.length / 3 ? `${kind}: ${missing.join(', ')}` : [];
    });
  });
  expect(forgotten).toEqual([]);
});
