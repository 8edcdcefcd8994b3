"""What a person may choose about how one model file is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from engine.backend import KvType, LoadSettings
from engine.library.memory_estimate import MIN_CTX


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """`n_ctx` 0 and `n_gpu_layers` None: as Inglenook thinks best. Threads are never asked for: they adapt."""

    n_ctx: int = 0
    kv_type: KvType = "f16"
    n_gpu_layers: int | None = None

    @property
    def settings(self) -> LoadSettings:
        return LoadSettings(
            n_ctx=self.n_ctx, kv_type_k=self.kv_type, kv_type_v=self.kv_type, n_gpu_layers=self.n_gpu_layers
        )

    def kept(self) -> dict[str, object]:
        """What is worth keeping; empty where everything is as usual."""
        usual = LoadOptions()
        values = {"n_ctx": self.n_ctx, "kv_type": self.kv_type, "n_gpu_layers": self.n_gpu_layers}
        return {name: value for name, value in values.items() if value != getattr(usual, name)}

    @classmethod
    def of(cls, kept: Mapping[str, object]) -> LoadOptions:
        """What makes no sense is left out."""
        n_ctx, kv_type, n_layers = kept.get("n_ctx"), kept.get("kv_type"), kept.get("n_gpu_layers")
        usual = cls()
        return cls(
            n_ctx if isinstance(n_ctx, int) and MIN_CTX <= n_ctx <= 1 << 24 else usual.n_ctx,
            kv_type if kv_type in get_args(KvType) else usual.kv_type,  # type: ignore[arg-type]
            n_layers if isinstance(n_layers, int) and 0 <= n_layers <= 10_000 else None,
        )
