"""The measured networks, written once for PyTorch and PaddlePaddle over the few names in which the two differ.

Same layers, losses and optimizers as `fovea train` uses by default (src/vision/models, src/run/catalog).
"""

# Networks of torchvision, with 10 classes as on CIFAR-10. Inception v3 takes no images as small, so it has one output.
ZOO = (
    "densenet121", "squeezenet1_1", "inception_v3", "shufflenet_v2_x1_0", "mobilenet_v3_small", "mobilenet_v3_large",
    "efficientnet_b0", "regnet_y_400mf", "convnext_tiny", "vit_s_16",
)  # fmt: skip
INPUTS = {"lenet": (1, 28, 28), "resnet50-cifar": (3, 32, 32), "inception_v3": (3, 299, 299)}
CLASSES = {"lenet": 10, "resnet50-cifar": 10, **{name: 10 for name in ZOO if name != "inception_v3"}}
# Momentum 0.9 with this decay; AlexNet has Adam.
DECAYS = {"googlenet": 1e-3, "resnet50": 1e-3, "resnet50-cifar": 1e-4, **dict.fromkeys(ZOO, 1e-4)}
LEARNING_RATE = 1e-3


def input_of(name):
    return INPUTS.get(name, (3, 224, 224))


def outputs_of(name):
    """With one output the loss is binary cross entropy, else cross entropy."""
    return CLASSES.get(name, 1)


def network(name, k):
    """Makes a network with a kit `k` of layers: Module, Sequential, conv(i, o, kernel, stride, padding, bias), …"""

    class Inception(k.Module):
        def __init__(self, i, c1, c2, c3, c4):
            super().__init__()
            self.p1 = k.Sequential(k.conv(i, c1, 1), k.relu())
            self.p2 = k.Sequential(k.conv(i, c2[0], 1), k.relu(), k.conv(c2[0], c2[1], 3, 1, 1), k.relu())
            self.p3 = k.Sequential(k.conv(i, c3[0], 1), k.relu(), k.conv(c3[0], c3[1], 5, 1, 2), k.relu())
            self.p4 = k.Sequential(k.max_pool(3, 1, 1), k.conv(i, c4, 1), k.relu())

        def forward(self, x):
            return k.concat([self.p1(x), self.p2(x), self.p3(x), self.p4(x)], 1)

    def conv_norm(i, o, kernel, stride=1):
        return [k.conv(i, o, kernel, stride, kernel // 2, bias=False), k.norm(o)]

    class Bottleneck(k.Module):
        def __init__(self, i, width, stride):
            super().__init__()
            o = 4 * width
            self.body = k.Sequential(
                *conv_norm(i, width, 1), k.relu(), *conv_norm(width, width, 3, stride), k.relu(), *conv_norm(width, o, 1)
            )
            self.short = None if i == o and stride == 1 else k.Sequential(*conv_norm(i, o, 1, stride))
            self.relu = k.relu()

        def forward(self, x):
            return self.relu((x if self.short is None else self.short(x)) + self.body(x))

    def classifier(features):
        wide = [k.flatten()]
        for i, o in ((features, 4096), (4096, 4096)):
            wide += [k.linear(i, o), k.relu(), k.dropout(0.5)]
        return [*wide, k.linear(4096, 1)]

    def lenet():
        return [
            k.conv(1, 6, 5), k.sigmoid(), k.max_pool(2, 2), k.sigmoid(), k.conv(6, 16, 5), k.max_pool(2, 2),
            k.conv(16, 120, 4), k.flatten(), k.linear(120, 64), k.sigmoid(), k.linear(64, 10),
        ]  # fmt: skip

    def alexnet():
        return [
            k.conv(3, 96, 11, 4, 5), k.relu(), k.max_pool(2, 2), k.conv(96, 256, 5, 1, 2), k.relu(), k.max_pool(2, 2),
            k.conv(256, 384, 3, 1, 1), k.relu(), k.conv(384, 384, 3, 1, 1), k.relu(),
            k.conv(384, 256, 3, 1, 1), k.relu(), k.max_pool(2, 2), *classifier(256 * 7 * 7),
        ]  # fmt: skip

    def vgg16():
        layers, i = [], 3
        for o, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(depth):
                layers += [k.conv(i, o, 3, 1, 1), k.relu()]
                i = o
            layers.append(k.max_pool(2, 2))
        return [*layers, *classifier(512 * 7 * 7)]

    def googlenet():
        return [
            k.conv(3, 64, 7, 1, 3), k.relu(), k.max_pool(3, 2, 1),
            k.conv(64, 64, 1), k.relu(), k.conv(64, 192, 3, 1, 1), k.relu(), k.max_pool(3, 2, 1),
            Inception(192, 64, (96, 128), (16, 32), 32), Inception(256, 128, (128, 192), (32, 96), 64),
            k.max_pool(3, 2, 1),
            Inception(480, 192, (96, 208), (16, 48), 64), Inception(512, 160, (112, 224), (24, 64), 64),
            Inception(512, 128, (128, 256), (24, 64), 64), Inception(512, 112, (144, 288), (32, 64), 64),
            Inception(528, 256, (160, 320), (32, 128), 128), k.max_pool(3, 2, 1),
            Inception(832, 256, (160, 320), (32, 128), 128), Inception(832, 384, (192, 384), (48, 128), 128),
            k.average(), k.flatten(), k.linear(1024, 1),
        ]  # fmt: skip

    def resnet50():
        layers, i = [*conv_norm(3, 64, 7, 2), k.relu(), k.max_pool(3, 2, 1)], 64
        for stage, depth in enumerate((3, 4, 6, 3)):
            width = 64 << stage
            for block in range(depth):
                layers.append(Bottleneck(i, width, 2 if block == 0 and stage > 0 else 1))
                i = 4 * width
        return [*layers, k.average(), k.flatten(), k.linear(i, outputs_of(name))]

    return k.Sequential(*{f.__name__: f for f in (lenet, alexnet, vgg16, googlenet, resnet50)}[name.split("-")[0]]())
