import { beforeEach, expect, test, vi } from 'vitest';
import type { Bfloat16Unit } from '../../src/engine/onednn/ffi.js';

const processor = vi.hoisted(() => ({ unit: null as Bfloat16Unit | null }));
vi.mock('../../src/engine/onednn/processor.js', async (original) => ({
  ...(await original()),
  bfloat16Unit: () => processor.unit,
}));

// A warning is printed only once in a process, so each test gets its own modules.
beforeEach(() => {
  vi.resetModules();
  processor.unit = null;
});

/** The text that `body` writes to stderr. */
async function said(body: () => unknown): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    await body();
    return written.join('');
  } finally {
    spy.mockRestore();
  }
}

async function byModel(): Promise<void> {
  const { F, Model, nn, optimizer, tensor } = await import('../../src/index.js');
  const model = new Model(new nn.Linear(2, 2));
  model.prepare({
    optimizer: new optimizer.SGD({ parameters: model.parameters() }),
    loss: (outputs, labels) => F.crossEntropy(outputs, labels),
    ampConfigs: 'O1',
  });
  await model.trainBatch(tensor([[1, 2]]), tensor([0], 'int32'));
}
const options = () => import('../../src/cli/options.js');
const byOption = async () => (await options()).applyEngine({ precision: 'bf16' });
const byTraining = async () => (await options()).applyPrecision(undefined, 'bf16');

test.each([
  ['an option', byOption],
  ['the training that is evaluated', byTraining],
  ['ampConfigs', byModel],
])('a wish for bf16 that the processor does not have is reported once: %s', async (_, ask) => {
  const twice = async () => {
    await ask();
    await ask();
  };
  expect(await said(twice)).toBe('fovea: bf16: this processor has no instructions for it; computing in float32\n');
});

test('a wish for bf16 where float32 is faster reports once what bf16 is used for', async () => {
  processor.unit = 'slow AVX-512';
  const { applyEngine } = await options();
  const ask = () => {
    applyEngine({ precision: 'bf16' });
    applyEngine({ precision: 'bf16' });
  };
  expect(await said(ask)).toBe(
    'fovea: bf16: on this processor float32 multiplies faster; bf16 is used for linear layers of few images alone\n',
  );
  processor.unit = 'AVX-512';
  vi.resetModules();
  expect(await said(async () => (await options()).applyEngine({ precision: 'bf16' }))).toBe('');
});

test('setPrecision itself refuses what the processor cannot do', async () => {
  const { setPrecision, engineInfo } = await import('../../src/index.js');
  expect(() => setPrecision('bf16')).toThrow(
    '[engine] precision: expected one that this machine can compute in, got bf16: this processor has no instructions for it',
  );
  expect(engineInfo().precision).toBe('float32');
});

test('the reference engine does not blame the processor', async () => {
  const { applyEngine, applyPrecision } = await options();
  const ask = () => {
    applyEngine({ engine: 'reference' });
    applyEngine({ precision: 'bf16' });
    applyPrecision('bf16', 'bf16');
    applyPrecision(undefined, 'float32');
  };
  expect(await said(ask)).toBe('fovea: bf16: the reference engine has no kernels for it; computing in float32\n');
  // Both asked for in one call contradict each other.
  expect(() => applyEngine({ engine: 'reference', precision: 'bf16' })).toThrow(
    '[engine] precision: expected none, since the reference engine computes in float32, got bf16; leave it out',
  );
});
