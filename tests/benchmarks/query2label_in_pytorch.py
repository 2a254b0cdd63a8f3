"""Query2Label with ResNet-101 in PyTorch, as its official code builds it; run by the Python of `TORCH_PYTHON`.

Prints one line of JSON with the seconds of each pass over a batch of images; or, with a folder, writes the logits of
`images.npy` there with the weights of `weights.npz`.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

SIZE, WIDTH, FEEDFORWARD, HEADS, CLASSES, GRID = 448, 2048, 8192, 4, 80, 14


class FrozenNorm(nn.Module):
    """DETR's: the statistics are constants."""

    def __init__(self, width: int) -> None:
        super().__init__()
        for name, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((width,), value))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        w, b, mean, variance = (
            each.reshape(1, -1, 1, 1) for each in (self.weight, self.bias, self.running_mean, self.running_var)
        )
        scale = w * (variance + 1e-5).rsqrt()
        return x * scale + (b - mean * scale)


class Bottleneck(nn.Module):
    """torchvision's."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), FrozenNorm(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), FrozenNorm(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), FrozenNorm(4 * width)
        self.downsample = None
        if stride > 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), FrozenNorm(4 * width))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class Body(nn.Module):
    """ResNet-101 up to its last map."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), FrozenNorm(64)
        inputs = 64
        for layer, (depth, width) in enumerate(((3, 64), (4, 128), (23, 256), (3, 512)), 1):
            blocks = [
                Bottleneck(inputs if b == 0 else 4 * width, width, 2 if b == 0 and layer > 1 else 1)
                for b in range(depth)
            ]
            setattr(self, f"layer{layer}", nn.Sequential(*blocks))
            inputs = 4 * width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.max_pool2d(torch.relu_(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class Layer(nn.Module):
    """A layer of encoder or decoder: attention, then a hidden layer."""

    def __init__(self, attention: str, first: str, second: str) -> None:
        super().__init__()
        self.names = attention, first, second
        setattr(self, attention, nn.MultiheadAttention(WIDTH, HEADS, 0.1))
        self.linear1, self.linear2 = nn.Linear(WIDTH, FEEDFORWARD), nn.Linear(FEEDFORWARD, WIDTH)
        setattr(self, first, nn.LayerNorm(WIDTH))
        setattr(self, second, nn.LayerNorm(WIDTH))

    def forward(self, x: torch.Tensor, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        attention, first, second = (getattr(self, name) for name in self.names)
        x = first(x + attention(q, k, value=v)[0])
        return second(x + self.linear2(torch.relu(self.linear1(x))))


class Query2Label(nn.Module):
    """Images → logits."""

    def __init__(self) -> None:
        super().__init__()
        backbone, position = nn.Module(), nn.Module()
        backbone.body = Body()
        position.register_buffer("pe", torch.zeros(1, WIDTH, GRID, GRID))
        self.backbone = nn.ModuleList([backbone, position])
        self.transformer = nn.Module()
        self.transformer.encoder, self.transformer.decoder = nn.Module(), nn.Module()
        self.transformer.encoder.layers = nn.ModuleList([Layer("self_attn", "norm1", "norm2")])
        self.transformer.decoder.layers = nn.ModuleList([Layer("multihead_attn", "norm2", "norm3") for _ in range(2)])
        self.transformer.decoder.norm = nn.LayerNorm(WIDTH)
        self.query_embed, self.fc = nn.Embedding(CLASSES, WIDTH), nn.Module()
        self.fc.W, self.fc.b = (nn.Parameter(torch.zeros(shape)) for shape in ((1, CLASSES, WIDTH), (1, CLASSES)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        memory = self.backbone[0].body(images).flatten(2).permute(2, 0, 1)
        position = self.backbone[1].pe.flatten(2).permute(2, 0, 1).expand(-1, len(images), -1)
        for layer in self.transformer.encoder.layers:
            memory = layer(memory, memory + position, memory + position, memory)
        queries = self.query_embed.weight[:, None].expand(-1, len(images), -1)
        target = torch.zeros_like(queries)
        for layer in self.transformer.decoder.layers:
            target = layer(target, target + queries, memory + position, memory)
        target = self.transformer.decoder.norm(target).transpose(0, 1)
        return (self.fc.W * target).sum(-1) + self.fc.b


def main(rounds: int, batch: int, threads: int) -> None:
    """Print the seconds of each round."""
    torch.set_num_threads(threads)
    network = Query2Label().eval()
    images = torch.from_numpy(np.random.default_rng(0).standard_normal((batch, 3, SIZE, SIZE), np.float32))
    seconds = []
    with torch.inference_mode():
        network(images)
        for _ in range(rounds):
            started = time.perf_counter()
            network(images)
            seconds.append(time.perf_counter() - started)
    print(json.dumps({"seconds": seconds, "version": torch.__version__}))


def logits(folder: Path) -> None:
    """Write the logits of a folder's images with its weights."""
    network = Query2Label().eval()
    with np.load(folder / "weights.npz") as file:
        network.load_state_dict({key: torch.from_numpy(file[key]) for key in file})
    with torch.inference_mode():
        np.save(folder / "logits.npy", network(torch.from_numpy(np.load(folder / "images.npy"))).numpy())


if __name__ == "__main__":
    if len(sys.argv) == 2:
        logits(Path(sys.argv[1]))
    else:
        main(*map(int, sys.argv[1:]))
