"""One training step of LeNet (batch 10 by default) in PyTorch: cross entropy, SGD with momentum.

usage: python3 bench/lenet_torch.py [batch] [threads] [steps]    prints one JSON object
"""
import json, statistics, sys, time
import torch
from torch import nn
from torch.nn import functional as F

batch, threads, steps = (int(a) for a in (sys.argv[1:] + ["10", "2", "1000"][len(sys.argv) - 1:]))


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Conv2d(16, 120, 4)
        self.fc1, self.fc2 = nn.Linear(120, 64), nn.Linear(64, 10)

    def forward(self, x):
        x = torch.sigmoid(F.max_pool2d(torch.sigmoid(self.conv1(x)), 2))
        x = self.conv3(F.max_pool2d(self.conv2(x), 2)).flatten(1)
        return self.fc2(torch.sigmoid(self.fc1(x)))


def measure(channels_last):
    torch.manual_seed(0)
    net, x, y = LeNet(), torch.rand(batch, 1, 28, 28), torch.randint(0, 10, (batch,))
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3, momentum=0.9)
    times = []
    for i in range(steps + 100):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
        if i >= 100:
            times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times), min(times)


torch.set_num_threads(threads)
modes = {name: measure(last) for name, last in (("nchw", False), ("channels_last", True))}
best = min(modes, key=lambda name: modes[name][0])
print(json.dumps({"torch": torch.__version__, "mode": best, "threads": threads, "medianMs": modes[best][0],
                  "minMs": modes[best][1], "all": {k: v[0] for k, v in modes.items()}}))
