"""Decides which of the files that PyInstaller collects are left out, because Inglenook does not use them.

The functions do no I/O, so that they can be tested without a freeze."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

EXCLUDED_MODULES = [
    "IPython",
    "PyInstaller",
    "_tkinter",
    "hf_xet",  # a downloader that huggingface_hub may use; Inglenook has its own
    "lib2to3",
    "matplotlib",
    "numpy.distutils",
    "numpy.f2py",
    "pip",
    "pkg_resources",
    "pytest",
    "setuptools",
    "tkinter",
    "turtle",
    "uv",
    # llama_cpp.server and its dependencies are not used.
    "llama_cpp.server",
    "sse_starlette",
    "starlette_context",
]

UNUSED_HOOKS = {"pyi_rth_inspect", "pyi_rth_multiprocessing", "pyi_rth_pkgutil"}

# These Qt modules are not used: Qt Quick, printing, databases, the designer and others.
_UNUSED_QT = re.compile(
    r"(lib)?(Qt6|Qt)(Concurrent|Designer\w*|EglF[sS]\w*|Help|Labs\w*|OpenGLWidgets|PrintSupport|Qml\w*|Quick\w*"
    r"|RemoteObjects\w*|Sql|SvgWidgets|Test|UiTools|VirtualKeyboard\w*|WebSockets|ShaderTools|Pdf\w*)"
    r"(\.|\.abi3\.|\.so|\.dll|\.pyd|$).*"
)
_UNUSED_DLLS = ("opengl32sw.dll", "d3dcompiler_47.dll")  # these libraries are used only for 3D rendering
# The GTK platform theme would add sixteen libraries. It is not needed: the window has its own theme, and file dialogs
# are those of the desktop portal. TLS is not needed: QtNetwork is only used for a local socket.
_UNUSED_PLUGINS = {
    "assetimporters",
    "canbus",
    "designer",
    "egldeviceintegrations",
    "generic",
    "geometryloaders",
    "help",
    "multimedia",
    "networkinformation",
    "platforminputcontexts/libqtvirtualkeyboardplugin.so",
    "platforms/libqeglfs.so",
    "platforms/libqlinuxfb.so",
    "platforms/libqminimal.so",
    "platforms/libqminimalegl.so",
    "platforms/libqvkkhrdisplay.so",
    "platforms/libqvnc.so",
    "platformthemes/libqgtk3.so",
    "position",
    "printsupport",
    "qmllint",
    "qmltooling",
    "renderers",
    "sceneparsers",
    "scxmldatamodel",
    "sensors",
    "sqldrivers",
    "texttospeech",
    "tls",
    "webview",
}
# Qt reads PNG without a plugin.
_KEPT_IMAGE_FORMATS = re.compile(r"(lib)?q(svg|jpeg|ico|gif|webp)d?\.(so|dll|dylib)$")
_KEPT_LANGUAGES = ("de", "en")
_LIB = re.compile(r"(lib)?(llama|ggml|ggml-base|ggml-cpu)\.so(\.\d+)*$")


def is_needed(name: str) -> bool:
    """Whether a file is needed. `name` is its path in the freeze."""
    path = PurePosixPath(name.replace("\\", "/"))
    parts = path.parts
    if "llama_cpp" in parts and "lib" in parts:
        return _is_needed_llama_library(path.name)
    # Any part of the path may match: links to Qt libraries are in the top folder, and on macOS a framework is a folder.
    if any(_UNUSED_QT.fullmatch(part) for part in parts):
        return False
    if parts[:1] != ("PySide6",):
        return not any(part in ("tests", "include") for part in parts) and path.suffix not in (".pyi", ".h", ".a")
    if "translations" in parts:
        return path.stem.startswith(tuple(f"qtbase_{language}" for language in _KEPT_LANGUAGES))
    if "plugins" in parts:
        return _is_needed_plugin(parts[parts.index("plugins") + 1 :])
    return path.suffix != ".pyi" and "qml" not in parts and path.name not in _UNUSED_DLLS


def _is_needed_plugin(parts: tuple[str, ...]) -> bool:
    if parts[0] in _UNUSED_PLUGINS or "/".join(parts[:2]) in _UNUSED_PLUGINS:
        return False
    return parts[0] != "imageformats" or bool(_KEPT_IMAGE_FORMATS.match(parts[-1]))


def _is_needed_llama_library(name: str) -> bool:
    """Whether a library of llama.cpp is needed.

    A wheel cannot contain links, so it contains each library under three names. Three kinds of names are needed:
    libllama.so, which Python loads; names that end in `.so.0`, to which the libraries are linked; and the plain names
    of kernel variants, which llama.cpp loads."""
    if name == "libllama.so":
        return True
    if ".so." in name:
        return bool(re.fullmatch(r"libggml(-base|-cpu)?\.so\.0", name))
    return not (_LIB.fullmatch(name) and name.endswith(".so"))
