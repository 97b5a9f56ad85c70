import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildPage } from '../../scripts/buildPage.mjs';
import { servePage } from '../../scripts/servePage.mjs';
import { runs, setEngine } from '../../src/index.js';
import { describeWith } from '../needs.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { Chromium, type Tab } from './chromium.js';

const folder = temporaryFolder();
const testImages = 230;

/** Expressions for the page. */
const textOf = (id: string) => `document.getElementById('${id}').textContent`;
const click = (id: string) => `document.getElementById('${id}').click()`;
const isCalled = (name: string) => `${textOf('run')} === '${name}' && !document.getElementById('run').disabled`;
/** Whether a canvas shows more than one color. */
const isPainted = (selector: string) => `[...document.querySelectorAll('${selector}')].every((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, i) => i % 4 < 3 && value !== data[i % 4]);
})`;

describeWith('chromium', 'the page that trains LeNet', () => {
  let server: Awaited<ReturnType<typeof servePage>>;
  let browser: Chromium;
  let tab: Tab;
  let dataDir: string;
  const chosen = (id: string, value: string) => `(() => {
    const field = document.getElementById('${id}');
    field.value = '${value}';
    for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, { bubbles: true }));
  })()`;
  const percentOf = async (id: string) => Number(/([\d.]+) %/.exec(await tab.evaluate<string>(textOf(id)))?.[1]);

  beforeAll(async () => {
    dataDir = await smallMnist(folder, { train: 1500, test: testImages });
    const site = join(folder, 'site');
    await buildPage(site, dataDir);
    server = await servePage(site);
    mkdirSync(join(folder, 'downloads'));
    browser = new Chromium(join(folder, 'profile'));
    await browser.call('Browser.setDownloadBehavior', {
      behavior: 'allow',
      downloadPath: join(folder, 'downloads'),
    });
    tab = await browser.open(server.address, { width: 390, height: 844 });
    await tab.until(isCalled('Train'));
  });
  afterAll(async () => {
    await browser?.kill();
    await server?.close();
  });

  it('fits a telephone, and names every control', async () => {
    expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(390);
    const { nodes } = (await tab.call('Accessibility.getFullAXTree')) as {
      readonly nodes: readonly {
        readonly role?: { readonly value: string };
        readonly name?: { readonly value: string };
      }[];
    };
    const controls = nodes.filter(({ role }) => /^(button|combobox|slider)$/i.test(role?.value ?? ''));
    expect(controls.length).toBeGreaterThan(8);
    expect(controls.filter(({ name }) => (name?.value ?? '') === '')).toEqual([]);
  });

  it('trains, pauses, shows what the network makes of a digit, and gives weights that evaluate the same', async () => {
    await tab.evaluate(chosen('optimizer', 'adam'));
    // Long enough for all that follows, on a slow machine too.
    await tab.evaluate(`document.getElementById('epochs').add(new Option('1000'))`);
    await tab.evaluate(chosen('epochs', '1000'));
    await tab.evaluate(click('run'));
    const { left, top } = await tab.evaluate<{ left: number; top: number }>(`(() => {
      const pad = document.getElementById('pad');
      pad.scrollIntoView({ block: 'center' });
      const { left, top } = pad.getBoundingClientRect();
      return { left, top };
    })()`);
    await tab.drag([
      [left + 70, top + 60],
      [left + 190, top + 60],
      [left + 120, top + 220],
    ]);
    await tab.until(isPainted('#input-map, #first-maps canvas, #second-maps canvas'));
    expect(await tab.evaluate(`document.querySelectorAll('#first-maps canvas').length`)).toBe(6);
    expect(await tab.evaluate(`document.querySelectorAll('#second-maps canvas').length`)).toBe(16);
    await tab.until(`/^Epoch (?!1\\b)\\d+ of 1000/.test(${textOf('status')})`);
    await tab.evaluate(click('run'));
    await tab.until(isCalled('Continue'));
    const status = await tab.evaluate<string>(textOf('status'));
    expect(status).toMatch(new RegExp(`^Paused at step [\\d,]+. [\\d.]+ % of ${testImages} test images right.$`));
    const probabilities = await tab.evaluate<string>(textOf('classes'));
    expect(probabilities.match(/[\d.]+ %/g)).toHaveLength(10);

    await tab.evaluate(click('download'));
    const file = join(folder, 'downloads', 'lenet-mnist.safetensors');
    await tab.until(`/% of ${testImages} test images/.test(${textOf('weights-note')})`);
    while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 25));
    setEngine('portable');
    const { accuracy, samples } = await runs.evaluateWeights(file, { dataDir });
    expect(samples).toBe(testImages);
    expect(Math.round(1e4 * accuracy) / 100).toBe(await percentOf('weights-note'));
    expect(await percentOf('status')).toBe(await percentOf('weights-note'));
  });

  it('continues from where it was, after the browser was killed', async () => {
    const paused = /step ([\d,]+)/.exec(await tab.evaluate<string>(textOf('status')))?.[1];
    await browser.kill();
    browser = new Chromium(join(folder, 'profile'));
    tab = await browser.open(server.address);
    await tab.until(isCalled('Continue'));
    expect(await tab.evaluate(textOf('status'))).toContain(`step ${paused}`);
    expect(await tab.evaluate(`document.getElementById('optimizer').value`)).toBe('adam');
    await tab.evaluate(click('run'));
    await tab.until(isCalled('Pause'));
    await tab.evaluate(click('restart'));
    await tab.until(isCalled('Train'));
    expect(await tab.evaluate(textOf('accuracy'))).toBe('–');
  });

  it('takes a digit by keyboard, and a test image', async () => {
    await tab.evaluate(`document.getElementById('pad').focus()`);
    await tab.press(' ', 'Space');
    for (let i = 0; i < 12; i++) await tab.press('ArrowDown');
    await tab.until(isPainted('#input-map'));
    await tab.evaluate(click('clear'));
    expect(await tab.evaluate(textOf('answer'))).toBe('draw a digit first.');
    await tab.evaluate(click('example'));
    await tab.until(`${textOf('picture-note')}.startsWith('Test image 0')`);
    expect(browser.messages).toEqual([]);
  });
});
