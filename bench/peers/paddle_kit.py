"""PaddlePaddle's layers and optimizers for the networks of networks.py."""

from types import SimpleNamespace

import paddle
from networks import DECAYS, LEARNING_RATE
from paddle import nn

kit = SimpleNamespace(
    Module=nn.Layer,
    Sequential=nn.Sequential,
    conv=lambda i, o, kernel, stride=1, padding=0, bias=True: nn.Conv2D(
        i, o, kernel, stride, padding, bias_attr=None if bias else False
    ),
    norm=nn.BatchNorm2D,
    linear=nn.Linear,
    relu=nn.ReLU,
    sigmoid=nn.Sigmoid,
    dropout=nn.Dropout,
    max_pool=lambda size, stride, padding=0: nn.MaxPool2D(size, stride, padding),
    average=lambda: nn.AdaptiveAvgPool2D(1),
    flatten=nn.Flatten,
    concat=paddle.concat,
)


def optimizer_of(name, parameters):
    if name == "alexnet":
        return paddle.optimizer.Adam(LEARNING_RATE, parameters=parameters)
    return paddle.optimizer.Momentum(LEARNING_RATE, 0.9, parameters, weight_decay=DECAYS.get(name))
