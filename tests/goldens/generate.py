"""Writes or checks the golden files in data/ (see README.md).

generate.py --framework paddle          writes the files that Paddle makes
generate.py --framework torch           writes the files that PyTorch makes
generate.py --framework sklearn         writes the file that scikit-learn makes
generate.py --framework captum          writes the file of explanations
generate.py --framework torch --check   recomputes every op case of both frameworks, and compares
"""

import argparse
import importlib
import json
import platform
import sys
from pathlib import Path

import numpy as np

sys.dont_write_bytecode = True  # no __pycache__ among the sources

import op_cases

DATA = Path(__file__).parent / 'data'

# Which framework makes which file. The rest of Paddle's files do not come from op cases.
OP_FILES = {
    'conv2d': 'torch',
    'linear': 'paddle',
    'pool2d': 'torch',
    'batchNorm2d': 'paddle',
    'activation': 'torch',
    'extreme': 'torch',
    'loss': 'paddle',
    'elementwise': 'torch',
    'reduce': 'paddle',
    'shape': 'paddle',
    'composed': 'paddle',
    'gate': 'paddle',
}


def header(framework, precision):
    versions = {'framework': framework.NAME, 'version': framework.VERSION, 'numpy': np.__version__}
    return {**versions, 'python': platform.python_version(), 'precision': precision}


def tensor(array):
    """Shape, dtype and flat data; floats as the shortest decimals that read back as the same float32."""
    array = np.asarray(array)
    if array.dtype.kind == 'f':
        data = [float(str(value)) for value in array.astype(np.float32).ravel()]
        return {'shape': list(array.shape), 'dtype': 'float32', 'data': data}
    return {'shape': list(array.shape), 'dtype': 'int32', 'data': [int(value) for value in array.ravel()]}


def array_of(golden):
    return np.array(golden['data'], dtype=golden['dtype']).reshape(golden['shape'])


def to_json(value, indent=''):
    """JSON with one line for a list of scalars or a tensor."""
    plain = json.dumps(value, separators=(',', ':'), ensure_ascii=False, allow_nan=False)
    nested = (
        [item for item in (value.values() if isinstance(value, dict) else value) if isinstance(item, (dict, list))]
        if isinstance(value, (dict, list))
        else []
    )
    if not nested or len(plain) < 100 or (isinstance(value, dict) and 'data' in value):
        return plain
    inner = indent + ' '
    if isinstance(value, dict):
        lines = [f'{inner}{json.dumps(key)}:{to_json(item, inner)}' for key, item in value.items()]
        return '{\n' + ',\n'.join(lines) + f'\n{indent}}}'
    return '[\n' + ',\n'.join(inner + to_json(item, inner) for item in value) + f'\n{indent}]'


def write(name, content):
    path = DATA / f'{name}.json'
    path.write_text(to_json(content) + '\n', encoding='utf-8')
    print(f'{path.name}: {path.stat().st_size / 1024:.0f} KiB')


def run_case(framework, case):
    """One op case with a random upstream gradient from the case's own generator."""
    random = np.random.RandomState(op_cases.seed_of(case['name']) ^ 0x5EED)
    upstream = {}

    def draw(shape):
        upstream['dy'] = op_cases.normal(random, shape)
        return upstream['dy']

    outputs, gradients = framework.run(case['op'], case['options'], case['inputs'], case['differentiable'], draw)
    result = {'name': case['name'], 'op': case['op'], 'options': case['options']}
    result['inputs'] = {name: tensor(array) for name, array in case['inputs'].items()}
    result['outputs'] = {name: tensor(array) for name, array in outputs.items()}
    if gradients:
        result['dy'] = tensor(upstream['dy'])
        result['gradients'] = {name: tensor(array) for name, array in gradients.items()}
    return result


def check(framework):
    """Recomputes the committed op cases; returns how many differ."""
    failures = count = 0
    for name in OP_FILES:
        golden_file = json.loads((DATA / f'{name}.json').read_text(encoding='utf-8'))
        worst = 0.0
        for case in golden_file['cases']:
            if case['name'] in framework.DIFFERENT:
                print(f'{name}: {case["name"]} left out: {framework.DIFFERENT[case["name"]]}')
                continue
            inputs = {key: array_of(value) for key, value in case['inputs'].items()}
            wanted = case.get('gradients', {})
            outputs, gradients = framework.run(
                case['op'], case['options'], inputs, list(wanted), lambda _, case=case: array_of(case['dy'])
            )
            for key, golden in {**case['outputs'], **{f'd{key}': value for key, value in wanted.items()}}.items():
                actual = outputs[key] if key in case['outputs'] else gradients[key[1:]]
                expected = array_of(golden)
                count += 1
                error = np.abs(np.asarray(actual, np.float64) - expected) / np.maximum(np.abs(expected), 1)
                worst = max(worst, error.max())
                if actual.shape != expected.shape or error.max() > 1e-6:
                    failures += 1
                    print(f'{name}: {case["name"]} {key} differs by {error.max():.3g}', file=sys.stderr)
        print(f'{name}: made by {golden_file["framework"]}, largest difference {worst:.1e}')
    print(f'{count - failures} of {count} tensors agree')
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--framework', required=True, choices=['paddle', 'torch', 'sklearn', 'captum'])
    parser.add_argument('--check', action='store_true', help='compare the op cases of all files instead of writing')
    options = parser.parse_args()
    if options.framework == 'sklearn':
        import sklearn_screening

        if options.check:
            parser.error('--check compares op cases, of which scikit-learn has none')
        write('screening', {**header(sklearn_screening, 'float64'), **sklearn_screening.screening(tensor)})
        return 0
    if options.framework == 'captum':
        import torch_explain

        if options.check:
            parser.error('--check compares op cases, of which Captum has none')
        write('explain', {**header(torch_explain, 'float32'), **torch_explain.explanations(tensor)})
        return 0
    framework = importlib.import_module(f'{options.framework}_ops')
    if options.check:
        return 1 if check(framework) else 0

    DATA.mkdir(exist_ok=True)
    for name, maker in OP_FILES.items():
        if maker == options.framework:
            cases = [run_case(framework, case) for case in getattr(op_cases, name)()]
            write(name, {**header(framework, 'float64'), 'cases': cases})
    if options.framework == 'torch':
        import torch_zoo

        write('torchZoo', {**header(framework, 'float64'), **torch_zoo.zoo()})
    if options.framework == 'paddle':
        import paddle_defaults
        import paddle_network_training
        import paddle_networks
        import paddle_schedules
        import paddle_training
        import paddle_zoo

        write('optimizers', {**header(framework, 'float32'), **paddle_training.optimizers(tensor)})
        write('schedules', {**header(framework, 'float64'), **paddle_schedules.schedules()})
        write('clips', {**header(framework, 'float32'), **paddle_schedules.clips(tensor)})
        write('lenet', {**header(framework, 'float64'), **paddle_training.lenet(tensor)})
        write('defaults', {**header(framework, 'float32'), **paddle_defaults.defaults()})
        write('architectures', {**header(framework, 'float32'), **paddle_networks.architectures()})
        write('zoo', {**header(framework, 'float64'), **paddle_zoo.zoo()})
        for name in paddle_network_training.TRAININGS:
            write(name, {**header(framework, 'float64'), **paddle_network_training.training(tensor, name)})
    return 0


if __name__ == '__main__':
    sys.exit(main())
