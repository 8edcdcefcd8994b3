"""Tests of finding words of the drawn text of a message in its Markdown source."""

from __future__ import annotations

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from desktop.render.markdown import blocks
from desktop.transcript.text_positions import find_in_source, word_at, words_in


@given(
    st.lists(st.sampled_from(["one", "two", "**one**", "`two`", "🙂", "one's", "\n\n", "# one\n\n", ", "]), min_size=1)
)
def test_drawn_word_is_found_in_markdown_source_or_reported_as_ambiguous(pieces: list[str]) -> None:
    """The text of the parsed blocks serves as the drawn text."""
    source = " ".join(pieces)
    texts = [re.sub(r"<[^>]+>", "", block.html).replace("&#x27;", "'") for block in blocks(source)]
    words = words_in(texts)
    for number, word in enumerate(words):
        span = find_in_source(words, number, source)
        assert span is None or source[slice(*span)] == word.text
        assert word_at(words, word.segment, word.start) is not None


def test_word_offsets_after_emoji_count_utf16_units() -> None:
    words = words_in(["\U0001f600 one \U0001f600 two"])
    assert [(word.text, word.start) for word in words] == [("one", 3), ("two", 10)]
    started = time.thread_time()
    words_in(["word \U0001f600 " * 10_000])
    assert time.thread_time() - started < 1.0
