"""The option `--lora` of `inglenook-serve`. A missing file is an error of usage; a file that turns out to be unusable
when the model is loaded is left out with a warning."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.adapter import Adapter
from engine.library.adapter_file import MAX_SCALE, is_scale

FORM = "PATH[=SCALE]"


def adapter(text: str) -> Adapter:
    """Parses the value of `--lora`. What follows the last equals sign is the scale, unless the whole text is the path
    of a file. argparse shows the errors."""
    if Path(text).is_file():
        return Adapter(Path(text))
    file, sign, scale = text.rpartition("=")
    file = file if sign else text
    if not Path(file).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {file!r}; the form is {FORM}")
    try:
        number = float(scale) if sign else 1.0
    except ValueError:
        raise argparse.ArgumentTypeError(f"the scale {scale!r} is not a number; the form is {FORM}") from None
    if not is_scale(number):
        raise argparse.ArgumentTypeError(f"the scale {scale} is not between -{MAX_SCALE:g} and {MAX_SCALE:g}")
    return Adapter(Path(file), number)
