"""LoRA adapters in llama.cpp."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.adapter import AdapterScales
from engine.errors import AdapterError, ModelFileError, Reason
from engine.native.context import NativeContext
from engine.native.llama import C, take_error_message
from engine.native.model import NativeModel


class NativeAdapters:
    """The adapters of one model. Load them before the contexts that use them, because llama.cpp sizes its graphs by the
    adapters of the model. Close them after these contexts and before the model. Used only on the native thread, the one
    that decodes."""

    def __init__(self, model: NativeModel, paths: Iterable[Path]) -> None:
        """Raises AdapterError for the first one that llama.cpp cannot apply to the model, and ModelFileError for one if
        there is no memory for it."""
        self._pointers: list[Any] = []
        try:
            for path in paths:
                self._pointers.append(_load(model, path))
        except BaseException:
            self.close()
            raise

    def apply(self, context: NativeContext, scales: AdapterScales) -> None:
        """Lets later decodes of `context` use the adapters with these scales, one for each adapter."""
        n = len(self._pointers)
        if n:
            pointers = (C.llama_adapter_lora_p_ctypes * n)(*self._pointers)
            C.llama_set_adapters_lora(context.pointer, pointers, n, (ctypes.c_float * n)(*scales))

    def close(self) -> None:
        pointers, self._pointers = self._pointers, []
        for pointer in pointers:
            C.llama_adapter_lora_free(pointer)


def _load(model: NativeModel, path: Path) -> Any:
    take_error_message()  # an earlier warning would be taken for the reason
    pointer = C.llama_adapter_lora_init(model.pointer, os.fsencode(path))
    if not pointer:
        why = take_error_message().rpartition("failed to apply lora adapter: ")[2] or "llama.cpp cannot load it"
        if "failed to allocate" in why:  # with fewer layers on a graphics card, there can be memory for it
            raise ModelFileError(path, why)
        raise AdapterError(path, Reason("it does not fit the model ({why})", why=why))
    return pointer
