"""One answer's tokens, as bytes, → the text that may be shown."""

from __future__ import annotations

from collections.abc import Sequence

from engine.output.stops import StopStrings
from engine.output.utf8 import Utf8Decoder


class TextAssembler:
    """Whole characters, and nothing of a stop string."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._decoder = Utf8Decoder()
        self._stops = StopStrings(stops)

    def feed(self, data: bytes) -> tuple[str, bool]:
        """Text that may be shown now, and whether a stop string ended the answer."""
        return self._stops.feed(self._decoder.feed(data))

    def flush(self) -> str:
        """The rest, when the answer ended otherwise."""
        return self._stops.flush()
