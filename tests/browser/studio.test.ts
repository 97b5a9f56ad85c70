import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildStudio } from '../../scripts/buildStudio.mjs';
import { type Studio, startStudio } from '../../src/studio/server.js';
import { describeWith } from '../needs.js';
import { temporaryFolder } from '../temporary.js';
import { Chromium, type Tab } from './chromium.js';

const folder = temporaryFolder();
const work = join(folder, 'work');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Set to a folder to look at the pages: the test writes a picture of each at three widths. */
const pictures = process.env.STUDIO_PICTURES;

describeWith('chromium', 'the studio', () => {
  let studio: Studio;
  let browser: Chromium;
  let tab: Tab;

  const go = (place: string) => tab.evaluate(`void (location.hash = ${JSON.stringify(place)})`);
  const text = (words: string) => `document.querySelector('main').textContent.includes(${JSON.stringify(words)})`;
  /** Errors of accessibility, and pictures for people. */
  const inspect = async (name: string) => {
    await tab.evaluate(axe);
    const { violations } = await tab.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run()');
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    for (const width of [1440, 768, 390]) {
      await tab.resize({ width, height: width === 390 ? 844 : 900 });
      if (pictures !== undefined) writeFileSync(join(pictures, `${name}-${width}.png`), await tab.screenshot());
      expect([name, await tab.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width]);
    }
    await tab.resize({ width: 1440, height: 900 });
    expect([name, found]).toEqual([name, []]);
  };

  beforeAll(async () => {
    mkdirSync(work);
    const page = join(folder, 'page');
    await buildStudio(page);
    studio = await startStudio(work, { program: ['none'], page });
    browser = new Chromium(join(folder, 'profile'), ['--lang=en']);
    tab = await browser.open(studio.address);
  });
  afterAll(async () => {
    await browser?.kill();
    await studio?.close();
  });

  it('lists runs, and keeps the token out of the address', async () => {
    await tab.until(text('There are no runs yet'));
    expect(await tab.evaluate('location.href')).toBe(studio.address.replace(/\?.*/, ''));
    await inspect('runs-none');
    await go('#/none');
    await tab.until(text('There is no such page.'));
    expect(browser.messages).toEqual([]);
  });
});
