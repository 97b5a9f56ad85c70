import { debug } from '../env.js';
import type { UnaryFn } from '../graph/op.js';
import type { Shape } from '../graph/shape.js';
import type { Graph } from './graph.js';
import { expandMatmul } from './passes/expandMatmul.js';
import { foldBatchNorm } from './passes/foldBatchNorm.js';
import { fuseActivations } from './passes/fuseActivations.js';
import { fuseBatchNormGate } from './passes/fuseBatchNormGate.js';
import { fuseBatchNormRelu } from './passes/fuseBatchNormRelu.js';
import { fuseExcitation } from './passes/fuseExcitation.js';
import { fuseResiduals } from './passes/fuseResiduals.js';
import { fuseSums } from './passes/fuseSums.js';
import { simplify } from './passes/simplify.js';
import { sinkActivations } from './passes/sinkActivations.js';
import { useBfloat16 } from './passes/useBfloat16.js';
import type { ChoiceOfProducts } from './precision.js';
import { printGraph } from './print.js';
import { verify } from './verify.js';

/** The rewrites that pay for a graph on an engine. */
export interface Traits {
  /** Whether there are kernels that compute several ops at once. Without them no pass fuses. */
  readonly fuses: boolean;
  /** Whether batch norm of such features in training can apply a smooth step to its result. */
  readonly gatesInBatchNorm: (shape: Shape) => boolean;
  /** Whether the kernel that scales the channels of such features can add numbers to them. */
  readonly addsToScaled: (shape: Shape) => boolean;
  /** Whether there is a kernel for products of matrices at the same place of a batch. */
  readonly multipliesMatrices: boolean;
  /** Whether kernels compute this fusible function of their own result exactly. */
  readonly absorbs: (fn: UnaryFn) => boolean;
  /** Whether batch norm of features `[N, C, H, W]` can add a second array to its result. */
  readonly addsInBatchNorm: (shape: Shape) => boolean;
  /** Convolutions and linear layers to compute in bfloat16; `null` if all of the graph is float32. */
  readonly bfloat16: ChoiceOfProducts | null;
}

/** No rewrite but the simplification that every engine gains by. */
export const noTraits: Traits = {
  fuses: false,
  multipliesMatrices: true,
  addsToScaled: () => false,
  gatesInBatchNorm: () => false,
  absorbs: () => true,
  addsInBatchNorm: () => false,
  bfloat16: null,
};

/** An engine, or {@link unfused}: the compiler asks it which rewrites pay. */
export interface Target {
  traits(graph: Graph): Traits;
}

/** Target of programs in which every node keeps a result of its own. */
export const unfused: Target = { traits: () => noTraits };

interface Pass {
  readonly name: string;
  /** `null` where the pass does not apply. */
  readonly apply: (graph: Graph, traits: Traits) => Graph | null;
}

const fusion = (name: string, apply: (graph: Graph, traits: Traits) => Graph): Pass => ({
  name,
  apply: (graph, traits) => (traits.fuses ? apply(graph, traits) : null),
});

const passes: readonly Pass[] = [
  {
    name: 'expandMatmul',
    apply: (graph, { multipliesMatrices }) => (multipliesMatrices ? null : expandMatmul(graph)),
  },
  { name: 'simplify', apply: simplify },
  fusion('foldBatchNorm', foldBatchNorm),
  fusion('sinkActivations', sinkActivations),
  fusion('fuseActivations', (graph, { absorbs }) => fuseActivations(graph, absorbs)),
  fusion('fuseSums', fuseSums),
  fusion('fuseResiduals', (graph, { addsInBatchNorm }) => fuseResiduals(graph, addsInBatchNorm)),
  fusion('fuseBatchNormRelu', fuseBatchNormRelu),
  fusion('fuseBatchNormGate', (graph, { gatesInBatchNorm }) => fuseBatchNormGate(graph, gatesInBatchNorm)),
  fusion('fuseExcitation', (graph, { addsToScaled }) => fuseExcitation(graph, addsToScaled)),
  { name: 'useBfloat16', apply: (graph, { bfloat16 }) => (bfloat16 === null ? null : useBfloat16(graph, bfloat16)) },
];

/** In the order in which they run. */
export const passNames: readonly string[] = passes.map(({ name }) => name);

/** Runs the passes in order. The graph is checked before the first and after each. */
export function optimize(structure: Graph, target: Target): Graph {
  let graph = structure;
  verify(graph, 'capture');
  debug(3, () => `[compile] graph as captured\n${printGraph(graph)}`);
  for (const pass of passes) {
    const rewritten = pass.apply(graph, target.traits(graph));
    if (rewritten === null) continue;
    graph = rewritten;
    verify(graph, pass.name);
    debug(4, () => `[compile] graph after ${pass.name}\n${printGraph(graph)}`);
  }
  debug(3, () => `[compile] graph after all passes\n${printGraph(graph)}`);
  return graph;
}
