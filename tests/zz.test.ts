import { it, vi } from 'vitest';
import { openOneDnn } from '../src/engine/onednn/engine.js';
import { setEngine, type EngineName } from '../src/engine/select.js';
import * as F from '../src/tensor/functional.js';
import { concat, Tensor } from '../src/tensor/tensor.js';
import { noise } from './engines.js';
const fns: Record<string, (x: Tensor) => Tensor> = {
  relu: F.relu, relu6: F.relu6, leaky: (x) => F.leakyRelu(x, 0.1), sigmoid: F.sigmoid, tanh: F.tanh,
  exp: (x) => x.exp(), log: (x) => x.log(), sqrt: (x) => x.sqrt(), abs: (x) => x.abs(), square: (x) => x.square(), affine: (x) => x.affine(2, 1),
  max: (x) => x.max(), min: (x) => x.min(), sum: (x) => x.sum(), mean: (x) => x.mean(), max1: (x) => x.max({ axis: 1 }), min3: (x) => x.min({ axis: [2, 3] }),
  maxPool: (x) => F.maxPool2d(x, 2), maxPool3: (x) => F.maxPool2d(x, 3, { stride: 1, padding: 1 }), avgPool: (x) => F.avgPool2d(x, 2), adaptive: (x) => F.adaptiveAvgPool2d(x, 2),
  softmax: (x) => F.softmax(x, 1), softmax3: (x) => F.softmax(x, 3), logSoftmax: (x) => F.logSoftmax(x, 1),
  maximum: (x) => x.maximum(Tensor.full([...x.shape], 0)), maximum2: (x) => Tensor.full([...x.shape], 0).maximum(x), minimum: (x) => x.minimum(Tensor.full([...x.shape], 0)), minimum2: (x) => Tensor.full([...x.shape], 0).minimum(x),
  maximumS: (x) => x.maximum(0), div: (x) => x.div(Tensor.full([...x.shape], 0)), recip: (x) => Tensor.full([...x.shape], 1).div(x), add: (x) => F.relu(x.add(x)), sub: (x) => x.sub(x),
};
const specials = [NaN, Infinity, -Infinity, 0, -0, -1, 1, 1e-40, -1e-40, 3e38, -3e38, 88.8, -104];
it('x', async () => {
  const lines: string[] = [];
  for (const [name, fn] of Object.entries(fns)) {
    const bad: string[] = [];
    for (const shape of [[1, 1, 2, 2], [1, 1, 4, 4], [2, 3, 8, 8], [2, 16, 8, 8], [2, 17, 8, 8], [2, 32, 16, 16]]) for (const code of ['0', '1']) for (const special of specials) {
      vi.stubEnv('FOVEA_CODE', code);
      const data = noise(shape).data as Float32Array;
      for (const p of [0, 3, data.length - 1]) data[p] = special;
      const run = async (e: EngineName) => { setEngine(e); return await fn(Tensor.fromData(data.slice(), shape)).data(); };
      const [a, b] = [await run('reference'), await run('onednn')];
      let i = 0;
      for (; i < a.length; i++) if (!(Object.is(a[i], b[i]) || Math.abs(a[i] - b[i]) <= 1e-4 * Math.max(1e-3, Math.abs(a[i])))) break;
      if (i < a.length) bad.push(`${shape} code ${code} ${special}: [${i}] ${a[i]} got ${b[i]}`);
    }
    if (bad.length) lines.push(`${name}: ${bad.length}\n   ${bad.slice(0, 6).join('\n   ')}`);
  }
  console.log(lines.join('\n'));
}, 200000);
