"""What a method says of patches: maps, and all that is needed to look at them and to hear them."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..files import check_ordinary, whole
from ..frontend import LogMel
from ..patches import Patches, padding, rows_of_sound
from ..wave_frontend import WaveFrontend, from_config
from .answers import answers, known, overlap_of
from .masking import split
from .regions import KEEP, LEAST, cells, regions

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..models.classifier import AudioClassifier
    from ..types import PathLike
    from .answers import Answers
    from .regions import Region

#: What the values of a map are, by what the network was asked for.
UNITS = {"logits": "logit", "scores": "probability"}


@dataclass(frozen=True)
class Explanation:
    """What a network listened to in each patch.

    Attributes
    ----------
    maps : ndarray of float32, shape (n, frames, bands)
        One value a patch cell; positive speaks for the target. 0 in cells of padding.
    raw : ndarray of float32, shape (n, h, w)
        The same at the method's own resolution, before upsampling. Where that is coarser than the
        patch, nothing is taken from the padding.
    patches : ndarray of float32, shape (n, frames, bands)
        The log-mel patches explained.
    targets : ndarray of int, shape (n,)
        Index into `labels` of the class each map speaks for.
    scores : ndarray of float32, shape (n, classes)
        The network's probabilities for each patch.
    labels : tuple of str
        The network's classes.
    method : str
    options : dict
        The method's options, defaults included. Of methods that have an option `output`, what
        the network was asked for: never None.
    upsample : str
        How `raw` became `maps`: ``"bilinear"`` or ``"nearest"``.
    frontend : LogMel
        Converts patch cells to seconds and hertz.
    seconds : float
        Wall-clock time the maps took.
    starts : ndarray of int, shape (n,), or None
        The first frame of each patch in the sound; None if a bare array was explained.
    length : int or None
        Frames of the whole sound.
    waves : ndarray of float32, shape (n, samples), or None
        The sounds that the patches are pictures of, for a network that takes sounds.
    sound : ndarray of int, shape (n,), or None
        Frames of each patch, from its first on, that hold any sound; the rest is padding. None if
        nothing is, or if a bare array was explained.
    report : dict of str to ndarray of shape (n,)
        How each map was found, for methods that say so: samples, fit, ...
    model : AudioClassifier or None
        The network that was explained. Neither compared nor saved: None after loading.
    """

    maps: np.ndarray
    raw: np.ndarray
    patches: np.ndarray
    targets: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]
    method: str
    options: dict
    upsample: str
    frontend: LogMel
    seconds: float = 0.0
    starts: np.ndarray | None = None
    length: int | None = None
    waves: np.ndarray | None = None
    sound: np.ndarray | None = None
    report: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    model: AudioClassifier | None = dataclasses.field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.maps)

    @property
    def target_labels(self) -> list[str]:
        """The class each map speaks for, by name."""
        return [self.labels[target] for target in self.targets]

    @property
    def unit(self) -> str:
        """What the values of the maps are changes of: ``"logit"``, ``"probability"`` or ``""``.

        Empty for methods that do not compare the network's answers to two inputs.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> model, patch = xa.load_model("lite"), np.zeros((96, 64), "float32")
        >>> xa.explain(model, patch, "Rain", method="occlusion").unit
        'logit'
        """
        return UNITS.get(self.options.get("output", ""), "")

    def __getitem__(self, index: int | slice | ArrayLike) -> Explanation:
        """Return the explanation of some of the patches (slice, mask or list of indices)."""
        if isinstance(index, (int, np.integer)):
            index = [index]
        parts = {name: array[index] for name, array in self._arrays().items()}
        report = {name: numbers[index] for name, numbers in self.report.items()}
        return dataclasses.replace(self, **parts, report=report)

    def _arrays(self) -> dict[str, np.ndarray]:
        """Return what there is one of for each patch."""
        names = ("maps", "raw", "patches", "targets", "scores", "starts", "waves", "sound")
        arrays = {name: getattr(self, name) for name in names}
        return {name: array for name, array in arrays.items() if array is not None}

    @property
    def inputs(self) -> Patches | np.ndarray:
        """What to ask the network about once more: the patches, with their sounds if it has any."""
        if self.waves is None and self.sound is None:
            return self.patches
        return Patches(
            self.patches,
            self.frontend,
            self.starts,
            self.length,
            waves=self.waves,
            sound=self.sound,
        )

    @property
    def padding(self) -> np.ndarray:
        """Which frames are padding, no part of whose window lies in the sound: bool (n, frames)."""
        return padding(self.sound, self.patches.shape)

    def times(self, number: int = 0) -> np.ndarray:
        """Return where the cells of a patch begin and end, in seconds.

        Parameters
        ----------
        number : int
            Which of the patches.

        Returns
        -------
        ndarray of float64, shape (frames + 1,)
            In the sound's own seconds; from the patch's beginning if it is unknown where it lies.
        """
        return self.frontend.frame_times(0 if self.starts is None else self.starts[number])

    def peak(self, number: int = 0) -> tuple[float, float]:
        """Return where a map is highest.

        Parameters
        ----------
        number : int
            Which of the patches.

        Returns
        -------
        seconds, hertz : float
            The middle of the cells that share the highest value: of a coarse map, of a segment.
            Padding has no peak.
            Seconds are the sound's own, see :meth:`times`.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> model, patch = xa.load_model("lite"), np.zeros((96, 64), "float32")
        >>> result = xa.explain(model, patch, "Rain", method="occlusion", mask=1.0, stride=1.0)
        >>> [round(value, 2) for value in result.peak()]  # one cover: the middle of the patch
        [0.49, 1901.37]
        """
        raw = self.raw[number]
        frames, bands = self.maps.shape[1:]
        sound = frames if self.sound is None else int(self.sound[number])
        cells = raw[: max(1, rows_of_sound(sound, frames, len(raw)))]
        high = cells >= cells.max() - 1e-5 * np.ptp(cells)  # rounding tells no cells apart
        row, column = (places.mean() for places in np.nonzero(high))
        times, centres = self.times(number), self.frontend.band_centres()
        frame = min((row + 0.5) * frames / raw.shape[0], sound)
        band = (column + 0.5) * bands / raw.shape[1] - 0.5
        seconds = np.interp(frame, np.arange(frames + 1), times)
        return float(seconds), float(np.interp(band, np.arange(bands), centres))

    def check(
        self,
        wave: ArrayLike,
        *,
        model: AudioClassifier | None = None,
        keep: float | None = None,
        how: str = "mean",
        soften: float = 0.0,
        overlap: float | None = None,
    ) -> Answers:
        """Ask the network what it hears in a sound, in what the maps keep of it, and in the rest.

        Parameters
        ----------
        wave : array_like of float, shape (samples,)
            The sound that the patches were made from.
        model : AudioClassifier, optional
            By default the network that was explained; needed after loading.
        keep, how, soften
            As in :func:`xaiaudio.listen`.
        overlap : float, optional
            Of the patches that the network is asked about; by default as those explained.

        Returns
        -------
        Answers
            Of "original", "kept" and "removed".

        Raises
        ------
        XaiAudioError
            If the network is unknown, or the patches are not in this sound.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> model = xa.load_model("lite")
        >>> wave = np.random.default_rng(0).normal(0, 0.1, 48_000).astype("float32")
        >>> answers = xa.explain(model, model.frontend(wave), "Rain").check(wave)
        >>> list(answers)
        ['original', 'kept', 'removed']
        """
        sounds = split(self, wave, keep=keep, how=how, soften=soften).sounds()
        asked = overlap_of(self) if overlap is None else overlap
        return answers(known(model, self.model), sounds, self.target_labels, overlap=asked)

    def table(self, file: str = "") -> dict[str, np.ndarray]:
        """Return every cell of the maps as a dict of columns: ``pandas.DataFrame(result.table())``.

        Parameters
        ----------
        file : str
            What the sound is called.

        Returns
        -------
        dict of str to ndarray, shape (cells,)
            Place in seconds and hertz, and relevance, see :func:`.explainers.regions.cells`.
        """
        return cells(self, file)

    def regions(self, keep: float = KEEP, least: float = LEAST) -> list[Region]:
        """Return boxes around the strongest cells, see :func:`.explainers.regions.regions`.

        Parameters
        ----------
        keep : float
            Share of all cells of the sound, in (0, 1].
        least : float
            Leave out regions with a smaller share of the positive relevance.

        Returns
        -------
        list of Region
            The largest share first.
        """
        return regions(self, keep=keep, least=least)

    def __getstate__(self) -> dict:
        """Return what copies and pickles keep: all but the network."""
        return {**self.__dict__, "model": None}

    def save(self, path: PathLike) -> Path:
        """Write everything to one ``.npz`` file; :meth:`load` reads it back.

        Parameters
        ----------
        path : path-like
            In a folder that is there.

        Returns
        -------
        Path

        Raises
        ------
        XaiAudioError
            If it cannot be written, or its front end is a class of one's own, of which a file
            holds nothing. Nothing half-written stays.
        """
        path = Path(path)
        if type(self.frontend) not in (LogMel, WaveFrontend):
            raise XaiAudioError(
                f"The front end is a {type(self.frontend).__name__}, which a file cannot hold: "
                "only the settings of a LogMel are saved. Save the maps with numpy.save."
            )
        about = {
            "labels": list(self.labels),
            "method": self.method,
            "options": self.options,
            "upsample": self.upsample,
            "frontend": self.frontend.to_config(),
            "seconds": self.seconds,
            "length": self.length,
        }
        # With a colon before, so that no number can take the name of an array.
        report = {f"report:{name}": numbers for name, numbers in self.report.items()}
        with whole(path) as partial, open(partial, "wb") as file:
            text = json.dumps(about, default=_plain)
            np.savez_compressed(file, about=text, **self._arrays(), **report)
        return path

    @classmethod
    def load(cls, path: PathLike) -> Explanation:
        """Read what :meth:`save` wrote. Nothing in the file is ever executed.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        Explanation

        Raises
        ------
        XaiAudioError
            If the file is missing, damaged or of another kind.
        """
        check_ordinary(path)
        try:
            with np.load(path, allow_pickle=False) as file:
                data = {name: file[name] for name in file.files}
            about = json.loads(str(data.pop("about")))
            frontend = from_config(about.pop("frontend"))
            labels = tuple(about.pop("labels"))
            numbers = [name for name in data if name.startswith("report:")]
            report = {name.partition(":")[2]: data.pop(name) for name in numbers}
            loaded = cls(**data, **about, labels=labels, frontend=frontend, report=report)
            _check_fields(loaded)
            return loaded
        except Exception as error:  # zip, zlib, NumPy and JSON each have errors of their own
            raise XaiAudioError(
                f"{path} is not an explanation saved by xaiaudio: {error}."
            ) from error


def _check_fields(loaded: Explanation) -> None:
    """Raise a ValueError if what was read from a file does not fit together."""
    n, classes = len(loaded.patches), len(loaded.labels)
    numbers = {"maps": 3, "raw": 3, "patches": 3, "scores": 2, "targets": 1}
    for name, axes in numbers.items():
        array = getattr(loaded, name)
        if array.ndim != axes or len(array) != n or array.dtype.kind not in "fiu":
            raise ValueError(f"{name} are no numbers of the shape that they must have")
    if not n or loaded.patches.shape[1:] != loaded.frontend.patch_shape:
        raise ValueError("there are no patches, or not those of its front end")
    if loaded.maps.shape != loaded.patches.shape or loaded.scores.shape != (n, classes):
        raise ValueError("maps, patches, scores and labels do not fit together")
    if loaded.targets.dtype.kind == "f" or not np.isin(loaded.targets, np.arange(classes)).all():
        raise ValueError("targets are no places in the labels")
    starts = loaded.starts
    if starts is not None and (starts.shape != (n,) or starts.dtype.kind not in "iu"):
        raise ValueError("starts are no places in the sound")
    if starts is not None and not 0 <= starts.min() <= starts.max() < (loaded.length or 1 << 31):
        raise ValueError("starts are no places in the sound")
    sound = loaded.sound
    if sound is not None and (
        starts is None or sound.shape != (n,) or sound.dtype.kind not in "iu"
    ):
        raise ValueError("sound counts no frames of the patches")
    if sound is not None and not ((sound >= 0) & (sound <= loaded.patches.shape[1])).all():
        raise ValueError("sound counts other frames than the patches have")
    waves = loaded.waves
    if waves is not None and (starts is None or waves.ndim != 2 or waves.dtype.kind != "f"):
        raise ValueError("waves are no sounds of the patches")
    if waves is not None and len(waves) != n:
        raise ValueError("waves and patches do not fit together")
    if any(numbers.shape != (n,) for numbers in loaded.report.values()):
        raise ValueError("the report has not one number a map")
    words = [*loaded.labels, loaded.method, loaded.upsample]
    if not all(isinstance(word, str) for word in words) or not isinstance(loaded.options, dict):
        raise ValueError("labels, method or options are of another kind")


def _plain(value):
    """Turn a NumPy number among the options into one that JSON knows."""
    return value.item() if isinstance(value, np.generic) else str(value)
