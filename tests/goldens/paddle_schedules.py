"""Learning-rate schedules and gradient clipping, in Paddle."""

import numpy as np
import paddle
from paddle.optimizer import lr

STEPS = 60

# Name, options as Fovea spells them. LinearWarmup takes an inner schedule as [name, options].
SCHEDULES = [
    ('NoamDecay', {'dModel': 16, 'warmupSteps': 20}),
    ('NoamDecay', {'dModel': 512, 'warmupSteps': 7, 'learningRate': 0.5, 'lastEpoch': 4}),
    ('PiecewiseDecay', {'boundaries': [10, 25, 40], 'values': [0.1, 0.05, 0.01, 0.002]}),
    ('NaturalExpDecay', {'learningRate': 0.5, 'gamma': 0.1}),
    ('InverseTimeDecay', {'learningRate': 0.5, 'gamma': 0.1}),
    ('PolynomialDecay', {'learningRate': 0.5, 'decaySteps': 20}),
    ('PolynomialDecay', {'learningRate': 0.5, 'decaySteps': 20, 'endLr': 0.01, 'power': 2.5, 'cycle': True}),
    ('LinearWarmup', {'learningRate': 0.5, 'warmupSteps': 20, 'startLr': 0.0, 'endLr': 0.5}),
    (
        'LinearWarmup',
        {
            'learningRate': ['CosineAnnealingDecay', {'learningRate': 0.5, 'tMax': 40}],
            'warmupSteps': 15,
            'startLr': 0.05,
            'endLr': 0.5,
        },
    ),
    ('ExponentialDecay', {'learningRate': 0.5, 'gamma': 0.9}),
    ('MultiStepDecay', {'learningRate': 0.5, 'milestones': [12, 30]}),
    ('MultiStepDecay', {'learningRate': 0.5, 'milestones': [5, 10, 50], 'gamma': 0.5, 'lastEpoch': 3}),
    ('StepDecay', {'learningRate': 0.5, 'stepSize': 7}),
    ('StepDecay', {'learningRate': 0.5, 'stepSize': 20, 'gamma': 0.6}),
    ('LambdaDecay', {'learningRate': 0.5, 'lrLambda': 0.95}),
    ('MultiplicativeDecay', {'learningRate': 0.5, 'lrLambda': 0.95}),
    ('CosineAnnealingDecay', {'learningRate': 0.5, 'tMax': 20}),
    ('CosineAnnealingDecay', {'learningRate': 0.5, 'tMax': 60, 'etaMin': 0.05}),
    ('OneCycleLR', {'maxLearningRate': 1.0, 'totalSteps': 60}),
    ('OneCycleLR', {'maxLearningRate': 1.0, 'totalSteps': 60, 'annealStrategy': 'linear', 'phasePct': 0.4}),
    (
        'OneCycleLR',
        {
            'maxLearningRate': 0.8,
            'totalSteps': 60,
            'threePhase': True,
            'divideFactor': 10.0,
            'endLearningRate': 0.001,
        },
    ),
    ('CyclicLR', {'baseLearningRate': 0.1, 'maxLearningRate': 0.6, 'stepSizeUp': 7}),
    (
        'CyclicLR',
        {
            'baseLearningRate': 0.1,
            'maxLearningRate': 0.6,
            'stepSizeUp': 5,
            'stepSizeDown': 9,
            'mode': 'triangular2',
        },
    ),
    (
        'CyclicLR',
        {'baseLearningRate': 0.1, 'maxLearningRate': 0.6, 'stepSizeUp': 5, 'mode': 'exp_range', 'expGamma': 0.97},
    ),
    ('CosineAnnealingWarmRestarts', {'learningRate': 0.5, 't0': 9}),
    ('CosineAnnealingWarmRestarts', {'learningRate': 0.5, 't0': 5, 'tMult': 2, 'etaMin': 0.01}),
    ('LinearLR', {'learningRate': 0.5, 'totalSteps': 25}),
    ('LinearLR', {'learningRate': 0.5, 'totalSteps': 40, 'startFactor': 1.0, 'endFactor': 0.1}),
]

PLATEAUS = [
    {'learningRate': 0.5, 'patience': 3},
    {'learningRate': 0.5, 'patience': 2, 'factor': 0.5, 'cooldown': 4, 'minLr': 0.1, 'thresholdMode': 'abs', 'threshold': 0.02},
    {'learningRate': 0.5, 'mode': 'max', 'patience': 4, 'factor': 0.7, 'threshold': 0.01},
    {'learningRate': 0.5, 'mode': 'max', 'patience': 0, 'factor': 0.7, 'thresholdMode': 'abs', 'minLr': 0.01},
]

CLIPS = [
    ('ClipGradByValue', {'max': 0.5}),
    ('ClipGradByValue', {'max': 0.8, 'min': -0.1}),
    ('ClipGradByNorm', {'clipNorm': 1.0}),
    ('ClipGradByNorm', {'clipNorm': 100.0}),
    ('ClipGradByGlobalNorm', {'clipNorm': 1.0}),
    ('ClipGradByGlobalNorm', {'clipNorm': 100.0}),
]

SPELLING = {'dModel': 'd_model', 'tMax': 'T_max', 't0': 'T_0', 'tMult': 'T_mult'}


def snake(name):
    return SPELLING.get(name) or ''.join('_' + c.lower() if c.isupper() else c for c in name)


def make(name, options):
    spelled = {snake(key): value for key, value in options.items()}
    if name in ('LambdaDecay', 'MultiplicativeDecay'):
        factor = spelled['lr_lambda']
        power = name == 'LambdaDecay'
        spelled['lr_lambda'] = (lambda epoch: factor**epoch) if power else (lambda epoch: factor)
    if isinstance(spelled.get('learning_rate'), list):
        spelled['learning_rate'] = make(*spelled['learning_rate'])
    return getattr(lr, name)(**spelled)


def rates(schedule, step):
    found = []
    for i in range(STEPS):
        found.append(float(schedule()))
        step(schedule, i)
    return found


def schedules():
    random = np.random.RandomState(7)
    metrics = np.round(1 / (1 + np.arange(STEPS) / 5) + 0.1 * random.standard_normal(STEPS), 3).tolist()
    cases = [
        {'schedule': name, 'options': options, 'rates': rates(make(name, options), lambda s, _: s.step())}
        for name, options in SCHEDULES
    ]
    plateaus = [
        {'options': options, 'rates': rates(make('ReduceOnPlateau', options), lambda s, i: s.step(metrics[i]))}
        for options in PLATEAUS
    ]
    return {'cases': cases, 'metrics': metrics, 'plateaus': plateaus}


def clips(tensor):
    """The clipped gradients: one step of SGD with rate 1 subtracts them from parameters of zeros."""
    random = np.random.RandomState(8)
    gradients = [np.round(random.standard_normal(shape), 3).astype(np.float32) for shape in ((3, 4), (5,))]
    gradients.append(np.full((2,), 0.01, np.float32))
    cases = []
    for name, options in CLIPS:
        clip = getattr(paddle.nn, name)(**{snake(key): value for key, value in options.items()})
        parameters = []
        for gradient in gradients:
            parameters.append(paddle.create_parameter(gradient.shape, 'float32'))
            parameters[-1].set_value(np.zeros_like(gradient))
        optimizer = paddle.optimizer.SGD(1.0, parameters=parameters, grad_clip=clip)
        for parameter, gradient in zip(parameters, gradients):
            (parameter * paddle.to_tensor(gradient)).sum().backward()
        optimizer.step()
        cases.append({'clip': name, 'options': options, 'clipped': [tensor(-p.numpy()) for p in parameters]})
    return {'gradients': [tensor(gradient) for gradient in gradients], 'cases': cases}
