"""Models on the Hugging Face hub: looked for by words, and what of a repository this machine would want.

Nothing is asked of the hub unless a person asks for it, and no token of theirs is ever sent along."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

from engine.library.hub_client import hub_api
from engine.library.hub_errors import Gated, HubRefused, HubUnreachable, NothingToDownload
from engine.library.model_metadata import pretty_name, quantisation_in
from engine.library.split_files import is_continuation_file, parts_of

N_FOUND = 20
_NOT_MODELS = ("mmproj", "imatrix")


@dataclass(frozen=True, slots=True)
class HubModel:
    """A repository with GGUF files. `n_params` and `n_ctx_train` are 0 where the hub does not know them."""

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
    """`name` is its path in the repository. `sha256` is what the hub says of the whole file."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One model of a repository in one quantisation, in one file or in several, as it was at `revision`."""

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
    """Any thread; each call blocks. `endpoint` None is the public hub, or what HF_ENDPOINT names."""

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint.rstrip("/") if endpoint else None

    def search(self, text: str) -> tuple[HubModel, ...]:
        """Those that are downloaded most first. Raises HubUnreachable, HubRefused."""
        api = hub_api(self._endpoint)
        with _told():
            found = api.list_models(
                search=text,
                filter="gguf",
                sort="downloads",
                limit=N_FOUND,
                expand=["downloads", "gated", "gguf", "tags"],
            )
            return tuple(_model(each) for each in found)

    def choices(self, repo: str) -> tuple[Choice, ...]:
        """Every quantisation that can be had, the largest first.

        Raises HubUnreachable, HubRefused, NothingToDownload."""
        api = hub_api(self._endpoint)
        with _told(repo):
            revision = api.model_info(repo, expand=["sha"]).sha or "main"
            files = {}
            for entry in api.list_repo_tree(repo, recursive=True, revision=revision):
                lfs = getattr(entry, "lfs", None)  # without it, nothing says what the file should be
                if entry.path.lower().endswith(".gguf") and lfs is not None:
                    files[entry.path] = RemoteFile(entry.path, int(lfs.size), str(lfs.sha256))
        found = [_choice(repo, revision, name, files) for name in files if _is_first(name)]
        whole = [choice for choice in found if choice is not None]
        if not whole:
            raise NothingToDownload(repo)
        return tuple(sorted(whole, key=lambda choice: choice.size_bytes, reverse=True))

    def address(self, choice: Choice, file: RemoteFile) -> str:
        from huggingface_hub.constants import ENDPOINT

        return f"{self._endpoint or ENDPOINT}/{choice.repo}/resolve/{choice.revision}/{quote(file.name)}"


FAVOURITES = ("Q4_K_M", "Q5_K_M", "Q4_K_S", "Q4_0", "MXFP4", "IQ4_XS", "Q4_1", "Q6_K", "Q8_0", "Q3_K_M", "Q2_K")
"""Four bits are where less begins to be heard in answers, and more mostly in the waiting for them."""

SMALL_BYTES = 1 << 30
"""A model below this in eight bits loses more by being packed than one waits for it."""


def choose(choices: Sequence[Choice], fits: Callable[[Choice], bool]) -> Choice:
    """The quantisation for this machine: the favourite among those that fit, eight bits where they are small, else the
    smallest there is."""
    able = [choice for choice in choices if fits(choice)]
    if not able:
        return min(choices, key=lambda choice: choice.size_bytes)
    small = [choice for choice in able if choice.quantisation == "Q8_0" and choice.size_bytes < SMALL_BYTES]
    if small:
        return small[0]
    return min(able, key=lambda choice: (_rank(choice.quantisation), choice.size_bytes))


def _rank(quantisation: str) -> int:
    return FAVOURITES.index(quantisation) if quantisation in FAVOURITES else len(FAVOURITES)


def _is_first(name: str) -> bool:
    base = name.rpartition("/")[2].lower()
    return not is_continuation_file(base) and not any(word in base for word in _NOT_MODELS)


def _choice(repo: str, revision: str, name: str, files: dict[str, RemoteFile]) -> Choice | None:
    """None where a part of it is missing."""
    folder, _, base = name.rpartition("/")
    names = [f"{folder}/{part}" if folder else part for part in parts_of(base)]
    if any(part not in files for part in names):
        return None
    return Choice(repo, revision, quantisation_in(base), tuple(files[part] for part in names))


def _model(found: object) -> HubModel:
    told = getattr(found, "gguf", None) or {}
    tags = getattr(found, "tags", None) or ()
    licence = next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), "")
    return HubModel(
        str(getattr(found, "id", "")),
        int(getattr(found, "downloads", 0) or 0),
        int(told.get("total") or 0),
        int(told.get("context_length") or 0),
        licence,
        bool(getattr(found, "gated", False)),
    )


@contextmanager
def _told(repo: str = "") -> Iterator[None]:
    """Turns what the hub's library raises into ours."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

    try:
        yield
    except GatedRepoError as error:
        raise Gated(error.response.status_code, repo) from error
    except HfHubHTTPError as error:
        raise HubRefused(error.response.status_code) from error
    except OSError as error:  # also where the person's own settings say that there is no network
        raise HubUnreachable(str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HubUnreachable("what answers is not the hub") from error
