"""Writes the golden files beside this script: scikit-learn's, SciPy's, statsmodels', dcurves' and PyCM's results.

python make_statistics.py [NAME ...]     all files, or those with these names
"""

import json
import math
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from dcurves import dca
from pycm.ci import AUC_SE_calc
from scipy import optimize, stats
from scipy.special import expit, logsumexp
from sklearn import metrics
from sklearn.isotonic import IsotonicRegression
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

LIBRARIES = ['numpy', 'scipy', 'scikit-learn', 'statsmodels', 'dcurves', 'pycm']
Z = stats.norm.ppf(0.975)


def number(value):
    """Twelve digits; None for values that are not defined."""
    value = float(value)
    return None if math.isnan(value) else float(f'{value:.12g}')


def numbers(values):
    return [number(value) for value in values]


def predictions(seed, samples, shares, skill):
    """Labels and probabilities that are multiples of 1/1024, so that rows add up to 1 exactly and ties occur."""
    random = np.random.RandomState(seed)
    classes = len(shares)
    labels = random.choice(classes, samples, p=shares)
    logits = random.randn(samples, classes) + skill * np.eye(classes)[labels]
    soft = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
    return labels, np.array([random.multinomial(1024, row / row.sum() * (1 - 1e-12)) for row in soft]) / 1024


def kappas(matrix):
    made = {}
    for name in ['none', 'linear', 'quadratic']:
        found = cohens_kappa(matrix, wt=None if name == 'none' else name)
        made[name] = {'value': number(found.kappa), 'standardError': number(found.std_kappa)}
    return made


def likelihood_ratio(a, m, b, n):
    """The relative risk of a positive result: Katz' interval on the log scale."""
    if min(m, n, b) == 0:
        return None
    ratio = stats.contingency.relative_risk(a, m, b, n)
    interval = ratio.confidence_interval(0.95)
    bounds = None if a == 0 else numbers([interval.low, interval.high])
    return {'value': number(ratio.relative_risk), 'interval': bounds}


def per_class(matrix, c):
    tp = int(matrix[c, c])
    fn, fp = int(matrix[c].sum() - tp), int(matrix[:, c].sum() - tp)
    tn = int(matrix.sum() - tp - fn - fp)
    return {
        'counts': [tp, fp, fn, tn],
        'positive': likelihood_ratio(tp, tp + fn, fp, fp + tn),
        'negative': likelihood_ratio(fn, tp + fn, tn, fp + tn),
    }


def class_case(name, labels, probabilities):
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    every = list(range(classes))
    matrix = metrics.confusion_matrix(labels, predicted, labels=every)
    means = {}
    for average in [None, 'macro', 'weighted']:
        found = metrics.precision_recall_fscore_support(
            labels, predicted, labels=every, average=average, zero_division=np.nan
        )
        key = average or 'perClass'
        means[key] = {n: numbers(np.atleast_1d(v)) for n, v in zip(['ppv', 'sensitivity', 'f1'], found[:3])}
    positive = probabilities[:, 1]
    if classes == 2:
        auc = metrics.roc_auc_score(labels, positive)
        average_precision = metrics.average_precision_score(labels, positive)
    elif len(set(labels)) == classes:
        auc = metrics.roc_auc_score(labels, probabilities, multi_class='ovr')
        average_precision = metrics.average_precision_score(np.eye(classes)[labels], probabilities)
    else:
        auc = average_precision = math.nan
    balanced = metrics.balanced_accuracy_score(labels, predicted) if len(set(labels)) == classes else math.nan
    return {
        'name': name,
        'labels': labels.tolist(),
        'probabilities': (probabilities * 1024).astype(int).ravel().tolist(),
        'classes': classes,
        'matrix': matrix.tolist(),
        **means,
        'ratios': [per_class(matrix, c) for c in every],
        'accuracy': number(metrics.accuracy_score(labels, predicted)),
        'balancedAccuracy': number(balanced),
        'matthews': number(metrics.matthews_corrcoef(labels, predicted)),
        'kappa': kappas(matrix),
        'auc': number(auc),
        'averagePrecision': number(average_precision),
        'logLoss': number(metrics.log_loss(labels, probabilities, labels=every)),
        'brierScore': number(metrics.brier_score_loss(labels, probabilities, labels=every)),
    }


def classes():
    def made():
        yield 'two classes', predictions(1, 120, [0.7, 0.3], 1.5)
        yield 'three classes', predictions(2, 150, [0.5, 0.3, 0.2], 1.2)
        yield 'five grades', predictions(3, 200, [0.4, 0.2, 0.2, 0.1, 0.1], 1.0)
        labels, probabilities = predictions(4, 60, [0.5, 0.5, 0, 0], 1.0)
        probabilities[:, 0] += probabilities[:, 3]
        probabilities[:, 3] = 0
        yield 'class 2 absent, class 3 absent and never called', (labels, probabilities)

    return [class_case(name, *case) for name, case in made()]


def components(labels, scores):
    """DeLong's structural components, pair by pair (DeLong et al. 1988, equations 2 to 4)."""
    x, y = scores[labels == 1], scores[labels == 0]
    psi = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    return psi.mean(), psi.mean(axis=1), psi.mean(axis=0)


def paired_delong(labels, a, b):
    """Equations 5 to 7 for the contrast (1, -1)."""
    (auc_a, a10, a01), (auc_b, b10, b01) = components(labels, a), components(labels, b)
    covariance = np.cov(a10, b10) / len(a10) + np.cov(a01, b01) / len(a01)
    error = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    difference = auc_a - auc_b
    return {
        'areas': numbers([auc_a, auc_b]),
        'difference': number(difference),
        'standardError': number(error),
        'z': number(difference / error),
        'pValue': number(2 * stats.norm.sf(abs(difference / error))),
        'interval': numbers([difference - Z * error, difference + Z * error]),
    }


def comparisons():
    random = np.random.RandomState(11)
    pairs = []
    for name, samples, digits in [('continuous', 150, 6), ('ties', 80, 1)]:
        labels = (random.rand(samples) < 0.4).astype(int)
        shared = random.randn(samples)
        a = expit(1.6 * labels + shared + 0.6 * random.randn(samples) - 0.8).round(digits)
        b = expit(1.1 * labels + shared + 0.6 * random.randn(samples) - 0.8).round(digits)
        found = paired_delong(labels, a, b)
        pairs.append({'name': name, 'labels': labels.tolist(), 'a': a.tolist(), 'b': b.tolist(), **found})
    tables = []
    for only_a, only_b in [(59, 121), (4, 10), (0, 6), (7, 7), (1, 0), (30, 31)]:
        table = [[40, only_a], [only_b, 30]]
        exact, corrected = mcnemar(table, exact=True), mcnemar(table, exact=False, correction=True)
        tables.append(
            {
                'onlyA': only_a,
                'onlyB': only_b,
                'exact': number(exact.pvalue),
                'statistic': number(corrected.statistic),
                'corrected': number(corrected.pvalue),
            }
        )
    lists = [[0.01, 0.04, 0.03, 0.005], [0.5], [0.02, 0.02, 0.9, 0.4, 0.0001], [0.3, 0.6, 1]]
    holm = [{'values': values, 'adjusted': numbers(multipletests(values, method='holm')[1])} for values in lists]
    return {'delong': pairs, 'mcnemar': tables, 'holm': holm}


def bca(values, statistic, name):
    """SciPy's interval, with the resampled statistics that it is computed from."""
    with np.errstate(all='ignore'):
        found = stats.bootstrap((values,), statistic, n_resamples=499, method='BCa', random_state=5, vectorized=False)
        plain = stats.bootstrap(
            (values,), statistic, bootstrap_result=found, n_resamples=0, method='percentile', vectorized=False
        )
    jackknife = [statistic(np.delete(values, i)) for i in range(len(values))]
    return {
        'name': name,
        'value': number(statistic(values)),
        'replicates': numbers(found.bootstrap_distribution),
        'jackknife': numbers(jackknife),
        'bca': numbers(found.confidence_interval),
        'percentile': numbers(plain.confidence_interval),
    }


def intervals():
    random = np.random.RandomState(21)
    quantiles = [1e-12, 0.001, 0.025, 0.2, 0.5, 0.7, 0.975, 0.999999]
    points = [-9, -3.5, -1, -0.1, 0, 0.7, 2, 3, 5, 8]
    counts = [(0, 20), (1, 20), (10, 20), (20, 20), (81, 263), (395, 400), (1, 1)]
    beta = [(0.5, 0.5, 0.3), (2, 3, 0.1), (10, 1, 0.97), (40, 60, 0.35), (300, 2, 0.999), (1, 1, 0.25), (5, 400, 0.02)]
    return {
        'normal': {'points': points, 'cdf': [float(v) for v in stats.norm.cdf(points)]},
        'quantiles': {'shares': quantiles, 'values': [float(v) for v in stats.norm.ppf(quantiles)]},
        'beta': [{'a': a, 'b': b, 'x': x, 'cdf': float(stats.beta.cdf(x, a, b))} for a, b, x in beta],
        'clopperPearson': [
            {'hits': k, 'total': n, 'interval': numbers(proportion_confint(k, n, method='beta'))} for k, n in counts
        ],
        'wilson': [
            {'hits': k, 'total': n, 'interval': numbers(proportion_confint(k, n, method='wilson'))} for k, n in counts
        ],
        'bootstrap': [
            bca(random.lognormal(size=30).round(4), np.mean, 'mean of skewed values'),
            bca((random.rand(40) < 0.2).astype(float), np.mean, 'share'),
            bca(random.randn(25).round(4), np.std, 'standard deviation'),
        ],
    }


def temperature(labels, logits):
    """The root of the derivative of the mean loss by 1/T."""

    def slope(beta):
        soft = np.exp(beta * logits - logsumexp(beta * logits, axis=1, keepdims=True))
        return ((soft - np.eye(logits.shape[1])[labels]) * logits).sum(axis=1).mean()

    return 1 / optimize.brentq(slope, 1e-6, 1e3, xtol=1e-15, rtol=1e-14)


def binned(labels, scores, bins):
    """scikit-learn's reliability curve with right-closed bins, weighted by counts."""
    from sklearn.calibration import calibration_curve

    share, mean = calibration_curve(labels, scores, n_bins=bins, strategy='uniform')
    places = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], scores)
    counts = np.bincount(places, minlength=bins)
    return number((counts[counts > 0] * abs(share - mean)).sum() / len(labels))


def calibration():
    random = np.random.RandomState(31)
    several = []
    for name, samples, count, scale in [('two outputs', 120, 2, 3), ('four classes', 160, 4, 2.5), ('flat', 90, 3, 0.3)]:
        logits = random.randn(samples, count)
        labels = np.array([random.choice(count, p=row / row.sum()) for row in np.exp(1.2 * logits)])
        logits = (scale * logits).round(4)
        value = temperature(labels, logits)
        soft = np.exp(logits / value - logsumexp(logits / value, axis=1, keepdims=True))
        confidence, hit = soft.max(axis=1), (soft.argmax(axis=1) == labels).astype(int)
        several.append(
            {
                'name': name,
                'classes': count,
                'labels': labels.tolist(),
                'logits': logits.ravel().tolist(),
                'temperature': number(value),
                'logLoss': number(metrics.log_loss(labels, soft, labels=list(range(count)))),
                'topLabelError': binned(hit, confidence, 15),
            }
        )
    two = []
    for name, samples, digits in [('overconfident', 140, 4), ('ties', 60, 0)]:
        odds = (2.5 * random.randn(samples)).round(digits) + 0.0
        labels = (random.rand(samples) < expit(0.4 * odds - 0.3)).astype(int)
        positives = labels.sum()
        target = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (samples - positives + 2))
        design = sm.add_constant(odds)
        family = sm.families.Binomial()
        platt = sm.GLM(target, design, family=family).fit(tol=1e-14, maxiter=200)
        line = sm.GLM(labels, design, family=family).fit(tol=1e-14, maxiter=200)
        large = sm.GLM(labels, np.ones((samples, 1)), family=family, offset=odds).fit(tol=1e-14, maxiter=200)
        isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds='clip').fit(odds, labels)
        grid = [-20, -3.3, -1.05, 0, 0.5, 1.7, 4, 20]
        two.append(
            {
                'name': name,
                'labels': labels.tolist(),
                'logOdds': odds.tolist(),
                'platt': {'intercept': number(platt.params[0]), 'slope': number(platt.params[1])},
                'line': {'values': numbers(line.params), 'standardErrors': numbers(line.bse)},
                'inTheLarge': {'value': number(large.params[0]), 'standardError': number(large.bse[0])},
                'isotonic': {'at': grid, 'values': numbers(isotonic.predict(grid))},
            }
        )
    return {'several': several, 'two': two}


def curves():
    random = np.random.RandomState(41)
    labels = (random.rand(200) < 0.45).astype(int)
    scores = expit(1.8 * labels + random.randn(200) - 1).round(2)
    table = pd.DataFrame({'outcome': labels, 'model': scores})
    thresholds = [0.01, 0.05, 0.105, 0.205, 0.305, 0.505, 0.755, 0.995]
    decision = []
    for prevalence in [None, 0.05]:
        found = dca(data=table, outcome='outcome', modelnames=['model'], thresholds=thresholds, prevalence=prevalence)
        rows = {name: part.sort_values('threshold') for name, part in found.groupby('model')}
        decision.append(
            {
                'prevalence': prevalence,
                'model': numbers(rows['model']['net_benefit']),
                'all': numbers(rows['all']['net_benefit']),
            }
        )
    sizes = []
    for share, half in [(0.9, 0.025), (0.95, 0.05), (0.5, 0.1), (1, 0.02), (0.8, 0.001)]:

        def width(n):
            low, high = proportion_confint(share * n, n, method='wilson')
            return (high - low) / 2

        n = 1
        step = 1 << 22
        while step:
            n += step if n + step < 1 << 23 and width(n + step - 1) > half else 0
            step >>= 1
        n = next(k for k in range(max(1, n - 3), n + 4) if width(k) <= half)
        sizes.append({'share': share, 'halfWidth': half, 'samples': n})
    return {'labels': labels.tolist(), 'scores': scores.tolist(), 'thresholds': thresholds, 'decision': decision, 'sizes': sizes}


def area_error(area, positives, negatives):
    """Hanley and McNeil's standard error. PyCM multiplies each term by the other class's number than the paper does."""
    return AUC_SE_calc(area, negatives, positives)


def areas():
    sizes = []
    for auc, prevalence, half in [(0.9, 0.1, 0.025), (0.9, 0.5, 0.025), (0.75, 0.3, 0.05), (0.98, 0.02, 0.02), (0.5, 0.5, 0.1)]:

        def parts(n):
            positives = max(1, math.floor(n * prevalence + 0.5))
            return positives, max(1, n - positives)

        samples = next(n for n in range(2, 1 << 20) if Z * area_error(auc, *parts(n)) <= half)
        positives, negatives = parts(samples)
        sizes.append({'auc': auc, 'prevalence': prevalence, 'halfWidth': half, 'positives': positives, 'negatives': negatives})
    intervals = []
    for auc, positives, negatives in [(1, 5, 20), (0, 12, 9), (1, 40, 400), (1, 1, 1), (1, 3, 3)]:
        # Newcombe's fifth method: the number of either class in the variance is the mean of both.
        mean = (positives + negatives) / 2

        def outside(area):
            error = area_error(area, mean, mean) * mean / math.sqrt(positives * negatives)
            return abs(auc - area) - Z * error

        bound = optimize.brentq(outside, 1e-9, 1 - 1e-9, xtol=1e-14)
        intervals.append(
            {
                'auc': auc,
                'positives': positives,
                'negatives': negatives,
                'interval': numbers([bound, 1] if auc == 1 else [0, bound]),
            }
        )
    return {'sizes': sizes, 'intervals': intervals}


FILES = {
    'classes': classes,
    'intervals': intervals,
    'comparisons': comparisons,
    'calibration': calibration,
    'curves': curves,
    'areas': areas,
}

for name in sys.argv[1:] or FILES:
    header = {'libraries': {library: version(library) for library in LIBRARIES}, 'python': platform.python_version()}
    path = Path(__file__).with_name(f'{name}.json')
    text = json.dumps({**header, 'golden': FILES[name]()}, separators=(',', ':'), allow_nan=False)
    path.write_text(text.replace(',"', ',\n"') + '\n', encoding='utf-8')
    print(f'{path.name}: {path.stat().st_size / 1024:.0f} KiB')
