"""The scales of LoRA adapters, in llama.cpp's format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from api.body import Body
from api.errors import BadRequest
from engine.adapter import AdapterScales
from engine.library.adapter_file import MAX_ADAPTERS, MAX_SCALE


class AdapterScale(Body):
    """The scale of the adapter that /lora-adapters lists with this `id`."""

    id: Annotated[int, Field(ge=0, lt=MAX_ADAPTERS)]
    scale: Annotated[float, Field(ge=-MAX_SCALE, le=MAX_SCALE, allow_inf_nan=False)]


def _with_distinct_ids(given: list[AdapterScale]) -> list[AdapterScale]:
    """llama.cpp's server takes the last scale of an adapter that is listed twice. That is more likely a mistake."""
    ids = [each.id for each in given]
    if twice := sorted({each for each in ids if ids.count(each) > 1}):
        raise PydanticCustomError("duplicate_id", "The id {id} is listed more than once", {"id": twice[0]})
    return given


AdapterScaleList = Annotated[
    list[AdapterScale], Field(max_length=MAX_ADAPTERS, fail_fast=True), AfterValidator(_with_distinct_ids)
]


class AdapterFields(Body):
    lora: AdapterScaleList | None = None
    """The scales of the model's adapters for this request. Adapters that are not listed get 0. An empty list means the
    scales that /lora-adapters lists, as in llama.cpp's server."""

    @property
    def adapter_scales(self) -> AdapterScales | None:
        return scales(self.lora) if self.lora else None


def scales(given: Sequence[AdapterScale]) -> AdapterScales:
    """Returns the scales by id. Adapters that are not listed get 0."""
    found = {each.id: each.scale for each in given}
    return tuple(found.get(at, 0.0) for at in range(max(found, default=-1) + 1))


def check_scales(given: AdapterScales | None, n_adapters: int) -> None:
    """Raises BadRequest if a model with `n_adapters` adapters does not have all of those that get a scale."""
    if given is not None and len(given) > n_adapters:
        raise BadRequest(f"'lora' has the id {len(given) - 1}, but the model has {n_adapters} adapters.", "lora")
