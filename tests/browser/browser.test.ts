import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bundle } from '../bundle.js';
import { itWith } from '../needs.js';
import { temporaryFolder } from '../temporary.js';
import { Chromium } from './chromium.js';
import { type BrowserEngine, browserEngines, type Results, trainLeNet } from './step.js';

const folder = temporaryFolder();
const entry = (engine: BrowserEngine) => `
  import { trainLeNet } from './tests/browser/step.ts';
  trainLeNet('${engine}')
    .then((results) => JSON.stringify(results), (error) => 'failed: ' + error.stack)
    .then((text) => { document.body.textContent = text; });
`;
const bundled = (engine: BrowserEngine) =>
  bundle({ stdin: { contents: entry(engine), resolveDir: '.', loader: 'ts' }, platform: 'browser', minify: true });

/** The text of a page in headless Chromium, once its script has put it there. */
async function textOfPage(html: string): Promise<string> {
  const page = join(folder, 'page.html');
  writeFileSync(page, html);
  const browser = new Chromium(join(folder, 'profile'));
  try {
    const tab = await browser.open(pathToFileURL(page).href);
    await tab.until("document.body !== null && document.body.textContent !== ''");
    return await tab.evaluate<string>('document.body.textContent');
  } finally {
    await browser.kill();
  }
}

/**
 * Both are V8, but of other versions: the last bits of exponentials may differ, and sums of products where only one of
 * the two multiplies and adds in one instruction.
 */
function expectSame(found: Results, expected: Results): void {
  const close = (a: readonly number[], b: readonly number[], where: string) => {
    expect(a, where).toHaveLength(b.length);
    const far = a.findIndex((value, i) => !(Math.abs(value - b[i]) <= 1e-6 + 1e-5 * Math.abs(b[i])));
    expect(far, `${where}: ${a[far]} for ${b[far]} at ${far}`).toBe(-1);
  };
  close([found.loss, found.epochLoss], [expected.loss, expected.epochLoss], 'losses');
  for (const part of ['gradients', 'weights', 'safetensors', 'pdparams'] as const) {
    expect(Object.keys(found[part])).toEqual(Object.keys(expected[part]));
    for (const [name, values] of Object.entries(expected[part])) close(found[part][name], values, `${part} ${name}`);
  }
  expect(found.picture).toEqual(expected.picture);
}

describe('the browser entry', () => {
  it('is bundled without modules of Node', async () => {
    const { size } = new Blob([await bundled('portable')]);
    expect(size).toBeGreaterThan(10_000);
  });

  it.each(browserEngines)('trains on the engine %s, and the formats keep every bit', async (engine) => {
    const { loss, epochLoss, gradients, weights, safetensors, pdparams } = await trainLeNet(engine);
    expect([loss, epochLoss].every((value) => value > 0 && value < 10)).toBe(true);
    expect(Object.values(gradients).every((values) => values.some((value) => value !== 0))).toBe(true);
    expect(safetensors).toEqual(pdparams);
    expect(safetensors).not.toEqual(weights);
  });

  for (const engine of browserEngines) {
    itWith('chromium', `runs LeNet's training step on the engine ${engine} as Node does`, async () => {
      const script = (await bundled(engine)).replaceAll('</script', '<\\/script');
      const text = await textOfPage(
        `<!doctype html><meta charset="utf-8"><script type="module">${script}</script><body></body>`,
      );
      expect(text.slice(0, 300)).toMatch(/^\{"loss":/);
      expectSame(JSON.parse(text) as Results, await trainLeNet(engine));
    });
  }
});
