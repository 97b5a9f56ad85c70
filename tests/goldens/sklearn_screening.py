"""Metrics of screening tests: scikit-learn's, statsmodels' Wilson intervals, and DeLong's variance by its definition."""

import math

import numpy as np
import scipy
import sklearn
import statsmodels
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)
from statsmodels.stats.proportion import proportion_confint

NAME = 'scikit-learn'
VERSION = sklearn.__version__
LIBRARIES = {'scipy': scipy.__version__, 'statsmodels': statsmodels.__version__}

BINS = 10
Z = norm.ppf(0.975)
RULES = [{'sensitivity': 0.95}, {'sensitivity': 1}, {'specificity': 0.95}, {'specificity': 1}, 'youden']


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cases():
    """Name, labels and scores; scores are float32, as networks give them."""
    random = np.random.RandomState(7)

    def normal(name, positives, negatives, distance, digits=None):
        labels = np.repeat([1, 0], [positives, negatives])
        random.shuffle(labels)
        scores = sigmoid(distance * (labels - 0.5) + 1.2 * random.randn(len(labels)))
        return name, labels, scores if digits is None else scores.round(digits)

    yield normal('normal', 213, 187, 2.6)
    yield normal('ties', 60, 90, 1.5, digits=1)
    yield normal('unbalanced', 9, 291, 3)
    yield 'perfect', np.array([0, 1, 1, 0, 1, 0, 0, 1]), np.array([0.1, 0.7, 0.9, 0.2, 0.6, 0.4, 0, 1])
    yield 'worst', np.array([1, 1, 0, 1, 0, 0]), np.array([0.1, 0.2, 0.9, 0.3, 0.8, 0.55])
    yield 'tiny', np.array([0, 1, 1]), np.array([0.4, 0.3, 0.8])
    yield 'constant', np.array([0, 1, 1, 0, 1]), np.full(5, 0.5)
    yield 'only class 0', np.zeros(4, int), np.array([0.1, 0.6, 0.2, 0.3])
    yield 'only class 1', np.ones(4, int), np.array([0.1, 0.6, 0.2, 0.3])


def delong(labels, scores):
    """Area and standard error from the structural components, pair by pair (DeLong et al. 1988, equations 2 to 6)."""
    x, y = scores[labels == 1], scores[labels == 0]
    psi = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
    if min(len(x), len(y)) < 2:
        return psi.mean(), None
    return psi.mean(), math.sqrt(v10.var(ddof=1) / len(x) + v01.var(ddof=1) / len(y))


def newcombe(area, m, n):
    """Score interval with the variance of Hanley and McNeil (Newcombe 2006, part 2, method 5)."""
    pairs = (m + n) / 2 - 1

    def excess(theta):
        spread = 1 + pairs * (1 - theta) / (2 - theta) + pairs * theta / (1 + theta)
        return (theta - area) ** 2 - Z**2 * theta * (1 - theta) / (m * n) * spread

    tiny = 1e-12
    low = 0 if area == 0 else brentq(excess, tiny, min(area, 1 - tiny), xtol=1e-14)
    high = 1 if area == 1 else brentq(excess, max(area, tiny), 1 - tiny, xtol=1e-14)
    return [low, high]


def auc(labels, scores):
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return None
    area, error = delong(labels, scores)
    assert abs(area - roc_auc_score(labels, scores)) < 1e-12
    if not error:
        interval, method = newcombe(area, positives, negatives), 'newcombe'
    else:
        half = Z * error / (area * (1 - area))
        logit = math.log(area / (1 - area))
        interval, method = [float(sigmoid(logit - half)), float(sigmoid(logit + half))], 'delong-logit'
    return {'value': area, 'standardError': error, 'interval': interval, 'method': method}


def proportion(hits, total):
    if total == 0:
        return {'hits': 0, 'total': 0, 'value': None, 'interval': None}
    interval = proportion_confint(hits, total, method='wilson')
    return {'hits': hits, 'total': total, 'value': hits / total, 'interval': list(interval)}


def at_threshold(labels, scores, threshold):
    matrix = confusion_matrix(labels, (scores >= threshold).astype(int), labels=[0, 1])
    tn, fp, fn, tp = (int(count) for count in matrix.ravel())
    return {
        'threshold': threshold,
        'truePositives': tp,
        'falsePositives': fp,
        'trueNegatives': tn,
        'falseNegatives': fn,
        'accuracy': proportion(tp + tn, len(labels)),
        'sensitivity': proportion(tp, tp + fn),
        'specificity': proportion(tn, tn + fp),
        'ppv': proportion(tp, tp + fp),
        'npv': proportion(tn, tn + fn),
    }


def operating_threshold(labels, scores, rule):
    """Every score tried as a threshold."""
    tried = []
    for threshold in sorted(set(scores)):
        positive = scores >= threshold
        tried.append((threshold, positive[labels == 1].mean(), (~positive)[labels == 0].mean()))
    if rule == 'youden':
        best = max(sensitivity + specificity for _, sensitivity, specificity in tried)
        return max(t for t, sensitivity, specificity in tried if sensitivity + specificity > best - 1e-12)
    if 'sensitivity' in rule:
        return max(t for t, sensitivity, _ in tried if sensitivity >= rule['sensitivity'])
    enough = [t for t, _, specificity in tried if specificity >= rule['specificity']]
    return min(enough, default=math.nextafter(scores.max(), math.inf))


def calibration(labels, scores):
    """scikit-learn's curve has no empty bins and no counts; these come from its own edges."""
    share, mean = calibration_curve(labels, scores, n_bins=BINS, strategy='uniform')
    bins = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], scores)
    counts = np.bincount(bins, minlength=BINS)
    positives = np.bincount(bins, weights=labels, minlength=BINS)
    means = np.full(BINS, np.nan)
    means[counts > 0] = mean
    assert np.allclose(share, (positives / np.maximum(counts, 1))[counts > 0])
    return {
        'counts': counts.tolist(),
        'positives': positives.astype(int).tolist(),
        'means': [None if math.isnan(value) else value for value in means],
        'expectedCalibrationError': float((counts[counts > 0] * abs(share - mean)).sum() / len(labels)),
    }


def figures(labels, scores):
    both = 0 < labels.sum() < len(labels)
    some = labels.sum() > 0
    result = {
        'auc': auc(labels, scores),
        'roc': None,
        'averagePrecision': float(average_precision_score(labels, scores)) if some else None,
        'precisionRecall': None,
        'brierScore': float(brier_score_loss(labels, scores, pos_label=1)),
        'calibration': calibration(labels, scores),
        'atHalf': at_threshold(labels, scores, 0.5),
        'points': [],
    }
    if both:
        fpr, tpr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
        result['roc'] = {
            'thresholds': [None, *(float(t) for t in thresholds[1:])],
            'falsePositiveRate': fpr.tolist(),
            'truePositiveRate': tpr.tolist(),
        }
        result['points'] = [
            {'rule': rule, 'chosenOn': at_threshold(labels, scores, float(operating_threshold(labels, scores, rule)))}
            for rule in RULES
        ]
    if some:
        precision, recall, thresholds = precision_recall_curve(labels, scores)
        result['precisionRecall'] = {
            'thresholds': thresholds.tolist(),
            'precision': precision.tolist(),
            'recall': recall.tolist(),
        }
    return result


def short(value, key=None):
    """Ten decimals say enough of what was computed. Thresholds are exact; those of curves are float32's decimals."""
    if isinstance(value, dict):
        return {name: short(item, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [short(item, key) for item in value]
    if not isinstance(value, float) or key == 'threshold':
        return value
    return float(str(np.float32(value))) if key == 'thresholds' else round(float(value), 10)


def screening(tensor):
    made = []
    for name, labels, scores in cases():
        rounded = scores.astype(np.float32)
        inputs = {'labels': tensor(labels), 'scores': tensor(rounded)}
        made.append({'name': name, **inputs, **short(figures(labels, rounded.astype(np.float64)))})
    return {'libraries': LIBRARIES, 'cases': made}
