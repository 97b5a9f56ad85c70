"""A few steps of training of every network of paddle_networks.py."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import paddle
import paddle.nn.functional as F

from paddle_networks import AlexNet, GoogLeNet, GoogLeNetWithHeads, LeNet224, ResNet, VGG16
from paddle_training import FORMULA, SPELLING, accumulators_of, formula

MOMENTUM = ('Momentum', {'learningRate': 0.001, 'momentum': 0.9})
MOMENTUM_DECAY = ('Momentum', {'learningRate': 0.001, 'momentum': 0.9, 'weightDecay': 0.001})
ADAM = ('Adam', {'learningRate': 0.001})


@dataclass
class Training:
    """A few steps on the same pictures. The settings of the start serve one purpose: to keep rounding errors small.

    Rounding may put a value on the other side of ReLU's kink or make another one the largest of a window, and each time
    a gradient goes another way. So nothing may be nearly alike, gradients may not cancel, and steps may not be large.
    """

    build: Callable
    pictures: tuple
    # Alike, or gradients of pictures that look alike would cancel; below 1 for Adam, or it would reach a loss of 0.
    labels: tuple
    optimizer: tuple
    # Values of each tensor.
    samples: int
    # Switches dropout off, and in networks without batch norm nothing else.
    evaluation_mode: bool = False
    # Contrast of the noise; that of the colours is 0.2.
    contrast: float = 0.1
    # Seed of the noise, chosen so that rounding on several kinds of processors causes no such accident.
    seed: int = 1000
    # The variance of the weights times fan_in, by the beginning of the name; 2 (He et al.) otherwise.
    gains: dict = field(default_factory=dict)
    # Beginnings of the names of the parameters whose samples are kept; all otherwise.
    kept: tuple = ('',)


SMALL = 0.02
# Beginnings of the names in the deeper ResNets: the first layers, the ends of the long third stage, the last block.
DEEP = ('conv', 'bb_2_0', 'bb_2_22', 'bb_2_35', 'bb_3_2', 'out')
TRAININGS = {
    'lenet224': Training(LeNet224, (2, 3, 224, 224), (1, 1), MOMENTUM, samples=40, contrast=1.0, gains={'conv': 8}),
    'alexnet': Training(
        AlexNet,
        (2, 3, 224, 224),
        (0.98, 0.9),
        ADAM,
        samples=40,
        evaluation_mode=True,
        gains={'conv1': 0.002, 'conv': 1, 'fc': 1},
    ),
    'vgg16': Training(VGG16, (1, 3, 224, 224), (1,), MOMENTUM, samples=24, evaluation_mode=True, gains={'fc3': SMALL}),
    'googlenet': Training(GoogLeNet, (2, 3, 40, 32), (1, 1), MOMENTUM_DECAY, samples=8, seed=2000, gains={'fc': SMALL}),
    'googlenetHeads': Training(
        lambda: GoogLeNetWithHeads(cells=4),
        (1, 3, 64, 64),
        (1,),
        MOMENTUM_DECAY,
        samples=8,
        evaluation_mode=True,
        seed=2000,
        gains={'fc': SMALL, 'aux1.fc2': SMALL, 'aux2.fc2': SMALL},
        kept=('conv', 'block4_1', 'block4_4', 'aux', 'fc'),
    ),
    'resnet50': Training(lambda: ResNet(50), (4, 3, 72, 56), (1, 1, 0, 1), MOMENTUM_DECAY, samples=8),
    'resnet101': Training(lambda: ResNet(101), (4, 3, 72, 56), (1, 1, 0, 1), MOMENTUM_DECAY, samples=4, kept=DEEP),
    'resnet152': Training(lambda: ResNet(152), (4, 3, 72, 56), (1, 1, 0, 1), MOMENTUM_DECAY, samples=4, kept=DEEP),
}
STEPS = 3
COLOURS = {'colourSeed': 1001, 'colourScale': 0.2}
AUXILIARY_WEIGHT = 0.3


def start_of(name, shape, setting):
    """Scale and gap of a parameter's formula."""
    if '_batch_norm.' in name:
        # Small on the branches that are added up, or each of many blocks would multiply the errors; and biases far from
        # 0, where ReLU's kink is.
        size = 0.25 if 'conv2.' in name else 1.0
        return (0.1 * size, size) if name.endswith('weight') else (0.5 * size, 2.5 * size)
    if len(shape) == 1:
        return 0.005, 0.0
    gain = next((gain for beginning, gain in setting.gains.items() if name.startswith(beginning)), 2)
    fan_in = np.prod(shape[1:] if len(shape) == 4 else shape[:1])
    return round(math.sqrt(3 * gain / fan_in), 5), 0.0


def values_of(shape, seed, scale, gap=0.0):
    """The formula's values, moved away from 0 by the gap."""
    values = formula(shape, seed, scale)
    return (values + np.copysign(np.float32(gap), values)) if gap else values


def image_of(shape, seed, scale, colourSeed, colourScale):
    """Noise on a plain colour that is different for each picture."""
    return formula(shape, seed, scale) + formula((*shape[:2], 1, 1), colourSeed, colourScale)


def sampled(arrays, setting):
    """The norm and some values of each array, one at every stride-th index."""
    samples = []
    for name, array in arrays.items():
        if name.startswith(setting.kept):
            stride = max(1, array.size // setting.samples)
            while math.gcd(stride, array.size) > 1:  # otherwise always the same channel, or the same cell of a kernel
                stride -= 1
            values = [float(f'{value:.8g}') for value in array.ravel()[::stride]]
            norm = float(f'{np.linalg.norm(array):.8g}')
            samples.append({'name': name, 'stride': stride, 'norm': norm, 'values': values})
    return samples


def losses_of(outputs, labels):
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    terms = [F.binary_cross_entropy_with_logits(logits, labels) for logits in outputs]
    return outputs, terms[0] + AUXILIARY_WEIGHT * sum(terms[1:], paddle.zeros([]))


def train(tensor, setting):
    name, options = setting.optimizer
    net = setting.build()
    if setting.evaluation_mode:
        net.eval()
    trainable = {key: p for key, p in net.named_parameters() if not p.stop_gradient}
    starts = {}
    for seed, (key, parameter) in enumerate(trainable.items()):
        scale, gap = start_of(key, parameter.shape, setting)
        starts[key] = {'shape': list(parameter.shape), 'seed': seed, 'scale': scale, 'gap': gap}
        parameter.set_value(values_of(**starts[key]).astype(np.float64))
    described_image = {'shape': list(setting.pictures), 'seed': setting.seed, 'scale': setting.contrast, **COLOURS}
    image = paddle.to_tensor(image_of(**described_image).astype(np.float64))
    labels = np.array(setting.labels, np.float64)[:, None]

    spelled = {SPELLING.get(key, key): value for key, value in options.items()}
    made = getattr(paddle.optimizer, name)(parameters=net.parameters(), **spelled)
    result = {
        'formula': FORMULA,
        'input': described_image,
        'labels': tensor(labels),
        'auxiliaryWeight': AUXILIARY_WEIGHT,
        'evaluationMode': setting.evaluation_mode,
        'parameters': [{'name': key, **start} for key, start in starts.items()],
        'optimizer': {'name': name, 'options': options, 'steps': STEPS},
    }
    losses = []
    for step in range(STEPS):
        outputs, loss = losses_of(net(image), paddle.to_tensor(labels))
        loss.backward()
        losses.append(float(loss))
        if step == 0:
            result['logits'] = [tensor(logits.numpy()) for logits in outputs]
            result['gradients'] = sampled({key: p.grad.numpy() for key, p in trainable.items()}, setting)
        made.step()
        made.clear_grad()
    result['losses'] = tensor(np.array(losses))
    changes = {key: p.numpy() - values_of(**starts[key]) for key, p in trainable.items()}
    result['changes'] = sampled(changes, setting)
    states = {key: accumulators_of(made, p) for key, p in trainable.items()}
    result['states'] = {
        state: sampled({key: of[state] for key, of in states.items()}, setting)
        for state in next(iter(states.values()))
        if not state.endswith('PowAcc')
    }
    buffers = {key: b.numpy() for key, b in net.state_dict().items() if key not in trainable}
    result['buffers'] = sampled(buffers, setting)
    net.eval()
    result['evaluated'] = [tensor(logits.numpy()) for logits in losses_of(net(image), paddle.to_tensor(labels))[0]]
    return result


def training(tensor, name):
    """Computed in float64; see TRAININGS."""
    before = paddle.get_default_dtype()
    paddle.set_default_dtype('float64')
    try:
        return train(tensor, TRAININGS[name])
    finally:
        paddle.set_default_dtype(before)
