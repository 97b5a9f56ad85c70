"""Paddle's defaults: hyperparameters, initial weights, names."""

import inspect
import math

import numpy as np
import paddle
from paddle import nn, optimizer
from paddle.utils import unique_name

from paddle_training import LeNet, camel_case

CLASSES = [
    nn.Conv2D,
    nn.Linear,
    nn.BatchNorm2D,
    nn.Dropout,
    nn.MaxPool2D,
    nn.AvgPool2D,
    nn.AdaptiveAvgPool2D,
    nn.LeakyReLU,
    nn.Softmax,
    nn.LogSoftmax,
    nn.Flatten,
    nn.CrossEntropyLoss,
    nn.BCEWithLogitsLoss,
    nn.MSELoss,
    optimizer.SGD,
    optimizer.Momentum,
    optimizer.Adam,
    optimizer.AdamW,
    paddle.metric.Accuracy,
    paddle.io.DataLoader,
]


def hyperparameters(cls):
    """Defaults of the constructor that are plain numbers, switches and words."""
    found = {}
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        default = parameter.default
        if default is not inspect.Parameter.empty and isinstance(default, (bool, int, float, str, tuple)):
            found[camel_case(name)] = default
    return found


def weight_statistics(layer, arguments, build):
    """Statistics of the initial weights, with the standard deviation or limit that the usual formulas give."""
    paddle.seed(1)
    made = build()
    weight = made.weight.numpy()
    entry = {'layer': layer, 'arguments': arguments, 'shape': list(weight.shape)}
    if layer == 'Conv2D':
        # The fan-in is that of a convolution without groups.
        fan_in = arguments['inChannels'] * weight.shape[2] * weight.shape[3]
        entry |= {
            'distribution': 'normal',
            'fanIn': fan_in,
            'formula': 'std = sqrt(2 / fanIn)',
            'expected': math.sqrt(2 / fan_in),
        }
    elif layer == 'Linear':
        fan_in, fan_out = weight.shape
        limit = math.sqrt(6 / (fan_in + fan_out))
        entry |= {'distribution': 'uniform', 'fanIn': fan_in, 'fanOut': fan_out}
        entry |= {'formula': 'limit = sqrt(6 / (fanIn + fanOut))', 'expected': limit}
    else:
        entry |= {
            'distribution': 'constant',
            'runningMean': unique(made._mean),
            'runningVariance': unique(made._variance),
        }
    measured = {'mean': weight.mean(), 'std': weight.std(), 'min': weight.min(), 'max': weight.max()}
    entry |= {key: float(f'{value:.6g}') for key, value in measured.items()}
    return entry | {'bias': unique(made.bias)}


def unique(tensor):
    return [float(value) for value in np.unique(tensor.numpy())]


def initial_weights():
    def conv(in_channels, out_channels, kernel, groups=1):
        arguments = {'inChannels': in_channels, 'outChannels': out_channels, 'kernelSize': kernel, 'groups': groups}
        return weight_statistics(
            'Conv2D', arguments, lambda: nn.Conv2D(in_channels, out_channels, kernel, groups=groups)
        )

    def linear(features_in, features_out):
        arguments = {'inFeatures': features_in, 'outFeatures': features_out}
        return weight_statistics('Linear', arguments, lambda: nn.Linear(features_in, features_out))

    return [
        conv(64, 128, 3),
        conv(256, 256, 1),
        conv(3, 512, 7),
        conv(128, 128, 3, groups=4),
        conv(512, 512, 3, groups=512),
        linear(512, 256),
        linear(1000, 2),
        weight_statistics('BatchNorm2D', {'numFeatures': 8}, lambda: nn.BatchNorm2D(8)),
    ]


def dropout():
    """The values that ones turn into."""
    ones = paddle.ones([64, 64])
    results = []
    for mode in ('upscale_in_train', 'downscale_in_infer'):
        layer = nn.Dropout(0.25, mode=mode)
        train = unique(layer(ones))
        layer.eval()
        results.append({'mode': mode, 'p': 0.25, 'train': train, 'eval': unique(layer(ones))})
    return results


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2D(3, 8, 3, padding=1, bias_attr=False)
        self.bn = nn.BatchNorm2D(8)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2D(2, 2)
        self.block = nn.Sequential(nn.Conv2D(8, 4, 1), nn.BatchNorm2D(4), nn.Sequential(nn.ReLU(), nn.Dropout(0.5)))
        self.head = nn.Sequential(('flatten', nn.Flatten()), ('fc', nn.Linear(64, 10)))
        self.fc = nn.Linear(10, 2)


def names(build):
    """Names of a network whose layers are the first of the process."""
    with unique_name.guard():
        net = build()
    return {
        'fullName': net.full_name(),
        'sublayers': [[name, type(layer).__name__, layer.full_name()] for name, layer in net.named_sublayers()],
        'parameters': [[name, parameter.name] for name, parameter in net.named_parameters()],
        'stateDict': [[key, value.name, list(value.shape)] for key, value in net.state_dict().items()],
        'printed': repr(net),
    }


def layer_names():
    layers = [
        ('Conv2D', lambda: nn.Conv2D(3, 8, 3, stride=2, padding=1, groups=1)),
        ('Linear', lambda: nn.Linear(4, 2)),
        ('BatchNorm2D', lambda: nn.BatchNorm2D(8)),
        ('MaxPool2D', lambda: nn.MaxPool2D(2, 2)),
        ('AvgPool2D', lambda: nn.AvgPool2D(2, 2)),
        ('AdaptiveAvgPool2D', lambda: nn.AdaptiveAvgPool2D(1)),
        ('Dropout', lambda: nn.Dropout(0.5)),
        ('ReLU', nn.ReLU),
        ('LeakyReLU', nn.LeakyReLU),
        ('Sigmoid', nn.Sigmoid),
        ('Tanh', nn.Tanh),
        ('Softmax', nn.Softmax),
        ('LogSoftmax', nn.LogSoftmax),
        ('Flatten', nn.Flatten),
        ('Identity', nn.Identity),
        ('Sequential', nn.Sequential),
        ('LayerList', nn.LayerList),
        ('CrossEntropyLoss', nn.CrossEntropyLoss),
        ('BCEWithLogitsLoss', nn.BCEWithLogitsLoss),
        ('MSELoss', nn.MSELoss),
    ]
    found = []
    with unique_name.guard():
        for name, build in layers:
            layer = build()
            found.append([name, layer.full_name(), repr(layer)])
    return found


def defaults():
    pooled = nn.MaxPool2D(3)(paddle.zeros([1, 1, 9, 9])).shape
    return {
        'hyperparameters': {cls.__name__: hyperparameters(cls) for cls in CLASSES},
        'poolStride': {'kernelSize': 3, 'inputShape': [1, 1, 9, 9], 'outputShape': list(pooled)},
        'initialWeights': initial_weights(),
        'dropout': dropout(),
        'layerNames': layer_names(),
        'nets': {'LeNet': names(LeNet), 'Net': names(Net)},
    }
