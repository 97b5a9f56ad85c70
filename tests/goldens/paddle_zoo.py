"""The ready-made networks of paddle.vision.models: what they save, how many values, and what they compute."""

import contextlib
import hashlib
import io

import numpy as np
import paddle
from paddle.vision import models

from zoo_values import PERIOD, samples, start_of, values_of

NETWORKS = {
    'lenet': models.LeNet,
    'alexnet': models.alexnet,
    'googlenet': models.googlenet,
    **{f'vgg{depth}': getattr(models, f'vgg{depth}') for depth in (11, 13, 16, 19)},
    **{
        f'vgg{depth}_bn': lambda depth=depth, **options: getattr(models, f'vgg{depth}')(batch_norm=True, **options)
        for depth in (11, 13, 16, 19)
    },
    **{
        name: getattr(models, name)
        for name in (
            *(f'resnet{depth}' for depth in (18, 34, 50, 101, 152)),
            *(f'wide_resnet{depth}_2' for depth in (50, 101)),
            *(f'resnext{depth}_{groups}x4d' for depth in (50, 101, 152) for groups in (32, 64)),
            'mobilenet_v1',
            'mobilenet_v2',
            'mobilenet_v3_small',
            'mobilenet_v3_large',
            *(f'shufflenet_v2_{width}' for width in ('x0_25', 'x0_33', 'x0_5', 'x1_0', 'x1_5', 'x2_0', 'swish')),
            *(f'densenet{depth}' for depth in (121, 161, 169, 201, 264)),
            'squeezenet1_0',
            'squeezenet1_1',
            'inception_v3',
        )
    },
}

SPELLING = {'numClasses': 'num_classes', 'withPool': 'with_pool'}
SIZES = {'lenet': (1, 28, 28), 'alexnet': (3, 224, 224), 'googlenet': (3, 224, 224), 'inception_v3': (3, 75, 75), 'squeezenet1_0': (3, 47, 47)}
FEATURES = {'numClasses': 0, 'withPool': False}
# Name, options, number of images, whether in training mode. VGG's classifier of 120 million values is the same
# in all, and asked for once.
CASES = [
    *(
        (name, FEATURES if name.startswith('vgg') and name != 'vgg11' else {'numClasses': 10}, 1, False)
        for name in NETWORKS
    ),
    ('vgg11', FEATURES, 1, False),
    ('alexnet', {'numClasses': 0}, 1, False),
    ('googlenet', FEATURES, 1, False),
    ('resnet18', FEATURES, 1, False),
    ('mobilenet_v1', {'numClasses': 10, 'scale': 0.5}, 1, False),
    ('mobilenet_v2', {'numClasses': 10, 'scale': 0.75}, 1, False),
    ('mobilenet_v2', {'numClasses': 10, 'scale': 1.4}, 1, False),
    ('mobilenet_v3_small', {'numClasses': 10, 'scale': 0.5}, 1, False),
    ('mobilenet_v3_large', {**FEATURES, 'scale': 1.25}, 1, False),
    ('shufflenet_v2_x0_25', FEATURES, 1, False),
    ('squeezenet1_0', FEATURES, 1, False),
    ('squeezenet1_1', {'numClasses': 10, 'withPool': False}, 1, False),
    ('inception_v3', FEATURES, 1, False),
    ('resnet18', {'numClasses': 10}, 4, True),
    ('resnext50_32x4d', {'numClasses': 10}, 4, True),
    ('mobilenet_v2', {'numClasses': 0}, 4, True),
    ('mobilenet_v3_small', {'numClasses': 0}, 4, True),
    ('shufflenet_v2_swish', {'numClasses': 0}, 4, True),
    ('densenet121', {'numClasses': 10}, 4, True),
]

# Networks whose initial weights are compared.
INITIAL = ('alexnet', 'googlenet', 'mobilenet_v1', 'mobilenet_v3_small', 'shufflenet_v2_x0_5', 'densenet121', 'squeezenet1_1', 'inception_v3')


def fill(net):
    """Gives entry i of the state dict the values of seed i."""
    for i, (name, value) in enumerate(net.state_dict().items()):
        scale, offset = start_of(name, value.shape)
        value.set_value(values_of(value.shape, i, scale, offset).astype(np.float64))


def structure(name):
    with paddle.utils.unique_name.guard():
        net = NETWORKS[name]()
    channels, size, _ = SIZES.get(name, (3, 64, 64))
    with contextlib.redirect_stdout(io.StringIO()):
        counted = paddle.summary(net, (1, channels, size, size))
    lines = [f'{key} {value.name} {",".join(map(str, value.shape))}\n' for key, value in net.state_dict().items()]
    return {
        'totalParams': int(counted['total_params']),
        'trainableParams': int(counted['trainable_params']),
        'entries': len(lines),
        'sha256': hashlib.sha256(''.join(lines).encode()).hexdigest(),
    }


def computed(name, options, images, training):
    paddle.set_default_dtype('float64')
    net = NETWORKS[name](**{SPELLING.get(key, key): value for key, value in options.items()})
    paddle.set_default_dtype('float32')
    net.to(dtype='float64')  # paddle.nn.BatchNorm is float32, not of the default type
    fill(net)
    side = 64 if training else 32
    shape = [images, *SIZES.get(name, (3, side, side))]
    x = paddle.to_tensor(values_of(shape, 1000, 1.0, 0.0).astype(np.float64))
    net.train() if training else net.eval()
    with paddle.no_grad():
        y = net(x)
    outputs = y if isinstance(y, (list, tuple)) else [y]
    statistics = {
        key: samples(value.numpy(), 8) for key, value in net.state_dict().items() if key.endswith(('_mean', '_variance'))
    }
    return {
        'network': name,
        'options': options,
        'training': training,
        'input': shape,
        'outputs': [{'shape': list(value.shape), **samples(value.numpy())} for value in outputs],
        'statistics': statistics if training else {},
    }


def initial(name):
    """Standard deviation and largest value of the initial weights and biases that are not constant."""
    paddle.seed(1)
    found = {}
    for key, value in NETWORKS[name](num_classes=10).state_dict().items():
        array = np.abs(value.numpy().astype(np.float64))
        if array.size >= 1000 and array.min() != array.max():
            found[key] = [round(float(np.sqrt(np.mean(array**2))), 6), round(float(array.max()), 6)]
    return found


def zoo():
    return {
        'period': PERIOD,
        'networks': {name: structure(name) for name in NETWORKS},
        'initial': {name: initial(name) for name in INITIAL},
        'cases': [computed(*case) for case in CASES],
    }
