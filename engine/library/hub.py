"""Searches models on the Hugging Face hub and lists their files.

The hub is contacted only on the user's request, and never with the user's token.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from engine.library.http_client import open_client
from engine.library.hub_errors import Gated, HubRefused, HubUnreachable, NothingToDownload
from engine.library.model_metadata import pretty_name, quantisation_in
from engine.library.split_files import is_continuation_file, split_names

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TIMEOUT_S = 12.0
"""The timeout of one request, in seconds."""
MAX_RESULTS = 20
_NOT_MODELS = ("mmproj", "imatrix")
_DRAFT_PREFIXES = ("mtp-", "dflash-")
"""File names of draft models that lie beside the model whose tokens they predict."""


@dataclass(frozen=True, slots=True)
class HubModel:
    """A repository with GGUF files. `n_params` and `n_ctx_train` are 0 if the hub does not know them."""

    repo: str
    n_downloads: int = 0
    n_params: int = 0
    n_ctx_train: int = 0
    licence: str = ""
    gated: bool = False

    @property
    def name(self) -> str:
        return pretty_name(self.repo.partition("/")[2])

    @property
    def maker(self) -> str:
        return self.repo.partition("/")[0]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository. `name` is its path in the repository, `sha256` the hub's checksum of the whole file."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelVariant:
    """One quantisation of a model at one revision of its repository, in one file or several."""

    repo: str
    revision: str
    quantisation: str
    files: tuple[RemoteFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def name(self) -> str:
        return pretty_name(self.files[0].name.rpartition("/")[2])


class Hub:
    """The model hub. Its methods block and may be called on any thread. With `endpoint` None, the environment variable
    HF_ENDPOINT gives the hub's address. If the variable is not set, the public hub is used."""

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint.rstrip("/") if endpoint else None

    def search(self, text: str) -> tuple[HubModel, ...]:
        """The repositories that match `text`, the most downloaded first. Raises HubUnreachable, HubRefused."""
        api = hub_api(self._endpoint)
        with _translated_errors():
            found = api.list_models(
                search=text,
                filter="gguf",
                sort="downloads",
                limit=MAX_RESULTS,
                expand=["downloads", "gated", "gguf", "tags"],
            )
            return tuple(_model(each) for each in found)

    def variants(self, repo: str) -> tuple[ModelVariant, ...]:
        """All downloadable quantisations in a repository, largest first.

        Raises HubUnreachable, HubRefused, NothingToDownload."""
        api = hub_api(self._endpoint)
        with _translated_errors(repo):
            revision = api.model_info(repo, expand=["sha"]).sha or "main"
            files = {}
            for entry in api.list_repo_tree(repo, recursive=True, revision=revision):
                lfs = getattr(entry, "lfs", None)  # `lfs` has the checksum of the file
                if entry.path.lower().endswith(".gguf") and lfs is not None:
                    files[entry.path] = RemoteFile(entry.path, int(lfs.size), str(lfs.sha256))
        found = [_variant(repo, revision, name, files) for name in files if _is_first(name)]
        whole = [variant for variant in found if variant is not None]
        if not whole:
            raise NothingToDownload(repo)
        return tuple(sorted(whole, key=lambda variant: variant.size_bytes, reverse=True))

    def download_url(self, variant: ModelVariant, file: RemoteFile) -> str:
        from huggingface_hub.constants import ENDPOINT

        return f"{self._endpoint or ENDPOINT}/{variant.repo}/resolve/{variant.revision}/{quote(file.name)}"


PREFERRED_QUANTISATIONS = (
    "Q4_K_M",
    "Q5_K_M",
    "Q4_K_S",
    "Q4_0",
    "MXFP4",
    "IQ4_XS",
    "Q4_1",
    "Q6_K",
    "Q8_0",
    "Q3_K_M",
    "Q2_K",
)
"""Quantisations in order of preference.

With fewer than four bits per weight, answers are noticeably worse. With more than four bits, the main difference is
that answers are generated more slowly."""

SMALL_BYTES = 1 << 30
"""If a model's 8-bit file is smaller than this, the 8-bit file is chosen. For such small models, the lower quality of
fewer bits outweighs their higher speed."""


def choose_variant(
    variants: Sequence[ModelVariant], fits: Callable[[ModelVariant], bool], file: str = ""
) -> ModelVariant:
    """The variant whose first file is `file`, if there is one. Else the best variant for this machine: 8 bits for a
    small model, else the most preferred quantisation that fits, else the smallest variant."""
    named = [variant for variant in variants if variant.files[0].name == file]
    if named:
        return named[0]
    able = [variant for variant in variants if fits(variant)]
    if not able:
        return min(variants, key=lambda variant: variant.size_bytes)
    small = [variant for variant in able if variant.quantisation == "Q8_0" and variant.size_bytes < SMALL_BYTES]
    if small:
        return small[0]
    return min(able, key=lambda variant: (_preference(variant.quantisation), variant.size_bytes))


def _preference(quantisation: str) -> int:
    return (
        PREFERRED_QUANTISATIONS.index(quantisation)
        if quantisation in PREFERRED_QUANTISATIONS
        else len(PREFERRED_QUANTISATIONS)
    )


def _is_first(name: str) -> bool:
    base = name.rpartition("/")[2].lower()
    is_other = any(word in base for word in _NOT_MODELS) or base.startswith(_DRAFT_PREFIXES)
    return not is_continuation_file(base) and not is_other


def _variant(repo: str, revision: str, name: str, files: dict[str, RemoteFile]) -> ModelVariant | None:
    """The variant whose first file is `name`; None if one of its files is missing."""
    folder, _, base = name.rpartition("/")
    names = [f"{folder}/{part}" if folder else part for part in split_names(base)]
    if any(part not in files for part in names):
        return None
    return ModelVariant(repo, revision, quantisation_in(base), tuple(files[part] for part in names))


def _model(found: object) -> HubModel:
    metadata = getattr(found, "gguf", None) or {}
    tags = getattr(found, "tags", None) or ()
    licence = next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), "")
    return HubModel(
        str(getattr(found, "id", "")),
        int(getattr(found, "downloads", 0) or 0),
        int(metadata.get("total") or 0),
        int(metadata.get("context_length") or 0),
        licence,
        bool(getattr(found, "gated", False)),
    )


@contextmanager
def _translated_errors(repo: str = "") -> Iterator[None]:
    """Converts the errors of huggingface_hub to HubError."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

    try:
        yield
    except GatedRepoError as error:
        raise Gated(error.response.status_code, repo) from error
    except HfHubHTTPError as error:
        raise HubRefused(error.response.status_code) from error
    except OSError as error:  # also raised in offline mode (HF_HUB_OFFLINE)
        raise HubUnreachable(str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HubUnreachable("what answers is not the hub") from error


def hub_api(endpoint: str | None) -> HfApi:
    """An API object of huggingface_hub that sends no token, even if the user has stored one. The first call takes 0.4
    s."""
    _configure_client()
    from huggingface_hub import HfApi

    return HfApi(endpoint=endpoint, token=False)


@cache
def _configure_client() -> None:
    """Replaces the HTTP client of huggingface_hub, which retries for half a minute before it reports a missing
    network."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # huggingface_hub reads this variable when it is imported
    import httpx2
    from huggingface_hub import set_client_factory

    class Client(httpx2.Client):
        """An HTTP client that raises HubUnreachable as soon as a request fails. huggingface_hub does not retry after
        this error."""

        def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
            try:
                response = super().send(request, **options)
            except httpx2.TransportError as error:
                raise HubUnreachable(str(error) or type(error).__name__) from error
            if response.status_code == 429 or response.status_code >= 500:
                response.close()
                raise HubUnreachable(f"it answers {response.status_code}")
            return response

    set_client_factory(lambda: open_client(Client, follow_redirects=True, timeout=TIMEOUT_S))
