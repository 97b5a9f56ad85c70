import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileInto } from '../compiled.js';
import { temporaryFolder } from '../temporary.js';

const training = `
  import { writeFileSync } from 'node:fs';
  import { Model, nn, optimizer, setEngine } from './index.js';
  setEngine('reference');
  const dataOf = (labels) => ({
    length: labels.length,
    labels,
    get: (i) => ({ image: Float32Array.of(i / 40, 1), shape: [2], label: labels[i] }),
  });
  const data = dataOf(Array.from({ length: 40 }, (_, i) => i % 2));
  // A class is missing, which is said on stderr.
  const evalData = dataOf([0, 0]);
  const model = new Model(new nn.Linear(2, 2));
  model.prepare({
    optimizer: new optimizer.SGD({ parameters: model.parameters() }),
    loss: new nn.CrossEntropyLoss(),
  });
  // The pipe is closed after the first line, so later writes fail.
  await new Promise((resolve) => process.stdin.once('data', resolve).once('end', resolve));
  const pause = () => new Promise((resolve) => setTimeout(resolve, 2));
  const callbacks = { onBatchEnd: pause };
  await model.fit({ trainData: data, evalData, epochs: 3, logFreq: 1, callbacks, saveDir: process.argv[2] });
  writeFileSync(process.argv[3], 'done');
  process.exit(0);
`;

test.each(['stdout', 'stderr'] as const)('a training continues when the reader of %s has gone', async (stream) => {
  const folder = temporaryFolder();
  compileInto(folder);
  writeFileSync(join(folder, 'train.js'), training);
  const child = spawn(process.execPath, [join(folder, 'train.js'), join(folder, 'saved'), join(folder, 'mark')]);
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  child[stream].destroy();
  child.stdin.end('go\n');
  const code = await new Promise((resolve) => child.on('exit', resolve));
  const warning = '[fit] evalData: no validation samples of class 1: metrics say nothing about it\n';
  expect(code).toBe(0);
  if (stream === 'stdout') expect(errors).toContain(warning);
  else expect(errors).toBe('');
});
