"""The options of `inglenook-serve` that decide what graphics cards compute. llama.cpp's server has the same names."""

from __future__ import annotations

import argparse
import contextlib
import math
from typing import TypedDict

NONE = "none"
"""The value of `--device` with which the processor computes the whole model."""


class CardSettings(TypedDict):
    """Fields of `LoadSettings`."""

    devices: tuple[str, ...] | None
    n_gpu_layers: int | None
    n_cpu_experts: int | None
    tensor_split: tuple[float, ...]


def add_card_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        type=device_ids,
        metavar="ID[,ID…]",
        help=f"the graphics cards to use, such as Vulkan0, or {NONE}; without it, all of them",
    )
    parser.add_argument(
        "-ngl",
        "--gpu-layers",
        "--n-gpu-layers",
        type=layer_count,
        metavar="N",
        help="the number of layers on graphics cards; without it, as many as fit",
    )
    parser.add_argument(
        "-ncmoe",
        "--n-cpu-moe",
        "--cpu-experts",
        type=layer_count,
        metavar="N",
        help="the number of layers whose experts stay with the processor; without it, as few as needed",
    )
    parser.add_argument(
        "-ts",
        "--tensor-split",
        type=shares,
        default=(),
        metavar="N[,N…]",
        help="the shares of the graphics cards; without it, by their free memory",
    )


def card_settings(options: argparse.Namespace) -> CardSettings:
    return CardSettings(
        devices=options.device,
        n_gpu_layers=options.gpu_layers,
        n_cpu_experts=options.n_cpu_moe,
        tensor_split=options.tensor_split,
    )


def device_ids(text: str) -> tuple[str, ...]:
    return () if text == NONE else tuple(part.strip() for part in text.split(",") if part.strip())


def layer_count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of layers")
    return int(text)


def shares(text: str) -> tuple[float, ...]:
    with contextlib.suppress(ValueError):
        numbers = tuple(map(float, text.split(",")))
        if all(math.isfinite(each) and each >= 0 for each in numbers) and any(numbers):
            return numbers
    raise argparse.ArgumentTypeError(f"'{text}' is not a list of numbers of at least 0, of which one is more")
