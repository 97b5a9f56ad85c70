import { type Shape, sameShape } from '../../graph/shape.js';
import {
  bypass,
  collectUsers,
  type Graph,
  GraphNode,
  type GraphValue,
  inputOf,
  isOp,
  keep,
  optionalInput,
  replaceBy,
  rewrite,
} from '../graph.js';
import { isReluBackwardOf, normBackwards } from './reluBackward.js';
import { bothOrders, isAdd, orderOf, summandsOf } from './sums.js';

/** An add behind a batch norm. */
interface Residual {
  readonly summand: GraphValue;
  readonly relu: boolean;
}

/**
 * Fuses batch norm with the add and ReLU behind it, as at the end of a residual block. Backward, the sum of
 * the gradients from the next block's two branches, the ReLU's gradient and that of batch norm become one
 * node.
 *
 * @param takes shapes of features `[N, C, H, W]` for which the engine has such kernels
 */
export function fuseResiduals(graph: Graph, takes: (shape: Shape) => boolean): Graph {
  const users = collectUsers(graph);
  const precedes = orderOf(graph);
  const isUsedOnce = (value: GraphValue) => users.get(value)?.length === 1;
  const backwards = normBackwards(graph.nodes);
  const residuals = new Map<GraphNode, Residual>();
  const norms = new Map<GraphNode, GraphNode>();
  // From the gradient of a sum's ReLU to that of the batch norm before it.
  const gradients = new Map<GraphNode, GraphNode<'batchNormBackward'>>();
  for (const sum of graph.nodes) {
    if (!isAdd(sum)) continue;
    const { activation } = sum.params;
    if ((activation !== undefined && activation.fn !== 'relu') || !takes(sum.outputs[0].shape)) continue;
    for (const [y, summand] of bothOrders(sum)) {
      const norm = y.producer;
      if (!isOp(norm, 'batchNormTrain') || y.index !== 0 || !isUsedOnce(y)) continue;
      if (optionalInput(norm, 'summand') !== undefined || norm.params.relu) continue;
      const isBefore = summand.producer === null || precedes(summand.producer, norm);
      if (!isBefore || !sameShape(y.shape, summand.shape)) continue;
      residuals.set(norm, { summand, relu: activation !== undefined });
      norms.set(sum, norm);
      const backward = backwards.get(norm);
      const gradient = activation === undefined || backward === undefined ? null : inputOf(backward, 'dy').producer;
      if (backward !== undefined && gradient !== null && isReluBackwardOf(gradient, sum)) {
        gradients.set(gradient, backward);
      }
      break;
    }
  }
  const fusedBackwards = new Map<GraphNode, GraphNode>();
  return rewrite(graph, (node, inputs, mapped) => {
    const norm = norms.get(node);
    if (norm !== undefined) return bypass(mapped(norm.outputs[0]));
    const residual = residuals.get(node);
    if (residual !== undefined && isOp(node, 'batchNormTrain')) {
      const params = { ...node.params, relu: residual.relu };
      return replaceBy(new GraphNode('batchNormTrain', params, [...inputs, mapped(residual.summand)], node.outputs));
    }
    const done = fusedBackwards.get(node);
    if (done !== undefined) {
      const [dx, dScale, dShift] = done.outputs;
      return bypass(dx, dScale, dShift);
    }
    const backward = gradients.get(node);
    if (backward === undefined || !isOp(node, 'unaryBackward')) return keep(node, inputs);
    const fused = fuseBackward(backward, node, mapped, isUsedOnce);
    fusedBackwards.set(backward, fused);
    const [, , , dSum] = fused.outputs;
    return { nodes: [fused], outputs: [dSum] };
  });
}

/** The gradient of a batch norm with a sum and a ReLU, at the place of the ReLU's gradient. */
function fuseBackward(
  backward: GraphNode<'batchNormBackward'>,
  relu: GraphNode<'unaryBackward'>,
  mapped: (value: GraphValue) => GraphValue,
  isUsedOnce: (value: GraphValue) => boolean,
): GraphNode<'batchNormBackward'> {
  const statistics = (['x', 'mean', 'variance', 'scale', 'shift'] as const).map((name) => inputOf(backward, name));
  const [dy, ...dy2] = summandsOf(inputOf(relu, 'dy'), isUsedOnce);
  const inputs = [...statistics, dy, inputOf(backward, 'mask'), inputOf(relu, 'y'), ...dy2].map(mapped);
  const outputs = [...backward.outputs, relu.outputs[0]];
  const fused = new GraphNode('batchNormBackward', { ...backward.params, relu: true }, inputs, outputs);
  fused.origin = backward.origin;
  return fused;
}
