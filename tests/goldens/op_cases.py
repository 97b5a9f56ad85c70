"""The op cases: name, op, options and inputs, in words that belong to no framework.

Options speak as Paddle does, in camelCase. `padding` of convolutions and pools is a number, [height, width] or
[top, bottom, left, right]. Inputs have three decimals, which keeps the files small and sums free of ties.
"""

import zlib

import numpy as np


def seed_of(name):
    """A seed for RandomState that belongs to the case alone, so that new cases leave the old ones as they are."""
    return zlib.crc32(name.encode())


def normal(random, shape, scale=1.0):
    return np.round(random.standard_normal(shape) * scale, 3).astype(np.float32)


def uniform(random, shape, low, high):
    return np.round(random.uniform(low, high, shape), 3).astype(np.float32)


def make(name, op, options, build, differentiable=None):
    """`build(random)` gives the inputs; gradients are taken of all float inputs unless `differentiable` names some."""
    inputs = build(np.random.RandomState(seed_of(name)))
    if differentiable is None:
        differentiable = [key for key, value in inputs.items() if value.dtype.kind == 'f']
    return {'name': name, 'op': op, 'options': options, 'inputs': inputs, 'differentiable': differentiable}


def conv2d():
    def case(name, x, weight, bias=True, **options):
        def build(random):
            inputs = {'x': normal(random, x), 'weight': normal(random, weight, 0.5)}
            if bias:
                inputs['bias'] = normal(random, weight[:1])
            return inputs

        return make(f'conv2d {name}', 'conv2d', options, build)

    return [
        case('5x5 of one channel', (2, 1, 8, 8), (6, 1, 5, 5)),
        case('5x5 of 6 channels', (1, 6, 7, 7), (4, 6, 5, 5)),
        case('4x4 down to one pixel', (2, 6, 4, 4), (10, 6, 4, 4)),
        case('3x3 stride 2 padding 1', (2, 3, 9, 9), (8, 3, 3, 3), stride=2, padding=1),
        case('3x3 without bias', (2, 3, 6, 5), (6, 3, 3, 3), bias=False, padding=1),
        case('stride [2,1] padding [0,2]', (2, 3, 7, 6), (4, 3, 3, 3), stride=[2, 1], padding=[0, 2]),
        case('asymmetric padding', (1, 3, 6, 6), (5, 3, 3, 3), stride=2, padding=[0, 1, 0, 1]),
        case('four different paddings', (1, 2, 5, 5), (3, 2, 3, 3), padding=[2, 0, 1, 3]),
        case('1x5', (1, 3, 4, 8), (4, 3, 1, 5), padding=[0, 2]),
        case('5x1', (1, 3, 8, 4), (4, 3, 5, 1), padding=[2, 0]),
        case('16 to 17 channels 3x3', (1, 16, 5, 5), (17, 16, 3, 3), padding=1),
        case('33 to 3 channels 3x3', (1, 33, 4, 4), (3, 33, 3, 3), padding=1),
        case('1x1 of 17 to 33 channels', (2, 17, 4, 3), (33, 17, 1, 1)),
        case('1x1 stride 2 without bias', (2, 16, 5, 5), (8, 16, 1, 1), bias=False, stride=2),
        case('7x7 stride 2 padding 3', (1, 3, 15, 15), (6, 3, 7, 7), stride=2, padding=3),
        case('11x11 stride 4 padding 5', (1, 3, 19, 19), (2, 3, 11, 11), stride=4, padding=5),
        case('dilation 2', (1, 4, 8, 8), (4, 4, 3, 3), padding=2, dilation=2),
        case('dilation [1,3] stride 2', (2, 3, 7, 9), (4, 3, 3, 3), stride=2, padding=[1, 3], dilation=[1, 3]),
        case('2 groups', (2, 6, 5, 5), (8, 3, 3, 3), padding=1, groups=2),
        case('4 groups of 4 stride 2', (2, 16, 6, 6), (16, 4, 3, 3), bias=False, stride=2, padding=1, groups=4),
        case('3 groups dilation 2', (1, 6, 7, 7), (9, 2, 3, 3), padding=1, dilation=2, groups=3),
        case('depthwise 16', (2, 16, 6, 6), (16, 1, 3, 3), stride=2, padding=1, groups=16),
        case('depthwise 33 without bias', (1, 33, 4, 4), (33, 1, 3, 3), bias=False, padding=1, groups=33),
        case('depthwise with 2 filters a channel', (2, 3, 6, 6), (6, 1, 3, 3), padding=1, groups=3),
    ]


def linear():
    """The weight is [in, out]."""

    def case(batch, features_in, features_out, bias=True):
        def build(random):
            inputs = {'x': normal(random, (batch, features_in)), 'weight': normal(random, (features_in, features_out))}
            if bias:
                inputs['bias'] = normal(random, (features_out,))
            return inputs

        return make(
            f'linear {batch}x{features_in}x{features_out}{"" if bias else " without bias"}', 'linear', {}, build
        )

    return [case(4, 12, 10), case(1, 33, 17), case(3, 5, 1), case(7, 1, 3), case(10, 16, 6, bias=False)]


def pool2d():
    def case(op, name, x, **options):
        return make(f'{op} {name}', op, options, lambda random: {'x': normal(random, x)})

    def tied(name, **options):
        return make(
            f'maxPool2d {name}',
            'maxPool2d',
            options,
            lambda random: {'x': random.randint(0, 3, (1, 2, 6, 6)).astype(np.float32)},
        )

    cases = [
        case('maxPool2d', '2/2', (2, 3, 6, 6), kernelSize=2, stride=2),
        case('maxPool2d', '2/2 of odd size', (1, 17, 5, 7), kernelSize=2, stride=2),
        case('maxPool2d', '3/2 padding 1', (2, 3, 7, 7), kernelSize=3, stride=2, padding=1),
        case('maxPool2d', '3/2 without padding', (1, 6, 8, 8), kernelSize=3, stride=2),
        case('maxPool2d', '3/1 padding 1', (2, 3, 5, 5), kernelSize=3, stride=1, padding=1),
        case('maxPool2d', '[3,2]/[1,2] padding [1,0]', (1, 2, 5, 6), kernelSize=[3, 2], stride=[1, 2], padding=[1, 0]),
        case('maxPool2d', '3/2 asymmetric padding', (1, 2, 6, 6), kernelSize=3, stride=2, padding=[0, 1, 0, 1]),
        tied('ties 2/2', kernelSize=2, stride=2),
        tied('ties 3/1 padding 1', kernelSize=3, stride=1, padding=1),
    ]
    for exclusive in (True, False):
        name = 'exclusive' if exclusive else 'padding counted'
        cases += [
            case(
                'avgPool2d',
                f'3/2 padding 1 {name}',
                (2, 3, 7, 7),
                kernelSize=3,
                stride=2,
                padding=1,
                exclusive=exclusive,
            ),
            case(
                'avgPool2d',
                f'3/1 padding 1 {name}',
                (1, 17, 4, 4),
                kernelSize=3,
                stride=1,
                padding=1,
                exclusive=exclusive,
            ),
            case(
                'avgPool2d',
                f'[2,3]/[2,1] {name}',
                (1, 2, 5, 6),
                kernelSize=[2, 3],
                stride=[2, 1],
                padding=[1, 0],
                exclusive=exclusive,
            ),
        ]
    return cases + [
        case('avgPool2d', '2/2', (2, 3, 6, 6), kernelSize=2, stride=2),
        case('avgPool2d', '7/7 of one cell', (2, 6, 7, 7), kernelSize=7, stride=7),
        case('adaptiveAvgPool2d', 'to 1', (2, 6, 7, 7), outputSize=1),
        case('adaptiveAvgPool2d', 'to 1 of oblong', (2, 3, 5, 4), outputSize=1),
        case('adaptiveAvgPool2d', '6x6 to 3x2', (2, 3, 6, 6), outputSize=[3, 2]),
        case('adaptiveAvgPool2d', '7x5 to 3x2', (2, 3, 7, 5), outputSize=[3, 2]),
        case('adaptiveAvgPool2d', '10x8 to 7x7', (1, 2, 10, 8), outputSize=7),
        case('adaptiveAvgPool2d', '5x3 to 7x7', (1, 2, 5, 3), outputSize=7),
    ]


def batchNorm2d():
    def case(name, x, scale=1.0, shift=0.0, **options):
        def build(random):
            channels = x[1]
            return {
                'x': (normal(random, x, scale) + np.float32(shift)).astype(np.float32),
                'weight': uniform(random, channels, 0.5, 1.5),
                'bias': normal(random, channels),
                'runningMean': normal(random, channels, 0.3),
                'runningVariance': uniform(random, channels, 0.5, 2.0),
            }

        # In training mode the running statistics are only written, in evaluation mode they are constants.
        return make(f'batchNorm2d {name}', 'batchNorm2d', options, build, ['x', 'weight', 'bias'])

    usual = {'momentum': 0.9, 'epsilon': 1e-5}
    return [
        case('train', (4, 3, 5, 5), training=True, **usual),
        case('train batch of 1', (1, 6, 3, 4), training=True, **usual),
        case('train 1x1 images', (8, 17, 1, 1), training=True, **usual),
        case('train momentum 0.99 epsilon 0.001', (3, 4, 4, 4), training=True, momentum=0.99, epsilon=1e-3),
        case('train far from zero', (4, 2, 6, 6), scale=0.5, shift=10.0, training=True, **usual),
        case('eval', (2, 3, 4, 5), training=False, **usual),
        case('eval epsilon 0.001', (1, 17, 2, 2), training=False, momentum=0.9, epsilon=1e-3),
    ]


def activation():
    def case(op, name='', x=(3, 7), build=None, **options):
        title = f'{op} {name}'.strip()
        return make(title, op, options, build or (lambda random: {'x': normal(random, x, 2.0)}))

    cases = [
        case('relu'),
        case('leakyRelu', 'slope 0.01', negativeSlope=0.01),
        case('leakyRelu', 'slope 0.1', negativeSlope=0.1),
    ]
    cases += [case('sigmoid'), case('tanh'), case('square')]
    cases += [case('abs'), case('exp')]
    cases += [case(op, build=lambda random: {'x': uniform(random, (3, 7), 0.05, 9)}) for op in ('log', 'sqrt')]
    for op in ('softmax', 'logSoftmax'):
        cases += [
            case(op, 'last axis', (4, 10), axis=-1),
            case(op, 'one class', (3, 1), axis=1),
            case(op, 'axis 0', (5, 6), axis=0),
            case(op, 'axis 1 of 4', (2, 5, 3, 4), axis=1),
            case(op, 'axis 3 of 4', (2, 2, 3, 5), axis=3),
        ]
    return cases


def extreme():
    """Where a careless formula overflows, or takes the logarithm of zero."""
    x = np.array([-1000, -90, -20, -1, -0.001, 0, 0.001, 1, 20, 90, 1000], np.float32)
    logits = np.array([[1000, 1001, 998], [-500, 0, 80]], np.float32)
    labels = np.array([2, 0], np.int32)
    target = np.array([0, 1] * 5 + [0], np.float32)
    cases = [make(f'{op} of extremes', op, {}, lambda _: {'x': x}) for op in ('relu', 'leakyRelu', 'sigmoid', 'tanh')]
    cases += [make(f'{op} of extremes', op, {'axis': 1}, lambda _: {'x': logits}) for op in ('softmax', 'logSoftmax')]
    none = {'reduction': 'none'}
    return cases + [
        make('crossEntropy of extremes', 'crossEntropy', none, lambda _: {'logits': logits, 'labels': labels}),
        make('bceWithLogits of extremes', 'bceWithLogits', none, lambda _: {'x': x, 'target': target}, ['x']),
    ]


def loss():
    def cross_entropy(name, shape=(6, 10), labels=None, scale=2.0, **options):
        def build(random):
            logits = normal(random, shape, scale)
            drawn = random.randint(0, shape[1], shape[0])
            return {'logits': logits, 'labels': np.array(drawn if labels is None else labels, np.int32)}

        return make(f'crossEntropy {name}', 'crossEntropy', options, build)

    def elementwise(op, name, shape, scale=2.0, **options):
        def build(random):
            target = random.randint(0, 2, shape) if op == 'bceWithLogits' else normal(random, shape)
            return {'x': normal(random, shape, scale), 'target': target.astype(np.float32)}

        return make(f'{op} {name}', op, options, build, ['x'])

    cases = []
    for reduction in ('none', 'mean', 'sum'):
        cases += [
            cross_entropy(reduction, reduction=reduction),
            cross_entropy(f'{reduction} ignoring 3', (5, 4), [0, 3, 2, 3, 1], reduction=reduction, ignoreIndex=3),
            cross_entropy(f'{reduction} ignoring 255', (4, 3), [0, 255, 2, 255], reduction=reduction, ignoreIndex=255),
            elementwise('bceWithLogits', reduction, (7, 1), reduction=reduction),
            elementwise('bceWithLogits', f'{reduction} of many classes', (3, 5), reduction=reduction),
            elementwise('mse', reduction, (4, 6), reduction=reduction),
        ]
    return cases + [
        # Paddle divides by all samples where ignoreIndex is negative, and by those that count where it is not.
        cross_entropy('mean ignoring -100', (5, 4), [0, -100, 2, -100, 1], reduction='mean', ignoreIndex=-100),
        cross_entropy('mean all ignored', (3, 4), [2, 2, 2], reduction='mean', ignoreIndex=2),
        cross_entropy('two classes batch of 1', (1, 2), reduction='mean'),
    ]


def elementwise():
    shapes = [
        ('same shape', (3, 4), (3, 4)),
        ('row', (2, 3, 4), (4,)),
        ('channel', (2, 3, 2, 2), (3, 1, 1)),
        ('both ways', (2, 1, 4), (3, 1)),
        ('scalar', (2, 3), ()),
        ('scalar first', (1,), (3, 5)),
    ]
    cases = []
    for op in ('add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum'):
        for name, a, b in shapes:

            def build(random, a=a, b=b, op=op):
                # Divisors stay away from zero.
                second = uniform(random, b, 0.5, 2.0) if op == 'divide' else normal(random, b)
                return {'a': normal(random, a), 'b': np.asarray(second, np.float32)}

            cases.append(make(f'{op} {name}', op, {}, build))
    for op in ('maximum', 'minimum'):
        tied = {'a': np.array([1, 2, 3], np.float32), 'b': np.array([1, 3, 2], np.float32)}
        cases.append(make(f'{op} ties', op, {}, lambda _, tied=tied: tied))
    return cases


def reduce():
    def case(op, name, x=(2, 3, 4, 5), **options):
        return make(f'{op} {name}', op, options, lambda random: {'x': normal(random, x)})

    cases = []
    for op in ('sum', 'mean', 'max', 'min'):
        cases += [
            case(op, 'all'),
            case(op, 'axis 0', (6, 5), axis=[0]),
            case(op, 'axis -1 keepdim', (3, 7), axis=[-1], keepdim=True),
            case(op, 'axes 2 and 3', axis=[2, 3]),
            case(op, 'axes 0, 2 and 3 keepdim', axis=[0, 2, 3], keepdim=True),
        ]
    for op in ('max', 'min'):
        tied = {'x': np.array([[1, 3, 3, 1], [2, 2, 2, 2]], np.float32)}
        cases.append(make(f'{op} ties', op, {'axis': [1]}, lambda _, tied=tied: tied))
    return cases


def shape():
    def case(op, name, x=(2, 3, 4, 5), **options):
        return make(f'{op} {name}', op, options, lambda random: {'x': normal(random, x)})

    def concat(name, axis, *shapes):
        def build(random):
            return {f'x{i}': normal(random, x) for i, x in enumerate(shapes)}

        return make(f'concat {name}', 'concat', {'axis': axis}, build)

    def without_gradient(op, name, x, **options):
        return make(f'{op} {name}', op, options, lambda _: {'x': np.array(x, np.float32)}, [])

    ties = [[1, 3, 3, 2], [5, 5, 5, 5], [0, -1, -2, 0]]
    return [
        concat('channels', 1, (2, 3, 4, 4), (2, 16, 4, 4), (2, 1, 4, 4)),
        concat('batch', 0, (1, 5), (3, 5)),
        concat('last axis', -1, (2, 3, 2), (2, 3, 5)),
        case('pad', 'images', before=[0, 0, 1, 2], after=[0, 0, 0, 3], value=0.0),
        case('pad', 'every axis with 1.5', (2, 3, 2), before=[1, 0, 2], after=[0, 1, 1], value=1.5),
        case('slice', 'one axis', (6, 5), axes=[0], starts=[1], ends=[4]),
        case('slice', 'images', axes=[1, 2, 3], starts=[1, 0, 2], ends=[3, 3, 5]),
        case('slice', 'from the end', (4, 6), axes=[0, 1], starts=[-3, -2], ends=[-1, 6]),
        case('transpose', '2', (3, 5), permutation=[1, 0]),
        case('transpose', 'NCHW to NHWC', permutation=[0, 2, 3, 1]),
        case('transpose', 'reversed', (2, 3, 4), permutation=[2, 1, 0]),
        case('topk', '1', (4, 10), k=1, axis=-1),
        case('topk', '5', (4, 10), k=5, axis=-1),
        case('topk', 'all', (3, 4), k=4, axis=1),
        case('topk', 'axis 0', (6, 3), k=2, axis=0),
        make('argmax last axis', 'argmax', {'axis': -1}, lambda random: {'x': normal(random, (4, 10))}, []),
        make(
            'argmax axis 1 keepdim',
            'argmax',
            {'axis': 1, 'keepdim': True},
            lambda random: {'x': normal(random, (2, 5, 3))},
            [],
        ),
        without_gradient('argmax', 'ties', ties, axis=1),
    ]


def gate():
    """Activations that multiply x by a step, and functions on groups of channels."""
    ops = ('hardswish', 'hardsigmoid', 'silu', 'gelu')
    edges = {'x': np.array([-30, -9, -3.001, -2.999, -1, -1e-3, 0, 1e-3, 1, 2.999, 3.001, 9, 30], np.float32)}
    cases = [make(f'{op} of both signs', op, {}, lambda random: {'x': normal(random, (4, 11), 3.0)}) for op in ops]
    cases += [make(f'{op} of edges', op, {}, lambda _: edges) for op in ops]
    build = lambda random: {'x': normal(random, (2, 12, 2, 3))}
    return cases + [make(f'channelShuffle {n}', 'channelShuffle', {'groups': n}, build) for n in (1, 2, 3)]


def composed():
    """Functions that are made of several ops here."""

    def where(name, condition, x, y):
        def build(random):
            mask = random.randint(0, 2, condition).astype(np.int32)
            return {'condition': mask, 'x': normal(random, x), 'y': normal(random, y)}

        return make(f'where {name}', 'where', {}, build)

    def matmul(name, x, y, **options):
        return make(f'matmul {name}', 'matmul', options, lambda random: {'x': normal(random, x), 'y': normal(random, y)})

    def case(op, name, x=(3, 4), low=None, high=2.0, **options):
        def build(random):
            return {'x': normal(random, x) if low is None else uniform(random, x, low, high)}

        return make(f'{op} {name}', op, options, build)

    def stack(name, axis, shape, count):
        build = lambda random: {f'x{i}': normal(random, shape) for i in range(count)}
        return make(f'stack {name}', 'stack', {'axis': axis}, build)

    limits = {'x': np.array([-2, -1, 0, 1, 2], np.float32)}
    bases = {'x': np.array([0, 0.5, 2], np.float32)}
    return [
        where('of one shape', (3, 4), (3, 4), (3, 4)),
        where('of rows and columns', (3, 1), (4,), (2, 3, 4)),
        where('of scalars', (2, 3), (), ()),
        matmul('3x4 by 4x5', (3, 4), (4, 5)),
        matmul('vectors', (7,), (7,)),
        matmul('matrix by vector', (3, 4), (4,)),
        matmul('vector by matrix', (3,), (3, 5)),
        matmul('batch by matrix', (2, 3, 4, 5), (5, 6)),
        matmul('batches', (3, 4, 5), (3, 5, 2)),
        matmul('broadcast batches', (5, 3, 4), (1, 4, 2)),
        matmul('batch by vector', (2, 3, 4), (4,)),
        matmul('vector by batch', (3,), (2, 3, 4)),
        matmul('both transposed', (4, 3), (5, 4), transposeX=True, transposeY=True),
        matmul('batches transposed', (2, 4, 3), (2, 5, 4), transposeX=True, transposeY=True),
        case('clip', 'both', min=-0.5, max=0.75),
        case('clip', 'below', min=0.1),
        case('clip', 'above', max=0.1),
        make('clip at the limits', 'clip', {'min': -1.0, 'max': 1.0}, lambda _: limits),
        case('pow', '2', exponent=2),
        case('pow', '3', exponent=3),
        case('pow', '7', exponent=7),
        case('pow', '-2', low=0.5, exponent=-2),
        case('pow', '0.5', low=0.1, exponent=0.5),
        case('pow', '1.5', low=0.1, exponent=1.5),
        case('pow', '-0.3', low=0.1, exponent=-0.3),
        make('pow 2.5 of 0', 'pow', {'exponent': 2.5}, lambda _: bases),
        make(
            'power of tensors',
            'power',
            {},
            lambda random: {'x': uniform(random, (3, 4), 0.2, 3), 'exponent': normal(random, (4,), 2.0)},
        ),
        case('squeeze', 'all', (1, 3, 1, 4)),
        case('squeeze', 'axes', (1, 3, 1, 4), axis=[0, 1]),
        case('squeeze', 'last', (2, 3, 1), axis=-1),
        case('unsqueeze', 'first', axis=0),
        case('unsqueeze', 'last', axis=-1),
        stack('first', 0, (2, 3), 3),
        stack('last', -1, (2, 3), 2),
        stack('scalars', 0, (), 4),
    ]
