import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { servePage } from '../../scripts/servePage.mjs';
import { io, vision } from '../../src/index.js';
import { bundle } from '../bundle.js';
import { describeWith } from '../needs.js';
import { temporaryFolder } from '../temporary.js';
import { Chromium, type Tab } from './chromium.js';

const folder = temporaryFolder();
const site = join(folder, 'site');
const profile = join(folder, 'profile');
const camera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/** Pixels with a gradient, an edge and, with four channels, transparency. */
const pixelsOf = (height: number, width: number, channels: 3 | 4) =>
  Buffer.from(
    Uint8Array.from({ length: height * width * channels }, (_, i) => {
      const [pixel, channel] = [Math.floor(i / channels), i % channels];
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      if (channel === 3) return x < 20 ? 0 : x < 30 ? 128 : 255;
      return (3 * x + 5 * y * (channel + 1) + (x > y ? 90 : 0)) % 256;
    }),
  );

async function writePictures(): Promise<void> {
  const opaque = sharp(pixelsOf(45, 60, 3), { raw: { height: 45, width: 60, channels: 3 } });
  await opaque.clone().png().toFile(join(site, 'plain.png'));
  await opaque.clone().withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toFile(join(site, 'turned.jpg'));
  const clear = sharp(pixelsOf(45, 60, 4), { raw: { height: 45, width: 60, channels: 4 } });
  await clear.png().toFile(join(site, 'clear.png'));
  const seven = `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="240"><rect width="200" height="240" fill="#eee"/>
    <path d="M50 60 H150 L90 190" fill="none" stroke="#234" stroke-width="18"/></svg>`;
  await sharp(Buffer.from(seven)).png().toFile(join(site, 'seven.png'));
  writeFileSync(join(site, 'broken.png'), readFileSync(join(site, 'plain.png')).subarray(0, 20));
}

describeWith('chromium', 'the library in Chromium', () => {
  let server: Awaited<ReturnType<typeof servePage>>;
  let browser: Chromium;
  let tab: Tab;
  const openTab = async (address = server.address) => {
    const opened = await browser.open(address);
    await opened.until('globalThis.inWorker');
    return opened;
  };
  const inWorker = <T>(name: string, ...args: readonly unknown[]) =>
    tab.evaluate<T>(`inWorker(${[name, ...args].map((value) => JSON.stringify(value)).join()})`);
  const startAgain = async () => {
    await browser.kill();
    browser = new Chromium(profile, camera);
    tab = await openTab();
  };

  beforeAll(async () => {
    mkdirSync(site);
    writeFileSync(join(site, 'index.html'), '<!doctype html><script type="module" src="library.js"></script>');
    const options = { platform: 'browser', minify: true, alias: { fovea: './src/browser.ts' } } as const;
    writeFileSync(
      join(site, 'library.js'),
      await bundle({ entryPoints: ['tests/browser/inside/library.ts'], ...options }),
    );
    await writePictures();
    await io.saveSafetensors({ x: Float32Array.of(1, 2), y: Int32Array.of(3) }, join(site, 'two.safetensors'), {
      made: 'here',
    });
    server = await servePage(site);
    browser = new Chromium(profile, camera);
    tab = await openTab();
  });
  afterAll(async () => {
    await browser?.kill();
    await server?.close();
  });

  it('computes on threads in a worker of an isolated page, with the same bits', async () => {
    const [one, two, three] = await inWorker<{ digest: string; used: number }[]>('threads', [1, 2, 3], true);
    expect([two.digest, three.digest]).toEqual([one.digest, one.digest]);
    expect(one.used).toBe(1);
    expect(three.used).toBeGreaterThan(1);
  });

  it('computes on one thread elsewhere, with the same bits, and says why', async () => {
    const [isolated] = await inWorker<{ digest: string }[]>('threads', [1], false);
    const plain = await servePage(site, { isolated: false });
    const other = await openTab(plain.address);
    const [found] = await other.evaluate<{ digest: string; used: number }[]>(`inWorker('threads', [4], false)`);
    expect(found).toEqual({ digest: isolated.digest, used: 1 });
    const { description, threads } = await other.evaluate<{ description: string; threads: number }>(`inWorker('info')`);
    expect([threads, description]).toEqual([1, expect.stringMatching(/one thread \(the page is not isolated;/)]);
    const page = await tab.evaluate<{ description: string }>('inPage.info()');
    expect(page.description).toMatch(/one thread \(a page must not wait for threads;/);
    await other.close();
    await plain.close();
  });

  it('resumes a training after its browser was killed, with the same bits', async () => {
    const whole = await inWorker<{ losses: number[]; weights: string }>('resume', 'whole', 0);
    await inWorker('resume', 'parts', 8);
    await startAgain();
    const rest = await inWorker<object>('resume', 'parts', 0);
    expect(rest).toEqual({ ...whole, began: 8, notes: { steps: 8 } });
  });

  it('keeps a whole state when the browser is killed while it saves', async () => {
    inWorker('saveForever', 'numbers').catch(() => {});
    await tab.until(`inWorker('progress').then((saved) => saved >= 2)`);
    const acknowledged = await inWorker<number>('progress');
    await startAgain();
    const { notes, state, first, equal } = await inWorker<Record<string, unknown>>('savedNumber', 'numbers');
    expect(equal).toBe(true);
    expect([notes, state]).toEqual([first, first]);
    expect(first).toBeGreaterThanOrEqual(acknowledged);
  });

  it('refuses a training that another tab has open, and keeps the state when there is no room', async () => {
    await inWorker('hold', 'numbers');
    const other = await openTab();
    expect(await other.evaluate(`inWorker('savedNumber', 'numbers')`)).toEqual({
      error: expect.stringMatching(/^InputError: .* got one that another tab has open; close that tab$/),
    });
    await tab.close();
    tab = other;
    const before = await inWorker<object>('savedNumber', 'numbers');
    await tab.call('Storage.overrideQuotaForOrigin', { origin: server.address, quotaSize: 1000 });
    expect(await inWorker('saveForever', 'numbers')).toEqual({
      error: expect.stringMatching(/^FileError: .*expected to save, got .*the state before is kept$/s),
    });
    await tab.call('Storage.overrideQuotaForOrigin', { origin: server.address });
    await startAgain();
    expect(await inWorker('savedNumber', 'numbers')).toEqual(before);
  });

  it('keeps a whole state when the page is closed while it saves', async () => {
    inWorker('saveForever', 'closed').catch(() => {});
    await tab.until(`inWorker('progress').then((saved) => saved >= 2)`);
    const acknowledged = await inWorker<number>('progress');
    await tab.close();
    tab = await openTab();
    const { notes, state, first, equal } = await inWorker<Record<string, unknown>>('savedNumber', 'closed');
    expect([equal, notes, state]).toEqual([true, first, first]);
    expect(first).toBeGreaterThanOrEqual(acknowledged);
  });

  it('continues after its page slept, with the same bits', async () => {
    const training = (name: string) => inWorker<object>('resume', name, 0, 60);
    const awake = await training('awake');
    let isDone = false;
    const asleep = training('asleep').finally(() => {
      isDone = true;
    });
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    for (let naps = 0; naps < 3; naps++) {
      await pause(30);
      await tab.call('Page.setWebLifecycleState', { state: 'frozen' });
      await pause(100);
      expect(isDone).toBe(false);
      await tab.call('Page.setWebLifecycleState', { state: 'active' });
    }
    expect(await asleep).toEqual(awake);
  });

  it('decodes and prepares pictures as Node does', async () => {
    type Found = Record<string, { size: number[]; data: number[]; pixels: number[] }>;
    const names = ['plain.png', 'clear.png', 'turned.jpg'];
    for (const options of [
      { size: 20, fit: 'crop' },
      { size: [16, 24], fit: 'pad', order: 'BGR', antialias: true },
    ] as const) {
      const found = await inWorker<Found>('pictures', names, options);
      for (const name of names) {
        const path = join(site, name);
        const { data, height, width } = await vision.images.decodeImage(path);
        const { pixels } = await vision.images.preprocess(path, options);
        expect(found[name].size, name).toEqual([height, width]);
        // Decoders of JPEG differ by a few levels.
        const most = name.endsWith('.jpg') ? 6 : 0;
        const far = (a: number[], b: Uint8Array) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));
        expect(far(found[name].data, data), name).toBeLessThanOrEqual(most);
        expect(far(found[name].pixels, pixels), name).toBeLessThanOrEqual(most);
      }
    }
    const { image } = await vision.images.readDigit(join(site, 'seven.png'));
    const digit = await inWorker<{ image: number[]; note: string }>('digit', 'seven.png');
    expect(digit.note).toBe('light background: inverted, cut, centered');
    expect(Math.max(...digit.image.map((value, i) => Math.abs(value - image[i])))).toBeLessThan(0.1);
    expect(await inWorker('refused', 'broken.png')).toMatch(/^FileError: .* got 20 bytes that this browser cannot/);
    expect(await tab.evaluate('inPage.camera()')).toEqual({ bytes: 230_400, height: 240, width: 320, shown: true });
  });

  it('reads weights by fetch and from files, and makes the same file as Node', async () => {
    const found = await inWorker<{ names: string[]; digest: string; missing: string }>('weights', 'two.safetensors');
    expect(found.names).toEqual(['x', 'y']);
    const file = readFileSync(join(site, 'two.safetensors'));
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', file)).toString('hex');
    expect(found.digest).toBe(digest);
    expect(found.missing).toMatch(/missing.safetensors: expected a file to fetch, got HTTP status 404/);
    expect(browser.messages).toEqual([]);
  });
});
