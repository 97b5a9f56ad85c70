"""Explanations of a small network: pytorch-grad-cam's class activation maps, Captum's integrated gradients and occlusion."""

import captum
import numpy as np
import pytorch_grad_cam
import torch
from captum.attr import IntegratedGradients, Occlusion
from importlib.metadata import version
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from zoo_values import formula

NAME = 'Captum'
VERSION = captum.__version__

SHAPES = {
    'conv1.weight': ([4, 3, 3, 3], 0.5),
    'conv1.bias': ([4], 0.2),
    'conv2.weight': ([6, 4, 3, 3], 0.4),
    'conv2.bias': ([6], 0.2),
    'fc.weight': ([3, 150], 0.3),
    'fc.bias': ([3], 0.1),
}
IMAGES = ([2, 3, 10, 10], 1.0)
CAMS = {
    'gradcam': pytorch_grad_cam.GradCAM,
    'hirescam': pytorch_grad_cam.HiResCAM,
    'layercam': pytorch_grad_cam.LayerCAM,
}


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.relu1 = torch.nn.ReLU()
        self.pool1 = torch.nn.MaxPool2d(2)
        self.conv2 = torch.nn.Conv2d(4, 6, 3, padding=1)
        self.relu2 = torch.nn.ReLU()
        self.fc = torch.nn.Linear(150, 3)

    def forward(self, x):
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.relu2(self.conv2(x))
        return self.fc(x.flatten(1))


class Difference:
    """The logit of one class less that of another."""

    def __init__(self, wanted, against):
        self.wanted, self.against = wanted, against

    def __call__(self, output):
        return output[..., self.wanted] - output[..., self.against]


def explanations(tensor):
    net = Net().eval()
    state = {name: torch.from_numpy(formula(shape, seed, scale)) for seed, (name, (shape, scale)) in enumerate(SHAPES.items(), 1)}
    net.load_state_dict(state)
    images = torch.from_numpy(formula(IMAGES[0], 99, IMAGES[1]))
    cams = []
    for method, kind in CAMS.items():
        for layer in ('relu2', 'relu1'):
            for wanted, against in ((0, None), (2, None), (1, 0)):
                with kind(model=net, target_layers=[getattr(net, layer)]) as cam:
                    target = ClassifierOutputTarget(wanted) if against is None else Difference(wanted, against)
                    shown = cam(input_tensor=images, targets=[target] * 2)
                    features = cam.activations_and_grads.activations[0].numpy()
                    gradients = cam.activations_and_grads.gradients[0].numpy()
                    raw = cam.get_cam_image(images, getattr(net, layer), [target] * 2, features, gradients, False)
                cams.append({
                    'method': method, 'layer': layer, 'class': wanted, 'against': against,
                    'map': tensor(np.maximum(raw, 0)), 'shown': tensor(shown),
                })
    integrated = []
    for wanted, baseline, steps in ((0, 0.0, 50), (2, 0.25, 20), (1, 0.0, 7)):
        values, delta = IntegratedGradients(net).attribute(
            images, baselines=baseline, target=wanted, n_steps=steps, return_convergence_delta=True
        )
        integrated.append({
            'class': wanted, 'baseline': baseline, 'steps': steps,
            'values': tensor(values.detach().numpy()), 'delta': tensor(delta.detach().numpy()),
        })
    covered = []
    for wanted, patch, stride, baseline in ((0, 3, 1, 0.0), (2, 4, 3, 0.5), (1, 5, 5, 0.0)):
        values = Occlusion(net).attribute(
            images, sliding_window_shapes=(3, patch, patch), strides=(1, stride, stride), baselines=baseline, target=wanted
        )
        covered.append({
            'class': wanted, 'patch': patch, 'stride': stride, 'baseline': baseline,
            'map': tensor(values[:, 0].detach().numpy()),
        })
    return {
        'torch': torch.__version__,
        'grad-cam': version('grad-cam'),
        'parameters': [
            {'name': name, 'shape': shape, 'seed': seed, 'scale': scale}
            for seed, (name, (shape, scale)) in enumerate(SHAPES.items(), 1)
        ],
        'images': {'shape': IMAGES[0], 'seed': 99, 'scale': IMAGES[1]},
        'logits': tensor(net(images).detach().numpy()),
        'cams': cams,
        'integratedGradients': integrated,
        'occlusion': covered,
    }
