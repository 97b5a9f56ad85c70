/**
 * The studio in a real browser (Chromium): time to the first page, blank cells of a grid of 100,000 pictures while it
 * scrolls, and the speed of a training with and without a page that shows it.
 *
 * usage: npm run bench -- studio [page | grid | train] [pictures or epochs]
 */
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Studio, startStudio } from '../src/studio/server.js';
import { encodePng } from '../src/vision/images/png.js';
import { Chromium, type Tab } from '../tests/browser/chromium.js';

const [asked = 'page', number] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'fovea-bench-studio-'));
const work = join(folder, 'work');
mkdirSync(work);
const program = [process.execPath, resolve('dist/cli/main.js')];
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** From the start of the navigation to the first heading and the content below it. */
async function firstPage(studio: Studio, times: number): Promise<void> {
  const found: number[] = [];
  for (let i = 0; i < times; i++) {
    // A browser without a cache.
    const browser = new Chromium(join(folder, `profile${i}`), ['--lang=en']);
    const tab = await browser.open('about:blank');
    await tab.call('Page.addScriptToEvaluateOnNewDocument', {
      source: `new MutationObserver((_, observer) => {
        if (document.querySelector('main h1 ~ .empty, main h1 ~ section, main h1 ~ .scroll') === null) return;
        observer.disconnect();
        requestAnimationFrame(() => { window.shownAt = performance.now(); });
      }).observe(document, { childList: true, subtree: true });`,
    });
    await tab.call('Page.navigate', { url: studio.address });
    await tab.until('window.shownAt > 0');
    found.push(await tab.evaluate<number>('window.shownAt'));
    await browser.kill();
  }
  console.log(
    `first page: median ${median(found).toFixed(0)} ms, longest ${Math.max(...found).toFixed(0)} ms of ${times}`,
  );
}

/** Pictures of 96×96, a tenth of them different files. */
async function makePictures(count: number): Promise<void> {
  const different = Math.ceil(count / 10);
  for (let i = 0; i < count; i++) {
    const place = join(work, 'many', `class${i % 10}`);
    if (i < 10) mkdirSync(place, { recursive: true });
    const file = join(place, `${String(i).padStart(6, '0')}.png`);
    if (i < different) {
      const pixels = Float32Array.from({ length: 3 * 96 * 96 }, (_, k) => ((k * (i + 1)) % 251) / 250);
      writeFileSync(file, await encodePng(pixels, [3, 96, 96]));
    } else {
      const source = i % different;
      linkSync(join(work, 'many', `class${source % 10}`, `${String(source).padStart(6, '0')}.png`), file);
    }
  }
}

/** Runs in the page: scrolls for some seconds and notes for how long each visible cell had no picture. */
const scroll = (pixels: number, seconds: number) => `(async () => {
  const grid = document.querySelector('.grid');
  const since = new Map();
  const blanks = [];
  const frame = () => new Promise((next) => requestAnimationFrame(next));
  const end = performance.now() + ${1000 * seconds};
  let cells = 0;
  while (performance.now() < end) {
    grid.scrollTop += ${pixels};
    const now = await frame();
    const box = grid.getBoundingClientRect();
    const seen = new Set();
    for (const item of grid.querySelectorAll('li')) {
      const { top, bottom } = item.getBoundingClientRect();
      if (bottom <= box.top || top >= box.bottom) continue;
      const image = item.querySelector('img');
      const key = item.style.top + item.style.left;
      seen.add(key);
      const isBlank = image === null || !image.complete || image.naturalWidth === 0;
      if (isBlank && !since.has(key)) since.set(key, now);
      if (!isBlank && since.has(key)) { blanks.push(now - since.get(key)); since.delete(key); }
    }
    for (const [key, began] of since) if (!seen.has(key)) { blanks.push(now - began); since.delete(key); }
    cells += seen.size;
  }
  return { blanks, cells, at: grid.scrollTop };
})()`;

async function grid(tab: Tab, count: number): Promise<void> {
  const begun = performance.now();
  await makePictures(count);
  console.log(`${count} pictures made in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  const opened = performance.now();
  await tab.evaluate(`void (location.hash = '#/data?data=folder:many')`);
  await tab.until(`document.querySelector('.grid img')?.complete`);
  console.log(`first pictures after ${(performance.now() - opened).toFixed(0)} ms`);
  await sleep(2000);
  for (const [name, pixels] of [
    ['a wheel, 600 pixels a second', 10],
    ['a fast wheel, 3,000 pixels a second', 50],
  ] as const) {
    const { blanks, at } = await tab.evaluate<{ blanks: number[]; at: number }>(scroll(pixels, 10));
    const late = blanks.filter((ms) => ms > 100).length;
    console.log(
      `${name}: ${(at / 148).toFixed(0)} rows, longest blank ${Math.max(0, ...blanks).toFixed(0)} ms, ${late} cells over 100 ms`,
    );
  }
  const jumps: number[] = [];
  for (let i = 1; i <= 20; i++) {
    jumps.push(
      await tab.evaluate<number>(`(async () => {
        const grid = document.querySelector('.grid');
        grid.scrollTop = ${(i * 0.617) % 1} * grid.scrollHeight;
        const begun = performance.now();
        const box = grid.getBoundingClientRect();
        for (;;) {
          await new Promise((next) => requestAnimationFrame(next));
          const cells = [...grid.querySelectorAll('li')].filter((item) => {
            const { top, bottom } = item.getBoundingClientRect();
            return bottom > box.top && top < box.bottom;
          });
          if (cells.length > 0 && cells.every((item) => item.querySelector('img')?.complete)) return performance.now() - begun;
        }
      })()`),
    );
  }
  console.log(
    `a jump anywhere: full after ${median(jumps).toFixed(0)} ms (median), ${Math.max(...jumps).toFixed(0)} ms (longest)`,
  );
}

/** Speeds of the same training, epoch by epoch in turn with and without a page that shows it. */
async function training(studio: Studio, browser: Chromium, tab: Tab, epochs: number): Promise<void> {
  const post = (path: string, body: unknown) =>
    tab.evaluate<{ id: string }>(
      `fetch('/api/${path}', { method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(JSON.stringify(body))} }).then((answer) => answer.json())`,
    );
  const options = { epochs: String(epochs), batchSize: '32' };
  await post('trainings', { model: 'lenet', data: 'mnist', name: 'watched', options });
  const history = () =>
    tab.evaluate<{ epoch: number; imagesPerSecond: number }[]>(
      `fetch('/api/run?run=runs/watched').then((answer) => (answer.ok ? answer.json() : { history: [] })).then(({ history }) => history)`,
    );
  const speeds: Record<'with' | 'without', number[]> = { with: [], without: [] };
  let page: Tab | null = null;
  let done = 0;
  while (done < epochs) {
    const all = await history();
    if (all.length > done) {
      // The first epoch of each kind has the change in it.
      done = all.length;
      const isChange = done % 2 === 1;
      if (!isChange) speeds[page === null ? 'without' : 'with'].push(all[done - 1].imagesPerSecond);
      if (!isChange) {
        if (page === null) page = await browser.open(`${studio.address}#/train`);
        else {
          await page.close();
          page = null;
        }
      }
    }
    await sleep(300);
  }
  const [shown, alone] = [median(speeds.with), median(speeds.without)];
  console.log(
    `images per second, medians of ${speeds.with.length} and ${speeds.without.length} epochs: ${shown.toFixed(0)} with the page, ` +
      `${alone.toFixed(0)} without, ${(100 * (1 - shown / alone)).toFixed(1)} % slower`,
  );
}

const studio = await startStudio(work, { program, page: resolve('dist/studio/page') });
try {
  if (asked === 'page') await firstPage(studio, Number(number ?? 9));
  else {
    const browser = new Chromium(join(folder, 'profile'), ['--lang=en']);
    const tab = await browser.open(studio.address);
    await tab.until(`document.querySelector('main h1') !== null`);
    if (asked === 'grid') await grid(tab, Number(number ?? 100_000));
    else await training(studio, browser, tab, Number(number ?? 24));
    await browser.kill();
  }
} finally {
  await studio.close();
  rmSync(folder, { recursive: true, force: true });
}
