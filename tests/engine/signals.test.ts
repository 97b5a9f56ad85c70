import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { compileInto } from '../compiled.js';
import { itWith } from '../needs.js';
import { temporaryFolder } from '../temporary.js';

const training = `
  import { F, optimizer, setEngine, setThreads, Tensor, vision } from './index.js';
  setEngine('onednn');
  setThreads(Number(process.argv[2]));
  process.on('SIGUSR2', () => undefined);
  const network = new vision.models.course.LeNet({ numClasses: 10 });
  const sgd = new optimizer.SGD({ learningRate: 0.01, parameters: network.parameters() });
  const images = Tensor.full([10, 1, 28, 28], 0.5);
  const labels = Tensor.fromData(Int32Array.from({ length: 10 }, (_, i) => i), [10]);
  const step = async () => {
    F.crossEntropy(network.forward(images), labels).backward();
    await sgd.step();
    sgd.clearGrad();
  };
  await step();
  console.log('ready');
  // Without a turn of the event loop between steps, most signals arrive inside a kernel.
  for (const end = Date.now() + 3000; Date.now() < end; ) await step();
  console.log('done');
  // No more signals are sent from here on.
  await new Promise((next) => setTimeout(next, 500));
`;

itWith('posix', 'signals that arrive inside a kernel do no harm', async () => {
  const folder = temporaryFolder();
  compileInto(folder);
  writeFileSync(join(folder, 'train.js'), training);
  for (const threads of [1, 2]) {
    const child = spawn(process.execPath, [join(folder, 'train.js'), String(threads)]);
    let output = '';
    let timer: NodeJS.Timeout | undefined;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
        if (output === 'ready\n') timer = setInterval(() => child.kill('SIGUSR2'), 1);
        else clearInterval(timer);
      });
    }
    const end = await new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
    clearInterval(timer);
    expect({ ...(end as object), output }).toEqual({ code: 0, signal: null, output: 'ready\ndone\n' });
  }
});
