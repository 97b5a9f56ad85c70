"""Values of weights and pictures that follow from a formula, for networks of any framework."""

import math

import numpy as np

# Values after which weights repeat: the largest networks have 140 million.
PERIOD = 4099


def formula(shape, seed, scale):
    h = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(seed * 0x9E3779B9)
    mask = np.uint64(0xFFFFFFFF)
    h &= mask
    h ^= h >> np.uint64(16)
    h = h * np.uint64(0x85EBCA6B) & mask
    h ^= h >> np.uint64(13)
    h = h * np.uint64(0xC2B2AE35) & mask
    h ^= h >> np.uint64(16)
    return ((h.astype(np.float64) / 2**31 - 1) * scale).astype(np.float32).reshape(shape)


def start_of(name, shape):
    """Scale of the formula for an entry of the state dict, and what is added; `zoo.test.ts` repeats it."""
    kind = name.rsplit('.', 1)[-1]
    if kind == '_variance':
        return 0.5, 1.0
    if kind == 'weight' and len(shape) == 1:  # of batch norm; small, or deep networks would overflow
        return 0.2, 0.4
    if kind == 'weight':
        return math.sqrt(6 / (np.prod(shape[1:]) if len(shape) == 4 else shape[0])), 0.0
    return 0.2, 0.0


def values_of(shape, seed, scale, offset):
    size = int(np.prod(shape))
    return (np.resize(formula((min(size, PERIOD),), seed, scale), size) + np.float32(offset)).reshape(shape)


def samples(array, most=64):
    flat = np.asarray(array).astype(np.float32).ravel()
    stride = -(-flat.size // most)
    return {'stride': stride, 'values': [float(str(value)) for value in flat[::stride]]}
