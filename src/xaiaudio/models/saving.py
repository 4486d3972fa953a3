"""Classifiers in files: a ``.keras`` archive with one more member, and nothing to execute."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from importlib import resources
from pathlib import Path

import keras

from ..errors import XaiAudioError
from ..files import whole
from ..frontend import LogMel
from .classifier import AudioClassifier
from .safety import check_config

MEMBER = "xaiaudio.json"
FORMAT = 1
SHIPPED = ("lite",)

# What Keras itself writes. Anything else in the archive has no business there.
_KERAS_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
_MAX_BYTES = 4 << 30


def save(classifier: AudioClassifier, path) -> Path:
    """Write a classifier to one ``.keras`` file; see :meth:`.AudioClassifier.save`.

    The file appears whole or not at all.

    Raises
    ------
    XaiAudioError
        If the name does not end in ``.keras``, the file cannot be written, or the network has
        layers that could not be loaded again (custom layers, `Lambda`).
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise XaiAudioError(f"{path} must end in .keras: that is the format written.")
    about = {
        "format": FORMAT,
        "name": classifier.name,
        "labels": list(classifier.labels),
        "frontend": classifier.frontend.to_config(),
        "attribution": classifier.attribution,
        "history": classifier.history,
    }
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "network.keras"
        classifier.network.save(made)
        with zipfile.ZipFile(made, "a") as archive:
            check_config(json.loads(archive.read("config.json")), path)
            archive.writestr(MEMBER, json.dumps(about, indent=1))
        with whole(path) as partial:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, partial)
    return path


def load_model(source="lite", *, labels=None, frontend=None) -> AudioClassifier:
    """Return a classifier from the package or from a file.

    Parameters
    ----------
    source : str or path-like
        ``"lite"``, the small network that ships with the package (ten classes of ESC-10), or a
        ``.keras`` file that :meth:`.AudioClassifier.save` wrote.
    labels : sequence of str, optional
        For a ``.keras`` file that Keras wrote, which does not know them.
    frontend : LogMel, optional
        For the same; VGGish's by default.

    Returns
    -------
    AudioClassifier

    Raises
    ------
    XaiAudioError
        If the file is missing, damaged, of another format, has no labels, or holds anything but
        Keras's own layers. Such files could run code when they are loaded, so `Lambda` layers,
        custom objects and pickles are refused before Keras sees them.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.load_model("lite").labels[0]
    'Dog bark'
    """
    if str(source) in SHIPPED:
        shipped = resources.files(f"{__package__}.networks") / f"{source}.keras"
        with resources.as_file(shipped) as path:
            return _load(path, None, None)
    return _load(Path(source), labels, frontend)


def _load(path: Path, labels, frontend) -> AudioClassifier:
    about = _inspect(path)
    if about is None and labels is None:
        raise XaiAudioError(
            f"{path} is a Keras network without labels: give them with --labels (command line), "
            "load_model(path, labels=[...]) or AudioClassifier.from_keras (Python)."
        )
    network = _read_network(path)
    if about is None:
        return AudioClassifier.from_keras(network, labels, frontend, name=path.stem)
    if labels is not None or frontend is not None:
        raise XaiAudioError(f"{path} knows its labels and its front end: leave them out.")
    try:
        classifier = AudioClassifier.from_keras(
            network,
            about["labels"],
            LogMel.from_config(about["frontend"]),
            name=about["name"],
            attribution=str(about.get("attribution", "")),
        )
        classifier.history = dict(about.get("history", {}))
    except (KeyError, TypeError, ValueError) as error:
        raise XaiAudioError(f"{path}: its member {MEMBER} is damaged ({error}).") from error
    return classifier


def _inspect(path: Path) -> dict | None:
    """Check everything that can be checked without Keras; return our own member."""
    if not path.exists():
        known = ", ".join(SHIPPED)
        raise XaiAudioError(f"There is no network {path}: give {known} or a .keras file.")
    if path.is_dir():
        raise XaiAudioError(f"{path} is a folder: give a .keras file.")
    if path.suffix != ".keras":
        raise XaiAudioError(
            f"{path} does not end in .keras: other formats may run code when they are loaded. Load "
            "it with the library that wrote it, and save it as .keras."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path)
            check_config(json.loads(archive.read("config.json")), path)
            if MEMBER not in archive.namelist():
                return None
            about = json.loads(archive.read(MEMBER))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, RecursionError, EOFError) as error:
        raise XaiAudioError(
            f"{path} is damaged or no .keras file ({error}): save or download it again."
        ) from error
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise XaiAudioError(
            f"{path} was written by another version of xaiaudio: save it again with this one."
        )
    return about


def _check_members(archive: zipfile.ZipFile, path: Path) -> None:
    names = archive.namelist()
    strange = sorted(set(names) - _KERAS_MEMBERS - {MEMBER})
    if strange:
        raise XaiAudioError(
            f"{path} holds {strange[0]!r}, which is not part of a plain Keras network: refused."
        )
    if len(names) != len(set(names)):
        raise XaiAudioError(f"{path} holds a member twice: refused.")
    missing = sorted(_KERAS_MEMBERS - set(names))
    if missing:
        raise XaiAudioError(f"{path} is no .keras file: it lacks {missing[0]}.")
    if sum(member.file_size for member in archive.infolist()) > _MAX_BYTES:
        raise XaiAudioError(f"{path} unpacks to more than {_MAX_BYTES >> 30} GB: refused.")
    damaged = archive.testzip()
    if damaged:
        raise XaiAudioError(f"{path} is damaged: the checksum of {damaged} is wrong.")


def _read_network(path: Path) -> keras.Model:
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        # Keras raises whatever its parts raise: TypeError, ValueError, KeyError, OSError, ...
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise XaiAudioError(f"Keras cannot read {path}: {reason[:200]}") from error
