import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readConfiguration } from '../../src/cli/config.js';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { InputError } from '../../src/errors.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { runFovea as fovea } from './run.js';

const root = temporaryFolder();
let dataDir = '';
beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  dataDir = await smallMnist(root, { train: 200, test: 50 });
});

function write(name: string, text: string): string {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
}

describe('fovea train --save-best, --early-stopping, --eval-every', () => {
  it('ends once the metric does not improve, keeps the best weights, and evaluates them', async () => {
    const out = join(root, 'stopped');
    const args = ['--lr', '0', '--epochs', '9', '--save-best', 'acc', '--early-stopping', '2', '--seed', '1'];
    const trained = await fovea('train', 'lenet', '--data', 'mnist', '--data-dir', dataDir, ...args, '--out', out);
    expect([trained.code, trained.err]).toEqual([0, expect.not.stringContaining('fovea:')]);
    // Nothing is learned: the first epoch stays the best, and two more show it.
    expect(trained.out).toContain('Done after epoch 3 of 9');
    expect(trained.out).toContain('--best');
    const best = await fovea('eval', out, '--best', '--data-dir', dataDir, '--json');
    const last = await fovea('eval', out, '--data-dir', dataDir, '--json');
    expect(JSON.parse(best.out).accuracy).toBe(JSON.parse(last.out).accuracy);
    const again = await fovea('train', '--resume', out, '--data-dir', dataDir);
    expect([again.code, again.out]).toEqual([0, expect.stringContaining('Done after epoch 3 of 9')]);
    // A run that ended early has finished.
    expect(await fovea('slim', out)).toMatchObject({ code: 0 });
    expect((await fovea('eval', out, '--best', '--data-dir', dataDir, '--json')).out).toBe(best.out);
  });

  it('evaluates every other epoch and the last', async () => {
    const out = join(root, 'seldom');
    const args = ['--epochs', '3', '--eval-every', '2', '--out', out];
    const { code } = await fovea('train', 'lenet', '--data', 'mnist', '--data-dir', dataDir, ...args);
    expect(code).toBe(0);
    const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).evalLoss === null)).toEqual([true, false, false]);
    const always = join(root, 'always');
    await fovea('train', 'lenet', '--data', 'mnist', '--data-dir', dataDir, '--epochs', '3', '--out', always);
    const [one, other] = [out, always].map((path) => JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')));
    expect(one.files['weights.safetensors']).toEqual(other.files['weights.safetensors']);
    expect(await fovea('eval', out, '--best')).toMatchObject({ code: 2, err: expect.stringContaining('--save-best') });
  });

  it('refuses an unknown metric', async () => {
    const args = ['--save-best', 'los', '--out', join(root, 'wrong')];
    const { code, err } = await fovea('train', 'lenet', '--data', 'mnist', '--data-dir', dataDir, ...args);
    expect([code, err]).toEqual([2, expect.stringContaining('did you mean loss?')]);
  });
});

describe('fovea train --config', () => {
  it('trains as the file says, but for what the command line says', async () => {
    const out = join(root, 'configured');
    const file = write(
      'good.yaml',
      `# a modern recipe
model: lenet
data: mnist
dataDir: ${dataDir}
epochs: 9
batchSize: 20
optimizer: sgd
lr: 0.4
seed: 7
schedule:
  LinearWarmup: { warmupSteps: 5, after: { CosineAnnealingDecay: { etaMin: 0.1 } } }
transforms: [RandomRotation(10), { RandomCrop: { size: 28, padding: 2 } }]
classWeight: auto
sampler: balanced
clipGradNorm: 5
accumulateGradBatches: 2
saveSteps: 3
tensorBoard: true
`,
    );
    const {
      code,
      err,
      out: text,
    } = await fovea('train', '--config', file, '--epochs', '2', '--seed', '4', '--out', out);
    expect([code, err]).toEqual([0, expect.not.stringContaining('fovea:')]);
    expect(text).toContain('schedule LinearWarmup by step warmupSteps 5 after {"CosineAnnealingDecay":{"etaMin":0.1}}');
    expect(text).toContain(
      'batches a step 2, class weights auto, sampler balanced, transforms RandomRotation RandomCrop',
    );
    expect(readdirSync(join(out, 'tensorboard'))).toHaveLength(1);
    const { recipe, seed } = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
    expect(seed).toBe(4);
    expect(recipe).toMatchObject({
      epochs: 2,
      batchSize: 20,
      optimizer: { name: 'sgd', learningRate: 0.4 },
      techniques: { classWeight: 'auto', clipGradNorm: 5, schedule: { name: 'LinearWarmup', by: 'step' } },
    });
    expect(recipe.techniques.transforms.map((spec: object) => Object.keys(spec))).toEqual([
      ['RandomRotation'],
      ['RandomCrop'],
    ]);
    const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
    // 200 images in batches of 20, two of them a step: five steps of warm-up, then five down to 0.1.
    expect(lines.map((line) => JSON.parse(line).learningRate)).toEqual([0.4, expect.closeTo(0.1, 10)]);
    expect((await fovea('train', '--resume', out, '--data-dir', dataDir)).code).toBe(0);
  });

  it.each([
    [
      'epochs: 2\nbatch_size: 3\nxyzzy: 1',
      /: unknown key batch_size, did you mean batchSize\?; unknown key xyzzy, there are model, data, .*\n$/,
    ],
    ['learningRate: 1', /: unknown key learningRate, did you mean lr\?\n$/],
    ['epochs: many', /: epochs: invalid input: expected number, received string\n$/],
    ['lr: -1\nseed: 1.5', /: lr: too small: .*; seed: invalid input/],
    ['schedule: CosineAnealingDecay', /: schedule: \[schedule\] .*; did you mean CosineAnnealingDecay\?\n$/],
    [
      'schedule: { StepDecay: { stepsize: 3 } }',
      /StepDecay: expected by, stepSize, gamma, got stepsize; did you mean stepSize/,
    ],
    [
      'schedule: { ReduceOnPlateau: { by: epoch } }',
      /: schedule: \[schedule\] by: expected none, since ReduceOnPlateau advances after each evaluation, got epoch;/,
    ],
    [
      'schedule: { LinearWarmup: { warmupSteps: 2, after: { StepDecay: { by: epoch, stepSize: 2 } } } }',
      /after: expected none, since by of the schedule after/,
    ],
    [
      'schedule: { CyclicLR: { baseLearningRate: 0.1, stepSizeUp: 2, expGamma: 0.9 } }',
      /expGamma: expected none, since CyclicLR/,
    ],
    ['transforms: [{ RandomCrop: { size: 28, pading: 2 } }]', /: transforms: .*pading.*did you mean padding/],
    ['transforms: RandomRotate(3)', /: transforms: .*did you mean RandomRotation\?/],
    ['operatingPoint: best', /: operatingPoint: expected sensitivity=0\.95/],
    ['epochs: [', /: expected YAML, got something else: .* at line 1/],
    ['- lenet', /: the file: invalid input: expected object, received array\n$/],
  ])('%j is refused', async (text, message) => {
    const file = write('bad.yaml', text);
    const { code, err } = await fovea('train', 'lenet', '--config', file, '--out', join(root, 'none'));
    expect(err).toMatch(message);
    expect(err).toContain(`[config] ${file}`);
    expect(code).toBe(2);
  });

  it('takes the example', async () => {
    const options = await readConfiguration('examples/mnist.yaml');
    expect(options).toMatchObject({ schedule: { name: 'OneCycleLR' }, transforms: [{ RandomAffine: {} }] });
  });

  it('names a file that is missing, and does not go with --resume', async () => {
    const missing = await fovea('train', '--config', join(root, 'missing.yaml'));
    expect([missing.code, missing.err]).toEqual([
      2,
      expect.stringMatching(/\[config\] .*missing\.yaml: expected a file/),
    ]);
    const both = await fovea('train', '--config', join(root, 'good.yaml'), '--resume', join(root, 'configured'));
    expect([both.code, both.err]).toEqual([2, expect.stringContaining('got --config as well')]);
  });

  it('refuses options of schedules that make no sense once the rest is known', async () => {
    const file = write('late.yaml', 'schedule: { StepDecay: { stepSize: 0 } }\nclassWeight: [1, 2]');
    const { code, err } = await fovea(
      'train',
      'lenet',
      '--config',
      file,
      '--data-dir',
      dataDir,
      '--out',
      join(root, 'late'),
    );
    expect([code, err]).toEqual([2, `fovea: [config] ${file}: [lr] stepSize: expected a positive integer, got 0\n`]);
    const other = write('weights.yaml', 'classWeight: [1, 2]');
    const result = await fovea('train', 'lenet', '--config', other, '--data-dir', dataDir, '--out', join(root, 'late'));
    expect([result.code, result.err]).toEqual([
      2,
      `fovea: [config] ${other}: [classWeight] expected 10 numbers of at least 0, got [1, 2]\n`,
    ]);
  });

  it('takes transforms from the command line, in place of those of the file', async () => {
    const file = write('flips.yaml', 'transforms: RandomHorizontalFlip\nclassWeight: auto\n');
    const train = async (name: string, ...options: string[]) => {
      const out = join(root, name);
      const all = [
        'lenet',
        '--data',
        'mnist',
        '--data-dir',
        dataDir,
        '--epochs',
        '1',
        '--batch-size',
        '50',
        '--out',
        out,
      ];
      const { code, err } = await fovea('train', ...all, ...options);
      expect([code, err]).toEqual([0, expect.not.stringContaining('fovea:')]);
      const { recipe } = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
      return { techniques: recipe.techniques, metrics: readFileSync(join(out, 'metrics.jsonl'), 'utf8') };
    };
    const spec = 'RandomRotation(30)';
    const [plain, rotated, both] = [
      await train('plain'),
      await train('rotated', '--transforms', spec, '--workers', '0'),
      await train('both', '--transforms', spec, '--config', file),
    ];
    const transforms = [{ RandomRotation: expect.objectContaining({ degrees: [-30, 30] }) }];
    expect(plain.techniques).toBeUndefined();
    expect(rotated.techniques).toEqual({ transforms });
    expect(both.techniques).toEqual({ transforms, classWeight: 'auto' });
    const lossOf = ({ metrics }: { metrics: string }) => JSON.parse(metrics).trainLoss;
    expect(lossOf(rotated)).not.toBe(lossOf(plain));
    const wrong = await fovea('train', 'lenet', '--transforms', 'RandomRotate(3)', '--out', join(root, 'none'));
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('did you mean RandomRotation?')]);
  });
});

describe('a configuration that is made to do harm', () => {
  const refusal = async (text: string): Promise<string> => {
    const error = await readConfiguration(write('hostile.yaml', text)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message;
  };
  const bomb = [
    'a: &a [1,1,1,1,1,1,1,1,1]',
    ...'bcdefgh'.split('').map((name, i) => {
      const before = 'abcdefgh'[i];
      return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`)}]`;
    }),
  ].join('\n');

  it.each([
    ['an alias of nothing', 'epochs: *x', /expected YAML, got something else: Unresolved alias/],
    ['a tag of nothing', 'lr: !foo 0.1', /expected YAML, got something else: Unresolved tag: !foo/],
    [
      'a strange anchor',
      'optimizer: &o: momentum',
      /expected YAML, got something else: Anchor ending in : is ambiguous/,
    ],
    ['a bomb of aliases', bomb, /expected YAML, got something else: /],
    ['brackets without end', '['.repeat(60_000), /expected at most 100 lists and mappings within one another/],
    // Reading these by recursion ends the process.
    [
      'nested lists',
      `transforms: ${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      /expected at most 100 lists and mappings within one another/,
    ],
    ['lists in a line', '- '.repeat(3000), /expected at most 100 lists and mappings within one another/],
    ['names that every object has', 'schedule: constructor', /schedule: .*expected the name of a schedule/],
    ['such a name with options', 'schedule: { toString: {} }', /schedule: .*expected the name of a schedule/],
    ['such a transform', 'transforms: [constructor]', /transforms: .*'constructor': expected one of/],
    ['such an optimizer', 'optimizer: __proto__', /optimizer: expected sgd, momentum, adam, adamw, got '__proto__'$/m],
    ['a key of all objects', '__proto__: { epochs: 3 }', /unknown key __proto__/],
    ['many keys', Array.from({ length: 40_000 }, (_, i) => `k${i}: 1`).join('\n'), /bytes, where at most 65536/],
    ['numbers beyond float32', 'clipGradNorm: 1e308', /clipGradNorm: too big/],
    ['numbers that are none', 'lr: .nan\nepochs: 1e400', /lr: invalid input/],
  ])('is refused: %s', async (_, text, message) => {
    expect(await refusal(text)).toMatch(message);
  });
});
