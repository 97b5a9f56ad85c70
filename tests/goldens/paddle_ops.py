"""The op cases in Paddle, computed in float64."""

import warnings

import numpy as np

warnings.filterwarnings('ignore', message='No ccache found')
import paddle
import paddle.nn.functional as F

NAME = 'paddlepaddle'
VERSION = paddle.version.full_version

# Where Paddle goes its own way at the edges, and Fovea does not follow.
DIFFERENT = {
    'leakyRelu of extremes': 'the gradient at 0 is 1, elsewhere the negative slope',
    'logSoftmax of extremes': 'logits are clipped at 64 below the largest',
    'bceWithLogits of extremes': 'the gradient at 0 is less than sigmoid(x) - target by 1',
    'crossEntropy of extremes': 'logits are clipped at 64 below the largest',
}

paddle.set_device('cpu')


def batch_norm(x, weight, bias, runningMean, runningVariance, training, momentum, epsilon):
    mean, variance = runningMean.clone(), runningVariance.clone()
    y = F.batch_norm(x, mean, variance, weight, bias, training=training, momentum=momentum, epsilon=epsilon)
    return {'y': y, 'runningMean': mean, 'runningVariance': variance} if training else y


def pad(x, before, after, value):
    flat = [size for pair in zip(before, after) for size in pair]
    return F.pad(x, flat, value=value, pad_from_left_axis=True)


def topk(x, k, axis):
    values, indices = paddle.topk(x, k, axis)
    return {'values': values, 'indices': indices}


OPS = {
    'conv2d': lambda x, weight, bias=None, **o: F.conv2d(x, weight, bias, **o),
    'linear': lambda x, weight, bias=None: F.linear(x, weight, bias),
    'maxPool2d': lambda x, kernelSize, **o: F.max_pool2d(x, kernelSize, **o),
    'avgPool2d': lambda x, kernelSize, **o: F.avg_pool2d(x, kernelSize, **o),
    'adaptiveAvgPool2d': lambda x, outputSize: F.adaptive_avg_pool2d(x, outputSize),
    'batchNorm2d': batch_norm,
    'relu': F.relu,
    'leakyRelu': lambda x, negativeSlope=0.01: F.leaky_relu(x, negativeSlope),
    'sigmoid': F.sigmoid,
    'tanh': F.tanh,
    'hardswish': F.hardswish,
    'hardsigmoid': lambda x: F.hardsigmoid(x, slope=1 / 6),
    'silu': F.silu,
    'gelu': F.gelu,
    'channelShuffle': lambda x, groups: F.channel_shuffle(x, groups),
    'square': paddle.square,
    'abs': paddle.abs,
    'exp': paddle.exp,
    'log': paddle.log,
    'sqrt': paddle.sqrt,
    'softmax': F.softmax,
    'logSoftmax': F.log_softmax,
    'crossEntropy': lambda logits, labels, reduction, ignoreIndex=-100: F.cross_entropy(
        logits, labels, ignore_index=ignoreIndex, reduction=reduction
    ),
    'bceWithLogits': lambda x, target, reduction: F.binary_cross_entropy_with_logits(x, target, reduction=reduction),
    'mse': lambda x, target, reduction: F.mse_loss(x, target, reduction=reduction),
    'add': paddle.add,
    'subtract': paddle.subtract,
    'multiply': paddle.multiply,
    'divide': paddle.divide,
    'maximum': paddle.maximum,
    'minimum': paddle.minimum,
    'sum': paddle.sum,
    'mean': paddle.mean,
    'max': paddle.max,
    'min': paddle.min,
    'concat': lambda axis, **inputs: paddle.concat(list(inputs.values()), axis),
    'pad': pad,
    'slice': lambda x, axes, starts, ends: paddle.slice(x, axes, starts, ends),
    'transpose': lambda x, permutation: paddle.transpose(x, permutation),
    'topk': topk,
    'where': lambda condition, x, y: paddle.where(condition != 0, x, y),
    'matmul': lambda x, y, transposeX=False, transposeY=False: paddle.matmul(x, y, transposeX, transposeY),
    'clip': lambda x, min=None, max=None: paddle.clip(x, min, max),
    'pow': lambda x, exponent: paddle.pow(x, exponent),
    'power': lambda x, exponent: paddle.pow(x, exponent),
    'squeeze': paddle.squeeze,
    'unsqueeze': paddle.unsqueeze,
    'stack': lambda axis, **inputs: paddle.stack(list(inputs.values()), axis),
    'argmax': lambda x, axis, keepdim=False: paddle.argmax(x, axis, keepdim),
}

POSITIONAL = {'add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum'}


def run(op, options, inputs, differentiable, upstream):
    tensors = {
        name: paddle.to_tensor(
            array, dtype='float64' if array.dtype.kind == 'f' else 'int64', stop_gradient=name not in differentiable
        )
        for name, array in inputs.items()
    }
    result = OPS[op](*tensors.values()) if op in POSITIONAL else OPS[op](**tensors, **options)
    outputs = result if isinstance(result, dict) else {'y': result}
    gradients = {}
    if differentiable:
        first = next(iter(outputs.values()))
        dy = paddle.to_tensor(upstream(tuple(first.shape)), dtype='float64')
        first.backward(dy)
        gradients = {name: tensors[name].grad.numpy() for name in differentiable}
    return {name: np.asarray(value.numpy()) for name, value in outputs.items()}, gradients
