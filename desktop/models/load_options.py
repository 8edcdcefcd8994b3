"""The options for loading a model file that the user can set, and their storage for each file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import get_args

from engine.adapter import Adapter
from engine.backend import KvType, LoadSettings
from engine.library.memory_estimate import MIN_CTX

MAX_CTX = 1 << 24
MAX_LAYERS = 10_000
MAX_CARDS = 16

PROCESSOR = "processor"
"""The value of `LoadOptions.device` with which no graphics card is used."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """Options for loading one model file. `n_ctx` 0 and `n_gpu_layers` None mean automatic.

    The number of threads is not an option, because the engine adapts it while the model runs."""

    n_ctx: int = 0
    kv_type: KvType = "f16"
    n_gpu_layers: int | None = None
    drafts: bool = True
    draft_model: str = ""
    """The path of the draft model; "" if there is none."""
    adapters: tuple[Adapter, ...] = ()
    device: str = ""
    """The id of the graphics card that computes the model; "" for all cards, or PROCESSOR."""
    n_cpu_experts: int | None = None
    tensor_split: tuple[float, ...] = ()
    """Shares of the cards. They are only used if all cards are."""

    @property
    def settings(self) -> LoadSettings:
        return LoadSettings(
            n_ctx=self.n_ctx,
            kv_type_k=self.kv_type,
            kv_type_v=self.kv_type,
            n_gpu_layers=self.n_gpu_layers,
            drafts=self.drafts,
            draft_model=Path(self.draft_model) if self.draft_model and self.drafts else None,
            adapters=self.adapters,
            devices=None if not self.device else () if self.device == PROCESSOR else (self.device,),
            n_cpu_experts=self.n_cpu_experts,
            tensor_split=self.tensor_split if not self.device else (),
        )

    def to_dict(self) -> dict[str, object]:
        """The values that differ from the defaults, as the settings file stores them."""
        default = LoadOptions()
        values = {name: value for name, value in asdict(self).items() if value != getattr(default, name)}
        if self.adapters:
            values["adapters"] = [{"path": str(each.path), "scale": each.scale} for each in self.adapters]
        return values

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> LoadOptions:
        """The options with these stored values. Invalid values are replaced by the defaults."""
        n_ctx, kv_type, n_layers = stored.get("n_ctx"), stored.get("kv_type"), stored.get("n_gpu_layers")
        draft_model, default = stored.get("draft_model"), cls()
        device, n_experts = stored.get("device"), stored.get("n_cpu_experts")
        return cls(
            n_ctx if isinstance(n_ctx, int) and MIN_CTX <= n_ctx <= MAX_CTX else default.n_ctx,
            kv_type if kv_type in get_args(KvType) else default.kv_type,  # type: ignore[arg-type]
            n_layers if isinstance(n_layers, int) and 0 <= n_layers <= MAX_LAYERS else None,
            stored.get("drafts") is not False,
            draft_model if isinstance(draft_model, str) else default.draft_model,
            tuple(_stored_adapters(stored.get("adapters"))),
            device if isinstance(device, str) else default.device,
            n_experts if isinstance(n_experts, int) and 0 <= n_experts <= MAX_LAYERS else None,
            _stored_split(stored.get("tensor_split")),
        )


def _stored_split(stored: object) -> tuple[float, ...]:
    """The stored shares of the cards; empty if they are invalid."""
    shares = stored if isinstance(stored, list | tuple) else ()
    is_valid = len(shares) <= MAX_CARDS and all(
        isinstance(each, int | float) and isfinite(each) and each >= 0 for each in shares
    )
    return tuple(map(float, shares)) if is_valid and any(shares) else ()


def _stored_adapters(stored: object) -> Iterator[Adapter]:
    """The valid ones of the stored adapters."""
    for each in stored if isinstance(stored, list) else ():
        match each:
            case {"path": str(path), "scale": int(scale) | float(scale)} if path and isfinite(scale):
                yield Adapter(Path(path), float(scale))


class LoadOptionsByFile:
    """Maps the path of each model file to its saved options and to its edited options, which are not saved yet.
    Qt-free."""

    def __init__(self, stored: Mapping[str, Mapping[str, object]]) -> None:
        """`stored` is the setting `model_settings`."""
        self._saved = {path: LoadOptions.from_dict(values) for path, values in stored.items()}
        self._edited: dict[str, LoadOptions] = {}

    def saved(self, path: Path) -> LoadOptions:
        return self._saved.get(str(path), LoadOptions())

    def current(self, path: Path) -> LoadOptions:
        """The edited options of the file, or its saved options if none were edited."""
        return self._edited.get(str(path)) or self.saved(path)

    def edit(self, path: Path, options: LoadOptions) -> None:
        self._edited[str(path)] = options

    def save(self, path: Path) -> bool:
        """Save the edited options of the file. Return False if there are none."""
        options = self._edited.pop(str(path), None)
        if options is not None:
            self._saved[str(path)] = options
        return options is not None

    def to_dict(self) -> dict[str, dict[str, object]]:
        """The saved options of all files, in the format of the setting `model_settings`: only values that differ from
        the defaults."""
        return {path: values for path, options in self._saved.items() if (values := options.to_dict())}
