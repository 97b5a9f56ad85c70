"""Writes what Paddle's transforms make of small images (transforms.json).

python3 -m venv /tmp/goldens && /tmp/goldens/bin/pip install paddlepaddle==3.3.1 pillow==13.0.0
/tmp/goldens/bin/python tests/goldens/transforms/make_transforms.py

Images are made by a formula that the test repeats, and go through the functions of paddle.vision.transforms that work on
Pillow's images. Results are in base64, bytes or little-endian float32. `parameters` has the names, in order, and the
defaults of each transform's constructor.
"""

import base64
import inspect
import json
import re
from pathlib import Path

import numpy as np
import paddle
import PIL
from paddle.vision import transforms as T
from paddle.vision.transforms import functional as F
from PIL import Image

NOISE, GREY, SQUARE, WIDE = ('noise', 13, 17, 3), ('noise', 9, 8, 1), ('smooth', 12, 12, 3), ('smooth', 5, 40, 3)
CLASSES = (
    'ToTensor Transpose Normalize Resize CenterCrop RandomCrop RandomResizedCrop RandomHorizontalFlip RandomVerticalFlip '
    'RandomRotation RandomAffine Pad Grayscale BrightnessTransform ContrastTransform SaturationTransform HueTransform '
    'ColorJitter RandomErasing'
).split()


def made(kind, height, width, channels):
    """uint8 [height, width, channels]; noise is from a linear congruential generator."""
    if kind == 'smooth':
        y, x, c = np.mgrid[0:height, 0:width, 0:channels]
        return ((y * 9 + x * 5 + c * 60) % 256).astype(np.uint8)
    state = np.uint64(height * 65536 + width)
    values = np.empty(height * width * channels, np.uint8)
    for i in range(values.size):
        state = (state * np.uint64(1664525) + np.uint64(1013904223)) & np.uint64(0xFFFFFFFF)
        values[i] = int(state) >> 24
    return values.reshape(height, width, channels)


def cases():
    for size in ([7, 9], [26, 30], [13, 9], [5, 17], 8, 20):
        yield 'resize', NOISE, [size]
    for name in ('nearest', 'bicubic', 'box', 'hamming', 'lanczos'):
        for size in ([7, 9], [20, 33]):
            yield 'resize', NOISE, [size, name]
    yield 'resize', GREY, [[12, 13]]
    yield 'resize', WIDE, [3]
    yield 'crop', NOISE, [2, 3, 5, 6]
    yield 'crop', NOISE, [-2, 12, 9, 9]
    yield 'centerCrop', NOISE, [6]
    yield 'centerCrop', NOISE, [[4, 7]]
    yield 'centerCrop', NOISE, [[16, 22]]
    yield 'hflip', NOISE, []
    yield 'vflip', NOISE, []
    for mode in ('constant', 'edge', 'reflect', 'symmetric'):
        for padding in (3, [1, 2], [4, 0, 1, 2]):
            yield 'pad', SQUARE, [padding, {'paddingMode': mode}]
    yield 'pad', WIDE, [[0, 11], {'paddingMode': 'reflect'}]
    yield 'pad', WIDE, [[0, 11], {'paddingMode': 'symmetric'}]
    yield 'pad', GREY, [2, {'fill': 7}]
    yield 'pad', NOISE, [2, {'fill': [9, 8, 7]}]
    for angle in (0, 90, 180, 270, -90, 30, -45.5, 721):
        yield 'rotate', NOISE, [angle]
    for angle in (90, 270):
        yield 'rotate', SQUARE, [angle]
    for options in (
        {'interpolation': 'bilinear'},
        {'interpolation': 'bicubic'},
        {'expand': True},
        {'interpolation': 'bilinear', 'expand': True, 'fill': [1, 2, 3]},
        {'center': [2, 5], 'fill': 9},
    ):
        yield 'rotate', NOISE, [25, options]
    yield 'rotate', SQUARE, [-12, {'interpolation': 'bilinear'}]
    yield 'rotate', NOISE, [90, {'expand': True}]
    for interpolation in ('nearest', 'bilinear', 'bicubic'):
        for options in (
            {'translate': [3, -2]},
            {'scale': 1.4},
            {'translate': [1, 2], 'scale': 0.7, 'shear': [10, -5]},
        ):
            yield 'affine', NOISE, [20, {**options, 'interpolation': interpolation}]
    yield 'affine', NOISE, [0, {'scale': 1.3}]
    yield 'affine', SQUARE, [40, {'shear': [12, 0], 'center': [1, 3]}]
    for image in (NOISE, SQUARE, GREY):
        for factor in (0, 0.35, 1, 1.7):
            for name in ('adjustBrightness', 'adjustContrast', 'adjustSaturation'):
                yield name, image, [factor]
    for factor in (-0.5, -0.21, 0, 0.1, 0.5):
        yield 'adjustHue', NOISE, [factor]
    yield 'adjustHue', SQUARE, [0.3]
    yield 'adjustHue', GREY, [0.3]
    for count in (1, 3):
        yield 'toGrayscale', NOISE, [count]
    yield 'toGrayscale', GREY, [3]
    yield 'erase', NOISE, [3, 4, 5, 6, 0]
    yield 'erase', NOISE, [0, 10, 2, 7, [1, 2, 3]]
    yield 'toTensor', NOISE, []
    yield 'toTensor', NOISE, ['HWC']
    yield 'toTensor', GREY, []
    yield 'normalize', NOISE, [[127.5, 100, 90.25], [60, 127.5, 3]]
    yield 'normalize', NOISE, [[1, 2, 3], [4, 5, 6], {'toRgb': True}]


def snake(name):
    return re.sub('[A-Z]', lambda match: '_' + match.group().lower(), name)


def camel(name):
    return re.sub('_([a-z])', lambda match: match.group(1).upper(), name)


def computed(name, array, arguments):
    options = {}
    if arguments and isinstance(arguments[-1], dict):
        *arguments, options = arguments
    arguments = [tuple(a) if isinstance(a, list) else a for a in arguments]
    options = {snake(key): tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    image = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    if name == 'affine':
        options = {'translate': (0, 0), 'scale': 1.0, 'shear': (0.0, 0.0), **options}
    if name == 'normalize':
        return F.normalize(array.astype(np.float32), *arguments, data_format='HWC', **options)
    if name == 'erase':
        arguments[4] = np.array(arguments[4])
    result = getattr(F, snake(name))(image, *arguments, **options)
    result = result.numpy() if isinstance(result, paddle.Tensor) else np.asarray(result)
    return result if result.ndim == 3 else result[..., None]


def main():
    found = []
    for name, image, arguments in cases():
        result = computed(name, made(*image), json.loads(json.dumps(arguments)))
        assert result.dtype in (np.uint8, np.float32), (name, result.dtype)
        data = base64.b64encode(np.ascontiguousarray(result).tobytes()).decode()
        kind = 'uint8' if result.dtype == np.uint8 else 'float32'
        found.append({'name': name, 'image': image, 'arguments': arguments, 'shape': result.shape, kind: data})
    parameters = {}
    for name in CLASSES:
        signature = inspect.signature(getattr(T, name).__init__).parameters.items()
        parameters[name] = [
            [camel(key)] + ([] if p.default is p.empty else [p.default]) for key, p in signature if key != 'self'
        ]
    lines = ',\n'.join('  ' + json.dumps(case, separators=(',', ':')) for case in found)
    versions = {'paddle': paddle.__version__, 'pillow': PIL.__version__, 'numpy': np.__version__}
    head = f'"versions": {json.dumps(versions)},\n"parameters": {json.dumps(parameters)}'
    path = Path(__file__).with_name('transforms.json')
    path.write_text(f'{{{head},\n"cases": [\n{lines}\n]}}\n', encoding='utf-8')
    print(f'{len(found)} cases, {path.stat().st_size / 1024:.0f} KiB')


main()
