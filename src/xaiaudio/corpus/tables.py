"""Tables in Parquet and maps in Zarr: one file, and one group, a unit."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..files import whole
from .extra import needed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..types import PathLike

# Columns and their types, by Arrow's names; "bands" is a list of float32.
SOUNDS = {"file": "string", "size": "int64", "time": "int64", "unit": "int64"}
CLIPS = {
    "file": "string",  # its name within the folder
    "size": "int64",  # bytes
    "sha256": "string",  # of the file
    "folder": "string",  # that it lies in: its class, perhaps
    "seconds": "float64",  # how long it is
    "class": "string",  # what the network calls it
    "score": "float32",  # mean of that class over the patches that vote
    "votes": "float32",  # share of them that it has
    "method": "string",
    "explained": "string",  # the class that the map speaks for
    "start": "float64",  # of the patch explained, in seconds
    "relevance": "bands",  # mean over time, for each band
    "warning": "string",
    "unit": "int64",
    "place": "int64",  # of the map in its unit
}
BAD = {"file": "string", "size": "int64", "reason": "string", "unit": "int64"}
MAPS = "maps.zarr"


def check() -> None:
    """Raise XaiAudioError unless tables and maps can be written."""
    needed("pyarrow.parquet")
    needed("zarr")


def schema(columns: Mapping[str, str]) -> Any:
    """Return columns as an Arrow schema."""
    arrow = needed("pyarrow")
    kinds = {"bands": arrow.list_(arrow.float32())}
    named = {"string": arrow.string(), "int64": arrow.int64()}
    named |= {"float32": arrow.float32(), "float64": arrow.float64()}
    return arrow.schema([(name, (named | kinds)[kind]) for name, kind in columns.items()])


def write(path, columns: Mapping[str, str], values: Mapping[str, Sequence]) -> None:
    """Write a Parquet file."""
    arrow = needed("pyarrow")
    made = {
        name: list(values[name]) if kind in ("string", "bands") else np.asarray(values[name])
        for name, kind in columns.items()
    }
    table = arrow.Table.from_pydict(made, schema=schema(columns))
    needed("pyarrow.parquet").write_table(table, path, compression="zstd")


def read(paths: Sequence[PathLike], columns: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Read Parquet files, in order, as arrays by the names of their columns."""
    arrow, parquet = needed("pyarrow"), needed("pyarrow.parquet")
    wanted, parts = schema(columns), []
    for path in paths:
        try:
            parts.append(parquet.ParquetFile(path).read(columns=list(columns)).cast(wanted))
        except Exception as error:  # Arrow has errors of its own, and raises others
            reason = str(error).splitlines()[0][:200]
            raise XaiAudioError(f"{path} is damaged: {reason}.") from error
    table = arrow.concat_tables(parts) if parts else wanted.empty_table()
    return {name: _array(table[name], kind) for name, kind in columns.items()}


def _array(column, kind) -> np.ndarray:
    if kind == "string":
        return np.array(column.to_pylist(), object)
    if kind != "bands":
        return column.to_numpy()
    flat = column.combine_chunks().flatten().to_numpy() if len(column) else np.zeros(0)
    return flat.astype(np.float32).reshape(len(column), -1) if len(flat) else np.zeros((0, 0))


def clips_file(out, unit: int) -> Path:
    """Where a unit's table of clips lies: it is written last."""
    return Path(out) / "clips" / f"{unit:06d}.parquet"


def bad_file(out, unit: int) -> Path:
    """Where a unit's table of bad files lies."""
    return Path(out) / "bad" / f"{unit:06d}.parquet"


def unreadable_file(out) -> Path:
    """Where the table of what could not be read as the archive was planned lies, if anything."""
    return Path(out) / "bad" / "unreadable.parquet"


def maps_folder(out, unit: int) -> Path:
    """Where a unit's maps lie, a Zarr group."""
    return Path(out) / MAPS / f"{unit:06d}"


def done(out) -> set[int]:
    """Return the units whose table of clips is there."""
    folder = Path(out) / "clips"
    if not folder.is_dir():
        return set()
    return {
        int(name[:-8])
        for name in os.listdir(folder)
        if name.endswith(".parquet") and name[:-8].isdigit()
    }


def write_unit(out, unit: int, clips: Mapping, bad: Mapping, maps: Mapping) -> None:
    """Write all that a unit gave; its table of clips last, which makes it done.

    Parameters
    ----------
    out : path-like
    unit : int
    clips, bad : mapping of str to sequence
        Columns as `CLIPS` and `BAD` say.
    maps : mapping of str to ndarray of shape (n, frames, bands)
        By method.
    """
    _write_maps(maps_folder(out, unit), maps)
    _write_whole(bad_file(out, unit), BAD, bad)
    _write_whole(clips_file(out, unit), CLIPS, clips)


def write_unreadable(out, reasons: Mapping[str, str]) -> None:
    """Write what could not be read as the archive was planned, and why; nothing if all could."""
    if not reasons:
        unreadable_file(out).unlink(missing_ok=True)
        return
    values = {
        "file": list(reasons),
        "size": [0] * len(reasons),
        "reason": [f"{name}: {reason}." for name, reason in reasons.items()],
        "unit": [-1] * len(reasons),
    }
    _write_whole(unreadable_file(out), BAD, values)


def _write_whole(path: Path, columns, values) -> None:
    partial = f".{path.stem}-{secrets.token_hex(4)}.partial"
    with whole(path, partial, advice="Make room, and run the same again.") as file:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(file, columns, values)


def _write_maps(path: Path, maps) -> None:
    zarr = needed("zarr")
    partial = path.with_name(f".{path.name}-{secrets.token_hex(4)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (path.parent / "zarr.json").exists():
            zarr.open_group(path.parent, mode="a")
        group = zarr.create_group(partial)
        for name, values in maps.items():
            if len(values):
                group.create_array(name, data=values, chunks=values.shape)
        for file in partial.rglob("*"):
            if file.is_file():
                with open(file, "rb+") as handle:
                    os.fsync(handle)
        shutil.rmtree(path, ignore_errors=True)  # of a run that was stopped before its table
        os.rename(partial, path)
    except OSError as error:
        raise XaiAudioError(
            f"Could not write {path}: {error.strerror or error}. Make room, and run the same again."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_maps(out, unit: int, method: str) -> np.ndarray:
    """Return the maps of a unit, float32 (n, frames, bands)."""
    zarr = needed("zarr")
    try:
        return zarr.open_array(maps_folder(out, unit) / method, mode="r")[:]
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise XaiAudioError(f"{maps_folder(out, unit)} is damaged: {reason}.") from error


def clear_partial(out) -> None:
    """Take away what runs that were killed left half-written."""
    for folder in ("clips", "bad", MAPS):
        for path in (Path(out) / folder).glob(".*.partial"):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(True)
