"""Which models of a library can be draft models."""

from __future__ import annotations

from pathlib import Path

from engine.library.draft_candidates import draft_candidates
from engine.library.model_metadata import ModelMetadata
from engine.library.model_scan import ModelFile


def model(name: str, size_bytes: int, **vocabulary: int | str) -> ModelFile:
    values = {f"tokenizer.ggml.{key}": value for key, value in vocabulary.items()}
    metadata = ModelMetadata(name, "llama", "Q4_0", 0, 0, size_bytes, size_bytes, "", has_template=True, values=values)
    return ModelFile(Path(f"{name}.gguf"), size_bytes, metadata=metadata)


def test_smaller_models_with_the_same_vocabulary_are_candidates() -> None:
    main = model("main", 900, model="gpt2", tokens=1000, merges=500)
    small, smaller = (model(name, size, model="gpt2", tokens=1000, merges=500) for name, size in (("b", 90), ("a", 9)))
    others = [
        main,
        model("larger", 901, model="gpt2", tokens=1000, merges=500),
        model("tokens", 9, model="gpt2", tokens=1001, merges=500),
        model("merges", 9, model="gpt2", tokens=1000, merges=501),
        model("kind", 9, model="llama", tokens=1000, merges=500),
        ModelFile(Path("damaged.gguf"), 9, problem="it is damaged"),
    ]
    assert draft_candidates(main, [small, *others, smaller]) == [smaller, small]


def test_model_without_vocabulary_has_no_candidates() -> None:
    assert draft_candidates(model("main", 900), [model("small", 9)]) == []
