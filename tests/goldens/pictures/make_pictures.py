"""Writes small pictures, and what OpenCV and Pillow make of them (pictures.json).

python3 -m venv /tmp/pictures
/tmp/pictures/bin/pip install opencv-python-headless==5.0.0.93 pillow==13.0.0
/tmp/pictures/bin/python tests/goldens/pictures/make_pictures.py

pictures.json has, in base64, every 331st byte of [3, height, width] (BGR): of the picture as cv2.imread gives it
(with transparency over white), and of
what cv2.resize and Pillow's resize with antialiasing make of it; and the same for arrays made by a formula.
"""

import base64
import json
from pathlib import Path

import cv2
import numpy as np
import PIL
from PIL import Image

HERE = Path(__file__).parent
STEP = 331
SIZES = [(224, 224), (96, 64), (330, 400)]  # height, width
ARRAYS = [  # height, width → height, width
    (500, 400, 224, 224),
    (448, 448, 224, 224),
    (225, 223, 224, 224),
    (100, 50, 224, 224),
    (1, 1, 224, 224),
    (1, 300, 224, 224),
    (300, 1, 224, 224),
    (2, 2, 3, 5),
    (900, 17, 33, 60),
    (64, 64, 1, 1),
]


def drawn(width, height):
    """A round bright field with waves and noise in it, dark around."""
    y, x = np.mgrid[0:height, 0:width]
    red = 127 + 100 * np.sin(x / (width / 7 + 1)) + 20 * np.sin(y / 9)
    green = 80 + 60 * np.cos(y / (height / 5 + 1))
    blue = 60 + 50 * np.sin((x + y) / (width / 9 + 1))
    noise = np.random.default_rng(width * height).normal(0, 3, (height, width, 3))
    field = np.stack([red, green, blue], -1) + noise
    distance = np.hypot((x - width / 2) / (width / 2), (y - height / 2) / (height / 2))
    return np.clip(np.where(distance[..., None] < 0.95, field, 2), 0, 255).astype(np.uint8)


def formula(height, width):
    """uint8 [height, width, 3] (RGB) from a linear congruential generator; the test repeats it."""
    state = np.uint64(height * 65536 + width)
    values = np.empty(height * width * 3, np.uint8)
    for i in range(values.size):
        state = (state * np.uint64(1664525) + np.uint64(1013904223)) & np.uint64(0xFFFFFFFF)
        values[i] = int(state) >> 24
    return values.reshape(height, width, 3)


def sample(image):
    flat = np.ascontiguousarray(image.transpose(2, 0, 1)).ravel()
    return base64.b64encode(flat[::STEP].tobytes()).decode()


def resized(bgr, height, width):
    pillow = np.asarray(Image.fromarray(bgr).resize((width, height), Image.BILINEAR))
    return {
        'height': height,
        'width': width,
        'opencv': sample(cv2.resize(bgr, (width, height))),
        'pillow': sample(pillow),
    }


def shown(path):
    """The picture as cv2.imread gives it; transparency is laid over white instead of being dropped."""
    if path.name != 'alpha.png':
        return cv2.imread(str(path))
    picture = Image.open(path)
    white = Image.new('RGBA', picture.size, 'white')
    return np.asarray(Image.alpha_composite(white, picture).convert('RGB'))[..., ::-1].copy()


def exif(orientation):
    tags = Image.Exif()
    tags[0x112] = orientation
    return tags


def write_pictures():
    def save(name, image, **options):
        image.save(HERE / name, **options)

    small = Image.fromarray(drawn(301, 203))
    save('zeiss.jpg', Image.fromarray(drawn(2124, 2056)), quality=40)
    save('444.jpg', Image.fromarray(drawn(333, 250)), quality=80, subsampling=0)
    save('422.jpg', small, quality=80, subsampling=1)
    save('wide.jpg', Image.fromarray(drawn(640, 75)), quality=80)
    save('tiny.jpg', Image.fromarray(drawn(50, 100)), quality=90)
    save('progressive.jpg', small, quality=80, progressive=True)
    save('grey.jpg', small.convert('L'), quality=80)
    save('cmyk.jpg', small.convert('CMYK'), quality=80)
    for orientation in range(2, 9):
        save(f'exif{orientation}.jpg', Image.fromarray(drawn(90, 60)), quality=80, exif=exif(orientation))
    save('png-named.jpg', small.resize((120, 80)), format='PNG')
    save('alpha.png', Image.merge('RGBA', (*small.resize((90, 60)).split(), small.resize((90, 60)).getchannel('G'))))
    save('palette.gif', small.resize((90, 60)))
    save('lossy.webp', small, quality=80)
    deep = drawn(90, 60).astype(np.uint16) * 256 + np.arange(90, dtype=np.uint16)[None, :, None] * 2
    cv2.imwrite(str(HERE / 'deep.png'), deep)


def main():
    write_pictures()
    pictures = []
    for path in sorted(HERE.iterdir()):
        if path.suffix not in ('.jpg', '.png', '.gif', '.webp'):
            continue
        bgr = shown(path)
        sizes = SIZES if bgr.shape[0] < 2000 else SIZES[:1]
        height, width = bgr.shape[:2]
        pictures.append(
            {
                'file': path.name,
                'height': height,
                'width': width,
                'decoded': sample(bgr if height < 2000 else bgr[1000:1100]),
                'resized': [resized(bgr, *size) for size in sizes],
            }
        )
    arrays = [
        {'height': h, 'width': w, **{'resized': [resized(formula(h, w)[..., ::-1], *size)]}} for h, w, *size in ARRAYS
    ]
    versions = {'opencv': cv2.__version__, 'pillow': PIL.__version__, 'step': STEP}
    lines = {**versions, 'pictures': pictures, 'arrays': arrays}
    (HERE / 'pictures.json').write_text(json.dumps(lines, indent=1) + '\n', encoding='utf-8')


main()
