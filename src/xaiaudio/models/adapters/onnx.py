"""Networks in ONNX files, run by onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...errors import XaiAudioError
from .base import ForeignNetwork, Port, one_input

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
}


def read(path: Path) -> ForeignNetwork:
    """Open an ``.onnx`` file.

    Only onnxruntime's own operations are run, and no library of others is loaded. Weights in
    files of their own may lie beside it, nowhere else.

    Raises
    ------
    XaiAudioError
        If onnxruntime is missing, the file is damaged, or the network takes anything but one array
        of floats.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise XaiAudioError("ONNX files need onnxruntime: pip install 'xaiaudio[onnx]'.") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors have no class in common
        raise XaiAudioError(f"onnxruntime cannot read {path}: {_reason(error)}") from error
    inputs, exits = session.get_inputs(), tuple(_port(one) for one in session.get_outputs())
    entry, kind = one_input(path.stem, [_port(one) for one in inputs]), inputs[0].type
    if kind not in _TYPES:
        raise XaiAudioError(f"{path.stem} takes {entry} of the type {kind}: floats are needed.")

    def run(array):
        try:
            return session.run(None, {entry.name: array.astype(_TYPES[kind])})
        except Exception as error:
            raise XaiAudioError(
                f"{path.stem} failed on an array of the shape {array.shape}: {_reason(error)}"
            ) from error

    return ForeignNetwork(path.stem, "an ONNX file", entry, exits, run)


def _port(details) -> Port:
    sizes = tuple(n if isinstance(n, int) and n > 0 else None for n in details.shape)
    return Port(details.name, sizes)


def _reason(error) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
