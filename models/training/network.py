"""The two networks: small U-Nets behind a pixel-unshuffle stem, made for one CPU thread."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.training.labels import GRADES, MEASURED, SCENES, SEGMENTATION


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def shares(logits: Tensor) -> Tensor:
    """Softmax along the second axis; written out it takes a tenth off the time of the whole exported net."""
    parts = torch.exp(logits - logits.amax(1, keepdim=True))
    return parts / parts.sum(1, keepdim=True)


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


class Geometry(nn.Module):
    """What a reader measures, softly, from the predicted masks: areas, contact, CSF left, the cord's place and shape.

    Gradients stop here: the masks learn from their own truth.
    """

    count = 22

    def __init__(self) -> None:
        super().__init__()
        # Applied n times it is the maximum over 2 n + 1 pixels a side, for a fraction of the time of one large pool.
        self.near = nn.MaxPool2d(3, 1, 1)
        self.scale = nn.BatchNorm1d(self.count)
        self.register_buffer("axis", torch.linspace(-1.0, 1.0, 48))

    def forward(self, masks: Tensor) -> Tensor:
        """Probabilities at 1 mm, (N, 5, 48, 48), to (N, 22)."""
        seen = masks.detach().float()
        csf, cord, tumour, bone = (seen[:, k : k + 1] for k in (1, 2, 3, 4))
        close = self.near(tumour)
        around = self.near(close)
        cord_edge = self.near(self.near(cord))
        thick = self.near(-self.near(-csf))
        sums = [
            csf,
            cord,
            tumour,
            bone,
            close * cord,
            around * cord,
            close * csf,
            around * csf,
            cord_edge * csf,
            thick,
        ]
        areas = torch.log1p(torch.cat([s.sum((2, 3)) for s in sums], 1))
        peak = tumour.amax((2, 3))
        row, column = self._centre(cord)
        csf_row, csf_column = self._centre(csf)
        spread_row = self._spread(cord, row, 2)
        spread_column = self._spread(cord, column, 3)
        moments = torch.cat([peak, row, row - csf_row, column - csf_column, spread_row, spread_column], 1)
        moments = torch.cat([moments, self._against(cord, tumour * self.near(self.near(cord_edge)), row, column)], 1)
        # What the cord's outline lacks of its closing by 4 mm: a cord of its own shape, however far tumour flows round
        # it, lacks nothing.
        dent = -self.near(self.near(-cord_edge)) - cord
        dents = torch.log1p(torch.cat([dent.sum((2, 3)), (dent * around).sum((2, 3))], 1))
        return self.scale(torch.cat([areas, moments, dents], 1))

    def _against(self, cord: Tensor, tumour: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """How the cord is shaped towards the tumour beside it: spread along and across, skew, distance; (N, 4)."""
        tumour_row, tumour_column = self._centre(tumour)
        down, right = tumour_row - row, tumour_column - column
        away = torch.sqrt(down * down + right * right + 1e-6)
        down, right = (down / away)[:, :, None, None], (right / away)[:, :, None, None]
        y = self.axis[None, None, :, None] - row[:, :, None, None]
        x = self.axis[None, None, None, :] - column[:, :, None, None]
        along, across = y * down + x * right, x * down - y * right
        total = cord.sum((2, 3)) + 1.0
        spread = (cord * along * along).sum((2, 3)) / total * 10
        width = (cord * across * across).sum((2, 3)) / total * 10
        skew = (cord * along * along * along).sum((2, 3)) / total * 100
        return torch.cat([spread, width, skew, away], 1)

    def _centre(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        total = mask.sum((2, 3)) + 1.0
        return (mask.sum(3) * self.axis).sum(2) / total, (mask.sum(2) * self.axis).sum(2) / total

    def _spread(self, mask: Tensor, centre: Tensor, dim: int) -> Tensor:
        profile = mask.sum(5 - dim)
        return ((profile * (self.axis - centre[:, :, None]) ** 2).sum(2) / (mask.sum((2, 3)) + 1.0)) * 10


class CompressionNet(nn.Module):
    """Segmentation, ordinal and scene logits, and measurements, of 48 mm slices centred on the canal."""

    def __init__(self, widths: tuple[int, int, int, int] = (24, 40, 72, 112)) -> None:
        super().__init__()
        a, _, _, d = widths
        classes = len(SEGMENTATION)
        self.unet = UNet(widths)
        self.masks = nn.Sequential(nn.Conv2d(a, classes * 4, 3, padding=1), nn.PixelShuffle(2))
        self.reduce = nn.AvgPool2d(2)
        self.look = nn.Sequential(_stride(a + classes, 48), _stride(48, 80), _same(80), _stride(80, 112))
        self.join = nn.Sequential(
            nn.Conv2d(112 + d, 112, 3, padding=1, bias=False), nn.BatchNorm2d(112), nn.ReLU(inplace=True)
        )
        self.geometry = Geometry()
        self.sizes = (len(GRADES) - 1, len(SCENES), len(MEASURED))
        self.head = nn.Sequential(
            nn.Linear(224 + Geometry.count, 128), nn.ReLU(inplace=True), nn.Linear(128, sum(self.sizes))
        )

    def forward(self, slices: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return logits, (N, 5, 96, 96), (N, 5), (N, 5), and what was measured of the implant, (N, 5).

        The measurements are taught beside the grade and left out of the exported file.
        """
        features, bottleneck = self.unet(slices)
        masks = self.masks(features)
        coarse = self.reduce(shares(masks))
        seen = self.look(torch.cat([features, coarse], 1))
        joined = self.join(torch.cat([seen, bottleneck], 1))
        pooled = torch.cat([joined.mean((2, 3)), joined.amax((2, 3)), self.geometry(coarse).to(joined.dtype)], 1)
        ordinal, scene, measured = self.head(pooled).split(self.sizes, 1)
        return masks, ordinal, scene, measured


class CanalNet(nn.Module):
    """Heatmap logits of 192 mm fields."""

    def __init__(self, widths: tuple[int, int, int, int] = (16, 28, 48, 72)) -> None:
        super().__init__()
        self.unet = UNet(widths)
        last = nn.Conv2d(widths[0], 4, 3, padding=1)
        # Hardly any pixel is a canal: start from there.
        nn.init.constant_(last.bias, -4.0)
        self.heat = nn.Sequential(last, nn.PixelShuffle(2))

    def forward(self, slices: Tensor) -> Tensor:
        """(N, 1, 96, 96) to logits of the same shape."""
        features, _ = self.unet(slices)
        return self.heat(features)


def _stride(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def _same(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
    )
