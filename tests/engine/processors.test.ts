import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileInto } from '../compiled.js';
import { expectAgreement } from '../engines.js';
import { instructionsUnder, itWith, libraryHasWinograd } from '../needs.js';
import { temporaryFolder } from '../temporary.js';

/** A training step with all kinds of kernels that depend on the processor, and the facts about it that the rules ask for. */
const program = `
  import { F, nn, optimizer, seed, setEngine, setThreads, Tensor } from './index.js';
  import { RandomGenerator } from './random.js';
  import { askForPrecision, currentEngine, engineInfo } from './engine/select.js';

  class Network extends nn.Layer {
    constructor() {
      super();
      this.first = new nn.Conv2D(3, 96, 11, { stride: 4, padding: 5 });
      this.second = new nn.Conv2D(96, 32, 3, { padding: 1 });
      this.norm = new nn.BatchNorm2D(32);
      this.third = new nn.Conv2D(32, 32, 3, { padding: 1 });
      this.hidden = new nn.Linear(32 * 5 * 5, 64);
      this.last = new nn.Linear(64, 4);
    }
    forward(x) {
      const pooled = F.relu(F.maxPool2d(this.first.forward(x), 3, { stride: 2, padding: 1 }));
      const y = F.relu(this.norm.forward(this.second.forward(pooled)));
      const sum = F.relu(this.norm.forward(this.third.forward(y)).add(y));
      const flat = F.maxPool2d(sum, 2).flatten({ startAxis: 1 });
      return this.last.forward(F.relu(this.hidden.forward(flat)));
    }
  }

  const [, , engine, ...precisions] = process.argv;
  setEngine(engine);
  // koffi and the library are chosen by the name of the processor, so they are loaded first.
  const { PRETENDED_ARCH } = process.env;
  if (PRETENDED_ARCH !== undefined) Object.defineProperty(process, 'arch', { value: PRETENDED_ARCH });
  setThreads(2);
  const results = [];
  for (const precision of precisions) results.push(await train(precision));
  console.log(JSON.stringify(results));

  async function train(precision) {
    const used = askForPrecision(precision);
    seed(3);
    const network = new Network();
    const parameters = network.parameters();
    const sgd = new optimizer.Momentum({ learningRate: 0.01, parameters, weightDecay: 1e-3 });
    const losses = [];
    for (let i = 0; i < 3; i++) {
      const pixels = new RandomGenerator(i).fillUniform(new Float32Array(4 * 3 * 80 * 80), -1, 1);
      const loss = F.crossEntropy(network.forward(Tensor.fromData(pixels, [4, 3, 80, 80])), Tensor.fromData(Int32Array.of(0, 1, 2, 3)));
      loss.backward();
      await sgd.step({ also: [loss] });
      sgd.clearGrad();
      losses.push((await loss.data())[0]);
    }
    const weights = [];
    for (const parameter of parameters) weights.push(...(await parameter.data('float32')).slice(0, 50));
    let processor = null;
    if (engine === 'onednn') {
      const { codeLanes, bfloat16Unit, winogradKernels } = await import('./engine/onednn/processor.js');
      processor = { float32: codeLanes('float32'), bfloat16: codeLanes('bfloat16'), unit: bfloat16Unit(), winograd: winogradKernels() };
    }
    return { losses, weights, used, processor, threads: currentEngine().threadsUsed, info: engineInfo().description };
  }
`;

interface Trained {
  readonly losses: readonly number[];
  readonly weights: readonly number[];
  readonly used: string;
  readonly info: string;
  readonly threads: number;
  readonly processor: {
    readonly float32: number | null;
    readonly bfloat16: number | null;
    readonly unit: string | null;
    readonly winograd: 'library' | number | null;
  };
}

const folder = temporaryFolder();
const script = join(folder, 'train.js');
let expected: Trained;

/** Trains in a process with these variables, in one precision after the other. */
function train(engine: string, precisions: readonly string[], env: NodeJS.ProcessEnv): Trained[] {
  const { ONEDNN_MAX_CPU_ISA: _, DNNL_MAX_CPU_ISA: __, FOVEA_CODE: ___, ...others } = process.env;
  const args = [script, engine, ...precisions];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    env: { ...others, ...env },
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Trained[];
}

function expectSame({ losses, weights }: Trained, tolerance = 1e-4): void {
  expectAgreement(Float32Array.from(losses), expected.losses, 'losses', { tolerance });
  expectAgreement(Float32Array.from(weights), expected.weights, 'weights', { tolerance });
}

beforeAll(() => {
  compileInto(folder);
  writeFileSync(script, program);
  [expected] = train('reference', ['float32'], {});
});

describe.each(['SSE41', 'AVX', 'AVX2', 'AVX512_CORE', 'AVX512_CORE_BF16', 'ALL'])('held to %s', (level) => {
  const { avx2, avx512, bf16 } = instructionsUnder(level);
  const library = avx512 && libraryHasWinograd() ? 'library' : null;

  let trained: Trained[];
  const first = () => {
    trained ??= train('onednn', ['float32', 'bf16'], { ONEDNN_MAX_CPU_ISA: level });
    return trained;
  };

  itWith('linux', 'a step gives what the reference gives, by the widest vectors', () => {
    const [full] = first();
    expectSame(full);
    const float32 = avx512 ? 16 : avx2 ? 8 : null;
    expect(full.processor).toMatchObject({ float32, bfloat16: bf16 ? 16 : null, winograd: float32 ?? library });
    expect(full.processor.unit !== null).toBe(bf16);
  });

  itWith('linux', 'a step without own code does too', () => {
    const [full] = train('onednn', ['float32'], { ONEDNN_MAX_CPU_ISA: level, FOVEA_CODE: '0' });
    expectSame(full);
    expect(full.processor).toMatchObject({ float32: null, bfloat16: null, winograd: library });
  });

  itWith('linux', 'bf16 is computed where there are instructions for it, and float32 elsewhere', () => {
    const [, half] = first();
    expect(half.used).toBe(bf16 ? 'bf16' : 'float32');
    expectSame(half, bf16 ? 0.15 : 1e-4);
  });
});

it('on ARM64 the library computes, on all threads, without code for x86-64', () => {
  const [trained] = train('onednn', ['float32'], { PRETENDED_ARCH: 'arm64' });
  expectSame(trained);
  expect(trained.processor).toMatchObject({ float32: null, bfloat16: null });
  expect(trained.info).toContain('ARM64');
  expect(trained.threads).toBe(2);
});
