import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../temporary.js';
import { runFovea as fovea } from './run.js';

const root = temporaryFolder();
const none = join(root, 'none');

describe('a mistyped name', () => {
  it.each([
    ['trian lenet', 'train'],
    ['data chek x', 'check'],
    ['runs lst', 'list'],
    ['train lenett', 'lenet'],
    ['bench lenett --batch 1', 'lenet'],
    ['summary lenett', 'lenet'],
    ['lr-find lenett', 'lenet'],
    ['models resnt', 'resnet'],
    [`runs ${root} --model resnet5`, 'resnet50'],
    [`runs ${root} --data foldr`, 'folder'],
    [`runs ${root} --sort acuracy`, 'accuracy'],
    ['train lenet --data mnst', 'mnist'],
    ['train lenet --data foldr:x', 'folder'],
    ['train lenet --epoch 3', '--epochs'],
    ['train lenet --batchsize 3', '--batch-size'],
    ['train lenet --learning-rate 3', '--lr'],
    ['lr-find lenet --num-workers=3', '--workers'],
    ['train lenet --optimizer adm', 'adam'],
    ['train lenet --engine onedn', 'onednn'],
    ['bench lenet --batch 1 --engine portabel', 'portable'],
    ['train lenet --calibration temprature', 'temperature'],
    ['train lenet --operating-point sensitivty=0.9', 'sensitivity'],
    ['train lenet --transforms RandomCrp(3)', 'RandomCrop'],
    ['explain run picture --method gradcm', 'gradcam'],
    ['eval run --split trian', 'train'],
    ['eval run --tta flip', 'flips'],
    ['completion bsh', 'bash'],
    ['schema trian', 'train'],
  ])('fovea %s', async (line, name) => {
    const { code, out, err } = await fovea(...line.split(' '));
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(new RegExp(`[Dd]id you mean ${name}\\?`));
  });

  it.each([
    ['epocs: 3', 'epochs'],
    ['learning_rate: 3', 'lr'],
    ['optimizer: adm', 'adam'],
    ['sampler: balancd', 'balanced'],
    ['classWeight: aut', 'auto'],
    ['onBadImage: skp', 'skip'],
    ['engine: onedn', 'onednn'],
    ['operatingPoint: sensitivty=0.9', 'sensitivity'],
    ['schedule: CosinAnnealingDecay', 'CosineAnnealingDecay'],
    ['schedule: { StepDecay: { stepsize: 3 } }', 'stepSize'],
    ['transforms: [RandomHorizontlFlip]', 'RandomHorizontalFlip'],
    ['transforms: [{ RandomCrop: { size: 3, paddng: 2 } }]', 'padding'],
    ['data: mnst', 'mnist'],
    ['model: lenett', 'lenet'],
  ])('%s in a file', async (text, name) => {
    const file = join(root, 'file.yaml');
    writeFileSync(file, text);
    const model = text.startsWith('model') ? [] : ['lenet'];
    const { code, err } = await fovea('train', ...model, '--config', file, '--out', none);
    expect([code, err]).toEqual([2, expect.stringContaining(`did you mean ${name}?`)]);
  });

  it('gets no suggestion that has nothing to do with it', async () => {
    for (const line of [
      'train lenet --optimizer qqqqqqqq',
      'train lenet --qqqqqqqqqqqqqq',
      'eval run --learning-rate 3',
    ]) {
      const { code, err } = await fovea(...line.split(' '));
      expect(code).toBe(2);
      expect(err).not.toMatch(/did you mean|--lr/i);
    }
  });
});
