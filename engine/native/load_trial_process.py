"""The child process for trial loads: `python -m engine.native.load_trial_process FILE [ADAPTER …]` loads and uses a
model file, and LoRA adapters for it, and may crash without harm to the app.

It reports on stdout each stage of `engine.library.load_trial.STAGES`, then "adapter" with the index of each adapter,
and at the end "good", or "refused" with a reason, or "adapter" with the index and the reason why it cannot be used.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.backend import Chunk, KvAllocationFailed, NativeFailure
from engine.errors import AdapterError, ModelFileError, TemplateError
from engine.library.load_trial import OUTPUT_PREFIX
from engine.native.adapters import NativeAdapters
from engine.native.context import NativeContext, context_params
from engine.native.model import NativeModel
from engine.prompt.chat_template import ChatTemplate
from engine.requests import Message

N_CTX = 64

EVERY_BYTE = "".join(map(chr, (*range(0x800), *range(0x800, 0xD800, 0x400), *range(0xE000, 0x110000, 0x1000))))
"""A text whose UTF-8 encoding contains every byte that can occur in UTF-8."""

CHAT = (Message("system", "Be brief."), Message("user", "Hello!"), Message("assistant", "Hi."), Message("user", "Bye."))


def main(arguments: list[str]) -> int:
    """Runs the trial load. Returns 0 if the file can be used."""
    _disable_core_dump()
    try:
        _report("loading")
        model = NativeModel(Path(arguments[0]), lambda progress: True, repack=False)
        _report("tokenizing")
        _tokenize(model)
        _report("computing")
        _compute(model)
        _report("template")
        _render(model)
        for index, path in enumerate(arguments[1:]):
            _report(f"adapter {index}")
            if reason := _adapter_fault(model, Path(path)):
                _report(f"adapter {index} {reason}")
                return 1
    except ModelFileError as error:
        _report(f"refused {error.reason}")
        return 1
    _report("good")
    return 0


def _tokenize(model: NativeModel) -> None:
    """Tokenizes every possible byte and reads the bytes of every token. llama.cpp aborts the process at a byte for
    which a damaged vocabulary has no token."""
    model.tokenize(EVERY_BYTE, add_special=True)
    for token in range(model.n_vocab):
        model.piece(token)


def _compute(model: NativeModel, adapters: NativeAdapters | None = None) -> None:
    """Decodes a short text, with an adapter if one is given."""
    context = NativeContext(model, context_params(N_CTX, N_CTX, 1, n_threads=1))
    if adapters is not None:
        adapters.apply(context, (1.0,))
    tokens = model.tokenize("Hello", add_special=True)[:N_CTX] or [0]
    try:
        context.decode([Chunk(0, 0, tokens, sample_last=True)], n_threads=1)
    except (KvAllocationFailed, NativeFailure) as error:
        raise ModelFileError(model.path, str(error) or "llama.cpp cannot compute with it") from error


def _adapter_fault(model: NativeModel, path: Path) -> str:
    """Why an adapter cannot be used; an empty text if it can."""
    try:
        _compute(model, NativeAdapters(model, [path]))
    except (AdapterError, ModelFileError) as error:
        return error.reason
    return ""


def _render(model: NativeModel) -> None:
    """Renders short chats with the model's chat template. Ignores errors of the template, because they affect only
    requests. If rendering never ends, the trial load fails."""
    vocabulary = model.vocabulary()
    try:
        template = ChatTemplate(model.chat_template, bos=vocabulary.bos, eos=vocabulary.eos)
        for n in (len(CHAT), 2, 1):
            template.render(CHAT[-n:])
    except TemplateError:
        pass


def _disable_core_dump() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _report(text: str) -> None:
    sys.stdout.write(f"{OUTPUT_PREFIX}{' '.join(text.split())}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
