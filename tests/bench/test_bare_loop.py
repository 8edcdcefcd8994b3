"""The C loop runs with both kinds of KV memory."""

from __future__ import annotations

import shutil

import pytest

from tests.bench import bare_loop

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


@pytest.mark.parametrize("unified", [True, False])
def test_loop_reads_prompts_and_decodes_all_sequences(unified: bool) -> None:
    with bare_loop.bare_loop(256, 2) as loop:
        timing = loop.run(["What is a river?", "What is a road?"], 5, unified=unified)
    assert timing.n_tokens == 10
    assert timing.read_s > 0
    assert timing.decode_s > 0


def test_reason_is_given_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert bare_loop.no_bare_loop() == "there is no C compiler (cc)"


def test_common_beginning_leaves_a_token_to_read() -> None:
    assert bare_loop._n_common([[1, 2, 3], [1, 2, 3]]) == 2
    assert bare_loop._n_common([[1, 2, 3], [1, 5, 3]]) == 1
    assert bare_loop._n_common([[1, 2]]) == 1
