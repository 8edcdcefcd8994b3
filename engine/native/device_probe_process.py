"""The child process that tries a library for graphics cards: `python -m engine.native.device_probe_process LIBRARY`.

It writes one line of JSON to stdout, with the devices or with the reason for which there are none. A driver may crash
it without harm to the app.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engine.devices.device_probe import OUTPUT_PREFIX
from engine.native.devices import BackendLoadFailed, devices, load_backend_library


def main(arguments: list[str]) -> int:
    """Loads the library and lists its devices. Returns 0 if the process did not crash."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        load_backend_library(Path(arguments[0]))
        report: dict[str, object] = {"devices": [device.to_json() for device in devices()]}
    except BackendLoadFailed as error:
        report = {"error": str(error)}
    sys.stdout.write(f"\n{OUTPUT_PREFIX}{json.dumps(report)}\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
