"""The two networks: small U-Nets behind a pixel-unshuffle stem, made for one CPU thread."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.training.labels import GRADES, SCENES, SEGMENTATION


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    """Four levels at half resolution; returns (features at half resolution, bottleneck)."""

    def __init__(self, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = nn.PixelUnshuffle(2)
        self.pool = nn.MaxPool2d(2)
        self.down = nn.ModuleList([_block(4, a), _block(a, b), _block(b, c), _block(c, d)])
        self.up = nn.ModuleList([_block(d + c, c), _block(c + b, b), _block(b + a, a)])
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, slices: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 1, 96, 96) to (N, a, 48, 48) and (N, d, 6, 6)."""
        skips = []
        x = self.stem(slices)
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else self.pool(x))
            skips.append(x)
        bottleneck = x
        for block, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            x = block(torch.cat([self.grow(x), skip], 1))
        return x, bottleneck


class CompressionNet(nn.Module):
    """Segmentation, ordinal and scene logits of 48 mm slices centred on the canal."""

    def __init__(self, widths: tuple[int, int, int, int] = (24, 40, 64, 96)) -> None:
        super().__init__()
        a, _, _, d = widths
        classes = len(SEGMENTATION)
        self.unet = UNet(widths)
        self.masks = nn.Sequential(nn.Conv2d(a, classes * 4, 3, padding=1), nn.PixelShuffle(2))
        self.reduce = nn.AvgPool2d(2)
        self.look = nn.Sequential(_stride(a + classes, 40), _stride(40, 64), _stride(64, 64))
        self.join = nn.Sequential(nn.Conv2d(64 + d, 96, 3, padding=1, bias=False), nn.BatchNorm2d(96), nn.ReLU(inplace=True))
        self.head = nn.Sequential(nn.Linear(192, 64), nn.ReLU(inplace=True), nn.Linear(64, len(GRADES) - 1 + len(SCENES)))

    def forward(self, slices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits: (N, 5, 96, 96), (N, 5), (N, 5)."""
        features, bottleneck = self.unet(slices)
        masks = self.masks(features)
        seen = self.look(torch.cat([features, self.reduce(torch.softmax(masks, 1))], 1))
        joined = self.join(torch.cat([seen, bottleneck], 1))
        pooled = torch.cat([joined.mean((2, 3)), joined.amax((2, 3))], 1)
        out = self.head(pooled)
        return masks, out[:, : len(GRADES) - 1], out[:, len(GRADES) - 1 :]


class CanalNet(nn.Module):
    """Heatmap logits of 192 mm fields."""

    def __init__(self, widths: tuple[int, int, int, int] = (16, 28, 48, 72)) -> None:
        super().__init__()
        self.unet = UNet(widths)
        last = nn.Conv2d(widths[0], 4, 3, padding=1)
        # Hardly any pixel is a canal: start from there.
        nn.init.constant_(last.bias, -4.0)  # type: ignore[arg-type]
        self.heat = nn.Sequential(last, nn.PixelShuffle(2))

    def forward(self, slices: Tensor) -> Tensor:
        """(N, 1, 96, 96) to logits of the same shape."""
        features, _ = self.unet(slices)
        return self.heat(features)


def _stride(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
