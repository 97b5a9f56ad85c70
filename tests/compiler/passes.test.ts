import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/compiler/graph.js';
import { fuseActivations } from '../../src/compiler/passes/fuseActivations.js';
import { fuseBatchNormGate } from '../../src/compiler/passes/fuseBatchNormGate.js';
import { fuseBatchNormRelu } from '../../src/compiler/passes/fuseBatchNormRelu.js';
import { fuseExcitation } from '../../src/compiler/passes/fuseExcitation.js';
import { fuseResiduals } from '../../src/compiler/passes/fuseResiduals.js';
import { fuseSums } from '../../src/compiler/passes/fuseSums.js';
import { simplify } from '../../src/compiler/passes/simplify.js';
import { sinkActivations } from '../../src/compiler/passes/sinkActivations.js';
import { verify } from '../../src/compiler/verify.js';
import * as ops from '../../src/ops/index.js';
import * as F from '../../src/tensor/functional.js';
import { noGrad } from '../../src/tensor/noGrad.js';
import { Buffer, Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { checkOp, contracted, noise, spread } from '../engines.js';
import { graphOf, opsOf } from './support.js';

const zeros = (shape: number[]): Tensor => Tensor.fromData(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
const parameter = (shape: number[]): Parameter =>
  new Parameter(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

const image = () => zeros([2, 3, 6, 6]);
const conv = (x = image()) => F.conv2d(x, zeros([4, 3, 3, 3]), zeros([4]));
const linear = () => F.linear(zeros([4, 5]), zeros([5, 6]));
const sum = () => image().add(image());

function fused(pass: (graph: Graph) => Graph, ...tensors: Tensor[]): string[] {
  const graph = pass(simplify(graphOf(tensors)));
  verify(graph, pass.name);
  return opsOf(graph);
}

describe('fuseActivations', () => {
  const fuse = (...tensors: Tensor[]) => fused(fuseActivations, ...tensors);

  it.each([
    ['relu', F.relu],
    ['relu6', F.relu6],
    ['sigmoid', F.sigmoid],
    ['tanh', F.tanh],
    ['leakyRelu', (x: Tensor) => F.leakyRelu(x, 0.1)],
  ] as const)('joins %s with the conv2d, linear or binary before it', (name, activation) => {
    expect(fuse(activation(conv()))).toEqual([`conv2d+${name}`]);
    expect(fuse(activation(linear()))).toEqual([`linear+${name}`]);
    expect(fuse(activation(sum()))).toEqual([`binary+${name}`]);
  });

  it('leaves other functions and other producers', () => {
    expect(fuse(conv().exp())).toEqual(['conv2d', 'unary']);
    expect(fuse(F.relu(image().affine(2, 0)))).toEqual(['affine', 'unary']);
    expect(fuse(F.relu(F.maxPool2d(image(), 2)))).toEqual(['maxPool2d', 'unary']);
    expect(fuse(F.relu(image()))).toEqual(['unary']);
  });

  it('does not join where the value in between is used elsewhere, delivered or assigned', () => {
    const y = conv();
    expect(fuse(F.relu(y), y.exp())).toEqual(['conv2d', 'unary', 'unary']);
    expect(fuse(F.relu(y), y)).toEqual(['conv2d', 'unary']);
    expect(fuse(F.relu(y), F.sigmoid(y))).toEqual(['conv2d', 'unary', 'unary']);
    const state = Buffer.filled(y.shape, 0);
    const graph = fuseActivations(graphOf([F.relu(y)], [state.overwrite(y.value)]));
    expect(opsOf(graph)).toEqual(['conv2d', 'unary']);
  });

  it('leaves what no kernel computes exactly', () => {
    const exactly = (tensor: Tensor) => opsOf(fuseActivations(simplify(graphOf([tensor])), (fn) => fn !== 'gelu'));
    expect(exactly(F.gelu(conv()))).toEqual(['conv2d', 'unary']);
    expect(exactly(F.relu(conv()))).toEqual(['conv2d+relu']);
  });

  it('joins one activation only', () => {
    expect(fuse(F.sigmoid(F.relu(conv())))).toEqual(['conv2d+relu', 'unary']);
    const twice = fuseActivations(fuseActivations(simplify(graphOf([F.sigmoid(F.relu(conv()))]))));
    expect(opsOf(twice)).toEqual(['conv2d+relu', 'unary']);
  });

  it.each([1, 3, 5, 8, 17, 24, 33, 40])('computes the same on every layout of %i channels', async (channels) => {
    for (const groups of [1, channels, ...(channels === 24 ? [3] : [])]) {
      const inputs = groups === 1 ? 5 : groups;
      const shape = [2, channels, 4, 3];
      const args = [noise([2, inputs, 4, 3], 1), noise([channels, inputs / groups, 1, 1], 2), noise(shape, 3)];
      await checkOp(
        (x, weight, other) => {
          const y = F.conv2d(x, weight, null, { groups });
          const clipped = F.relu6(F.conv2d(x, weight.mul(4), null, { groups, stride: 2 }));
          return [F.sigmoid(y.add(other)), F.tanh(other.mul(y)), F.sigmoid(y.add(y)), F.tanh(y.sub(0.5)), clipped];
        },
        args,
        `groups ${groups}`,
      );
    }
  });

  it('joins in training too: the gradient comes from the output', () => {
    const y = F.relu(F.conv2d(image(), parameter([4, 3, 3, 3])));
    const loss = y.sum();
    loss.backward();
    expect(fuse(loss)).toEqual(['conv2d+relu', 'reduce']);
  });
});

describe('fuseSums', () => {
  const fuse = (...tensors: Tensor[]) => {
    const graph = fuseSums(fuseActivations(simplify(graphOf(tensors))));
    verify(graph, 'fuseSums');
    return graph.nodes.map((node, i) => (node.inputs.length === 4 ? `${opsOf(graph)[i]} into` : opsOf(graph)[i]));
  };
  const square = (x: Tensor) => F.conv2d(x, zeros([4, 4, 3, 3]), zeros([4]), { padding: 1 });

  it('joins the later one of two branches, with the activation behind their sum', () => {
    const x = F.relu(conv());
    expect(fuse(F.relu(square(F.relu(square(x))).add(x)))).toEqual(['conv2d+relu', 'conv2d+relu', 'conv2d+relu into']);
    expect(fuse(x.add(square(F.relu(square(x)))))).toEqual(['conv2d+relu', 'conv2d+relu', 'conv2d into']);
    const [left, right] = [square(x), square(x)];
    expect(fuse(left.add(right))).toEqual(['conv2d+relu', 'conv2d', 'conv2d into']);
    expect(fuse(right.add(left))).toEqual(['conv2d+relu', 'conv2d', 'conv2d into']);
  });

  it('continues from block to block', () => {
    let x = F.relu(conv());
    for (let i = 0; i < 2; i++) x = F.relu(square(F.relu(square(x))).add(x));
    expect(fuse(x)).toEqual([
      'conv2d+relu',
      ...['conv2d+relu', 'conv2d+relu into'],
      ...['conv2d+relu', 'conv2d+relu into'],
    ]);
  });

  it('leaves sums whose other part comes later, is needed later, is read by the convolution, a source, or spread', () => {
    const x = F.relu(conv());
    const y = square(x);
    expect(fuse(y.add(x))).toEqual(['conv2d+relu', 'conv2d', 'binary']);
    expect(fuse(y.add(x.exp()))).toEqual(['conv2d+relu', 'conv2d', 'unary', 'binary']);
    expect(fuse(F.relu(square(x).add(x)).add(x.exp()))).toEqual([
      'conv2d+relu',
      'conv2d',
      'binary+relu',
      'unary',
      'binary',
    ]);
    expect(fuse(square(x).add(x), x)).toEqual(['conv2d+relu', 'conv2d', 'binary']);
    expect(fuse(y.add(zeros([2, 4, 4, 4])))).toEqual(['conv2d+relu', 'conv2d', 'binary']);
    expect(fuse(y.add(x.sum()))).toContain('binary');
    expect(fuse(square(x).sub(x))).toEqual(['conv2d+relu', 'conv2d', 'binary']);
    expect(fuse(F.relu(square(x)).add(x))).toEqual(['conv2d+relu', 'conv2d+relu', 'binary']);
    expect(fuse(y.add(y))).toEqual(['conv2d+relu', 'conv2d', 'binary']);
  });

  it.each([
    [3, 1, 1],
    [16, 1, 1],
    [24, 3, 1],
    [32, 3, 1],
    [32, 3, 32],
    [40, 1, 4],
  ])('computes the same with %i channels, kernels of %i, %i groups', async (channels, kernel, groups) => {
    const weight = [channels, channels / groups, kernel, kernel];
    const inputs = [noise([2, channels, 8, 8], 1), noise(weight, 2, 0.2), noise([channels], 3), noise(weight, 4, 0.2)];
    await checkOp((x, first, bias, second) => {
      const layer = (value: Tensor, weights: Tensor) =>
        F.conv2d(value, weights, bias, { padding: kernel >> 1, groups });
      const start = F.relu(layer(x, first));
      // The summands: the convolution's own input, an earlier one's input, and another convolution's output.
      const own = F.relu(layer(start, second).add(start));
      const far = layer(F.relu(layer(own, first)), second).add(own);
      return layer(far, first).add(layer(far, second));
    }, inputs);
  });
});

/** A batch norm in training mode, as layers build it. */
function norm(x: Tensor): Tensor {
  const [y] = ops.batchNormTrain({ epsilon: 1e-5 }, x.value, parameter([3]).value, parameter([3]).value);
  return new Tensor(y);
}

const evaluated = (x: Tensor): Tensor => {
  const [mean, variance, scale, shift] = [0, 1, 1, 0].map((value) => Buffer.filled([3], value).value);
  return new Tensor(ops.batchNorm({ epsilon: 1e-5 }, x.value, mean, variance, scale, shift));
};

describe('fuseBatchNormRelu', () => {
  const fuse = (...tensors: Tensor[]) => fused(fuseBatchNormRelu, ...tensors);

  /** The gradient of x through `build`, as the tensor that is delivered. */
  function gradient(build: (x: Tensor) => Tensor): Tensor {
    const x = parameter([2, 3, 6, 6]);
    (contracted([build(x)]) as Tensor).backward();
    return x.grad as Tensor;
  }

  it('joins in evaluation and in training without gradients', () => {
    expect(fuse(F.relu(evaluated(image())))).toEqual(['batchNorm+relu']);
    expect(fuse(noGrad(() => F.relu(norm(image()))))).toEqual(['batchNormTrain+relu']);
  });

  it('joins forward and backward together', () => {
    const grad = gradient((x) => F.relu(norm(x)));
    expect(fuse(grad)).toEqual(['batchNormTrain+relu', 'constant', 'binary', 'batchNormBackward+relu']);
  });

  it('joins the backward half of norms whose relu feeds several others', () => {
    const ops = fuse(
      gradient((x) => {
        const y = F.relu(norm(x));
        return y.add(y.square());
      }),
    );
    expect(ops).toContain('batchNormTrain+relu');
    expect(ops).toContain('batchNormBackward+relu');
    expect(ops).not.toContain('unaryBackward');
  });

  it('does not join other activations', () => {
    expect(fuse(F.sigmoid(evaluated(image())))).toEqual(['batchNorm', 'unary']);
    expect(fuse(F.leakyRelu(evaluated(image())))).toEqual(['batchNorm', 'unary']);
  });

  it('does not join where the value in between is used elsewhere or delivered', () => {
    const y = evaluated(image());
    expect(fuse(F.relu(y), y)).toEqual(['batchNorm', 'unary']);
    const ops = fuse(
      gradient((x) => {
        const z = norm(x);
        return F.relu(z).add(z.square());
      }),
    );
    expect(ops.filter((op) => op.endsWith('+relu'))).toEqual([]);
    expect(ops).toContain('unaryBackward');
  });

  it('is right where two losses go back through one norm', async () => {
    const build = (x: Tensor, scale: Tensor, shift: Tensor) => {
      const [value] = ops.batchNormTrain({ epsilon: 1e-5 }, x.value, scale.value, shift.value);
      const y = F.relu(new Tensor(value));
      (contracted([y], 5) as Tensor).backward();
      return y.square();
    };
    await checkOp(build, [noise([2, 17, 4, 4], 1), noise([17], 2, 0.2, 1), noise([17], 3)]);
  });
});

describe('fuseBatchNormGate', () => {
  const fuse = (...tensors: Tensor[]) => fused((graph) => fuseBatchNormGate(graph, () => true), ...tensors);

  it.each([
    ['silu', F.silu],
    ['hardswish', F.hardswish],
  ] as const)('joins %s, forward and backward', (_, gate) => {
    expect(fuse(noGrad(() => gate(norm(image()))))).toEqual(['batchNormTrain']);
    const x = parameter([2, 3, 6, 6]);
    const y = gate(norm(x));
    (contracted([y]) as Tensor).backward();
    const ops = fuse(y, x.grad as Tensor);
    expect(ops).toContain('batchNormBackward');
    expect(ops.filter((op) => op.startsWith('unary'))).toEqual([]);
  });

  it('does not join other functions, nor where the value in between is used elsewhere', () => {
    expect(fuse(noGrad(() => F.gelu(norm(image()))))).toContain('unary');
    const y = norm(image());
    expect(fuse(F.silu(y), y)).toContain('unary');
  });
});

describe('fuseExcitation', () => {
  const exciting = (x: Tensor, weight: Tensor): Tensor => {
    const features = x.exp();
    return features.mul(F.sigmoid(F.conv2d(F.adaptiveAvgPool2d(features, 1), weight)));
  };
  const gradients = (build: typeof exciting, adds = true) => {
    const [x, weight] = [parameter([2, 3, 4, 4]), parameter([3, 3, 1, 1])];
    build(x, weight).sum().backward();
    const graph = [x.grad, weight.grad].filter((grad) => grad !== null);
    return fused((before) => fuseExcitation(before, () => adds), ...graph);
  };

  it('joins the two gradients of the scaled features', () => {
    expect(gradients(exciting, false)).toContain('avgPool2dBackward');
    expect(gradients(exciting)).not.toContain('avgPool2dBackward');
    expect(gradients(exciting).filter((op) => op === 'scaleChannels')).toHaveLength(1);
  });

  it('gives the same gradients', () =>
    checkOp(exciting, [noise([2, 16, 4, 5], 1, 0.3), noise([16, 16, 1, 1], 2, 0.3)]));
});

describe('fuseResiduals', () => {
  const fuse = (tensors: readonly Tensor[], takes: (shape: readonly number[]) => boolean = () => true) => {
    const graph = fuseResiduals(fuseActivations(simplify(graphOf(tensors))), takes);
    verify(graph, 'fuseResiduals');
    return graph.nodes.map(({ inputs }, i) => (inputs.length > 7 ? `${opsOf(graph)[i]} of sum` : opsOf(graph)[i]));
  };
  const block = (x: Tensor) => F.relu(norm(F.conv2d(x, parameter([3, 3, 1, 1]))).add(x));
  /** The gradient of what goes through the blocks. */
  function gradients(blocks: (x: Tensor) => Tensor): Tensor[] {
    const x = parameter([2, 3, 6, 6]);
    (contracted([blocks(x)]) as Tensor).backward();
    return [x.grad as Tensor];
  }
  const backward = ['batchNormBackward+relu of sum', 'conv2dBackwardData'];

  it('joins batch norm with the sum behind it, and the relu behind that', () => {
    expect(fuse([norm(image()).add(image())])).toEqual(['batchNormTrain']);
    expect(fuse([F.relu(image().add(norm(image())))])).toEqual(['batchNormTrain+relu']);
    expect(fuse([norm(image()).add(norm(image()))])).toEqual(['batchNormTrain', 'batchNormTrain']);
  });

  it('joins from block to block, and backward with the sum of the gradients of two branches', () => {
    const [forward, contraction] = [
      ['conv2d', 'batchNormTrain+relu'],
      ['constant', 'binary'],
    ];
    expect(fuse(gradients(block))).toEqual([...forward, ...contraction, ...backward, 'binary']);
    expect(fuse(gradients((x) => block(block(x))))).toEqual([
      ...[...forward, ...forward, ...contraction],
      ...[...backward, ...backward, 'binary'],
    ]);
  });

  it('gives the gradient of the sum to the branch without batch norm, and to the other batch norm', () => {
    const branches = gradients((x) => F.relu(norm(x.exp()).add(norm(x))));
    const nodes = fuse(branches).filter((op) => op.startsWith('batchNorm'));
    const forwards = ['batchNormTrain', 'batchNormTrain+relu'];
    expect(nodes).toEqual([...forwards, 'batchNormBackward+relu of sum', 'batchNormBackward']);
  });

  it('leaves what is used elsewhere, comes later, has another shape or another activation, and unused outputs', () => {
    const y = norm(image());
    expect(fuse([y.add(image()), y])).toContain('binary');
    expect(fuse([y.add(y)])).toContain('binary');
    expect(fuse([y.add(y.exp())])).toContain('binary');
    expect(fuse([norm(image()).add(Tensor.fromData(new Float32Array(6), [6]))])).toContain('binary');
    expect(fuse([norm(image()).sub(image())])).toContain('binary');
    expect(fuse([F.sigmoid(norm(image()).add(image()))])).toContain('binary+sigmoid');
    expect(fuse(gradients(block), ([, channels]) => channels % 16 === 0)).toContain('unaryBackward');
  });

  it('takes the gradient alone where its sum is used elsewhere', () => {
    const nodes = fuse(
      gradients((x) => {
        const y = block(x);
        // The gradient of y is one product.
        return y.square();
      }),
    );
    expect(nodes.filter((op) => op.endsWith('of sum'))).toHaveLength(1);
    expect(nodes).not.toContain('unaryBackward');
  });

  it.each([
    [16, 4],
    [48, 5],
    [17, 3],
  ])('computes the same with %i channels, images of %i', async (channels, size) => {
    const weights = (seed: number) => noise([channels, channels, 1, 1], seed, 0.3);
    const inputs = [
      ...[noise([2, channels, size, size], 1), weights(2), weights(3)],
      ...[noise([channels], 4, 0.2, 1), noise([channels], 5)],
    ];
    await checkOp((x, first, second, scale, shift) => {
      const layer = (value: Tensor, weight: Tensor | null) => {
        const y = weight === null ? value : F.conv2d(value, weight);
        return new Tensor(ops.batchNormTrain({ epsilon: 1e-3 }, y.value, scale.value, shift.value)[0]);
      };
      // A shortcut with a convolution, one without, one that is batch norm's own input, and a sum without relu.
      const start = F.relu(layer(x, first).add(layer(x, second)));
      const middle = F.relu(layer(F.relu(layer(start, second)), first).add(start));
      const own = F.relu(layer(middle, null).add(middle));
      return layer(own, second).add(own);
    }, inputs);
  });
});

describe('sinkActivations', () => {
  const sink = (...tensors: Tensor[]) => fused(sinkActivations, ...tensors);
  const pool = (x: Tensor) => F.maxPool2d(x, 2);

  it('moves a costly activation behind the pooling', () => {
    expect(sink(pool(F.sigmoid(conv())))).toEqual(['conv2d', 'maxPool2d', 'unary']);
    expect(sink(pool(F.relu(conv())))).toEqual(['conv2d', 'unary', 'maxPool2d']);
  });

  it('moves any monotonic activation together with its gradient', () => {
    for (const activation of [F.relu, F.sigmoid, F.tanh, (x: Tensor) => F.leakyRelu(x)]) {
      const x = parameter([2, 3, 6, 6]);
      const y = pool(activation(x));
      (contracted([y]) as Tensor).backward();
      expect(sink(x.grad as Tensor, y)).toEqual([
        'maxPool2d',
        'unary',
        'constant',
        'binary',
        'unaryBackward',
        'maxPool2dBackward',
      ]);
    }
  });

  it('stays where the activation is used elsewhere, delivered, or not monotonic', () => {
    const y = F.sigmoid(conv());
    expect(sink(pool(y), y)).toEqual(['conv2d', 'unary', 'maxPool2d']);
    expect(sink(pool(y), y.exp())).toEqual(['conv2d', 'unary', 'maxPool2d', 'unary']);
    expect(sink(pool(conv().square()))).toEqual(['conv2d', 'unary', 'maxPool2d']);
    expect(sink(F.avgPool2d(y, 2))).toEqual(['conv2d', 'unary', 'avgPool2d']);
  });

  it('stays where two poolings or two losses share the activation', () => {
    const x = parameter([2, 3, 6, 6]);
    const y = F.sigmoid(x);
    const pools = [F.maxPool2d(y, 2), F.maxPool2d(y, 3)];
    (contracted(pools) as Tensor).backward();
    const nodes = sink(x.grad as Tensor);
    expect(nodes[0]).toBe('unary');
    expect(nodes.filter((op) => op.startsWith('unary'))).toEqual(['unary', 'unaryBackward']);
  });

  it.each([
    ['relu', F.relu],
    ['relu6', F.relu6],
    ['sigmoid', F.sigmoid],
    ['leakyRelu', (x: Tensor) => F.leakyRelu(x, 0.1)],
  ] as const)('computes the same: %s', async (_, activation) => {
    await checkOp((x) => F.maxPool2d(activation(x), 3, { stride: 2, padding: 1 }), [spread([2, 5, 9, 9], 1, 0.02)]);
    await checkOp(
      (x) => F.maxPool2d(activation(F.conv2d(x, Tensor.ones([5, 5, 1, 1]))), 2),
      [spread([2, 5, 8, 8], 2, 0.02)],
    );
  });
});
