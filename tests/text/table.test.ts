import { expect, test } from 'vitest';
import { formatCount, formatDuration, formatMetric, formatPercent, formatRate } from '../../src/text/numbers.js';
import { displayWidth, formatTable, wrapWords } from '../../src/text/table.js';

test('columns are aligned, with rules under the header and above the totals', () => {
  const text = formatTable(
    [{ header: 'layer' }, { header: 'output' }, { header: 'parameters', align: 'right' }],
    [
      ['conv2d_0', '[3,6,24,24]', '156'],
      ['linear_0', '[3,64]', '7,744'],
      ['sigmoid_0', '[3,64]'],
    ],
    { totals: [['total', '', '7,900']], indent: 2 },
  );
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
      layer      output       parameters
      ─────────  ───────────  ──────────
      conv2d_0   [3,6,24,24]         156
      linear_0   [3,64]            7,744
      sigmoid_0  [3,64]
      ─────────  ───────────  ──────────
      total                        7,900"
  `);
});

test('without headers there is no header line', () => {
  expect(formatTable([{ header: '' }, { header: '' }], [['engine', 'onednn 2.6.3']])).toBe('engine  onednn 2.6.3');
  expect(formatTable([{ header: 'a' }], [])).toBe('a\n─');
});

test('wide characters take two cells, control characters cannot break a line', () => {
  expect(displayWidth('病理性近视 é e\u0301 👍')).toBe(17);
  expect(displayWidth('𠮷 👨‍👩‍👧 🇨🇳 👍🏽')).toBe(11);
  const lines = formatTable(
    [{ header: '' }, { header: '' }],
    [
      ['眼底', '1'],
      ['a\nb\x1b', '2'],
    ],
  ).split('\n');
  expect(lines).toEqual(['眼底      1', 'a\\nb\\x1b  2']);
});

test('a table fits into its width: texts continue in further lines, numbers stay whole', () => {
  const columns = [{ header: 'name' }, { header: 'what it is' }, { header: 'images', align: 'right' as const }];
  const rows = [
    ['recipe', 'Momentum 0.9, learning rate 0.001, batch size 10, shuffled, 5 epochs', '60,000'],
    ['shape', '[10,64,112,112]', '1'],
  ];
  for (const width of [30, 40, 60, 80]) {
    const lines = formatTable(columns, rows, { indent: 2, width }).split('\n');
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    const words = lines.join(' ').split(/\s+/);
    expect(words).toEqual(expect.arrayContaining(['Momentum', 'shuffled,', 'epochs', '60,000']));
  }
  expect(`\n${formatTable(columns, rows, { width: 40 })}`).toMatchInlineSnapshot(`
    "
    name    what it is                images
    ──────  ────────────────────────  ──────
    recipe  Momentum 0.9, learning    60,000
            rate 0.001, batch size
            10, shuffled, 5 epochs
    shape   [10,64,112,112]                1"
  `);
});

test('lines break at spaces, behind punctuation, and inside words that are wider than a line', () => {
  expect(wrapWords('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrapWords('runs/resnet50-photos/weights', 14)).toEqual(['runs/resnet50-', 'photos/weights']);
  expect(wrapWords('abcdefghij kl', 4)).toEqual(['abcd', 'efgh', 'ij', 'kl']);
  expect(wrapWords('眼底照片', 5)).toEqual(['眼底', '照片']);
  expect(wrapWords('', 5)).toEqual(['']);
});

test('numbers as people read them', () => {
  expect([0, 41806, 1e6].map(formatCount)).toEqual(['0', '41,806', '1,000,000']);
  expect([0, 0.04321, 12.34567, 4321.04, 1.23e-5, -3.14e8, Number.NaN, -1 / 0].map(formatMetric)).toEqual([
    '0.0000',
    '0.0432',
    '12.3457',
    '4321.0',
    '1.2e-5',
    '-3.1e+8',
    'NaN',
    '−∞',
  ]);
  expect([0.9565, 1, Number.NaN].map((share) => formatPercent(share))).toEqual(['95.65 %', '100.00 %', '–']);
  expect([0, 59.94, 59.96, 245, 3599.6, 7449].map(formatDuration)).toEqual([
    '0.0 s',
    '59.9 s',
    '1:00',
    '4:05',
    '1:00:00',
    '2:04:09',
  ]);
  expect([31204.4, 99.95, 4.2149, 0.05239].map(formatRate)).toEqual(['31,204/s', '100/s', '4.21/s', '0.0524/s']);
});
