/** Measures Fovea, as the other workers measure theirs. Runs in the root of the repository. */

import { pathToFileURL } from 'node:url';
import { engineInfo, setEngine, setPrecision, setThreads } from '../../src/engine/select.js';
import { numel, type Shape } from '../../src/graph/shape.js';
import { RandomGenerator, seed } from '../../src/random.js';
import { namedModel, usualData } from '../../src/run/catalog/models.js';
import { lossOf, outputsFor } from '../../src/run/losses.js';
import { makeOptimizer } from '../../src/run/optimizers.js';
import { recipeFor } from '../../src/run/recipe.js';
import { noGrad } from '../../src/tensor/noGrad.js';
import { Tensor } from '../../src/tensor/tensor.js';

interface Worker {
  readonly args: {
    readonly network: string;
    readonly mode: 'train' | 'infer';
    readonly precision: 'float32' | 'bf16';
    readonly engine: 'onednn' | 'portable';
    readonly batch: number;
    readonly threads: number;
    readonly input?: string;
  };
  serve(make: () => () => Promise<unknown>, version: string): Promise<void>;
}
const { args, serve } = (await import(pathToFileURL('bench/peers/worker.mjs').href)) as Worker;

// Without the library this throws, where otherwise the reference engine would be measured.
setEngine(args.engine);
setThreads(args.threads);
setPrecision(args.precision);

function makeStep(): () => Promise<unknown> {
  seed(0);
  const { create, inputShape } = namedModel(args.network);
  const input: Shape = args.input?.split(',').map(Number) ?? inputShape;
  const { classes } = usualData(args.network);
  const recipe = recipeFor(args.network, classes);
  const network = create({ numClasses: outputsFor(recipe, classes) }, input);
  const shape = [args.batch, ...input];
  const pixels = new RandomGenerator(1).fillUniform(new Float32Array(numel(shape)), 0, 1);
  if (args.mode === 'infer') {
    network.eval();
    return () => noGrad(() => network.forward(Tensor.fromData(pixels, shape))).data();
  }
  network.train();
  const optimizer = makeOptimizer(recipe.optimizer, network.parameters());
  const labels = Int32Array.from({ length: args.batch }, (_, i) => i % classes);
  return async () => {
    const loss = lossOf(recipe).compute(network.forward(Tensor.fromData(pixels, shape)), Tensor.fromData(labels));
    loss.backward();
    await optimizer.step();
    optimizer.clearGrad();
    return loss.item();
  };
}

await serve(makeStep, engineInfo().description);
