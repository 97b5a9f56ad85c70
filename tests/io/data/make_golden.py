"""Makes golden.safetensors: pip install safetensors==0.8.0 numpy ml_dtypes && python make_golden.py golden.safetensors"""

import sys

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

tensors = {
    "weight": np.array([[1.5, -2.25, 3e-40], [np.inf, -0.0, 3.4e38]], np.float32),
    "label": np.array([1, -2, 2**31 - 1, -(2**31)], np.int32),
    "pixels": np.arange(250, 256, dtype=np.uint8).reshape(1, 2, 3),
    "double": np.array([0.1, -1e300, 1e-300], np.float64),
    "half": np.array([1, -2.5, 65504, 6e-8, 6.1e-5, -0.0, np.inf, -np.inf], np.float16),
    "brain": np.array([1, -3.140625, 1e38, 1e-40], ml_dtypes.bfloat16),
    "long": np.array([0, -1, 2**31 - 1, -(2**31)], np.int64),
    "scalar": np.array(7, np.float32),
    "empty": np.zeros((0, 3), np.float32),
    "名前 \"q\"": np.array([1], np.uint8),
}
save_file(tensors, sys.argv[1], metadata={"epoch": "3", "naïve": "✓"})
