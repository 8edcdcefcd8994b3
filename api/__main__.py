"""The command `inglenook-serve`, which runs the endpoint without the desktop app."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from fastapi import FastAPI

from api import key_command
from api.adapter_option import FORM, adapter
from api.app import Lifespan, create_app
from api.authentication import find_key
from api.card_options import add_card_options, card_settings
from api.card_recovery import CardRecovery
from api.errors import CannotListen
from api.model_options import add_model_options, connection_key
from api.model_router import ModelRouter
from api.model_sources import UnloadedModel
from api.served_models import ServedModels, read_files, readable_files
from api.server import EndpointServer
from api.settings import DEFAULT_PORT, EndpointSettings, is_loopback
from api.tls_options import add_tls_options, tls_problem
from engine.backend import LoadSettings
from engine.devices.graphics_cards import GraphicsCards
from engine.engine import Engine
from engine.errors import EngineClosed, EngineError, LoadCancelled
from engine.files.display_name import display_name
from engine.files.profile import Profile
from engine.library.default_model import find_default_model
from engine.library.load_trial import LoadTrial
from engine.library.split_files import is_continuation_file
from engine.native import run_as_child
from engine.remote.connection_keys import ConnectionKeys
from engine.step_arbiter import StepArbiter

Outcome = Exception | None
"""The reason why the server ends: the exception that loading the model raised, or None if a signal ends the server."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the `inglenook-serve` command: serves until SIGINT or SIGTERM, and returns the exit code.

    Prints the server's address as one line on stdout, and an error as one sentence on stderr."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["key"]:
        return key_command.main(argv[1:])
    if (exit_code := run_as_child(argv)) is not None:
        return exit_code
    options = _read_options(argv)
    profile = Profile(options.profile) if options.profile else Profile.default()
    with contextlib.suppress(OSError):  # the profile may be read-only if the key comes from the environment
        profile.ensure()
    model = first_model(options, profile)
    if model is None and not options.connect and not options.upstream:
        return _fail("there is no model; pass a GGUF file with --model")
    try:
        served = served_models(options, profile, model)
        key = find_key(profile)
        settings = EndpointSettings(
            key.value,
            options.host,
            options.port,
            options.allow_lan,
            responses=profile.responses,
            named_keys=profile.named_keys,
            origins=tuple(options.origin),
            model_changes=model if options.allow_model_changes else None,
            load_settings=load_settings(options),
            tls_cert=options.tls_cert,
            tls_key=options.tls_key,
        )
    except OSError as error:
        return _fail(f"cannot store the key in {profile.root}: {error.strerror}")
    except (ValueError, EngineError) as error:
        return _fail(str(error))
    graphics = GraphicsCards(profile.graphics)
    arbiter = StepArbiter() if served.files else None
    make_engine = partial(
        Engine,
        load_trial=LoadTrial(profile.probed),
        graphics=graphics,
        snapshots=profile.snapshots,
        arbiter=arbiter,
    )
    router = ModelRouter(aliases=dict(options.alias))
    if model is not None:
        name = display_name(model.stem)
        router.default_model = UnloadedModel(name, name, 0, 0.0, 0)
    return _serve(make_engine, settings, model, served, router, key.path, options.reranker)


def _serve(
    make_engine: Callable[[], Engine],
    settings: EndpointSettings,
    model: Path | None,
    served: ServedModels,
    router: ModelRouter,
    key_path: Path | None,
    reranker: Path | None,
) -> int:
    # SimpleQueue is reentrant: a signal handler may call `put` while `get` runs.
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: outcomes.put(None))
    engine = make_engine()
    own = loading(model, outcomes.put, settings.load_settings, reranker)
    lifespan = offering(served, router, make_engine, own)
    server = EndpointServer(create_app(engine, settings, lifespan=lifespan, router=router), settings)
    try:
        server.start()
    except CannotListen as error:
        return _fail(str(error))
    print(f"Inglenook listens on {server.url}", flush=True)
    if key_path is not None:
        print(f"Its key is in {key_path}", file=sys.stderr, flush=True)
    outcome = _wait(outcomes)
    try:
        server.stop()
    except TimeoutError:
        # A call into llama.cpp has not returned. A normal exit would wait for the thread that made this call.
        os._exit(_fail("the engine did not stop in time"))
    match outcome:
        case None:
            return 0
        case EngineError():
            return _fail(str(outcome))
        case bug:
            raise bug


def _wait(outcomes: SimpleQueue[Outcome]) -> Outcome:
    while True:
        # Each wait is short, because on Windows Python handles a signal only between two waits.
        with contextlib.suppress(Empty):
            return outcomes.get(timeout=0.5)


def loading(
    model: Path | None,
    on_failed: Callable[[Exception], None],
    load_settings: LoadSettings = LoadSettings(),
    reranker: Path | None = None,
) -> Lifespan:
    """Returns a lifespan that loads `model` and then the reranking model, if there are any, while the server already
    listens, loads a model again if its graphics card was lost, and closes the engine when the server stops.

    `on_failed` is called with the exception if the load fails."""

    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        engine: Engine = app.state.engine

        async def load(path: Path | None, settings: LoadSettings) -> None:
            if path is None:
                return
            try:
                info = await engine.load(path, settings)
                for error in info.load_errors:
                    print(f"inglenook-serve: {error}", file=sys.stderr, flush=True)
            except LoadCancelled:
                pass
            except Exception as failure:
                on_failed(failure)

        async def load_reranker() -> None:
            if reranker is None:
                return
            try:
                await engine.load_reranker(reranker)
            except (LoadCancelled, EngineClosed):
                pass
            except Exception as failure:
                on_failed(failure)

        task = asyncio.create_task(load(model, load_settings), name="load the model")
        ranker_task = asyncio.create_task(load_reranker(), name="load the reranking model")
        recovery = CardRecovery(load, load_settings)
        end_watch = engine.watch(recovery.status_changed)
        yield
        end_watch()
        engine.cancel_load()
        await task
        await recovery.aclose()
        await engine.aclose()
        await ranker_task

    return lifespan


def offering(served: ServedModels, router: ModelRouter, make_engine: Callable[[], Engine], inner: Lifespan) -> Lifespan:
    """Returns a lifespan that also offers further models."""

    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with asynccontextmanager(inner)(app), served.offered(router, app.state.engine, make_engine):
            yield

    return lifespan


def first_model(options: argparse.Namespace, profile: Profile) -> Path | None:
    """The model that is loaded at the start. None if there is none, or if only models of other servers are served."""
    if options.model:
        found: Path = options.model[0]
        return found
    return None if options.connect or options.upstream else find_default_model(profile)


def served_models(options: argparse.Namespace, profile: Profile, model: Path | None) -> ServedModels:
    """The models besides `model`. Raises ModelFileError, OSError, and ValueError."""
    files = read_files(options.model) if len(options.model) > 1 else {}
    files = {path: found for path, found in files.items() if path != model}
    if options.all_models:
        stems = {each.stem for each in (*files, *((model,) if model is not None else ()))}
        folder = sorted(path for path in profile.models.glob("*.gguf") if not is_continuation_file(path.name))
        files |= readable_files([path for path in folder if path.stem not in stems])
    keys = ConnectionKeys(profile.connection_keys)
    names = [*(each.id for each in options.connect), *(name for name, _ in options.upstream)]
    by_name = {name: connection_key(name, keys) for name in names}
    return ServedModels(files, options.connect, options.upstream, by_name)


def _read_options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="inglenook-serve",
        description="Serves a GGUF model to programs on this computer, "
        "with the APIs of OpenAI, Anthropic, Ollama and llama.cpp.",
    )
    parser.add_argument(
        "--model",
        type=path,
        action="append",
        default=[],
        metavar="PATH",
        help="the GGUF file; without it, the default model. Repeatable: further files are loaded when needed",
    )
    add_model_options(parser)
    parser.add_argument(
        "--draft-model",
        type=path,
        metavar="PATH",
        help="a smaller GGUF file with the same vocabulary, which drafts tokens",
    )
    parser.add_argument(
        "--lora",
        type=adapter,
        action="append",
        default=[],
        metavar=FORM,
        help="a LoRA adapter in a GGUF file for the model, with a scale of 1 by default; repeatable",
    )
    add_card_options(parser)
    parser.add_argument("--profile", type=Path, metavar="DIR", help="the folder of keys and models")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=port, default=DEFAULT_PORT, help="the port, 0 for any free one (default: %(default)s)"
    )
    parser.add_argument("--allow-lan", action="store_true", help="confirms a --host that other machines can reach")
    add_tls_options(parser)
    parser.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="an origin whose web pages may send requests; repeatable",
    )
    parser.add_argument(
        "--allow-model-changes", action="store_true", help="lets tools unload the model and load it again"
    )
    parser.epilog = "inglenook-serve key add|list|revoke manages the keys of single tools."
    options = parser.parse_args(argv)
    if not is_loopback(options.host) and not options.allow_lan:
        parser.error(f"other machines could reach {options.host}; add --allow-lan to allow that")
    if (problem := tls_problem(options)) is not None:
        parser.error(problem)
    return options


def load_settings(options: argparse.Namespace) -> LoadSettings:
    return LoadSettings(adapters=tuple(options.lora), draft_model=options.draft_model, **card_settings(options))


def path(text: str) -> Path:
    """Parses a path that must not be empty. argparse uses this function's name in its error "invalid path value"."""
    if not text:
        raise ValueError
    return Path(text)


def port(text: str) -> int:
    """Parses the value of `--port`. argparse uses this function's name in its error "invalid port value"."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def _fail(message: str) -> int:
    print(f"inglenook-serve: {message}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
