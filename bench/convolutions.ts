/**
 * Every 3×3 convolution of stride 1 in the networks for photographs: the library's direct kernels against our own of
 * Winograd's in all three directions, with the transforms of weights, what the rule takes, and what that costs beyond
 * the best choice. The library's kernels of Winograd's are shown beside them where it has any.
 *
 * usage: npm run bench -- convolutions [network|all] [batch] [threads]
 */
import { openOneDnn } from '../src/engine/onednn/engine.js';
import { codeGain, suitsCode } from '../src/engine/onednn/lower/winograd.js';
import { codeLanes } from '../src/engine/onednn/processor.js';
import type { Conv2dParams } from '../src/graph/op.js';
import { namedModels } from '../src/run/catalog/models.js';
import { directions, type KernelLayer, layersOf, measureKernel } from './shared/layerKernels.js';
import { measureCode } from './shared/winogradCode.js';

const [wanted = 'all', batch = '10', threads = '2'] = process.argv.slice(2);
const seconds = 0.1;
openOneDnn().useThreads(Number(threads));
const found = codeLanes('float32');
if (found === null) throw new Error('this processor runs no code of our own');
const lanes = found;

type ConvLayer = KernelLayer & { readonly params: Conv2dParams };

const isWanted = (layer: KernelLayer): layer is ConvLayer =>
  layer.params?.stride.every((n) => n === 1) === true && layer.weight[2] === 3 && layer.weight[3] === 3;

function report(network: string): void {
  const layers = layersOf(network, Number(batch)).filter(isWanted);
  if (layers.length === 0) return;
  const total = { direct: 0, library: 0, winograd: 0, rule: 0, best: 0 };
  console.log(
    `${network}, batch ${batch}, threads ${threads}: milliseconds of direct / Winograd (ratio, rule's guess) taken`,
  );
  for (const layer of layers) {
    const columns: string[] = [];
    for (const direction of directions) {
      const { weight, params } = layer;
      const result = direction === 'backwardData' ? layer.x : layer.y;
      const conv = { direction, result, weight, params };
      if (direction === 'backwardData' && layer.first) continue;
      const direct = measureKernel(layer, direction, 'direct', { seconds });
      if (direct === null) throw new Error(`no direct kernel for ${weight}`);
      const library = measureKernel(layer, direction, 'winograd', { seconds })?.ms ?? direct.ms;
      const code = measureCode(layer, direction, { lanes, threads: Number(threads), seconds });
      const winograd = code === null ? direct.ms : code.ms + code.weightsMs;
      const takes = suitsCode('auto', lanes, conv);
      total.direct += layer.count * direct.ms;
      total.library += layer.count * library;
      total.winograd += layer.count * winograd;
      total.rule += layer.count * (takes ? winograd : direct.ms);
      total.best += layer.count * Math.min(direct.ms, winograd);
      if (code === null) {
        columns.push(`${direct.ms.toFixed(2)} / none`.padEnd(38));
        continue;
      }
      const guess = codeGain(lanes, conv);
      const ratio = `(${(direct.ms / winograd).toFixed(2)}, ${guess.toFixed(2)})`;
      columns.push(
        `${direct.ms.toFixed(2).padStart(6)} / ${winograd.toFixed(2).padEnd(6)} ${ratio} ${takes ? 'W' : 'D'}`.padEnd(
          38,
        ),
      );
    }
    const [, from, height, width] = layer.x;
    console.log(`${layer.count} x ${from}→${layer.weight[0]} at ${height}×${width}`.padEnd(24) + columns.join(''));
  }
  const sums = Object.entries(total).map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
  console.log(`sum, ms: ${sums.join(', ')}; rule / best ${(total.rule / total.best).toFixed(3)}\n`);
}

const large = Object.keys(namedModels).filter((name) => namedModels[name].inputShape[0] === 3);
for (const network of wanted === 'all' ? large : [wanted]) {
  report(network);
}
