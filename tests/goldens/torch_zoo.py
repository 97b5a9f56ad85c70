"""Networks of torchvision and timm: names and shapes of what they save, how many values, and what they compute."""

import hashlib

import numpy as np
import timm
import torch
import torchvision
from torchvision import models

from zoo_values import PERIOD, samples, start_of, values_of

NETWORKS = [
    *(f'efficientnet_b{size}' for size in range(4)),
    *(f'regnet_y_{size}' for size in ('400mf', '800mf', '1_6gf', '3_2gf')),
    'convnext_tiny',
    # Those of timm.
    'vit_small_patch16_224',
    'deit_tiny_patch16_224',
]
# Name, side of the picture, number of images, whether in training mode, where no block is skipped.
CASES = [
    *((name, 32, 1, False) for name in NETWORKS),
    ('efficientnet_b0', 64, 4, True),
    ('regnet_y_400mf', 64, 4, True),
]
STATISTICS = {'running_mean': '_mean', 'running_var': '_variance'}


def entries(net):
    """Names in Fovea, tensors, and whether rows and columns change places: weights of linear layers are [in, out] there."""
    linear = {f'{name}.weight' for name, module in net.named_modules() if isinstance(module, torch.nn.Linear)}
    for name, tensor in net.state_dict().items():
        *path, last = name.split('.')
        if last != 'num_batches_tracked':
            yield '.'.join([*path, STATISTICS.get(last, last)]), tensor, name in linear


def shape_of(tensor, turned):
    return tuple(reversed(tensor.shape)) if turned else tuple(tensor.shape)


def fill(net):
    for i, (name, tensor, turned) in enumerate(entries(net)):
        shape = shape_of(tensor, turned)
        values = values_of(shape, i, *start_of(name, shape)).astype(np.float64)
        tensor.copy_(torch.from_numpy(values.T.copy() if turned else values))


def make(name, num_classes, side):
    if 'patch' in name:
        return timm.create_model(name, num_classes=num_classes, img_size=side)
    return getattr(models, name)(num_classes=num_classes)


def structure(name):
    net = make(name, 1000, 224)
    found = list(entries(net))
    lines = [f'{key} {",".join(map(str, shape_of(tensor, turned)))}\n' for key, tensor, turned in found]
    return {
        'parameters': sum(value.numel() for value in net.parameters()),
        'entries': len(lines),
        'sha256': hashlib.sha256(''.join(lines).encode()).hexdigest(),
    }


@torch.no_grad()
def computed(name, side, images, training):
    net = make(name, 10, side).double()
    fill(net)
    net.train(training)
    for module in net.modules():
        if isinstance(module, (torchvision.ops.StochasticDepth, torch.nn.Dropout)):
            module.eval()
    shape = [images, 3, side, side]
    y = net(torch.from_numpy(values_of(shape, 1000, 1.0, 0.0).astype(np.float64)))
    statistics = {
        key: samples(tensor.numpy(), 8) for key, tensor, _ in entries(net) if training and key.endswith(('_mean', '_variance'))
    }
    output = {'shape': list(y.shape), **samples(y.numpy())}
    return {'network': name, 'training': training, 'input': shape, 'output': output, 'statistics': statistics}


def zoo():
    return {
        'torchvision': torchvision.__version__,
        'timm': timm.__version__,
        'period': PERIOD,
        'networks': {name: structure(name) for name in NETWORKS},
        'cases': [computed(*case) for case in CASES],
    }
