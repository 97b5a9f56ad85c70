/**
 * How long it takes until LeNet has done its first training step, with Node's own start and without: what a short script
 * waits for.
 *
 * usage: npm run bench -- start [runs]
 */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const child = 'child';
const [asked = '5'] = process.argv.slice(2);

if (asked === child) {
  const began = performance.now();
  const built = pathToFileURL(resolve('dist/index.js')).href;
  const { F, optimizer, seed, Tensor, vision } = (await import(built)) as typeof import('../src/index.js');
  const imported = performance.now();
  seed(1);
  const network = new vision.models.course.LeNet({ numClasses: 10 });
  const opt = new optimizer.Momentum({ learningRate: 0.001, momentum: 0.9, parameters: network.parameters() });
  const images = Tensor.fromData(new Float32Array(10 * 28 * 28).fill(0.5), [10, 1, 28, 28]);
  const loss = F.crossEntropy(network.forward(images), Tensor.fromData(new Int32Array(10), [10]));
  loss.backward();
  await opt.step();
  await loss.item();
  console.log(JSON.stringify([began, imported - began, performance.now() - imported]));
} else {
  const runs = Array.from({ length: Number(asked) }, () => {
    const args = [fileURLToPath(import.meta.url), child];
    const printed = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    return JSON.parse(printed) as [node: number, load: number, step: number];
  });
  const median = (of: (run: (typeof runs)[number]) => number) => runs.map(of).sort((a, b) => a - b)[runs.length >> 1];
  const [node, load, step] = [0, 1, 2].map((i) => median((run) => run[i]));
  const total = median(([, loading, stepping]) => loading + stepping);
  console.log(
    `median of ${runs.length}: Node ${node.toFixed(0)} ms, then import ${load.toFixed(0)} ms and first step ` +
      `${step.toFixed(0)} ms, together ${total.toFixed(0)} ms`,
  );
}
