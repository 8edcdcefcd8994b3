"""The child process that tries a library for graphics cards: `python -m engine.native.device_probe_process LIBRARY`.

It writes one line of JSON to stdout, with the devices and their speed, or with the reason for which there are none. A
driver may crash it without harm to the app.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from engine.devices.device_probe import OUTPUT_PREFIX
from engine.native.card_speed import read_bytes_per_s
from engine.native.devices import BackendLoadFailed, devices, load_backend_library


def main(arguments: list[str]) -> int:
    """Loads the library, lists its devices and lets each compute something. Returns 0 if the process did not crash."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        load_backend_library(Path(arguments[0]))
        found = [replace(each, bytes_per_s=read_bytes_per_s(each.id, each.memory_free)) for each in devices()]
        report: dict[str, object] = {"devices": [device.to_json() for device in found]}
    except BackendLoadFailed as error:
        report = {"error": str(error)}
    sys.stdout.write(f"\n{OUTPUT_PREFIX}{json.dumps(report)}\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
