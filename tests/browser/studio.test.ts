import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildStudio } from '../../scripts/buildStudio.mjs';
import { setThreads } from '../../src/engine/select.js';
import { type Studio, startStudio } from '../../src/studio/server.js';
import { buildProgram } from '../compiled.js';
import { describeWith } from '../needs.js';
import { smallRun } from '../studio/smallRun.js';
import { trainDigits } from '../studio/trainDigits.js';
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
  const button = (words: string) =>
    `[...document.querySelectorAll('button')].find(({ textContent }) => textContent.trim() === ${JSON.stringify(words)})`;
  const hasButton = (words: string) => `${button(words)} !== undefined`;
  const click = (words: string) => `${button(words)}.click()`;
  /** Errors of accessibility, and pictures for people. */
  const inspect = async (name: string) => {
    await tab.evaluate(axe);
    const { violations } = await tab.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run()');
    const problems = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    for (const width of [1440, 768, 390]) {
      await tab.resize({ width, height: width === 390 ? 844 : 900 });
      // Charts take the new width a moment later.
      const found = await tab.evaluate(`(async () => {
        scrollTo(0, 0);
        const widthOf = () => document.documentElement.scrollWidth;
        for (let i = 0; i < 100 && widthOf() !== ${width}; i++) await new Promise((go) => setTimeout(go, 20));
        return widthOf();
      })()`);
      expect([name, found]).toEqual([name, width]);
      if (pictures === undefined) continue;
      for (const scheme of ['light', 'dark']) {
        await tab.call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
        // Charts take the colours a moment later.
        await new Promise((resolve) => setTimeout(resolve, 300));
        writeFileSync(join(pictures, `${name}-${width}-${scheme}.png`), await tab.screenshot());
      }
      await tab.call('Emulation.setEmulatedMedia', { features: [] });
    }
    await tab.resize({ width: 1440, height: 900 });
    expect([name, problems]).toEqual([name, []]);
  };

  beforeAll(async () => {
    setThreads(1);
    mkdirSync(work);
    const page = join(folder, 'page');
    await buildStudio(page);
    const script = buildProgram(join(folder, 'package'));
    studio = await startStudio(work, { program: [process.execPath, script], page });
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
  });

  it('trains by a click, shows the curves, and pauses', async () => {
    await smallRun(work, 'first');
    await go('#/train?data=folder:photos');
    await tab.until(text('Name of the run'));
    const input = async (label: string, value: string) => {
      await tab.evaluate(`(() => {
        const field = document.getElementById('option-${label}');
        field.value = '${value}';
        field.dispatchEvent(new Event('input', { bubbles: true }));
      })()`);
    };
    await tab.evaluate(`document.querySelector('form details:not([open]):last-of-type summary').click()`);
    await tab.until(text('conv2d_2'));
    await input('batchSize', '4');
    await input('epochs', '100000');
    await input('threads', '1');
    await inspect('train-form');
    await tab.evaluate(click('Train'));
    await tab.until(`document.querySelector('progress')?.value >= 2`);
    await tab.until(`document.querySelectorAll('.chart canvas').length === 2`);
    await tab.evaluate(click('Pause'));
    await tab.until(text('paused; its state is saved'));
    await tab.until(`${hasButton('Continue')}`);
    await tab.until(`document.querySelectorAll('.layers img').length === 2`);
    await inspect('train-live');
  });

  it('evaluates: pictures behind a cell, the threshold, a picture with its explanation, another label', async () => {
    await go('#/evaluate?run=runs/first');
    await tab.until(text('Confusion matrix'));
    await tab.until(`document.querySelectorAll('.chart canvas').length === 2`);
    await tab.evaluate(`document.querySelector('.cell').click()`);
    await tab.until(`document.querySelector('.gallery img')?.complete`);
    await inspect('evaluate');
    await tab.evaluate(`document.querySelector('.gallery button').click()`);
    await tab.until(`document.querySelector('dialog .bars li')`);
    await tab.evaluate(click('Explain'));
    await tab.until(`document.querySelector('.explanation img')`);
    await tab.evaluate(click('Put the map into the report'));
    await tab.until(text('Pictures with maps in runs/first/report.html: 1.'));
    await tab.evaluate(click('Find them'));
    await tab.until(`document.querySelectorAll('dialog .strip img').length === 6`);
    await tab.evaluate(`(() => {
      const field = document.querySelector('dialog section select');
      field.value = field.options[1].value;
      field.dispatchEvent(new Event('change', { bubbles: true }));
    })()`);
    await tab.until(text('fixes/photos/relabel.csv'));
    await inspect('picture');
    await tab.evaluate(click('Close'));
    const fill = (low: number) => `(() => {
      const slider = document.querySelector('input[type=range]');
      slider.value = '${low}';
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    })()`;
    await tab.evaluate(fill(0));
    await tab.until(
      `[...document.querySelectorAll('button')].some((one) => one.textContent === 'False positives: 16')`,
    );
    await tab.evaluate(click('False positives: 16'));
    await tab.until(`document.querySelectorAll('.gallery .bad').length === 16`);
  });

  it('compares runs: curves, settings that differ, paired tests, pictures', async () => {
    await smallRun(work, 'second', { seed: 2, epochs: 2, lr: 0.1 });
    await go(`#/compare?runs=${encodeURIComponent('runs/first\nruns/second')}`);
    await tab.until(text('recipe.epochs'));
    await tab.until(text('Pictures that are not predicted alike'));
    await inspect('compare');
  });

  it('shows data: the layout, any number of pictures, findings with a decision each', async () => {
    copyFileSync(join(work, 'photos/red/red0.png'), join(work, 'photos/red/copy.png'));
    await go('#/data?data=folder:photos');
    await tab.until(`document.querySelectorAll('.grid img').length > 50`);
    await tab.until(`document.querySelectorAll('.strip img').length === 7`);
    const second = await tab.evaluate<string>(`document.querySelectorAll('.strip img')[1].src`);
    await tab.evaluate(`document.querySelectorAll('.grid button')[3].click()`);
    await tab.until(`document.querySelector('input[type=number]').value === '3'`);
    await tab.until(`document.querySelectorAll('.strip img')[1].src !== ${JSON.stringify(second)}`);
    await tab.evaluate(click('Check'));
    // Pictures load when they come into view.
    await tab.until(
      `(document.querySelector('.findings')?.scrollIntoView(), document.querySelector('.findings img')?.complete)`,
    );
    await inspect('data');
  });

  it('shows the features of a run', async () => {
    await trainDigits(work, 'runs/digits');
    await go('#/features');
    await tab.until(`document.querySelector('select')?.textContent.includes('runs/digits')`);
    await go('#/features?run=runs/digits');
    await tab.until(`document.querySelectorAll('.layers img').length === 2`);
    await tab.until(`document.querySelectorAll('tbody tr').length === 4`);
    expect(await tab.evaluate(`document.querySelectorAll('.scatter circle').length`)).toBe(60);
    const first = await tab.evaluate<string>(`document.querySelector('.own figcaption').textContent`);
    // A click on another point chooses it.
    await tab.evaluate(`(() => {
      const circles = [...document.querySelectorAll('.scatter circle')].map((circle) => circle.getBoundingClientRect());
      const far = ({ x, y }) => Math.hypot(x - circles[0].x, y - circles[0].y);
      const { x: clientX, y: clientY } = circles.reduce((a, b) => (far(b) > far(a) ? b : a));
      document.querySelector('.scatter').dispatchEvent(new MouseEvent('click', { clientX, clientY, bubbles: true }));
    })()`);
    await tab.until(
      `![${JSON.stringify(first)}, undefined].includes(document.querySelector('.own figcaption')?.textContent)`,
    );
    await inspect('features');
  });

  it('answers for a picture and for a digit by hand', async () => {
    await go('#/try?run=runs/digits');
    await tab.until(`document.querySelector('canvas.pad') !== null`);
    const press = (key: string) =>
      tab.evaluate(`document.querySelector('.pad').dispatchEvent(new KeyboardEvent('keydown', { key: '${key}' }))`);
    await press(' ');
    for (let i = 0; i < 16; i++) await press('ArrowDown');
    await tab.until(`!document.querySelector('.inputs .primary').disabled`);
    await tab.evaluate(`document.querySelector('.inputs .primary').click()`);
    await tab.until(`document.querySelectorAll('.answer').length === 1`);
    const file = `new File([new Uint8Array([1, 2, 3])], 'broken.png')`;
    const drop = (made: string) =>
      tab.evaluate(`(() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(${made});
        document.querySelector('.inputs section').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
      })()`);
    await drop(file);
    await tab.until(`document.querySelector('[role=alert]')?.textContent.includes('broken.png')`);
    expect(await tab.evaluate(`document.querySelectorAll('.answer').length`)).toBe(1);
    await drop(
      `new File([Uint8Array.from(atob(document.querySelector('.answer img').src.split(',')[1]), (c) => c.charCodeAt(0))], 'saved.png')`,
    );
    await tab.until(`document.querySelectorAll('.answer').length === 2`);
    await tab.until(`document.querySelector('[role=alert]') === null`);
    await inspect('try');
  });

  it('runs the program of a chapter', async () => {
    await go('#/course');
    await tab.until(text('vision.models.course.LeNet'));
    await tab.until(text('conv2d_2'));
    await inspect('course');
    await tab.resize({ width: 390, height: 844 });
    const beyond = `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.wrapped').parentElement)`;
    expect(await tab.evaluate(beyond)).toBe(0);
    await tab.resize({ width: 1440, height: 900 });
    await go('#/course?chapter=googlenet');
    await tab.until(text('class Inception'));
    await tab.evaluate(click('Run it'));
    await tab.until(text('163696 parameters'));
    await tab.until(text('It ended with the exit code 0.'));
    await tab.evaluate(click('中文'));
    await tab.until(text('四条路径'));
    await inspect('course-chinese');
    await tab.evaluate(click('English'));
  });

  it('is Chinese, and lists the runs', async () => {
    await tab.evaluate(click('中文'));
    await go('#/runs');
    await tab.until(text('此文件夹中的所有训练'));
    expect(await tab.evaluate('document.documentElement.lang')).toBe('zh-CN');
    await inspect('runs-chinese');
    await tab.evaluate(click('English'));
  });

  it('says that its studio has ended', async () => {
    await studio.close();
    await go('#/evaluate');
    await tab.until(text('The studio does not answer.'));
    // The page has spoken with its server alone.
    expect(browser.requests.length).toBeGreaterThan(100);
    const own = new URL(studio.address).origin;
    expect(browser.requests.filter((url) => new URL(url).origin !== own)).toEqual([]);
    // The browser itself reports requests that fail; there are no other messages.
    expect(browser.messages).toEqual([]);
  });
});
