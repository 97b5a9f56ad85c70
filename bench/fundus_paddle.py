"""Trains a network in PaddlePaddle on images in raw files and prints the accuracy after each epoch; see fundusPaddle.ts.

usage: python bench/fundus_paddle.py FOLDER NETWORK SEED EPOCHS
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import paddle
from networks import network
from paddle import nn
from paddle_kit import kit, optimizer_of

BATCH = 10


def read(folder, part):
    labels = np.fromfile(f"{folder}/{part}.labels", dtype="int32")
    images = np.fromfile(f"{folder}/{part}.images", dtype="float32").reshape(len(labels), 3, 224, 224)
    return images, labels


def batches(images, labels, order):
    for begin in range(0, len(order), BATCH):
        chosen = order[begin : begin + BATCH]
        yield paddle.to_tensor(images[chosen]), labels[chosen]


def main():
    folder, name = sys.argv[1:3]
    seed, epochs = map(int, sys.argv[3:5])
    paddle.set_device("cpu")
    paddle.seed(seed)
    random = np.random.default_rng(seed)
    train, judge = read(folder, "train"), read(folder, "validation")
    net = network(name, kit)
    compute, optimizer = nn.BCEWithLogitsLoss(), optimizer_of(name, net.parameters())
    accuracies = []
    for epoch in range(1, epochs + 1):
        begun, losses = time.time(), []
        net.train()
        for images, labels in batches(*train, random.permutation(len(train[1]))):
            loss = compute(net(images), paddle.to_tensor(labels.astype("float32")[:, None]))
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            losses.append(float(loss))
        seconds = time.time() - begun
        net.eval()
        with paddle.no_grad():
            right = sum(
                int(((net(images).numpy()[:, 0] > 0) == (labels == 1)).sum())
                for images, labels in batches(*judge, np.arange(len(judge[1])))
            )
        accuracies.append(right / len(judge[1]))
        print(
            f"{name} seed {seed} epoch {epoch}: training loss {np.mean(losses):.4f}, "
            f"accuracy {100 * accuracies[-1]:.1f} %, {seconds:.0f} s",
            flush=True,
        )


main()
