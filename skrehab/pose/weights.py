"""Find, install and list the pose model file. Nothing is ever downloaded on the side.

MediaPipe ships its pose networks inside the PyPI wheel of version 0.10.21 (Apache-2.0), not as the
``.task`` file its present API wants. :func:`fetch_pose_landmarker`, run by
``skrehab models fetch pose_landmarker_full``, takes them from there, checks their SHA-256 and
writes that file. Nothing of the wheel is installed or run.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from skrehab._written import written

from .bundle import BUNDLE_MEMBERS, build_bundle, pack_bundle

__all__ = ["ModelError", "ModelInfo", "fetch_pose_landmarker", "find_model", "list_models"]

POSE_LANDMARKER = "pose_landmarker_full"
WHEEL = "mediapipe==0.10.21"

# SHA-256 of the two networks; they are the same in the wheels of every platform.
_MEMBERS = {
    "mediapipe/modules/pose_detection/pose_detection.tflite": (
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"
    ),
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite": (
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"
    ),
}
# SHA-256 of the members of bundles that are known to be good: those that build_bundle makes of the
# two networks, and those with the metadata that MediaPipe's own writer gives to the same networks.
_BUNDLE_MEMBERS = {
    BUNDLE_MEMBERS[0]: {
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        "d43b6062ecd43d70d7507bb920aecdf99a7ec7fd27a098bc59ef76153f746cc7",
    },
    BUNDLE_MEMBERS[1]: {
        "106dad04bed413fa2f7749896fff361a1ab26ccafedee1fba1d804b3d8e5a0c8",
        "a2b1fb1669ce5b2201307364e12f250942b9faac167caff7bc519f997afe5f43",
    },
}
_MAX_FILE = 256 * 2**20  # the wheel has 36 MB, a bundle 9 MB
_MAX_MEMBER = 32 * 2**20
# SHA-256 of the bundle that build_bundle makes of them
_BUNDLE_SHA256 = "1a059630d2ebac3ddb802abc359c631ae44cf009843d9ae801074f7a025ed6f8"

_HOW_TO_GET = (
    "Get it once with `skrehab models fetch pose_landmarker_full` (36 MB from PyPI), or, without a "
    "network, with `skrehab models fetch pose_landmarker_full --from-file FILE`."
)


class ModelError(RuntimeError):
    """A model file that is missing, cannot be fetched, or is not what it should be."""


@dataclass(frozen=True)
class ModelInfo:
    """One line of :func:`list_models`.

    Parameters
    ----------
    name : str
        What ``skrehab models fetch`` takes.
    description : str
        What it does.
    license : str
        Licence of the file.
    source : str
        Where the fetch takes it from.
    sha256 : str
        SHA-256 of the file that the fetch writes.
    path : Path or None
        Where it is found now; None if it is not.
    """

    name: str
    description: str
    license: str
    source: str
    sha256: str
    path: Path | None


def list_models():
    """List the model files that skrehab can fetch, and where they are found.

    Returns
    -------
    list of ModelInfo
        One entry per model.

    Examples
    --------
    >>> from skrehab.pose import list_models
    >>> [(model.name, model.license) for model in list_models()]
    [('pose_landmarker_full', 'Apache-2.0')]
    """
    try:
        path = find_model()
    except ModelError:
        path = None
    return [
        ModelInfo(
            name=POSE_LANDMARKER,
            description="MediaPipe BlazePose, 33 landmarks, full model (9 MB)",
            license="Apache-2.0",
            source=f"PyPI wheel {WHEEL}",
            sha256=_BUNDLE_SHA256,
            path=path,
        )
    ]


def models_folder():
    """Name the folder in which fetched models are kept.

    Returns
    -------
    Path
        ``skrehab/models`` in the user's cache folder: ``$XDG_CACHE_HOME``, or else
        ``~/.cache`` (Linux), ``~/Library/Caches`` (macOS), ``%LOCALAPPDATA%`` (Windows).
    """
    if os.environ.get("XDG_CACHE_HOME"):
        cache = Path(os.environ["XDG_CACHE_HOME"])
    elif sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        cache = Path(os.environ["LOCALAPPDATA"])
    else:
        cache = Path.home() / ".cache"
    return cache / "skrehab" / "models"


def find_model(model_path=None):
    """Find the pose model file; never download it.

    Looked for in this order: ``model_path``, the environment variable ``SKREHAB_MODELS`` (a folder
    or the file itself), the user's cache folder.

    Parameters
    ----------
    model_path : str or path-like, optional
        A ``.task`` file. If given, it must exist.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ModelError
        If it is nowhere; the message says where it was looked for and how to get it.

    Examples
    --------
    >>> from skrehab.pose import find_model
    >>> find_model("heavy.task")
    Traceback (most recent call last):
    ...
    skrehab.pose.weights.ModelError: There is no model file heavy.task (given as model_path).
    """
    if model_path is not None:
        if not Path(model_path).is_file():
            raise ModelError(f"There is no model file {model_path} (given as model_path).")
        return Path(model_path)
    file_name = f"{POSE_LANDMARKER}.task"
    places = [models_folder() / file_name]
    if os.environ.get("SKREHAB_MODELS"):
        given = Path(os.environ["SKREHAB_MODELS"])
        places.insert(0, given if given.is_file() else given / file_name)
    for place in places:
        if place.is_file():
            return place
    looked = " and ".join(str(place) for place in places)
    raise ModelError(
        f"The pose model {POSE_LANDMARKER} is not on this machine: looked for {looked}. "
        f"{_HOW_TO_GET}"
    )


def fetch_pose_landmarker(dest=None, from_file=None, progress=None):
    """Install the pose model file, from PyPI or from a file at hand.

    Parameters
    ----------
    dest : str or path-like, optional
        File to write, or folder to write it in; by default the user's cache folder, where
        :func:`find_model` looks.
    from_file : str or path-like, optional
        Instead of downloading, take this file: a ``.task`` bundle that holds the networks this
        function would fetch, or the mediapipe 0.10.21 wheel copied from another machine.
    progress : callable, optional
        Called with one sentence before each step.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ModelError
        If pip or the download fails, a SHA-256 does not match, ``from_file`` is no pose model, or
        the file to write is a link. What was there before stays.

    Notes
    -----
    Both networks are compared with known SHA-256, whatever file they come in, and only they are
    written. Another pose model is not installed: name it with ``model_path``.

    Examples
    --------
    >>> from skrehab.pose import fetch_pose_landmarker
    >>> fetch_pose_landmarker(progress=print)  # doctest: +SKIP
    """
    say = progress or (lambda sentence: None)
    target = models_folder() if dest is None else Path(dest)
    if target.suffix != ".task":
        target = target / f"{POSE_LANDMARKER}.task"
    if target.is_symlink():
        raise ModelError(f"{target} is a link, and is not written through: remove it first.")
    if from_file is not None:
        say(f"Checking {from_file}.")
        content = _bundle_from_file(Path(from_file))
    elif target.is_file() and _sha256(target.read_bytes()) == _BUNDLE_SHA256:
        say(f"{target} is there already, and is as it should be.")
        return target
    else:
        with tempfile.TemporaryDirectory() as folder:
            say(f"Downloading the wheel {WHEEL} (36 MB) with pip.")
            wheel = _download_wheel(folder)
            say("Checking the two networks in it and joining them.")
            content = _bundle_from_file(wheel)
    target.parent.mkdir(parents=True, exist_ok=True)
    with written(target) as file:
        file.write(content)
    say(f"Wrote {target}.")
    return target


def _download_wheel(folder):
    if importlib.util.find_spec("pip") is None:
        raise ModelError(
            f"This Python ({sys.executable}) has no pip to download {WHEEL} with. Install "
            "pip, or download that wheel elsewhere and give it with --from-file."
        )
    # One wheel serves every machine: only data files are taken from it. Naming its tags makes pip
    # offer it to any Python version and platform.
    command = [sys.executable, "-m", "pip", "download", WHEEL, "--no-deps", "--only-binary=:all:"]
    command += ["--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"]
    command += ["--platform", "manylinux_2_28_x86_64", "--dest", str(folder)]
    command += ["--disable-pip-version-check", "--no-input", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(Path(folder).glob("mediapipe-*.whl"))
    if done.returncode != 0 or not wheels:
        reason = done.stderr.strip().splitlines()[-1:] or ["pip gave no reason"]
        raise ModelError(
            f"pip could not download {WHEEL}: {reason[0]} Check the network or pip's index; or "
            "download that wheel elsewhere and give it with --from-file."
        )
    return wheels[0]


def _bundle_from_file(path):
    """Make the bundle of a bundle's or a wheel's networks, if they are those that are known."""
    if not path.is_file():
        raise ModelError(f"There is no file {path} (given as --from-file).")
    with open(path, "rb") as file:
        data = file.read(_MAX_FILE + 1)  # once: what is checked is what is installed
    if len(data) > _MAX_FILE:
        raise ModelError(f"{path} is too large: neither a .task bundle nor the wheel {WHEEL}.")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _known_bundle(archive, path)
    except zipfile.BadZipFile as error:
        raise ModelError(
            f"{path} is not a pose model: neither a .task bundle (a zip of "
            f"{' and '.join(BUNDLE_MEMBERS)}) nor the wheel {WHEEL}."
        ) from error


def _known_bundle(archive, path):
    names = archive.namelist()
    if len(set(names)) < len(names):
        raise ModelError(f"{path} is not a pose model: two of its members have one name.")
    if not set(BUNDLE_MEMBERS) & set(names) and (set(_MEMBERS) & set(names)):
        parts = [_member(archive, name, {known}, path) for name, known in _MEMBERS.items()]
        return build_bundle(*parts)
    if missing := [name for name in BUNDLE_MEMBERS if name not in names]:
        raise ModelError(f"{path} is not a pose model bundle: it lacks {' and '.join(missing)}.")
    if any(archive.getinfo(name).compress_type != zipfile.ZIP_STORED for name in BUNDLE_MEMBERS):
        raise ModelError(f"{path} is compressed; MediaPipe reads only bundles zipped without.")
    return pack_bundle(
        *(_member(archive, name, _BUNDLE_MEMBERS[name], path) for name in BUNDLE_MEMBERS)
    )


def _member(archive, name, known, path):
    """Read a network of a known SHA-256; no other is let through."""
    try:
        if (size := archive.getinfo(name).file_size) > _MAX_MEMBER:
            raise ModelError(f"{path} is not a pose model: {name} in it has {size:,} bytes.")
        content = archive.read(name)
    except KeyError as error:
        raise ModelError(f"{path} holds no readable {name}. Is it {WHEEL}?") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{path} is damaged: {name} in it cannot be read ({error}). Copy it again."
        ) from error
    if (found := _sha256(content)) not in known:
        raise ModelError(
            f"{path}: {name} is not the file skrehab knows (SHA-256 {found}, expected "
            f"{' or '.join(sorted(known))}). Nothing was installed; take the wheel {WHEEL} from "
            "PyPI. A pose model of your own is given as model_path."
        )
    return content


def _sha256(content):
    return hashlib.sha256(content).hexdigest()
