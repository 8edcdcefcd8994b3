"""`inglenook-serve` in its own process with the real model."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import openai
import pytest
from openai import OpenAI

from api.__main__ import main
from tests.api.live_endpoint import KEY, wait_until
from tests.engine.remote.scripted_server import USAGE, ending, replies, scripted_server, streams, text
from tests.model_files.tiny_adapter import write_adapter
from tests.model_files.tiny_models import TINY_MODELS

COMMAND = [sys.executable, "-m", "api", "--port", "0"]


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "INGLENOOK_API_KEY"}
    return {**kept, **changes}


@contextmanager
def served(*options: str | Path, **changes: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Starts the server process, and reads its address from the first line of output."""
    with subprocess.Popen(
        [*COMMAND, *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**changes),
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Inglenook listens on http://127.0.0.1:"), line
            yield process, line.split()[-1]
        finally:
            process.kill()


def end(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str, float]:
    """Sends a signal. Returns the exit code, the rest of the output, and the seconds until the process ended."""
    started = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err, time.monotonic() - started


def wait_ready(url: str) -> None:
    health = url.removesuffix("v1") + "health"
    wait_until(lambda: httpx.get(health, trust_env=False).status_code == 200, timeout_s=60)


def test_server_loads_answers_and_exits_on_signal(model_path: Path, tmp_path: Path) -> None:
    with served("--model", model_path, "--profile", tmp_path / "new") as (process, url):
        key_file = tmp_path / "new" / "endpoint.key"
        key = key_file.read_text().strip()
        wait_ready(url)
        with OpenAI(base_url=url, api_key=key, max_retries=0) as client:
            greedy = client.chat.completions.create(
                model="any", messages=[{"role": "user", "content": "Say hello."}], max_tokens=12, temperature=0
            )
            stream = client.chat.completions.create(
                model="any",
                messages=[{"role": "user", "content": "Say hello."}],
                max_tokens=12,
                temperature=0,
                stream=True,
            )
            streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
            assert streamed == greedy.choices[0].message.content != ""
            with pytest.raises(openai.BadRequestError) as caught:
                client.chat.completions.create(model="any", messages=[{"role": "user", "content": "word " * 9000}])
            assert caught.value.code == "context_length_exceeded"
        code, out, err, took = end(process, signal.SIGTERM)
    assert (code, out) == (0, "")
    assert err == f"Its key is in {key_file}\n"
    assert key not in err
    assert took < 6


@pytest.mark.parametrize("option", ["--model", "--draft-model", "--lora"])
def test_empty_path_is_a_usage_error(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([option, ""])
    assert caught.value.code == 2
    assert " ''" in capsys.readouterr().err


def test_lora_option_loads_the_adapter_with_its_scale(tmp_path: Path) -> None:
    model = TINY_MODELS["plain"].write(tmp_path / "plain.gguf")
    adapter = write_adapter(tmp_path / "style.gguf")
    options = ("--model", model, "--lora", f"{adapter}=0.5", "--profile", tmp_path / "profile")
    with served(*options, INGLENOOK_API_KEY=KEY) as (_, url):
        wait_ready(url)
        head = {"authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=url.removesuffix("v1"), headers=head, trust_env=False) as client:
            (listed,) = client.get("lora-adapters").json()
            assert (listed["path"], listed["scale"]) == ("style.gguf", 0.5)
            body = {"prompt": "It was late when the last letter came", "n_predict": 24, "temperature": 0}
            texts = [
                client.post("completion", json={**body, "lora": lora}).json()["content"]
                for lora in ([], [{"id": 0, "scale": 0.5}], [{"id": 0, "scale": 0}])
            ]
            assert texts[0] == texts[1] != texts[2]


def test_signal_during_stream_ends_the_process(model_path: Path, tmp_path: Path) -> None:
    with served("--model", model_path, "--profile", tmp_path, INGLENOOK_API_KEY=KEY) as (process, url):
        wait_ready(url)
        with OpenAI(base_url=url, api_key=KEY, max_retries=0) as client:
            stream = client.chat.completions.create(
                model="x", messages=[{"role": "user", "content": "Count to a thousand."}], stream=True
            )
            next(iter(stream))
            code, out, err, took = end(process, signal.SIGINT)
            stream.close()
    assert (code, out, err) == (0, "", "")
    assert took < 6
    assert {path.name for path in tmp_path.iterdir()} <= {
        "snapshots",
        "probed",
        "graphics",
    }  # a key from the environment is not written to the profile


def test_signal_during_load_ends_the_process(model_path: Path, tmp_path: Path) -> None:
    with served("--model", model_path, "--profile", tmp_path) as (process, _):
        code, _, err, took = end(process, signal.SIGTERM)
    assert code == 0
    assert "Traceback" not in err
    assert took < 6


# All starts in the tests below fail. They run in this process, because a new process would import everything again.


@dataclass
class Result:
    code: int
    out: str
    errors: list[str]


@pytest.fixture
def run(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Result]]:
    """Runs the command in this process. The result's errors omit the line that names the key's file."""
    monkeypatch.delenv("INGLENOOK_API_KEY", raising=False)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*options: str | Path) -> Result:
        try:
            code = main(["--port", "0", "--profile", str(tmp_path), *map(str, options)])
        except SystemExit as error:
            code = int(error.code or 0)
        answers = capfd.readouterr()
        return Result(
            code, answers.out, [line for line in answers.err.splitlines() if not line.startswith("Its key is in")]
        )

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_invalid_model_file_is_reported_in_one_sentence(
    run: Callable[..., Result], model_path: Path, tmp_path: Path
) -> None:
    noise = tmp_path / "noise.gguf"
    noise.write_bytes(b"this is no model at all" * 1000)
    cut = tmp_path / "cut.gguf"
    with model_path.open("rb") as whole:
        cut.write_bytes(whole.read(20_000_000))
    for path in (noise, cut, tmp_path / "missing.gguf", tmp_path):
        ran = run("--model", path)
        assert ran.code == 1
        assert len(ran.errors) == 1, ran.errors
        assert path.name in ran.errors[0]


def test_busy_port_is_reported_in_one_sentence(run: Callable[..., Result], model_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ran = run("--model", model_path, "--port", port)
    assert (ran.code, ran.out, len(ran.errors)) == (1, "", 1)
    assert port in ran.errors[0]


def test_public_host_without_allow_lan_is_refused(run: Callable[..., Result]) -> None:
    ran = run("--host", "0.0.0.0")
    assert (ran.code, ran.out) == (2, "")
    assert "--allow-lan" in ran.errors[-1]


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_invalid_port_is_refused(run: Callable[..., Result], port: str) -> None:
    ran = run("--port", port)
    assert ran.code == 2
    assert "invalid port value" in ran.errors[-1]


def test_malformed_key_is_reported_in_one_sentence(
    run: Callable[..., Result], model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGLENOOK_API_KEY", "two words")
    ran = run("--model", model_path)
    assert (ran.code, ran.out, len(ran.errors)) == (1, "", 1)
    assert "key" in ran.errors[0]
    assert "two words" not in ran.errors[0]


def test_unusable_profile_is_reported_in_one_sentence(
    run: Callable[..., Result], model_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    ran = run("--model", model_path, "--profile", tmp_path / "file")
    assert (ran.code, len(ran.errors)) == (1, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="the data folder is named by a variable on Linux only")
def test_missing_model_is_reported_in_one_sentence(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    ran = run()
    assert (ran.code, ran.out, len(ran.errors)) == (1, "", 1)
    assert "--model" in ran.errors[0]


def test_several_files_and_the_models_of_another_server_are_served(tmp_path: Path) -> None:
    files = [TINY_MODELS[kind].write(tmp_path / f"{kind}.gguf") for kind in ("plain", "gemma3")]
    with scripted_server() as other:
        other.routes["/v1/models"] = replies({"data": [{"id": "far", "owned_by": "vllm", "max_model_len": 4096}]})
        other.answer_chats(streams(text("From afar."), ending(), USAGE))
        options: list[str | Path] = ["--model", files[0], "--model", files[1], "--connect", f"box={other.address}"]
        options += ["--alias", "gpt=far", "--upstream", f"team={other.address},{other.address}"]
        with served(*options, "--profile", tmp_path / "p", INGLENOOK_API_KEY=KEY, INGLENOOK_KEY_BOX="sk-box") as (
            _,
            url,
        ):
            wait_ready(url)
            head = {"authorization": f"Bearer {KEY}"}
            with httpx.Client(base_url=url, headers=head, trust_env=False, timeout=60) as client:

                def states() -> dict[str, str]:
                    return {each["id"]: each["status"]["value"] for each in client.get("models").json()["data"]}

                expected = {"plain": "loaded", "gemma3": "unloaded", "team": "loaded", "far": "loaded"}
                wait_until(lambda: states() == expected, timeout_s=60)
                for name, model in (("gemma3", "gemma3"), ("gpt", "far"), ("team", "team"), ("anything", "plain")):
                    body = {"model": name, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
                    answer = client.post("chat/completions", json=body)
                    assert (answer.status_code, answer.json()["model"]) == (200, model)
        sent, to_team = [each for each in other.received if each.path == "/v1/chat/completions"]
        assert to_team.body["model"] == "far"
        assert (sent.headers["authorization"], sent.body["model"]) == ("Bearer sk-box", "far")


def test_connection_without_a_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--connect", "http://box:8000"])
    assert caught.value.code == 2
    assert "is not NAME=URL" in capsys.readouterr().err
