"""Convolutions in front of a classifier."""

from __future__ import annotations

from torch import nn

KERNEL = 3
"""Values that a filter sees at once."""


def convolutions(channels: int, length: int, filters: int, blocks: int) -> tuple[nn.Sequential, int]:
    """Blocks of convolution, ReLU and maximum of two, and the length they leave of ``length``.

    From (batch, channels, length) to (batch, filters, length / 2^blocks, rounded up).
    """
    layers = nn.Sequential()
    for _ in range(blocks):
        layers.extend(
            [
                nn.Conv1d(channels, filters, KERNEL, padding=KERNEL // 2),
                nn.ReLU(),
                nn.MaxPool1d(2, ceil_mode=True),
            ]
        )
        channels, length = filters, (length + 1) // 2
    return layers, length
