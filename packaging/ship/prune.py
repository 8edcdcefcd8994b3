"""What PyInstaller finds and Inglenook does not use. Pure, so that the rules can be tested without a freeze."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

EXCLUDED_MODULES = [
    "IPython",
    "PyInstaller",
    "_tkinter",
    "hf_xet",  # a faster way to fetch from the hub, for which Inglenook has its own
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
    # What llama_cpp's own server wants; ours is another.
    "llama_cpp.server",
    "sse_starlette",
    "starlette_context",
]

UNUSED_HOOKS = {"pyi_rth_inspect", "pyi_rth_multiprocessing", "pyi_rth_pkgutil"}

# Qt's parts beyond the window: Qt Quick and all that draws with it, printing, databases, the designer.
_UNUSED_QT = re.compile(
    r"(lib)?(Qt6|Qt)(Concurrent|Designer\w*|EglF[sS]\w*|Help|Labs\w*|OpenGLWidgets|PrintSupport|Qml\w*|Quick\w*"
    r"|RemoteObjects\w*|Sql|SvgWidgets|Test|UiTools|VirtualKeyboard\w*|WebSockets|ShaderTools|Pdf\w*)"
    r"(\.|\.abi3\.|\.so|\.dll|\.pyd|$).*"
)
_UNUSED_DLLS = ("opengl32sw.dll", "d3dcompiler_47.dll")  # drawing in three dimensions
# The window draws itself in its own colours, so it needs no GTK, which would bring sixteen libraries along; its file
# dialogs come from the desktop's portal. QtNetwork is used for a local socket alone, so without TLS.
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
# Pictures that Inglenook shows are PNG, which Qt reads by itself, SVG and JPEG.
_KEPT_IMAGE_FORMATS = re.compile(r"(lib)?q(svg|jpeg|ico|gif|webp)d?\.(so|dll|dylib)$")
_KEPT_LANGUAGES = ("de", "en")
_LIB = re.compile(r"(lib)?(llama|ggml|ggml-base|ggml-cpu)\.so(\.\d+)*$")


def is_wanted(name: str) -> bool:
    """Whether a file belongs into the freeze, by its path in there."""
    path = PurePosixPath(name.replace("\\", "/"))
    parts = path.parts
    if "llama_cpp" in parts and "lib" in parts:
        return _is_wanted_llama(path.name)
    # Also the links to them that lie at the top, and all that lies in a framework of macOS.
    if any(_UNUSED_QT.fullmatch(part) for part in parts):
        return False
    if parts[:1] != ("PySide6",):
        return not any(part in ("tests", "include") for part in parts) and path.suffix not in (".pyi", ".h", ".a")
    if "translations" in parts:
        return path.stem.startswith(tuple(f"qtbase_{language}" for language in _KEPT_LANGUAGES))
    if "plugins" in parts:
        return _is_wanted_plugin(parts[parts.index("plugins") + 1 :])
    return path.suffix != ".pyi" and "qml" not in parts and path.name not in _UNUSED_DLLS


def _is_wanted_plugin(parts: tuple[str, ...]) -> bool:
    if parts[0] in _UNUSED_PLUGINS or "/".join(parts[:2]) in _UNUSED_PLUGINS:
        return False
    return parts[0] != "imageformats" or bool(_KEPT_IMAGE_FORMATS.match(parts[-1]))


def _is_wanted_llama(name: str) -> bool:
    """A wheel cannot hold links, so each library is in there three times. llama.cpp looks for the variants by their
    plain names and for each other by `.so.0`; Python asks for libllama.so."""
    if name == "libllama.so":
        return True
    if ".so." in name:
        return bool(re.fullmatch(r"libggml(-base|-cpu)?\.so\.0", name))
    return not (_LIB.fullmatch(name) and name.endswith(".so"))
