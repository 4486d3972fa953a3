"""Classifiers in files: a ``.keras`` archive with one more member, and nothing to execute."""

from __future__ import annotations

import importlib
import json
import shutil
import tempfile
import zipfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import keras

from ..errors import XaiAudioError, meant
from ..files import check_name, whole
from ..frontend import LogMel
from ..wave_frontend import WaveFrontend, from_config
from .adapters import opening as foreign
from .classifier import AudioClassifier
from .designs.base import SelfExplaining
from .legacy import read_legacy
from .safety import MAX_CONFIG, check_config, check_weights, own_modules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..types import PathLike

MEMBER = "xaiaudio.json"
FORMAT = 1
SHIPPED = ("lite",)
NAMED = (*SHIPPED, "music", "yamnet")
LEGACY = (".h5", ".hdf5")

# What load_model can be told of a network, as the command line calls it.
_TYPED = {
    "labels": "--labels",
    "frontend": "--front-end",
    "outputs": "--ends-in",
    "activation": "--activation",
    "channels": "--repeat-channels",
    "sample_rate": "--sample-rate",
    "seconds": "--seconds",
    "output_name": "--output-name",
    "span": "--span",
    "signature": "--signature",
}

# What is said of networks of other libraries only.
_FOREIGN = ("seconds", "output_name", "span", "pool", "signature")

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
        layers that could not be loaded again (custom layers, `Lambda`), or the front end is a
        class of one's own.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise XaiAudioError(f"{path} must end in .keras: that is the format written.")
    if type(classifier.frontend) not in (LogMel, WaveFrontend):
        raise XaiAudioError(
            f"The front end is a {type(classifier.frontend).__name__}, which a file cannot hold: "
            "only the settings of a LogMel are saved. Save the network by Keras, and make the "
            "classifier in Python."
        )
    about = {
        "format": FORMAT,
        "name": classifier.name,
        "labels": list(classifier.labels),
        "frontend": classifier.frontend.to_config(),
        "attribution": classifier.attribution,
        "history": classifier.history,
    }
    if classifier.outputs is not None:
        about["outputs"] = classifier.outputs
    if isinstance(classifier, SelfExplaining):
        about["design"] = classifier.to_config()
    with tempfile.TemporaryDirectory() as folder:
        written, finished = Path(folder) / "written.keras", Path(folder) / "network.keras"
        (getattr(classifier, "wave_network", None) or classifier.network).save(written)
        with zipfile.ZipFile(written) as archive, zipfile.ZipFile(finished, "w") as made:
            config = json.loads(archive.read("config.json"))
            check_config(config, path)
            made.writestr("metadata.json", archive.read("metadata.json"))
            made.writestr("config.json", json.dumps(_portable(config)))
            made.write(archive.extract("model.weights.h5", folder), "model.weights.h5")
            made.writestr(MEMBER, json.dumps(about, indent=1))
        with whole(path) as partial:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(finished, partial)
    return path


def _portable(part):
    """Leave out arguments of initializers that are None: older Kerases do not know all of them."""
    if isinstance(part, list):
        return [_portable(value) for value in part]
    if not isinstance(part, dict):
        return part
    made = {key: _portable(value) for key, value in part.items()}
    if made.get("module") == "keras.initializers" and isinstance(made.get("config"), dict):
        made["config"] = {key: value for key, value in made["config"].items() if value is not None}
    return made


def load_model(
    source: PathLike = "lite",
    *,
    labels: Sequence[str] | None = None,
    frontend: LogMel | None = None,
    outputs: str | None = None,
    activation: str | None = None,
    channels: str | None = None,
    sample_rate: int | None = None,
    seconds: float | None = None,
    output_name: str | int | None = None,
    span: tuple[float, float] | None = None,
    pool: str | None = None,
    signature: str | None = None,
) -> AudioClassifier:
    """Return a classifier from the package or from a file.

    Parameters
    ----------
    source : str or path-like
        ``"lite"``, the small network that ships with the package (ten classes of ESC-10);
        ``"music"``, Choi's tagger of 50 tags, from the file that the environment variable
        ``XAIAUDIO_MUSIC`` names or fetched once (2 MB, see :mod:`.music_tagger`); ``"yamnet"``,
        with AudioSet's 521 classes, several of which may be true at once, from what
        ``XAIAUDIO_YAMNET`` names or fetched once (4 MB, see :mod:`.yamnet`); or a ``.keras``
        file that :meth:`.AudioClassifier.save` wrote, or a ``.keras``, ``.h5`` or
        ``.hdf5`` file that Keras wrote; or a ``.tflite`` or ``.onnx`` file, or the folder of a
        SavedModel, whose network is asked and not looked into, see :func:`.open_network`.
    labels : sequence of str, optional
        For a file that does not know them: all but the package's own.
    frontend : LogMel, optional
        For the same; VGGish's by default.
    outputs, activation, channels, sample_rate
        For the same; as in :meth:`.AudioClassifier.from_keras`. What does not come from Keras is
        taken to give probabilities, and refused if it visibly does not, unless `outputs` or
        `activation` says otherwise.
    seconds : float, optional
        Of a network that takes samples, any number of them: how long a segment is.
    output_name : str or int, optional
        Name or number of the output to take, of a network of another library that has several.
    span, pool
        Of a network of another library that answers frame by frame; as in
        :meth:`.AudioClassifier.from_function`.
    signature : str, optional
        Name of the signature to call, of a SavedModel that has several and no ``serving_default``,
        or where that is another.

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
    given: dict[str, Any] = {"labels": labels, "frontend": frontend, "outputs": outputs}
    given |= {"activation": activation, "channels": channels, "sample_rate": sample_rate}
    given |= {"seconds": seconds, "output_name": output_name, "span": span, "pool": pool}
    given |= {"signature": signature}
    given = {name: value for name, value in given.items() if value is not None}
    if str(source) in SHIPPED:
        shipped = resources.files(f"{__package__}.networks") / f"{source}.keras"
        with resources.as_file(shipped) as path:
            return _load(path, given)
    if str(source) in NAMED:
        return _named(str(source), given)
    path = Path(source)
    check_name(path)
    if foreign.is_foreign(path):
        return foreign.classifier(path, **given)
    return _load(path, _of_keras(path, given))


def _of_keras(path, given) -> dict[str, Any]:
    """Return what Keras's networks are told: the length of their sounds is the front end's."""
    given = dict(given)
    seconds = given.pop("seconds", None)
    if seconds is not None and "sample_rate" in given and "frontend" not in given:
        given["frontend"] = WaveFrontend.of(given.pop("sample_rate"), seconds)
    elif seconds is not None:
        raise XaiAudioError(f"{path}: seconds goes with sample_rate, and without a front end.")
    for name in _FOREIGN:
        if name in given:
            raise XaiAudioError(
                f"{path}: {name} is for TFLite and ONNX files and SavedModels: leave it out, and "
                "choose in Keras what the network gives."
            )
    return given


def _named(name: str, given) -> AudioClassifier:
    """Return a network that is fetched, with its labels and its front end."""
    _check_nothing_given(name, given)
    from .networks import music_tagger, yamnet

    return {"music": music_tagger, "yamnet": yamnet}[name].classifier()


def _check_nothing_given(name, given) -> None:
    if given:
        names = ", ".join(f"{option} ({_TYPED.get(option, 'Python')})" for option in given)
        raise XaiAudioError(
            f"{name} knows its labels, its front end and its end: leave them out, {names}."
        )


def _load(path: Path, given) -> AudioClassifier:
    _check_file(path)
    if path.suffix in LEGACY:
        about, read = None, read_legacy
    else:
        about, read = _inspect(path), _read_network
    if about is None:
        if "labels" not in given:
            raise XaiAudioError(
                f"{path} is a Keras network without labels: give them with --labels (command "
                "line), load_model(path, labels=[...]) or AudioClassifier.from_keras (Python)."
            )
        return AudioClassifier.from_keras(read(path), name=path.stem, **given)
    _check_nothing_given(path.stem if path.stem in SHIPPED else path, given)
    network = read(path)
    try:
        classifier = _described(network, about)
        classifier.history = dict(about.get("history", {}))
    except (KeyError, TypeError, ValueError) as error:
        raise XaiAudioError(f"{path}: its member {MEMBER} is damaged ({error}).") from error
    return classifier


def _described(network, about) -> AudioClassifier:
    """Make the classifier of a network and of what its file says of it."""
    labels, frontend = about["labels"], from_config(about["frontend"])
    if not isinstance(labels, list):
        raise TypeError(f"{labels!r:.40} is no list of labels")
    told: dict[str, Any] = {
        "name": _text(about["name"]),
        "attribution": _text(about.get("attribution", "")),
    }
    if "design" in about:
        return SelfExplaining.from_config(network, labels, frontend, about["design"], **told)
    outputs = about.get("outputs")
    return AudioClassifier.from_keras(network, labels, frontend, outputs=outputs, **told)


def _text(value) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def _check_file(path: Path) -> None:
    if not path.exists():
        raise XaiAudioError(
            f"There is no network {path}{meant(str(path), NAMED)}: give {', '.join(NAMED)}, or a "
            "file (.keras, .h5, .tflite, .onnx) or SavedModel folder."
        )
    if path.is_dir():
        raise XaiAudioError(f"{path} is a folder, but no SavedModel: give a .keras file.")
    if not path.is_file():
        raise XaiAudioError(f"{path} is a pipe or a device: give a .keras file.")
    if path.suffix not in (".keras", *LEGACY):
        raise XaiAudioError(
            f"{path} does not end in .keras, .h5, .tflite or .onnx: other formats may run code "
            "when they are loaded. Load it with the library that wrote it, and make a classifier "
            "with AudioClassifier.from_function; or save it as .keras if that is Keras."
        )


def _inspect(path: Path) -> dict | None:
    """Check everything that can be checked without Keras; return our own member."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path)
            config = json.loads(archive.read("config.json"))
            check_config(config, path)
            _check_weights(archive, config, path)
            for module in own_modules(config):
                importlib.import_module(module)  # Keras knows their layers only then
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
    for name in {*names} - {"model.weights.h5"}:
        if archive.getinfo(name).file_size > MAX_CONFIG:
            raise XaiAudioError(f"{path}: its {name} has more than {MAX_CONFIG >> 20} MB: refused.")
    damaged = archive.testzip()
    if damaged:
        raise XaiAudioError(f"{path} is damaged: the checksum of {damaged} is wrong.")


def _check_weights(archive, config, path: Path) -> None:
    with tempfile.TemporaryFile() as copy:
        with archive.open("model.weights.h5") as weights:
            shutil.copyfileobj(weights, copy)
        try:
            with h5py.File(copy, "r") as file:
                check_weights(file, config, path)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            raise XaiAudioError(
                f"Keras cannot read {path}: its weights are damaged ({str(error)[:100]})."
            ) from error


def _read_network(path: Path) -> keras.Model:
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        # Keras raises whatever its parts raise: TypeError, ValueError, KeyError, OSError, ...
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise XaiAudioError(f"Keras cannot read {path}: {reason[:200]}") from error
