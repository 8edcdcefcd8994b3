"""Finds the name of a graphics card's driver, from a few files of the kernel."""

from __future__ import annotations

import re
from pathlib import Path

_PCI_ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


def driver_name(pci_id: str, root: Path = Path("/")) -> str:
    """Name and, if the kernel states one, version of the driver of a PCI device, such as "nvidia 550.54.14". Empty if
    it is not known, as on systems other than Linux. Reads files below `root`."""
    if not _PCI_ID.fullmatch(pci_id.lower()):
        return ""
    link = root / "sys/bus/pci/devices" / pci_id.lower() / "driver"
    try:
        name = link.resolve(strict=True).name
    except OSError:
        return ""
    try:
        version = (root / "sys/module" / name / "version").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        version = ""
    return f"{name} {version}".strip()
