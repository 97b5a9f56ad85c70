"""Classification networks for photographs in Paddle, with the names of its tutorial."""

from functools import reduce

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn


def relu_after(x, *layers):
    return reduce(lambda y, layer: F.relu(layer(y)), layers, x)


class LeNet224(nn.Layer):
    def __init__(self, num_classes=1):
        super().__init__()
        self.conv1 = nn.Conv2D(3, 6, 5)
        self.max_pool1 = nn.MaxPool2D(2, 2)
        self.conv2 = nn.Conv2D(6, 16, 5)
        self.max_pool2 = nn.MaxPool2D(2, 2)
        self.conv3 = nn.Conv2D(16, 120, 4)
        self.fc1 = nn.Linear(300000, 64)
        self.fc2 = nn.Linear(64, num_classes)

    def forward(self, x):
        x = self.max_pool1(F.sigmoid(self.conv1(x)))
        x = self.max_pool2(F.sigmoid(self.conv2(x)))
        x = paddle.flatten(F.sigmoid(self.conv3(x)), 1)
        return self.fc2(F.sigmoid(self.fc1(x)))


class AlexNet(nn.Layer):
    def __init__(self, num_classes=1):
        super().__init__()
        self.conv1 = nn.Conv2D(3, 96, 11, stride=4, padding=5)
        self.max_pool1 = nn.MaxPool2D(2, 2)
        self.conv2 = nn.Conv2D(96, 256, 5, padding=2)
        self.max_pool2 = nn.MaxPool2D(2, 2)
        self.conv3 = nn.Conv2D(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2D(384, 384, 3, padding=1)
        self.conv5 = nn.Conv2D(384, 256, 3, padding=1)
        self.max_pool5 = nn.MaxPool2D(2, 2)
        self.fc1 = nn.Linear(12544, 4096)
        self.drop1 = nn.Dropout(0.5)
        self.fc2 = nn.Linear(4096, 4096)
        self.drop2 = nn.Dropout(0.5)
        self.fc3 = nn.Linear(4096, num_classes)

    def forward(self, x):
        x = self.max_pool1(relu_after(x, self.conv1))
        x = self.max_pool2(relu_after(x, self.conv2))
        x = self.max_pool5(relu_after(x, self.conv3, self.conv4, self.conv5))
        x = self.drop1(relu_after(paddle.flatten(x, 1), self.fc1))
        return self.fc3(self.drop2(relu_after(x, self.fc2)))


class VGG16(nn.Layer):
    """The two wide layers are followed by a second ReLU, which changes nothing."""

    STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))

    def __init__(self, num_classes=1):
        super().__init__()
        channels = 3
        for stage, (width, depth) in enumerate(self.STAGES, 1):
            for i in range(1, depth + 1):
                setattr(self, f'conv{stage}_{i}', nn.Conv2D(channels, width, 3, padding=1))
                channels = width
        self.fc1 = nn.Sequential(nn.Linear(512 * 7 * 7, 4096), nn.ReLU())
        self.dropout1 = nn.Dropout(0.5, mode='upscale_in_train')
        self.fc2 = nn.Sequential(nn.Linear(4096, 4096), nn.ReLU())
        self.dropout2 = nn.Dropout(0.5, mode='upscale_in_train')
        self.fc3 = nn.Linear(4096, num_classes)
        self.pool = nn.MaxPool2D(2, 2)

    def forward(self, x):
        for stage, (_, depth) in enumerate(self.STAGES, 1):
            x = self.pool(relu_after(x, *(getattr(self, f'conv{stage}_{i}') for i in range(1, depth + 1))))
        x = self.dropout1(relu_after(paddle.flatten(x, 1), self.fc1))
        return self.fc3(self.dropout2(relu_after(x, self.fc2)))


class Inception(nn.Layer):
    def __init__(self, c0, c1, c2, c3, c4):
        super().__init__()
        self.p1_1 = nn.Conv2D(c0, c1, 1)
        self.p2_1 = nn.Conv2D(c0, c2[0], 1)
        self.p2_2 = nn.Conv2D(c2[0], c2[1], 3, padding=1)
        self.p3_1 = nn.Conv2D(c0, c3[0], 1)
        self.p3_2 = nn.Conv2D(c3[0], c3[1], 5, padding=2)
        self.p4_1 = nn.MaxPool2D(3, 1, padding=1)
        self.p4_2 = nn.Conv2D(c0, c4, 1)

    def forward(self, x):
        paths = [
            relu_after(x, self.p1_1),
            relu_after(x, self.p2_1, self.p2_2),
            relu_after(x, self.p3_1, self.p3_2),
            relu_after(self.p4_1(x), self.p4_2),
        ]
        return paddle.concat(paths, axis=1)


class GoogLeNet(nn.Layer):
    def __init__(self, num_classes=1):
        super().__init__()
        self.conv1 = nn.Conv2D(3, 64, 7, padding=3)
        self.pool1 = nn.MaxPool2D(3, 2, padding=1)
        self.conv2_1 = nn.Conv2D(64, 64, 1)
        self.conv2_2 = nn.Conv2D(64, 192, 3, padding=1)
        self.pool2 = nn.MaxPool2D(3, 2, padding=1)
        self.block3_1 = Inception(192, 64, (96, 128), (16, 32), 32)
        self.block3_2 = Inception(256, 128, (128, 192), (32, 96), 64)
        self.pool3 = nn.MaxPool2D(3, 2, padding=1)
        self.block4_1 = Inception(480, 192, (96, 208), (16, 48), 64)
        self.block4_2 = Inception(512, 160, (112, 224), (24, 64), 64)
        self.block4_3 = Inception(512, 128, (128, 256), (24, 64), 64)
        self.block4_4 = Inception(512, 112, (144, 288), (32, 64), 64)
        self.block4_5 = Inception(528, 256, (160, 320), (32, 128), 128)
        self.pool4 = nn.MaxPool2D(3, 2, padding=1)
        self.block5_1 = Inception(832, 256, (160, 320), (32, 128), 128)
        self.block5_2 = Inception(832, 384, (192, 384), (48, 128), 128)
        self.pool5 = nn.AdaptiveAvgPool2D(1)
        self.fc = nn.Linear(1024, num_classes)

    def heads(self, x):
        """Outputs of the auxiliary heads at both of their places, if there are any; then the logits."""
        x = self.pool1(relu_after(x, self.conv1))
        x = self.pool2(relu_after(x, self.conv2_1, self.conv2_2))
        x = self.pool3(self.block3_2(self.block3_1(x)))
        inner1 = self.block4_1(x)
        inner2 = self.block4_4(self.block4_3(self.block4_2(inner1)))
        x = self.pool4(self.block4_5(inner2))
        x = self.pool5(self.block5_2(self.block5_1(x)))
        return inner1, inner2, self.fc(paddle.flatten(x, 1))

    def forward(self, x):
        return self.heads(x)[-1]


class AuxiliaryHead(nn.Layer):
    """Classifier on an inner layer, by the GoogLeNet paper; `cells` is what its pooling leaves of the picture."""

    def __init__(self, channels, cells, num_classes):
        super().__init__()
        self.pool = nn.AvgPool2D(5, 3)
        self.conv = nn.Conv2D(channels, 128, 1)
        self.fc1 = nn.Linear(128 * cells, 1024)
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x):
        x = paddle.flatten(relu_after(self.pool(x), self.conv), 1)
        return self.fc2(self.dropout(relu_after(x, self.fc1)))


class GoogLeNetWithHeads(GoogLeNet):
    """For pictures of 64x64 (2x2 cells), and 224x224 (8x8 cells)."""

    def __init__(self, num_classes=1, cells=64):
        super().__init__(num_classes)
        self.aux1 = AuxiliaryHead(512, cells, num_classes)
        self.aux2 = AuxiliaryHead(528, cells, num_classes)

    def forward(self, x):
        inner1, inner2, logits = self.heads(x)
        return logits, self.aux1(inner1), self.aux2(inner2)


class ConvBN(nn.Layer):
    def __init__(self, channels, filters, size, stride=1, act=None):
        super().__init__()
        self._conv = nn.Conv2D(channels, filters, size, stride=stride, padding=size // 2, bias_attr=False)
        self._batch_norm = nn.BatchNorm2D(filters)
        self.act = act

    def forward(self, x):
        x = self._batch_norm(self._conv(x))
        return self.act(x) if self.act else x


class Bottleneck(nn.Layer):
    def __init__(self, channels, filters, stride, short):
        super().__init__()
        self.conv0 = ConvBN(channels, filters, 1, act=F.relu)
        self.conv1 = ConvBN(filters, filters, 3, stride, act=F.relu)
        self.conv2 = ConvBN(filters, filters * 4, 1)
        self.short = ConvBN(channels, filters * 4, 1, stride) if short else None

    def forward(self, x):
        y = self.conv2(self.conv1(self.conv0(x)))
        return F.relu(y + (self.short(x) if self.short else x))


class ResNet(nn.Layer):
    DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}

    def __init__(self, layers, num_classes=1):
        super().__init__()
        self.conv = ConvBN(3, 64, 7, 2, act=F.relu)
        self.pool2d_max = nn.MaxPool2D(3, 2, padding=1)
        self.blocks = []
        channels = 64
        for stage, depth in enumerate(self.DEPTHS[layers]):
            filters = 64 * 2**stage
            for i in range(depth):
                block = Bottleneck(channels, filters, 2 if i == 0 and stage > 0 else 1, short=i == 0)
                self.blocks.append(self.add_sublayer(f'bb_{stage}_{i}', block))
                channels = 4 * filters
        self.pool2d_avg = nn.AdaptiveAvgPool2D(1)
        self.out = nn.Linear(channels, num_classes)

    def forward(self, x):
        x = self.pool2d_max(self.conv(x))
        for block in self.blocks:
            x = block(x)
        return self.out(paddle.flatten(self.pool2d_avg(x), 1))


ARCHITECTURES = {
    'LeNet224': LeNet224,
    'AlexNet': AlexNet,
    'VGG16': VGG16,
    'GoogLeNet': GoogLeNet,
    'GoogLeNetWithHeads': GoogLeNetWithHeads,
    'ResNet50': lambda: ResNet(50),
    'ResNet101': lambda: ResNet(101),
    'ResNet152': lambda: ResNet(152),
}


def architectures():
    """Per network, the number of trainable values and the names and shapes of all that is saved, in order."""
    found = {}
    for name, build in ARCHITECTURES.items():
        net = build()
        found[name] = {
            'trainable': sum(int(np.prod(p.shape)) for p in net.parameters() if not p.stop_gradient),
            'stateDict': {key: list(value.shape) for key, value in net.state_dict().items()},
        }
    return {'networks': found}
