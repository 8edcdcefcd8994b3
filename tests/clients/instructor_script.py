"""Uses the `instructor` client, and prints the results as one JSON object.

Run by tests/clients/test_instructor.py in an environment with instructor. Arguments: URL and key.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Literal

import instructor
from openai import AuthenticationError, BadRequestError, OpenAI
from pydantic import BaseModel

MESSAGES: Any = [{"role": "user", "content": "Name a colour."}]


class Paint(BaseModel):
    """Paints."""

    colour: Literal["red", "blue"]


def errors(url: str, key: str) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for name, given, text in (("key", "wrong", "Hi"), ("long", key, "word " * 20_000)):
        with OpenAI(base_url=url, api_key=given, max_retries=0) as client:
            try:
                client.chat.completions.create(model="x", messages=[{"role": "user", "content": text}])
            except (AuthenticationError, BadRequestError) as error:
                found[name] = [type(error).__name__, error.status_code, error.code]
    return found


def main(url: str, key: str) -> dict[str, object]:
    value: dict[str, object] = {}
    with OpenAI(base_url=url, api_key=key, max_retries=0, timeout=60) as client:
        value["models"] = [model.id for model in client.models.list()]
        for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA):
            patched: Any = instructor.from_openai(client, mode=mode)
            made = patched.chat.completions.create(model="x", messages=MESSAGES, response_model=Paint, temperature=0)
            value[mode.name] = made.colour
        patched = instructor.from_openai(client)
        partly = patched.chat.completions.create_partial(
            model="x", messages=MESSAGES, response_model=Paint, temperature=0
        )
        value["partial"] = [part.colour for part in partly][-1]
        stream = client.chat.completions.create(
            model="x", messages=MESSAGES, stream=True, extra_body={"ignore_eos": True}
        )
        next(iter(stream))
        stream.close()
    return {**value, "errors": errors(url, key)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
