import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { bfloat16Products } from '../../src/engine/onednn/bfloat16.js';
import { openOneDnn } from '../../src/engine/onednn/engine.js';
import { engineInfo, setConvolution, setEngine, setPrecision, setThreads } from '../../src/engine/select.js';
import type { Profile } from '../../src/measure/profile.js';
import { Run } from '../../src/run/run.js';
import { version } from '../../src/version.js';
import { digits } from '../../src/vision/datasets/mnist.js';
import type { PackedFiles } from '../../src/vision/datasets/packedFiles.js';
import { has, itWith } from '../needs.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { idx } from '../vision/datasets/idx.js';
import { runFovea as fovea, linesOf } from './run.js';

const root = temporaryFolder();
let dataDir = '';
let folder = '';

const train = (...args: string[]) => fovea('train', 'lenet', '--data-dir', dataDir, ...args);
const path = (name: string) => join(root, name);
beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  dataDir = await smallMnist(root);
  folder = path('run');
  const { code, err } = await train('--epochs', '2', '--seed', '7', '--out', folder);
  expect(err).not.toContain('fovea:');
  expect(code).toBe(0);
});

describe('train', () => {
  it('prints its settings, its progress, and the next commands', async () => {
    const out = path('told');
    const { code, out: text, err } = await train('--epochs', '2', '--seed', '7', '--log-every', '20', '--out', out);
    expect(code).toBe(0);
    expect(text).toMatch(/^LeNet on MNIST\n {2}parameters {2}41,806\n {2}data {8}500 training and 230 test images\n/);
    expect(text).toContain(`source      folder ${dataDir}`);
    expect(text).toContain('Momentum 0.9, learning rate 0.001, batch size 10, shuffled, 2 epochs, cross entropy');
    expect(text).toMatch(
      /\nepoch 2\/2 {2}training loss \d\.\d{4} {2}accuracy \d+\.\d\d % {2}test loss \d\.\d{4} {2}accuracy \d+\.\d\d % .* images\/s\n/,
    );
    expect(text).toMatch(/\nDone: \d+\.\d\d % of 230 test images right, loss \d\.\d{4}\.\n/);
    expect(text).toContain(`eval ${out}\n`);
    expect(text).toContain(`predict ${out} IMAGE…\n`);
    const progress = err.trimEnd().split('\n');
    expect(progress.map((line) => /^epoch (\d)\/2 {2}(\d+)\/500 images/.exec(line)?.slice(1).join(':'))).toEqual([
      '1:10',
      '1:210',
      '1:410',
      '2:10',
      '2:210',
      '2:410',
    ]);
    // The same seed, the same bits: nothing that is shown has an influence.
    const weights = (where: string) => readFileSync(join(where, 'weights.safetensors'));
    expect(weights(out).equals(weights(folder))).toBe(true);
  });

  it('writes JSON lines and nothing else', async () => {
    const { code, out, err } = await train('--epochs', '1', '--log-every', '25', '--json', '--out', path('json'));
    expect([code, err]).toEqual([0, '']);
    const events = linesOf(out);
    expect(events.map(({ event }) => event)).toEqual(['start', 'batch', 'batch', 'epoch', 'end']);
    expect(events[0]).toMatchObject({ run: path('json'), config: { model: { parameters: 41_806 }, seed: 0 } });
    expect(events[2]).toMatchObject({ event: 'batch', epoch: 1, batch: 50, batches: 50, loss: expect.any(Number) });
    const [record] = linesOf(readFileSync(path('json/metrics.jsonl'), 'utf8'));
    expect(events[3]).toEqual({ schema: 'train.epoch/1', event: 'epoch', ...record });
    expect(events[4]).toMatchObject({ completed: true, epoch: 2, steps: 50, evalAccuracy: record.evalAccuracy });
  });

  it('resumes a run by its own recipe', async () => {
    const resume = (...args: string[]) => fovea('train', '--resume', folder, '--data-dir', dataDir, ...args);
    const { code, out, err } = await resume();
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('continues   epoch 3, after batch 0\n');
    expect(out).toMatch(/\nDone: /);
    const { out: json } = await resume('--json', '--tensorboard');
    const start = { event: 'start', run: folder, from: { epoch: 3, batch: 0 }, notes: [] };
    expect(linesOf(json)[0]).toMatchObject({ ...start, tensorBoard: join(folder, 'tensorboard') });
    // The engine settings are those of the run too.
    const path2 = path('direct');
    const direct = await train('--conv', 'direct', '--epochs', '1', '--tensorboard', '--out', path2);
    expect(direct.code).toBe(0);
    expect(direct.out).toContain(`tensorboard --logdir ${join(path2, 'tensorboard')}\n`);
    expect(readdirSync(join(path2, 'tensorboard'))).toEqual([expect.stringMatching(/^events\.out\.tfevents\./)]);
    setConvolution('auto');
    const again = linesOf((await fovea('train', '--resume', path2, '--data-dir', dataDir, '--json')).out);
    expect(again[0]).toMatchObject({ notes: [], config: { engine: { convolution: 'direct' } } });
    expect(engineInfo().convolution).toBe('direct');
    const other = await fovea('train', '--resume', path2, '--data-dir', dataDir, '--conv', 'auto');
    // Without Winograd's kernels both settings compute the same, and there is nothing to note.
    const note = /\nnote: engine: onednn \(.*\), before onednn \(.*direct convolutions\)\n/;
    expect(note.test(other.out)).toBe(has('winograd') || has('avx2'));
    const wrong = await resume('--epochs', '3', '--batch-size', '2');
    expect(wrong.code).toBe(2);
    expect(wrong.err).toBe(
      "fovea: [train] --resume: expected the run's own recipe, got --batch-size as well; leave that out, or " +
        'start a new training\n',
    );
    expect((await fovea('train', 'lenet', '--resume', folder)).err).toContain('got the model lenet as well');
    expect((await fovea('train', '--resume', path('nothing'))).code).toBe(2);
  });

  it('takes options in place of those of the recipe', async () => {
    const { code } = await train(
      ...['--data', 'mnist', '--epochs', '1', '--batch-size', '50', '--lr', '5e-4', '--optimizer', 'adamw'],
      ...['--weight-decay', '0.1', '--seed', '9', '--engine', 'onednn', '--threads', '1', '--out', path('other')],
    );
    expect(code).toBe(0);
    const config = JSON.parse(readFileSync(path('other/config.json'), 'utf8'));
    expect(config).toMatchObject({
      recipe: { epochs: 1, batchSize: 50, optimizer: { name: 'adamw', learningRate: 0.0005, weightDecay: 0.1 } },
      seed: 9,
      engine: { name: 'onednn', threads: 1 },
    });
  });

  it('chooses a new folder by itself', async () => {
    const before = process.cwd();
    process.chdir(root);
    try {
      for (let i = 0; i < 2; i++) expect((await train('--epochs', '1')).code).toBe(0);
      const names = readdirSync('runs');
      expect(names).toHaveLength(2);
      for (const name of names) expect(name).toMatch(/^lenet-mnist-\d{8}-\d{6}(-2)?$/);
    } finally {
      process.chdir(before);
    }
  });

  it('fails with 1 if the loss is no number', async () => {
    const { code, err } = await train('--epochs', '3', '--optimizer', 'sgd', '--lr', '1e38', '--out', path('nan'));
    expect(code).toBe(1);
    expect(err).toMatch(
      /fovea: \[train\] loss: expected a finite number, got .* in epoch 1, batch \d+; .*; nothing had been saved yet\n$/,
    );
  });
});

describe('eval', () => {
  it('reproduces the metrics of the training', async () => {
    const { code, out, err } = await fovea('eval', folder, '--data-dir', dataDir);
    expect([code, err]).toEqual([0, '']);
    const last = linesOf(readFileSync(join(folder, 'metrics.jsonl'), 'utf8'))[1];
    const accuracy = (100 * (last.evalAccuracy as number)).toFixed(2);
    expect(out).toMatch(/^LeNet on MNIST, after 2 epochs\n {2}test images +230\n/);
    expect(out).toContain(`${accuracy} %  (95 % interval `);
    expect(out).toContain((last.evalLoss as number).toFixed(4));
    expect(out).toMatch(/\n {5}0 +1 +2 .* 9 +right\n/);
    const json = linesOf((await fovea('eval', folder, '--data-dir', dataDir, '--batch-size', '13', '--json')).out);
    expect(json).toHaveLength(1);
    expect(json[0]).toMatchObject({ run: folder, epochs: 2, images: 230, accuracy: last.evalAccuracy, sameData: true });
    expect(json[0].confusion).toHaveLength(10);
  });
});

describe('predict', () => {
  it('shows the classes of each picture, names the unreadable ones, and fails then', async () => {
    const digit = path('a digit.png');
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><rect width="90" height="90" fill="#fff"/><path d="M20 20H70L40 80" stroke="#000" stroke-width="8" fill="none"/></svg>';
    await sharp(Buffer.from(svg)).png().toFile(digit);
    writeFileSync(path('text.jpg'), 'text');
    const good = await fovea('predict', folder, digit, '--top', '2');
    expect([good.code, good.err]).toEqual([0, '']);
    expect(good.out).toMatch(/^image .* class .* 2\. .* picture\n/);
    expect(good.out).toMatch(
      /a digit\.png +\d {2}\d+\.\d % +\d {2}\d+\.\d % +light background: inverted, cut, centered\n$/,
    );
    const mixed = await fovea('predict', folder, path('text.jpg'), digit, path('none.png'));
    expect(mixed.code).toBe(2);
    expect(mixed.out).toContain('a digit.png');
    expect(mixed.err.split('\n')[0]).toContain(`fovea: [digit] ${path('text.jpg')}: expected a picture`);
    expect(mixed.err.split('\n')[1]).toContain(`fovea: [digit] ${path('none.png')}: expected a picture, got ENOENT`);
    const many = await fovea('predict', folder, digit, '--top', '11');
    expect([many.code, many.err]).toEqual([
      2,
      expect.stringContaining('--top: expected at most 10, as many as classes, got 11'),
    ]);
    const tested = await fovea('eval', folder, '--screening');
    expect([tested.code, tested.err]).toEqual([2, expect.stringContaining('screening: expected two classes, got 10')]);
    const json = linesOf((await fovea('predict', folder, digit, path('text.jpg'), '--top', '10', '--json')).out);
    expect(json[0]).toMatchObject({ file: digit, note: 'light background: inverted, cut, centered' });
    const classes = json[0].classes as { name: string; probability: number }[];
    expect(classes).toHaveLength(10);
    expect(classes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    expect(classes.map(({ probability }) => probability)).toEqual(
      classes.map(({ probability }) => probability).sort((a, b) => b - a),
    );
    expect(json[1]).toMatchObject({ file: path('text.jpg'), error: expect.stringContaining('expected a picture') });
  });
});

describe('slim', () => {
  it("frees the optimizer's state; the run is used as before, and its training is over", async () => {
    const slimmed = path('slimmed');
    cpSync(folder, slimmed, { recursive: true });
    const { size } = statSync(join(slimmed, 'optimizer.safetensors'));
    const { code, out, err } = await fovea('slim', slimmed);
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n')[0]).toContain(`which frees ${size.toLocaleString('en')} bytes`);
    expect(existsSync(join(slimmed, 'optimizer.safetensors'))).toBe(false);
    const evaluated = async (run: string) =>
      JSON.parse((await fovea('eval', run, '--data-dir', dataDir, '--json')).out);
    expect({ ...(await evaluated(slimmed)), run: folder }).toEqual(await evaluated(folder));
    const digit = path('black.png');
    await sharp({ create: { width: 28, height: 28, channels: 3, background: 'black' } }).toFile(digit);
    expect(await fovea('predict', slimmed, digit)).toEqual(await fovea('predict', folder, digit));
    const begun = ['--pretrained', slimmed, '--epochs', '1', '--batch-size', '250', '--out', path('begun')];
    expect(await train(...begun)).toMatchObject({ code: 0 });
    expect(await fovea('convert', slimmed, path('slimmed.pdparams'))).toMatchObject({ code: 0 });
    const repeated = await fovea('train', '--repeat', slimmed, '--data-dir', dataDir, '--out', path('repeated'));
    expect(repeated.out).toContain(`Repeated ${slimmed}: all weights are equal, bit by bit.`);
    const removed = {
      code: 2,
      out: '',
      err: expect.stringMatching(
        /`fovea slim` removed it on .*, so the training cannot continue; begin another one .*\n$/,
      ),
    };
    expect(await fovea('train', '--resume', slimmed, '--data-dir', dataDir)).toEqual(removed);
    expect(await fovea('convert', slimmed, path('slimmed.pdopt'))).toEqual(removed);
    expect(await fovea('slim', slimmed, '--json')).toEqual({
      ...{ code: 0, err: '' },
      out: `${JSON.stringify({ schema: 'slim.result/1', run: slimmed, freed: 0 })}\n`,
    });
    expect((await fovea('slim', slimmed)).out).toContain('nothing to free');
  });
});

describe('summary', () => {
  it('shows every layer with its shapes', async () => {
    const { code, out } = await fovea('summary', 'lenet', '--input', '3,1,28,28');
    expect(code).toBe(0);
    const rows = out.split('\n').map((line) => line.replace(/(\w)_\d+ /, '$1 ').replace(/ +/g, ' '));
    expect(rows).toEqual(
      expect.arrayContaining([
        'LeNet, input [3,1,28,28]',
        'conv2d [3,6,24,24] [6,1,5,5] [6] 156',
        'max_pool2d [3,6,12,12]',
        'conv2d [3,120,1,1] [120,16,4,4] [120] 30,840',
        'linear [3,10] [64,10] [10] 650',
        'total [3,10] 41,806',
      ]),
    );
    const [json] = linesOf((await fovea('summary', 'lenet', '--json')).out);
    expect(json).toMatchObject({ model: 'lenet', input: [1, 1, 28, 28], outputShape: [1, 10], parameters: 41_806 });
  });
});

describe('bench', () => {
  it('measures the training step', async () => {
    const { code, out } = await fovea('bench', 'lenet', '--batch', '4', '--steps', '5', '--warmup', '1', '--json');
    expect(code).toBe(0);
    const [json] = linesOf(out);
    expect(Object.keys(json)).toEqual(
      'schema model input batch inference precision engine threads compileMs firstMs medianMs minMs imagesPerSecond peakRssMiB'.split(
        ' ',
      ),
    );
    expect(json).toMatchObject({
      model: 'lenet',
      input: [4, 1, 28, 28],
      batch: 4,
      inference: false,
      precision: 'float32',
      engine: 'onednn',
    });
    const { medianMs, minMs, imagesPerSecond } = json as Record<string, number>;
    expect(minMs).toBeGreaterThan(0);
    expect(medianMs).toBeGreaterThanOrEqual(minMs);
    expect(imagesPerSecond).toBeCloseTo(4000 / medianMs, 6);
    expect((await fovea('bench', 'lenet', '--batch', '1', '--steps', '2')).out).toMatch(/median .* ms, .* images\/s/);
  });

  itWith('bf16', 'counts the products in bf16', async () => {
    // As on a processor whose instructions for bfloat16 are fast.
    const fast = vi.spyOn(openOneDnn(), 'bfloat16Products');
    fast.mockImplementation((graph) => bfloat16Products(graph, 'auto', 'library', 'AVX-512'));
    const options = ['--steps', '1', '--warmup', '1', '--precision', 'bf16'];
    try {
      // Linear layers take it for many images.
      const few = await fovea('bench', 'lenet', '--batch', '4', ...options, '--json');
      const many = await fovea('bench', 'lenet', '--batch', '64', ...options, '--json');
      const [a, b] = [few, many].map(({ out }) => linesOf(out)[0].products as { total: number; bfloat16: number });
      // Three convolutions and two linear layers in three directions, but for the gradient of the images.
      expect([a.total, b.total]).toEqual([14, 14]);
      expect(b.bfloat16 - a.bfloat16).toBe(6);
      const { out } = await fovea('bench', 'lenet', '--batch', '64', ...options);
      expect(out).toContain(`in bf16      ${b.bfloat16} of ${b.total} products (convolutions and linear layers)\n`);
    } finally {
      fast.mockRestore();
      setPrecision('float32');
    }
  });

  it('measures inference, without gradients and updates', async () => {
    const { code, out } = await fovea(
      'bench',
      'lenet',
      ...['--batch', '2', '--steps', '1', '--warmup', '1', '--inference', '--profile', '--json'],
    );
    expect(code).toBe(0);
    const [{ inference, profile }] = linesOf(out) as [{ inference: boolean; profile: Profile }];
    expect(inference).toBe(true);
    expect(profile.kernels.map(({ kernel }) => kernel)).toContain('conv2d');
    expect(profile.layers.map(({ backwardMs, updateMs }) => backwardMs + updateMs)).toEqual(
      profile.layers.map(() => 0),
    );
  });
});

describe('doctor', () => {
  it('finds everything, or says what to do', async () => {
    const good = await fovea('doctor');
    expect(good.code).toBe(0);
    expect(good.out).toMatch(/✓ Engine +oneDNN [23]\./);
    expect(good.out).toMatch(/✓ MNIST +60,000 \+ 10,000 images/);
    const bad = await fovea('doctor', '--data-dir', path('nowhere'), '--json');
    expect(bad.code).toBe(1);
    const [json] = linesOf(bad.out);
    expect(json).toMatchObject({ ok: false });
    expect(json.findings).toContainEqual({
      name: 'MNIST',
      ok: false,
      found: expect.stringContaining(`[mnist] ${path('nowhere')}: expected train-images-idx3-ubyte`),
    });
  });
});

it('results that cannot be shown do not end a finished training', async () => {
  const notice = vi.spyOn(Run.prototype, 'notice').mockImplementation(() => {
    throw new Error('no advice');
  });
  try {
    const out = path('unadvised');
    const { code, err } = await train('--epochs', '1', '--out', out);
    expect(code).toBe(0);
    expect(err).toContain(`fovea: [run] report: no advice; the training is saved in ${out}, `);
    expect(err).toContain(`fovea: [train] results: no advice; the training is saved in ${out}\n`);
  } finally {
    notice.mockRestore();
  }
  expect(await fovea('eval', path('unadvised'))).toMatchObject({ code: 0 });
});

it('Ctrl-C while files are read ends before the training begins, and leaves nothing', async () => {
  const create = vi.spyOn(Run, 'create').mockImplementation(async ({ onProgress }) => {
    process.emit('SIGINT', 'SIGINT');
    onProgress?.({ stage: 'adding up checksums', done: 1, total: 9000 });
    throw new Error('the reading continued');
  });
  try {
    const { code, err } = await train('--out', path('interrupted'));
    expect([code, err.split('\n').sort()]).toEqual([
      130,
      [
        '',
        'fovea: Ctrl-C: ending; once more ends at once',
        'fovea: stopped before the training began; nothing was saved',
      ],
    ]);
  } finally {
    create.mockRestore();
  }
  expect(existsSync(path('interrupted'))).toBe(false);
});

it('the doctor calls missing data a fault only if no training could download them', async () => {
  vi.stubEnv('FOVEA_CACHE', path('empty cache'));
  const offline = vi.spyOn(digits.package as PackedFiles, 'folder').mockReturnValue(null);
  try {
    const { code, out } = await fovea('doctor');
    expect([code, out]).toEqual([0, expect.stringMatching(/^– MNIST +not here yet; .* downloads it$/m)]);
    // Below a file no folder can be made, not even by root.
    writeFileSync(path('no folder'), '');
    vi.stubEnv('FOVEA_CACHE', path('no folder/cache'));
    const nowhere = await fovea('doctor');
    const line = /^✗ MNIST +not here, and cannot be downloaded: the cache .*cache cannot be written\n +FOVEA_CACHE /m;
    expect([nowhere.code, nowhere.out]).toEqual([1, expect.stringMatching(line)]);
  } finally {
    offline.mockRestore();
    vi.unstubAllEnvs();
  }
});

describe('a wrong call', () => {
  it.each([
    [['trian'], /^fovea: unknown command 'trian' \(Did you mean train\?\)\n$/],
    [['train'], /^fovea: \[train\] model: expected a network such as lenet, --resume RUN or --repeat RUN, got none\n$/],
    [['train', 'lenet', '--epoch', '3'], /^fovea: unknown option '--epoch' \(Did you mean --epochs\?\)\n$/],
    [['train', 'lenett'], /^fovea: \[model\] model 'lenett': expected one of .*; did you mean lenet\?\n$/],
    [['train', 'lenet', '--data', 'mnits'], /^fovea: \[data\] data 'mnits': .*; did you mean mnist\?\n$/],
    [
      ['train', 'lenet', '--optimizer', 'adm'],
      /'adm' is invalid\. Allowed choices are sgd, momentum, adam, adamw; did you mean adam\?\n$/,
    ],
    [
      ['train', 'lenet', '--optimizer', 'adam', '--momentum', '0.5'],
      /momentum: expected none, since the optimizer adam has none, got 0.5/,
    ],
    ...['train lenet', 'eval run', 'predict run a.png', 'bench lenet --batch 1'].flatMap((command) =>
      [
        ['--threads 2', 'threads: expected none, since the reference engine computes on one thread, got 2;'],
        ['--conv direct', 'conv: expected none, since the reference engine has one kind of kernels, got direct;'],
        ['--precision bf16', 'precision: expected none, since the reference engine computes in float32, got bf16;'],
      ].map(([option, message]): [string[], RegExp] => [
        [...command.split(' '), '--engine', 'reference', ...option.split(' ')],
        new RegExp(`^fovea: \\[engine\\] ${message}`),
      ]),
    ),
    [
      ['train', 'lenet', '--epochs', '3', '--early-stopping', '3'],
      /earlyStopping: expected none, since 3 epochs end before/,
    ],
    [
      ['train', 'lenet', '--early-stopping', '1', '--eval-every', '9'],
      /earlyStopping: expected none, since 5 epochs end/,
    ],
    [['predict', 'run', 'a.png', '--csv', '--top', '2'], /top: expected none, since a table of --csv has all classes/],
    [
      ['convert', 'a.pdparams', 'b.safetensors', '--names', 'c'],
      /names: expected none, since .* needs no names, got c;/,
    ],
    [
      ['convert', 'a.pdparams', 'b.safetensors', '--protocol', '2'],
      /protocol: expected none, since .* no pickle, got 2;/,
    ],
    [['data', 'show', 'mnist', '--versions', '2'], /versions: expected none, since there are no transforms, got 2;/],
    [['train', 'lenet', '--engine', 'gpu'], /Allowed choices are onednn, portable, reference/],
    [['train', 'lenet', 'mnist'], /too many arguments/],
    [['summary', 'lenet', '--input', '3,1,28'], /expected 4 positive integers: batch,channels,height,width\n$/],
    [['summary', 'lenet', '--input', '3,0,28,28'], /expected 4 positive integers/],
    [['summary', 'lenet', '--input', '3,-1,28,28'], /expected 4 positive integers/],
    [['summary', 'lenet', '--input', '1,3,28,28'], /^fovea: \[conv2d\] input channels: expected 1 /],
    [['summary', 'lenet', '--input', '1,1,20,20'], /^fovea: \[/],
    [['bench', 'lenet'], /required option '--batch <n>' not specified/],
    [['bench', 'lenet', '--batch', '0'], /'0' is invalid\. expected a positive integer\n$/],
    [['bench', 'lenet', '--batch', '1', '--input', '1,28'], /expected 3 positive integers/],
    [['eval'], /missing required argument 'run'/],
    [['slim'], /missing required argument 'run'/],
    [['slim', 'nowhere'], /expected the folder of a training .* got ENOENT/],
    [['predict', 'run'], /missing required argument 'image'/],
    [['predict', 'run', 'a.png', '--top', '0'], /expected a positive integer/],
    [['eval', 'run', '--threshold', '1.5'], /expected a share between 0 and 1/],
    ...['--epochs', '--batch-size', '--threads', '--log-every'].flatMap((option) =>
      ['0', '-1', '1.5', 'x', '9'.repeat(20)].map(
        (value) => [['train', 'lenet', option, value], /expected a positive integer\n$/] as [string[], RegExp],
      ),
    ),
    [['train', 'lenet', '--lr', '-1'], /expected a number of at least 0\n$/],
    [['train', 'lenet', '--lr', '1e300'], /expected at most 3\.4e\+38\n$/],
    [['train', 'lenet', '--lr', 'NaN'], /expected a number of at least 0\n$/],
    [['train', 'lenet', '--weight-decay', '-0.1'], /expected a number of at least 0\n$/],
    [['train', 'lenet', '--momentum', '1'], /expected a number from 0 up to, but not including, 1\n$/],
    [['train', 'lenet', '--seed', '-1'], /expected an integer from 0 to 2\^53 - 1\n$/],
  ] as [string[], RegExp][])('%j says what is wrong with code 2', async (args, message) => {
    const { code, out, err } = await fovea(...args);
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect([code, out]).toEqual([2, '']);
  });

  it('without a command shows the help', async () => {
    const { code, out, err } = await fovea();
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage: fovea');
  });

  it('is not an error if it asks for help or the version', async () => {
    expect(await fovea('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
    const { code, out } = await fovea('train', '--help');
    expect(code).toBe(0);
    expect(out).toContain('--batch-size <n>');
    expect((await fovea('help', 'predict')).code).toBe(0);
  });
});

describe('wrong input', () => {
  it('a network behind --pretrained is taken for what it is', async () => {
    const { code, err } = await fovea('train', '--pretrained', 'zoo-lenet', '--data', 'mnist', '--data-dir', dataDir);
    expect(err).toContain('[lenet] pretrained: expected the path of a file, for Paddle has no weights of this network');
    expect(code).toBe(2);
  });

  const images = (bytes: Buffer) => writeFileSync(path('bad/train-images-idx3-ubyte'), bytes);
  const refused = async (what: RegExp) => {
    const result = await fovea('train', 'lenet', '--data-dir', path('bad'), '--out', path('refused'));
    expect(result.err).toMatch(what);
    expect([result.code, result.out]).toEqual([2, '']);
    expect(existsSync(path('refused'))).toBe(false);
  };

  it('in the files of the data set', async () => {
    await smallMnist(root, { train: 20, test: 20, name: 'bad' });
    const whole = readFileSync(path('bad/train-images-idx3-ubyte'));
    images(whole.subarray(0, 5000));
    await refused(/^fovea: \[idx\] .*train-images-idx3-ubyte: size: expected 15696 bytes .*, got 5000; /);
    images(Buffer.concat([Buffer.from([0, 0, 8, 1]), whole.subarray(4)]));
    await refused(/^fovea: \[idx\] .*train-images.*magic number: expected 0x00000803 \(images\), got 0x00000801/);
    images(whole);
    writeFileSync(path('bad/train-labels-idx1-ubyte'), idx(0x801, [19], new Uint8Array(19)));
    await refused(/^fovea: \[mnist\] .*labels.*: expected 20 labels, one for each image in .*, got 19/);
    writeFileSync(path('bad/train-labels-idx1-ubyte'), idx(0x801, [20], new Uint8Array(20).fill(11)));
    await refused(/label 0: expected 0 to 9, got 11/);
  });

  it('in place of a folder', async () => {
    const taken = await train('--out', folder);
    expect(taken.code).toBe(2);
    expect(taken.err).toBe(
      `fovea: [run] ${folder}: expected a new or empty folder, got one with ${readdirSync(folder).length} files (nothing is ever overwritten); ` +
        'resume that training (--resume), or choose another --out\n',
    );
    const missing = await fovea('eval', path('missing'));
    expect([missing.code, missing.out]).toEqual([2, '']);
    expect(missing.err).toMatch(/^fovea: \[run\] .*missing\/config\.json: expected the folder of a training/);
    const nowhere = await train('--data-dir', path('missing'), '--out', path('nowhere'));
    expect(nowhere.code).toBe(2);
    expect(nowhere.err).toMatch(/expected train-images-idx3-ubyte and train-labels-idx1-ubyte there/);
  });
});
