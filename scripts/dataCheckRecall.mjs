/**
 * Plants faults among test images of MNIST or Fashion-MNIST, and counts those that `fovea data check` finds: copies in eight disguises
 * in other data, and 2 % wrong labels.
 *
 * usage: node scripts/dataCheckRecall.mjs [mnist|fashionmnist] [IMAGES]
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { RandomGenerator, vision } from '../dist/index.js';

const name = process.argv[2] ?? 'mnist';
const side = 28;
const copiesOfEach = 25;
const root = mkdtempSync(join(tmpdir(), 'fovea-recall-'));
const Data = { mnist: vision.datasets.MNIST, fashionmnist: vision.datasets.FashionMNIST }[name];
const data = await Data.open({ mode: 'test', download: false });
const generator = new RandomGenerator(1);

const disguises = {
  'same file': (picture) => picture.png(),
  mirrored: (picture) => picture.flop().png(),
  'upside down': (picture) => picture.flip().png(),
  'turned by 90°': (picture) => picture.rotate(90).png(),
  'turned by 180°': (picture) => picture.rotate(180).png(),
  'half the size': (picture) => picture.resize(side / 2, side / 2).png(),
  'twice the size': (picture) => picture.resize(2 * side, 2 * side).png(),
  'JPEG, quality 60': (picture) => picture.jpeg({ quality: 60 }),
};

for (const part of ['train', 'test'])
  for (let c = 0; c < 10; c++) mkdirSync(join(root, part, String(c)), { recursive: true });
const wrong = new Set();
const planted = new Map(Object.keys(disguises).map((disguise) => [disguise, new Set()]));
const names = Object.keys(disguises);
const count = Math.min(data.length, Number(process.argv[3] ?? data.length));
for (let i = 0; i < count; i++) {
  const { image, label } = await data.get(i);
  const pixels = Uint8Array.from(image, (value) => Math.round(255 * value));
  const picture = () => sharp(pixels, { raw: { width: side, height: side, channels: 1 } });
  const isWrong = generator.int(50) === 0;
  const shown = isWrong ? (label + 1 + generator.int(9)) % 10 : label;
  if (isWrong) wrong.add(`train/${shown}/${i}.png`);
  await picture()
    .png()
    .toFile(join(root, 'train', String(shown), `${i}.png`));
  const place = Math.floor(i / copiesOfEach);
  if (place >= names.length) continue;
  planted.get(names[place]).add(`test/${shown}/copy${i}.${names[place].startsWith('JPEG') ? 'jpg' : 'png'}`);
  const made = disguises[names[place]](picture());
  await made.toFile(join(root, 'test', String(shown), `copy${i}.${names[place].startsWith('JPEG') ? 'jpg' : 'png'}`));
}
const out = join(root, 'check');
const { status, stderr } = spawnSync(
  process.execPath,
  ['dist/cli/main.js', 'data', 'check', `folder:${root}/train`, '--against', `folder:${root}/test`, '--out', out],
  { encoding: 'utf8' },
);
if (status !== 0) throw new Error(stderr);
const { findings } = JSON.parse(readFileSync(join(out, 'check.json'), 'utf8'));
const leaks = findings.filter(({ kind }) => kind === 'leak').map(({ files }) => files[1]);
const row = (cells) => console.log(`| ${cells.join(' | ')} |`);
row(['fault', 'planted', 'found', 'recall']);
row(['---', '---', '---', '---']);
for (const [disguise, files] of planted) {
  const found = [...files].filter((file) => leaks.includes(file.slice('test/'.length))).length;
  row([disguise, files.size, found, `${((100 * found) / files.size).toFixed(0)} %`]);
}
const labels = new Set(findings.filter(({ kind }) => kind === 'label').map(({ files }) => `train/${files[0]}`));
const right = [...wrong].filter((file) => labels.has(file)).length;
row(['wrong label', wrong.size, right, `${((100 * right) / wrong.size).toFixed(0)} %`]);
const others = findings.filter(({ kind }) => kind === 'copy' || kind === 'conflict').length;
console.log(
  `\n${right} of ${labels.size} reported labels are wrong (precision ${((100 * right) / labels.size).toFixed(0)} %); pairs of copies that were not planted: ${others}.`,
);
rmSync(root, { recursive: true, force: true });
