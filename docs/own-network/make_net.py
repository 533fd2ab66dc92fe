"""Trains a small residual network on MNIST in PyTorch and writes it as ONNX: a network that AdmmKit has never seen.

Usage: python3 make_net.py FOLDER net.onnx [EPOCHS [SEED]]
FOLDER holds the four IDX files of MNIST, plain or .gz. Pixels are divided by 255. The last 5,000 training images are not used: AdmmKit
chooses by them, and they mean something only if the network has not learnt them.
"""
import gzip
import os
import sys
import warnings

import numpy as np
import torch
from torch import nn

warnings.filterwarnings("ignore")


def idx(folder, name):
    for path in (os.path.join(folder, name), os.path.join(folder, name + ".gz")):
        if os.path.exists(path):
            with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
                data = f.read()
            return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape([int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(data[3])])
    sys.exit(f"{name} is not in {folder}")


class Separable(nn.Module):
    """x + a depthwise convolution and a pointwise one, each with batch normalization."""

    def __init__(self, channels):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = torch.relu(self.bn1(self.depthwise(x)))
        return torch.relu(x + self.bn2(self.pointwise(y)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 24, 3, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2))
        self.block1 = Separable(24)
        self.down = nn.Sequential(nn.Conv2d(24, 48, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(48), nn.ReLU())
        self.grouped = nn.Sequential(nn.Conv2d(48, 96, 3, padding=1, groups=4, bias=False), nn.BatchNorm2d(96), nn.ReLU())
        self.block2 = Separable(96)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(96, 10)

    def forward(self, x):
        x = self.block2(self.grouped(self.down(self.block1(self.stem(x)))))
        return self.fc(torch.flatten(self.pool(x), 1))


def main():
    folder, target = sys.argv[1:3]
    epochs, seed = (int(a) for a in (sys.argv[3:] + ["3", "1"][len(sys.argv) - 3:]))
    torch.manual_seed(seed)
    images, labels = (torch.tensor(idx(folder, "train-" + part)[:55000]) for part in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    tests, answers = (torch.tensor(idx(folder, "t10k-" + part)) for part in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    images, tests = (x[:, None].float() / 255 for x in (images, tests))
    net, batch = Net(), 100
    optimizer = torch.optim.Adam(net.parameters(), 4e-3)
    steps = epochs * len(images) // batch
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for epoch in range(epochs):
        net.train()
        for at in torch.randperm(len(images)).split(batch):
            loss = nn.functional.cross_entropy(net(images[at]), labels[at].long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        net.eval()
        with torch.no_grad():
            correct = sum(int((net(x).argmax(1) == y).sum()) for x, y in zip(tests.split(500), answers.split(500)))
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}, {correct} of {len(tests)} test images", flush=True)
    # PRESERVE keeps batch normalizations as they are; the default folds them into the convolutions, which AdmmKit reads as well.
    torch.onnx.export(net, torch.zeros(1, 1, 28, 28), target, input_names=["image"], output_names=["scores"],
                      dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}}, training=torch.onnx.TrainingMode.PRESERVE)
    weights = sum(p.numel() for n, p in net.named_parameters() if p.dim() > 1)
    print(f"{target}: {weights} weights, {os.path.getsize(target)} bytes")


main()
