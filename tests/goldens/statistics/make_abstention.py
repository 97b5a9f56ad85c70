"""Writes abstention.json: torch-uncertainty's error rates at each coverage, and the area under them.

python make_abstention.py
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch_uncertainty.metrics.classification.risk_coverage import AURC

cases = []
for seed, samples, classes, skill in [(1, 60, 2, 1.5), (2, 90, 4, 1), (3, 40, 3, 0)]:
    random = np.random.RandomState(seed)
    labels = random.randint(classes, size=samples)
    logits = random.randn(samples, classes) + skill * np.eye(classes)[labels]
    # Four digits, and no two samples of one confidence.
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    probabilities = probabilities.round(4)
    probabilities[:, -1] = (1 - probabilities[:, :-1].sum(1)).round(4)
    _, first = np.unique(probabilities.max(1), return_index=True)
    labels, probabilities = labels[first], probabilities[first]
    metric = AURC()
    metric.update(torch.tensor(probabilities), torch.tensor(labels))
    rates = metric.partial_compute().double()
    cases.append(
        {
            'classes': classes,
            'labels': labels.tolist(),
            'probabilities': probabilities.ravel().tolist(),
            'errors': [float(f'{rate:.9g}') for rate in rates],
            # The definition in the metric's description; its value leaves out the coverage below the first sample.
            'area': float(f'{rates.mean():.9g}'),
        }
    )

libraries = {library: version(library) for library in ['numpy', 'torch', 'torch-uncertainty']}
text = json.dumps({'libraries': libraries, 'python': platform.python_version(), 'golden': cases}, separators=(',', ':'))
Path(__file__).with_name('abstention.json').write_text(text.replace(',"', ',\n"') + '\n', encoding='utf-8')
