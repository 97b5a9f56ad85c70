"""The op cases in PyTorch, computed in float64."""

import numpy as np
import torch
import torch.nn.functional as F

NAME = 'torch'
VERSION = torch.__version__

DIFFERENT = {}

torch.set_num_threads(1)


def pair(value):
    return [value, value] if isinstance(value, int) else value


def pad_images(x, padding, value=0.0):
    """Pads by a number, [height, width] or [top, bottom, left, right]."""
    if len(pair(padding)) == 2:
        height, width = pair(padding)
        padding = [height, height, width, width]
    top, bottom, left, right = padding
    return F.pad(x, (left, right, top, bottom), value=value)


def conv2d(x, weight, bias=None, padding=0, **options):
    return F.conv2d(pad_images(x, padding), weight, bias, **options)


def max_pool2d(x, kernelSize, stride, padding=0):
    return F.max_pool2d(pad_images(x, padding, -np.inf), kernelSize, stride)


def avg_pool2d(x, kernelSize, stride, padding=0, exclusive=True):
    return F.avg_pool2d(x, kernelSize, stride, padding, count_include_pad=not exclusive)


def batch_norm(x, weight, bias, runningMean, runningVariance, training, momentum, epsilon):
    y = F.batch_norm(x, runningMean.clone(), runningVariance.clone(), weight, bias, training, 1 - momentum, epsilon)
    if not training:
        return y
    # Paddle keeps the biased variance of the batch, torch would keep the unbiased one.
    variance, mean = torch.var_mean(x.detach(), (0, 2, 3), unbiased=False)
    return {
        'y': y,
        'runningMean': momentum * runningMean + (1 - momentum) * mean,
        'runningVariance': momentum * runningVariance + (1 - momentum) * variance,
    }


def cross_entropy(logits, labels, reduction, ignoreIndex=-100):
    loss = F.cross_entropy(logits, labels, ignore_index=ignoreIndex, reduction='none')
    if reduction == 'none':
        return loss
    if reduction == 'sum':
        return loss.sum()
    # Paddle counts all samples where ignoreIndex is negative, and divides by 1 where none is left.
    count = (labels != ignoreIndex).sum().clamp(min=1) if ignoreIndex >= 0 else labels.numel()
    return loss.sum() / count


def reduce(function):
    def apply(x, axis=None, keepdim=False):
        return function(x, dim=tuple(range(x.dim())) if axis is None else axis, keepdim=keepdim)

    return apply


def pad(x, before, after, value):
    flat = [size for sizes in reversed(list(zip(before, after))) for size in sizes]
    return F.pad(x, flat, value=value)


def slice_axes(x, axes, starts, ends):
    index = [slice(None)] * x.dim()
    for axis, start, end in zip(axes, starts, ends):
        index[axis] = slice(start, end)
    return x[tuple(index)]


def topk(x, k, axis):
    values, indices = torch.topk(x, k, axis)
    return {'values': values, 'indices': indices}


OPS = {
    'conv2d': conv2d,
    'linear': lambda x, weight, bias=None: F.linear(x, weight.T, bias),
    'maxPool2d': max_pool2d,
    'avgPool2d': avg_pool2d,
    'adaptiveAvgPool2d': lambda x, outputSize: F.adaptive_avg_pool2d(x, outputSize),
    'batchNorm2d': batch_norm,
    'relu': torch.relu,
    'leakyRelu': lambda x, negativeSlope=0.01: F.leaky_relu(x, negativeSlope),
    'sigmoid': torch.sigmoid,
    'tanh': torch.tanh,
    'hardswish': lambda x: F.hardswish(x),
    'hardsigmoid': lambda x: F.hardsigmoid(x),
    'silu': lambda x: F.silu(x),
    'gelu': lambda x: F.gelu(x),
    'channelShuffle': lambda x, groups: F.channel_shuffle(x, groups),
    'square': torch.square,
    'abs': torch.abs,
    'exp': torch.exp,
    'log': torch.log,
    'sqrt': torch.sqrt,
    'softmax': lambda x, axis: F.softmax(x, axis),
    'logSoftmax': lambda x, axis: F.log_softmax(x, axis),
    'crossEntropy': cross_entropy,
    'bceWithLogits': lambda x, target, reduction: F.binary_cross_entropy_with_logits(x, target, reduction=reduction),
    'mse': lambda x, target, reduction: F.mse_loss(x, target, reduction=reduction),
    'add': torch.add,
    'subtract': torch.sub,
    'multiply': torch.mul,
    'divide': torch.div,
    'maximum': torch.maximum,
    'minimum': torch.minimum,
    'sum': reduce(torch.sum),
    'mean': reduce(torch.mean),
    'max': reduce(torch.amax),
    'min': reduce(torch.amin),
    'concat': lambda axis, **inputs: torch.cat(list(inputs.values()), axis),
    'pad': pad,
    'slice': slice_axes,
    'transpose': lambda x, permutation: x.permute(permutation),
    'topk': topk,
    'where': lambda condition, x, y: torch.where(condition != 0, x, y),
    'matmul': lambda x, y, transposeX=False, transposeY=False: torch.matmul(
        x.mT if transposeX else x, y.mT if transposeY else y
    ),
    'clip': lambda x, min=None, max=None: torch.clamp(x, min, max),
    'pow': lambda x, exponent: torch.pow(x, exponent),
    'power': lambda x, exponent: torch.pow(x, exponent),
    'squeeze': lambda x, axis=None: x.squeeze() if axis is None else x.squeeze(axis if isinstance(axis, int) else tuple(axis)),
    'unsqueeze': lambda x, axis: x.unsqueeze(axis),
    'stack': lambda axis, **inputs: torch.stack(list(inputs.values()), axis),
    'argmax': lambda x, axis, keepdim=False: torch.argmax(x, axis, keepdim),
}

POSITIONAL = {
    'add',
    'subtract',
    'multiply',
    'divide',
    'maximum',
    'minimum',
    'relu',
    'sigmoid',
    'tanh',
    'square',
    'abs',
    'exp',
    'log',
    'sqrt',
}


def run(op, options, inputs, differentiable, upstream):
    tensors = {
        name: torch.tensor(
            array.astype(np.float64 if array.dtype.kind == 'f' else np.int64), requires_grad=name in differentiable
        )
        for name, array in inputs.items()
    }
    result = OPS[op](*tensors.values()) if op in POSITIONAL else OPS[op](**tensors, **options)
    outputs = result if isinstance(result, dict) else {'y': result}
    gradients = {}
    if differentiable:
        first = next(iter(outputs.values()))
        first.backward(torch.tensor(upstream(tuple(first.shape)).astype(np.float64)))
        gradients = {name: tensors[name].grad.numpy() for name in differentiable}
    return {name: value.detach().numpy() for name, value in outputs.items()}, gradients
