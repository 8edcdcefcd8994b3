"""Builds the .dmg for macOS: signs the app for the hardened runtime, packs it, and has Apple notarise it.

Without a signing identity the app gets an ad hoc signature."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bootstrap.console import say

from .paths import APP, DIST, PACKAGING, SHIP, version

BUNDLE = APP.parent / "Inglenook.app"
ENTITLEMENTS = PACKAGING / "macos" / "entitlements.plist"


def make() -> Path:
    """Packs Inglenook.app into a .dmg. PyInstaller created Inglenook.app next to the frozen folder."""
    shutil.copytree(APP / "licences", BUNDLE / "Contents" / "Resources" / "licences", dirs_exist_ok=True)
    serve = BUNDLE / "Contents" / "MacOS" / "inglenook-serve"
    serve.unlink(missing_ok=True)
    serve.symlink_to("inglenook")
    identity = os.environ.get("SIGN_IDENTITY", "")
    for command in sign_commands(BUNDLE, identity):
        subprocess.run(command, check=True)
    path = DIST / f"inglenook-{version()}-macos-{platform.machine()}.dmg"
    DIST.mkdir(exist_ok=True)
    staged = SHIP / "dmg"
    shutil.rmtree(staged, ignore_errors=True)
    shutil.copytree(BUNDLE, staged / BUNDLE.name, symlinks=True)
    (staged / "Applications").symlink_to("/Applications")
    disk = ("-volname", "Inglenook", "-fs", "HFS+", "-format", "UDZO", "-ov")
    subprocess.run(["hdiutil", "create", *disk, "-srcfolder", staged, path], check=True)
    commands = notary_commands(path, os.environ) if identity else []
    if not commands:
        say("The .dmg is not notarised: that wants SIGN_IDENTITY, NOTARY_APPLE_ID, NOTARY_TEAM and NOTARY_PASSWORD")
    for command in commands:
        subprocess.run(command, check=True)
    return path


def sign_commands(bundle: Path, identity: str) -> list[list[str]]:
    """The commands that sign an app bundle and verify its signature.

    Without an identity the signature is ad hoc, and users must explicitly allow the app to start."""
    options = [
        "--force",
        "--deep",
        "--options",
        "runtime",
        "--entitlements",
        str(ENTITLEMENTS),
        "--sign",
        identity or "-",
    ]
    if identity:
        options.append("--timestamp")
    return [["codesign", *options, str(bundle)], ["codesign", "--verify", "--deep", "--strict", str(bundle)]]


def notary_commands(disk: Path, environ: Mapping[str, str]) -> list[list[str]]:
    """The commands that have a .dmg notarised by Apple and attach the notarisation ticket. Empty without
    credentials."""
    names = {"--apple-id": "NOTARY_APPLE_ID", "--team-id": "NOTARY_TEAM", "--password": "NOTARY_PASSWORD"}
    if not all(environ.get(name) for name in names.values()):
        return []
    credentials = [word for option, name in names.items() for word in (option, environ[name])]
    return [
        ["xcrun", "notarytool", "submit", str(disk), "--wait", *credentials],
        ["xcrun", "stapler", "staple", str(disk)],
    ]
