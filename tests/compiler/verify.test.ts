import { describe, expect, it } from 'vitest';
import { type Graph, GraphNode, GraphValue } from '../../src/compiler/graph.js';
import { optimize } from '../../src/compiler/optimize.js';
import { verify } from '../../src/compiler/verify.js';
import { InternalError } from '../../src/errors.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import * as F from '../../src/tensor/functional.js';
import { Buffer } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { fused, graphOf } from './support.js';

const image = Tensor.fromData(new Float32Array(72), [2, 1, 6, 6]);
const weight = Tensor.fromData(new Float32Array(18), [2, 1, 3, 3]);

/** `affine(relu(conv2d($0, $1)))` */
const whole = graphOf([F.relu(F.conv2d(image, weight)).affine(2, 1)]);
const [conv, relu, affine] = whole.nodes;

function withNodes(...nodes: readonly GraphNode[]): Graph {
  const { outputs } = nodes[nodes.length - 1];
  return { ...whole, nodes, outputs: [{ value: outputs[0], into: -1 }] };
}

function expectBroken(broken: Graph, message: string): void {
  expect(() => verify(broken, 'test')).toThrow(new InternalError(message));
}

describe('verify', () => {
  it('accepts what capture and the passes make', () => {
    verify(whole, 'capture');
    verify(optimize(whole, fused), 'all');
  });

  it('finds a node that runs before its input', () => {
    expectBroken(
      { ...whole, nodes: [relu, conv, affine] },
      'after pass test: node %0 unary uses a value that is not computed before it',
    );
  });

  it('finds an input and an output that no node computes', () => {
    expectBroken(
      { ...whole, nodes: [relu, affine] },
      'after pass test: node %0 unary uses a value that is not computed before it',
    );
    const stranger = new GraphValue([1], 'float32', null, 0);
    expectBroken({ ...whole, outputs: [{ value: stranger, into: -1 }] }, 'after pass test: an output is not computed');
  });

  it('finds a wrong shape and a wrong dtype', () => {
    expectBroken(
      withNodes(
        conv,
        new GraphNode('unary', { fn: 'relu', alpha: 0 }, conv.outputs, [{ shape: [2, 2, 4, 5], dtype: 'float32' }]),
      ),
      'after pass test: node %1 unary output 0 is float32 [2,2,4,5], its rule says float32 [2,2,4,4]',
    );
    expectBroken(
      withNodes(
        conv,
        new GraphNode('cast', { dtype: 'int32' }, conv.outputs, [{ shape: [2, 2, 4, 4], dtype: 'float32' }]),
      ),
      'after pass test: node %1 cast output 0 is float32 [2,2,4,4], its rule says int32 [2,2,4,4]',
    );
  });

  it('finds an output too many or too few', () => {
    const spec = { shape: [2, 2, 2, 2], dtype: 'float32' } as const;
    const params = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] } as const;
    expectBroken(
      withNodes(conv, new GraphNode('maxPool2d', params, conv.outputs, [spec])),
      'after pass test: node %1 maxPool2d has 1 outputs, its rule says 2',
    );
    expectBroken(
      withNodes(conv, new GraphNode('avgPool2d', { ...params, countIncludePad: false }, conv.outputs, [spec, spec])),
      'after pass test: node %1 avgPool2d has 2 outputs, its rule says 1',
    );
  });

  it('finds inputs that break the rule of the op', () => {
    expectBroken(
      withNodes(conv, new GraphNode(conv.op, conv.params, [conv.outputs[0], conv.inputs[1]], conv.outputs)),
      'after pass test: node %1 conv2d: [conv2d] input channels: expected 1 (weight [2,1,3,3]), ' +
        'got 2 (input [2,2,4,4], NCHW)',
    );
  });

  it('finds an assignment that changes shape or dtype', () => {
    const state = Buffer.filled([3], 0);
    const short = graphOf([], [state.overwrite(tensor([1, 2]).affine(2, 0).value)]);
    expectBroken(short, 'after pass test: an assignment changes the shape or dtype');
    const ints = graphOf([], [state.overwrite(tensor([1, 2, 3]).cast('int32').value)]);
    expectBroken(ints, 'after pass test: an assignment changes the shape or dtype');
  });
});
