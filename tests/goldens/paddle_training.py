"""Optimizers and a whole network in training, in Paddle."""

import numpy as np
import paddle
import paddle.nn.functional as F

from zoo_values import formula

OPTIMIZERS = [
    ('SGD', {'learningRate': 0.1}),
    ('SGD', {'learningRate': 0.1, 'weightDecay': 0.1}),
    ('Momentum', {}),
    ('Momentum', {'learningRate': 0.1, 'momentum': 0.8}),
    ('Momentum', {'learningRate': 0.1, 'useNesterov': True}),
    ('Momentum', {'learningRate': 0.1, 'weightDecay': 0.001}),
    ('Momentum', {'learningRate': 0.1, 'useNesterov': True, 'weightDecay': 0.1}),
    ('Adam', {}),
    ('Adam', {'learningRate': 0.01, 'weightDecay': 0.1}),
    ('Adam', {'learningRate': 0.01, 'beta1': 0.8, 'beta2': 0.95, 'epsilon': 0.1}),
    ('AdamW', {}),
    ('AdamW', {'learningRate': 0.01, 'weightDecay': 0.2}),
]

SPELLING = {'learningRate': 'learning_rate', 'weightDecay': 'weight_decay', 'useNesterov': 'use_nesterov'}
STEPS = 10
SAVED_STEPS = (1, 2, 3, 10)


def camel_case(name):
    head, *rest = name.split('_')
    return head + ''.join(word.capitalize() for word in rest)


def accumulators_of(optimizer, parameter):
    """Name and value of what the optimizer keeps for a parameter."""
    prefix = f'{parameter.name}_'
    return {
        camel_case(key[len(prefix) :].rsplit('_', 1)[0]): value.numpy()
        for key, value in optimizer.state_dict().items()
        if key.startswith(prefix)
    }


def optimizers(tensor):
    """Parameters and accumulators after some steps with the same ten gradients for every optimizer."""
    random = np.random.RandomState(20)
    start = [np.round(random.standard_normal(shape), 3).astype(np.float32) for shape in ((3, 4), (5,))]
    gradients = [
        [np.round(random.standard_normal(value.shape), 3).astype(np.float32) for value in start] for _ in range(STEPS)
    ]
    for step in gradients:
        step[1][0] = 0  # a parameter that never gets a gradient

    cases = []
    for name, options in OPTIMIZERS:
        parameters = []
        for value in start:
            parameters.append(paddle.create_parameter(value.shape, 'float32'))
            parameters[-1].set_value(value)
        spelled = {SPELLING.get(key, key): value for key, value in options.items()}
        optimizer = getattr(paddle.optimizer, name)(parameters=parameters, **spelled)
        states = {}
        for step in range(1, STEPS + 1):
            for parameter, gradient in zip(parameters, gradients[step - 1]):
                (parameter * paddle.to_tensor(gradient)).sum().backward()
            optimizer.step()
            optimizer.clear_grad()
            if step in SAVED_STEPS:
                states[str(step)] = [
                    {
                        'parameter': tensor(parameter.numpy()),
                        'accumulators': {k: tensor(v) for k, v in accumulators_of(optimizer, parameter).items()},
                    }
                    for parameter in parameters
                ]
        cases.append({'optimizer': name, 'options': options, 'states': states})
    return {
        'parameters': [tensor(value) for value in start],
        'gradients': [[tensor(gradient) for gradient in step] for step in gradients],
        'cases': cases,
    }


FORMULA = (
    'value i of the array with seed k, in unsigned 32-bit integers: h = i + k*0x9E3779B9; h ^= h >> 16; h *= 0x85EBCA6B; '
    'h ^= h >> 13; h *= 0xC2B2AE35; h ^= h >> 16; then in float64 (h / 2**31 - 1) * scale, rounded to float32'
)


class LeNet(paddle.nn.Layer):
    """LeNet for 28x28 pictures; sigmoid before and after the first pool, none around the second."""

    def __init__(self, num_classes=10):
        super().__init__()
        self.conv1 = paddle.nn.Conv2D(1, 6, 5)
        self.max_pool1 = paddle.nn.MaxPool2D(2, 2)
        self.conv2 = paddle.nn.Conv2D(6, 16, 5)
        self.max_pool2 = paddle.nn.MaxPool2D(2, 2)
        self.conv3 = paddle.nn.Conv2D(16, 120, 4)
        self.fc1 = paddle.nn.Linear(120, 64)
        self.fc2 = paddle.nn.Linear(64, num_classes)

    def forward(self, x):
        x = F.sigmoid(self.max_pool1(F.sigmoid(self.conv1(x))))
        x = self.conv3(self.max_pool2(self.conv2(x)))
        return self.fc2(F.sigmoid(self.fc1(paddle.flatten(x, 1))))


SCALES = {'conv1': 0.5, 'conv2': 0.4, 'conv3': 0.2, 'fc1': 0.2, 'fc2': 0.4}
BIAS_SCALE = 0.1
IMAGE_SEED = 100
LABELS = [7, 2, 1, 0]
SAMPLES = 60


def sampled(tensor, name, array):
    """About SAMPLES values of the flat array, at every n-th index."""
    stride = max(1, array.size // SAMPLES)
    return {'name': name, 'stride': stride, 'values': tensor(array.ravel()[::stride])['data']}


def lenet(tensor):
    before = paddle.get_default_dtype()
    paddle.set_default_dtype('float64')
    try:
        return train_lenet(tensor)
    finally:
        paddle.set_default_dtype(before)


def train_lenet(tensor):
    net = LeNet()
    described = []
    for seed, (name, parameter) in enumerate(net.named_parameters()):
        layer, kind = name.split('.')
        scale = SCALES[layer] if kind == 'weight' else BIAS_SCALE
        parameter.set_value(formula(parameter.shape, seed, scale).astype(np.float64))
        described.append({'name': name, 'shape': list(parameter.shape), 'seed': seed, 'scale': scale})
    image = formula((len(LABELS), 1, 28, 28), IMAGE_SEED, 1.0)

    options = {'learningRate': 0.001, 'momentum': 0.9}
    optimizer = paddle.optimizer.Momentum(0.001, 0.9, parameters=net.parameters())
    result = {
        'formula': FORMULA,
        'formulaValues': tensor(formula((8,), 3, 0.5)),
        'input': {'shape': list(image.shape), 'seed': IMAGE_SEED, 'scale': 1.0},
        'labels': tensor(np.array(LABELS)),
        'parameters': described,
        'optimizer': {'name': 'Momentum', 'options': options, 'steps': 3},
    }
    losses = []
    for step in range(3):
        logits = net(paddle.to_tensor(image.astype(np.float64)))
        loss = F.cross_entropy(logits, paddle.to_tensor(LABELS))
        loss.backward()
        losses.append(loss.numpy())
        if step == 0:
            result['logits'] = tensor(logits.numpy())
            result['gradients'] = [sampled(tensor, name, p.grad.numpy()) for name, p in net.named_parameters()]
        optimizer.step()
        optimizer.clear_grad()
    result['losses'] = tensor(np.array(losses))
    result['trained'] = [sampled(tensor, name, p.numpy()) for name, p in net.named_parameters()]
    result['velocity'] = [
        sampled(tensor, name, accumulators_of(optimizer, p)['velocity']) for name, p in net.named_parameters()
    ]
    return result
