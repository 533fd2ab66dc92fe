"""Writes the .onnx files of this folder and outputs.json, what PyTorch itself computes: python3 make.py (PyTorch 1.13).

Small networks with random weights, in the forms that torch.onnx.export has: constants folded or not, the batch open or fixed,
batch normalizations folded into convolutions or kept.
"""
import json

import torch
from torch import nn
from torch.nn import functional as F


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 5), nn.Conv2d(4, 6, 5)
        self.fc1, self.fc2 = nn.Linear(96, 20), nn.Linear(20, 10)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.view(x.size(0), -1)))
        return F.softmax(self.fc2(F.dropout(x, training=self.training)), dim=1)


class Shortcut(nn.Module):
    def __init__(self, zeros):
        super().__init__()
        self.zeros = zeros

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.zeros, self.zeros))


class Block(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        stride = 1 if channels == filters else 2
        self.conv1, self.bn1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters)
        self.conv2, self.bn2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters)
        self.shortcut = nn.Identity() if stride == 1 else Shortcut((filters - channels) // 2)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4)
        self.layer1, self.layer2 = nn.Sequential(Block(4, 4)), nn.Sequential(Block(4, 8))
        self.linear = nn.Linear(8, 10)

    def forward(self, x):
        x = self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x)))))
        return self.linear(F.avg_pool2d(x, int(x.size(3))).view(x.size(0), -1))


class Mobile(nn.Module):
    """Residual, grouped and depthwise convolutions, batch normalizations, a concatenation, and the standardization of the image."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU())
        self.depthwise, self.bn_d = nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), nn.BatchNorm2d(8)
        self.point, self.grouped = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 12, 3, 1, 1, groups=4)
        self.average, self.largest = nn.AvgPool2d(2), nn.MaxPool2d(3, 2, 1)
        self.bn_f, self.head = nn.BatchNorm1d(32), nn.Linear(32, 10)

    def forward(self, x):
        x = (x - torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1)) / torch.tensor([0.2, 0.25, 0.3]).view(1, 3, 1, 1)
        x = self.stem(x)
        x = F.relu(x + self.point(F.relu(self.bn_d(self.depthwise(x)))))
        a = self.grouped(x)
        b = torch.cat([x, a], 1)
        x = torch.cat([self.average(b) + self.largest(b), self.average(a)], 1)
        return self.head(self.bn_f(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)))


def main():
    torch.manual_seed(1)
    outputs = {}
    for name, network, shape, fold, open_batch, keep in [
        ("lenet", LeNet(), (1, 28, 28), False, True, False),
        ("lenet-folded", LeNet(), (1, 28, 28), True, False, False),
        ("resnet", ResNet(), (3, 16, 16), False, True, True),
        ("resnet-folded", ResNet(), (3, 16, 16), True, False, False),
        ("mobile", Mobile(), (3, 16, 16), False, False, True),
        ("mobile-folded", Mobile(), (3, 16, 16), True, True, False),
    ]:
        for module in network.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
                module.weight.data.uniform_(0.5, 1.5)
                module.bias.data.normal_(0, 0.2)
        network.eval()
        count = 3 * shape[0] * shape[1] * shape[2]
        # Pixels that a test can make again without a file.
        images = torch.tensor([i * (i + 31) // 7 % 256 for i in range(count)], dtype=torch.float32).view(3, *shape) / 255
        mode = torch.onnx.TrainingMode.PRESERVE if keep else torch.onnx.TrainingMode.EVAL
        axes = {"input": {0: "batch"}, "output": {0: "batch"}} if open_batch else None
        torch.onnx.export(network, images, name + ".onnx", opset_version=13, do_constant_folding=fold, training=mode,
                          input_names=["input"], output_names=["output"], dynamic_axes=axes)
        outputs[name] = network(images).tolist()
    with open("outputs.json", "w", encoding="ascii") as file:
        json.dump(outputs, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
