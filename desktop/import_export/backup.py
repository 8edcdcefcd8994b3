"""Writes a backup of the profile as a ZIP file, and stages a backup for restoring.

A backup contains the chats, the settings, the API keys and the stored responses. It contains no models, which can be
downloaded again, and no caches.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path, PurePosixPath

from desktop.import_export.errors import ZIP_ERRORS, Problem, UnknownFormat, UnreadableFile, file_error
from desktop.import_export.restore import CHATS, STAGED
from desktop.platform.surrogates import well_formed
from desktop.store.erasure import erase_marked_rows
from desktop.store.schema import STEPS
from engine.files.atomic_write import atomic_replace
from engine.files.private_files import make_private_file, make_private_folder, open_private
from engine.files.profile import Profile

FORMAT, VERSION, MANIFEST = "inglenook-backup", 1, "manifest.json"
MAX_BYTES = 64 << 30
"""Size limit of one file of a backup after unpacking."""


def write_backup(profile: Profile, path: Path) -> None:
    """Writes a backup to `path`, atomically. The backup is a consistent snapshot, also while chats are being saved.

    May be called on any thread; blocks for a long time. Raises UnreadableFile."""
    try:
        with atomic_replace(path) as part, tempfile.TemporaryDirectory(dir=path.parent) as folder:
            copy = Path(folder) / CHATS
            _copy_chats(profile.chats, copy)
            erase_marked_rows(copy)  # chats whose deletion can still be undone are not backed up
            make_private_file(part)  # only the owner may read the backup, because it contains API keys
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                archive.writestr(MANIFEST, json.dumps({"format": FORMAT, "version": VERSION, "layout": len(STEPS)}))
                archive.write(copy, CHATS)
                for name, file in _files(profile):
                    archive.write(file, name)
    except (OSError, sqlite3.Error) as error:
        raise file_error(well_formed(path.name), error) from error


def stage_restore(profile: Profile, path: Path) -> datetime:
    """Checks a backup and unpacks it into the profile; `finish_restore` moves it into place at the next start. Returns
    the time at which the backup was made.

    May be called on any thread; blocks for a long time. Raises UnknownFormat or UnreadableFile."""
    staged = profile.root / STAGED
    folder = staged.with_name(staged.name + ".part")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with zipfile.ZipFile(path) as archive:
            made = _check_manifest(well_formed(path.name), archive)
            make_private_folder(folder)
            for info in archive.infolist():
                if _is_ours(info.filename) and info.filename != MANIFEST:
                    _unpack(archive, info, folder)
        _check_chats(well_formed(path.name), folder / CHATS)
        shutil.rmtree(staged, ignore_errors=True)
        folder.rename(staged)
        return made
    except zipfile.BadZipFile as error:
        raise UnknownFormat(well_formed(path.name)) from error
    except (OSError, sqlite3.Error, *ZIP_ERRORS) as error:
        raise file_error(well_formed(path.name), error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cancel_restore(profile: Profile) -> None:
    """Deletes the staged backup, if there is one. May be called on any thread. Raises UnreadableFile."""
    try:
        with suppress(FileNotFoundError):
            shutil.rmtree(profile.root / STAGED)
    except OSError as error:
        raise file_error(STAGED, error) from error


def _copy_chats(source: Path, target: Path) -> None:
    address = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as chats, closing(sqlite3.connect(target)) as copy:
        chats.backup(copy)  # copies the database in one step, because a write between two steps would restart the copy


def _files(profile: Profile) -> Iterator[tuple[str, Path]]:
    for file in (profile.settings, profile.endpoint_key, profile.named_keys):
        if file.is_file():
            yield file.name, file
    if profile.responses.is_dir():
        for file in sorted(profile.responses.iterdir()):
            if file.is_file():
                yield f"{profile.responses.name}/{file.name}", file


def _check_manifest(name: str, archive: zipfile.ZipFile) -> datetime:
    with suppress(KeyError, ValueError, RecursionError):
        manifest = json.loads(archive.read(MANIFEST))
        if isinstance(manifest, dict) and manifest.get("format") == FORMAT:
            if int(manifest["version"]) > VERSION or int(manifest["layout"]) > len(STEPS):
                raise UnreadableFile(name, Problem.NEWER_VERSION)
            return datetime(*archive.getinfo(MANIFEST).date_time)
    raise UnknownFormat(name)


def _is_ours(name: str) -> bool:
    """Whether `name` is a file that backups contain. Other names are ignored, because a ZIP may contain absolute paths
    and `..` in names."""
    parts = PurePosixPath(name).parts
    known = (MANIFEST, CHATS, "settings.json", "endpoint.key", "endpoint-keys.json")
    return name in known or (
        len(parts) == 2 and parts[0] == "responses" and name == "/".join(parts) and parts[1] != ".."
    )


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> None:
    if info.file_size > MAX_BYTES:
        raise UnreadableFile(info.filename, Problem.TOO_LARGE)
    target = folder / info.filename
    make_private_folder(target.parent)
    with archive.open(info) as source, open(target, "xb", opener=open_private) as sink:
        shutil.copyfileobj(source, sink, 1 << 20)


def _check_chats(name: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as chats:
        if chats.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise UnreadableFile(name, Problem.CHATS_DAMAGED)
        layout = chats.execute("PRAGMA user_version").fetchone()[0]
        if not 0 < layout <= len(STEPS):
            raise UnreadableFile(name, Problem.NO_KNOWN_CHATS)
