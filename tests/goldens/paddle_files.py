"""Writes paddle/ (see README.md): files as paddle.save makes them, and trainings that continue in the other library."""

import hashlib
import json
import os
import pickle
import platform
import subprocess
import sys
import tempfile
import warnings
from collections import OrderedDict
from pathlib import Path

sys.dont_write_bytecode = True
warnings.filterwarnings('ignore', message='No ccache found')
warnings.filterwarnings('ignore', message='When training, we now always track')

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle_training import formula

HERE = Path(__file__).parent
FILES = HERE / 'paddle'
BEFORE, AFTER = range(2), range(2, 5)
LABELS = [0, 1, 2, 2, 1, 0]


class Net(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = paddle.nn.Conv2D(1, 4, 3)
        self.bn = paddle.nn.BatchNorm2D(4)
        self.fc = paddle.nn.Linear(36, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn(self.conv(x))), 2)
        return self.fc(paddle.flatten(x, 1))


def momentum(parameters):
    return paddle.optimizer.Momentum(0.1, 0.9, parameters=parameters, weight_decay=0.001)


def adam(parameters):
    return paddle.optimizer.Adam(paddle.optimizer.lr.StepDecay(0.01, 1, gamma=0.5), parameters=parameters)


OPTIMIZERS = {'momentum': momentum, 'adam': adam}
# In these trainings a layer is frozen before the given step.
JOINS = {'late': {'conv': 1, 'bn': 2}}


def images(step):
    return paddle.to_tensor(formula((len(LABELS), 1, 8, 8), 100 + step, 1.0))


def train(net, optimizer, steps, joins={}):
    losses = []
    for step in steps:
        for layer, first in joins.items():
            for parameter in getattr(net, layer).parameters():
                parameter.stop_gradient = step < first
        loss = F.cross_entropy(net(images(step)), paddle.to_tensor(LABELS))
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        if not isinstance(optimizer._learning_rate, float):
            optimizer._learning_rate.step()
        losses.append(float(loss.numpy()))
    return losses


def begun(name):
    net = Net()
    return net, OPTIMIZERS.get(name, adam)(net.parameters())


def as_in_new_process(function):
    """Parameters and states get the names that they have in a process that does nothing else."""

    def run(*arguments):
        with paddle.base.unique_name.guard():
            return function(*arguments)

    return run


@as_in_new_process
def trained_in_paddle(name):
    """Two steps, a save, and the losses of three more."""
    net, optimizer = begun(name)
    for seed, (key, state) in enumerate(net.state_dict().items()):
        if not key.startswith('bn.'):
            state.set_value(formula(state.shape, seed, 0.5))
    joins = JOINS.get(name, {})
    train(net, optimizer, BEFORE, joins)
    paddle.save(net.state_dict(), str(FILES / f'{name}.pdparams'))
    paddle.save(optimizer.state_dict(), str(FILES / f'{name}.pdopt'))
    return train(net, optimizer, AFTER, joins)


@as_in_new_process
def begun_in_fovea(name, folder):
    """Loads what Fovea wrote; the losses of three steps, and which bytes were loaded."""
    net, optimizer = begun(name)
    missing, unexpected = net.set_state_dict(paddle.load(f'{folder}/{name}.pdparams'))
    assert not missing and not unexpected, (missing, unexpected)
    optimizer.set_state_dict(paddle.load(f'{folder}/{name}.pdopt'))
    hashes = {
        ending: hashlib.sha256(Path(f'{folder}/{name}.{ending}').read_bytes()).hexdigest()
        for ending in ('pdparams', 'pdopt')
    }
    return {'sha256': hashes, 'losses': train(net, optimizer, AFTER)}


@as_in_new_process
def names_of(network):
    """A sum over the names of all that a ready-made network saves."""
    names = {key: state.name for key, state in getattr(paddle.vision.models, network)().state_dict().items()}
    return hashlib.sha256(json.dumps(names, separators=(',', ':')).encode()).hexdigest()


def write_formats():
    small = {
        'fc.weight': paddle.to_tensor(formula((3, 4), 1, 1.0)),
        'fc.bias': paddle.to_tensor(formula((4,), 2, 1.0)),
        # Long enough to be moved into alignment, and for lengths of more than one byte.
        'long': paddle.to_tensor(formula((30_000,), 3, 1.0)[:400]),
    }
    for protocol in (2, 3, 4):
        paddle.save(small, str(FILES / f'protocol{protocol}.pdparams'), protocol=protocol)
    # As NumPy 1 named its modules.
    new = (FILES / 'protocol2.pdparams').read_bytes()
    assert new.count(b'cnumpy._core.multiarray\n') == 1
    old = new.replace(b'cnumpy._core.multiarray\n', b'cnumpy.core.multiarray\n')
    (FILES / 'numpy1.pdparams').write_bytes(old)

    # Anything but a state dict becomes (name, array) pairs; so do optimizers with master weights.
    weight = paddle.to_tensor(formula((3, 4), 1, 1.0))
    weight.name = 'linear_0.w_0_fp32_master_0'
    velocity = paddle.to_tensor(formula((3, 4), 4, 1.0))
    velocity.name = 'linear_0.w_0_fp32_master_0_velocity_0'
    paddle.save(
        {velocity.name: velocity, 'master_weights': {'linear_0.w_0': weight}}, str(FILES / 'master.pdopt')
    )
    paddle.save({'net': {'w': weight}, 'epoch': 3, 'pairs': [weight, 2**70, -1.5, None]}, str(FILES / 'nested.pdparams'))

    arrays = {
        'f2': np.array([1, -2.5, 65504, 6e-8], np.float16),
        'f8': np.array([0.1, -1e300, 3], np.float64),
        'bf16': np.array(paddle.to_tensor([1.0, -3.140625]).astype('bfloat16')),
        'i1': np.array([-128, 127], np.int8),
        'i2': np.array([-32768, 32767], np.int16),
        'i4': np.array([-(2**31), 2**31 - 1], np.int32),
        'i8': np.array([-(2**31), 2**31 - 1], np.int64),
        'u1': np.array([[0, 255]], np.uint8),
        'b1': np.array([True, False]),
        'fortran': np.asfortranarray(np.arange(24, dtype=np.float32).reshape(2, 3, 4)),
        'scalar': np.array(7, np.float32),
        'empty': np.zeros((0, 3), np.float32),
    }
    assert arrays['bf16'].dtype == np.uint16
    for protocol in (2, 4, 5):
        with open(FILES / f'types{protocol}.pdparams', 'wb') as file:
            pickle.dump(arrays, file, protocol)

    plain = {
        'scalars': [np.float32(1.5), np.float64(0.1), np.int64(2**40), np.int64(-(2**62)), np.bool_(True), np.uint8(7)],
        'ordered': OrderedDict([('b', b'\x00\xff'), ('a', b'')]),
        'numbers': (0, 255, 65535, -1, 2**31, -(2**40), 2**53 + 1, True, None, 1e-300),
        'text': 'naïve ✓',
    }
    for protocol in (2, 3, 4, 5):
        with open(FILES / f'plain{protocol}.pkl', 'wb') as file:
            pickle.dump(plain, file, protocol)

    # Paddle's way with arrays of more than 2^30 bytes, on a small one.
    whole = formula((3, 4), 1, 1.0)
    split = {
        'fc.bias': formula((4,), 2, 1.0),
        'fc.weight@@.0': whole.ravel()[:5],
        'fc.weight@@.1': whole.ravel()[5:10],
        'fc.weight@@.2': whole.ravel()[10:],
        'UnpackBigParamInfor@@': {
            'fc.weight': {'OriginShape': (3, 4), 'slices': [f'fc.weight@@.{i}' for i in range(3)]}
        },
        'StructuredToParameterName@@': {'fc.weight': 'linear_0.w_0', 'fc.bias': 'linear_0.b_0'},
    }
    with open(FILES / 'split.pdparams', 'wb') as file:
        pickle.dump(split, file, 2)
    assert (paddle.load(str(FILES / 'split.pdparams'))['fc.weight'].numpy() == whole).all()


def main():
    paddle.set_device('cpu')
    FILES.mkdir(exist_ok=True)
    write_formats()
    result = {
        'framework': 'paddlepaddle',
        'version': paddle.version.full_version,
        'numpy': np.__version__,
        'python': platform.python_version(),
        'labels': LABELS,
        'names': {network: names_of(network) for network in ('resnet18', 'googlenet', 'mobilenet_v2')},
        'fromPaddle': {name: trained_in_paddle(name) for name in (*OPTIMIZERS, *JOINS)},
    }
    with tempfile.TemporaryDirectory() as folder:
        # The test compares with the sums that are about to be written: it may fail, but not before it wrote.
        command = ['npx', 'vitest', 'run', 'tests/goldens/paddleFiles.test.ts', '-t', 'writes']
        subprocess.run(command, cwd=HERE.parent.parent, env={**os.environ, 'FOVEA_WRITE_TO': folder})
        result['fromFovea'] = {name: begun_in_fovea(name, folder) for name in OPTIMIZERS}
    (FILES / 'files.json').write_text(json.dumps(result, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
