"""Which Keras configurations may be loaded: only layers that compute, from Keras itself."""

from __future__ import annotations

from ..errors import XaiAudioError

# A configuration names classes by module and class, and Keras imports what it names. We go by
# what is allowed, not by what is known to be harmful: no Lambda (bytecode), no TFSMLayer or
# TorchModuleWrapper (foreign graphs and pickles), no vocabulary layers (they read files), no
# function by name.
_LAYERS = """
    InputLayer Dense EinsumDense Activation Identity Masking Embedding
    Conv1D Conv2D DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D
    Conv1DTranspose Conv2DTranspose
    MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D
    AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveMaxPooling1D AdaptiveMaxPooling2D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalAveragePooling1D GlobalAveragePooling2D
    BatchNormalization LayerNormalization GroupNormalization UnitNormalization RMSNormalization
    SpectralNormalization Normalization Rescaling
    Dropout SpatialDropout1D SpatialDropout2D GaussianDropout GaussianNoise AlphaDropout
    ReLU LeakyReLU PReLU ELU Softmax ThresholdedReLU
    Add Subtract Multiply Average Maximum Minimum Concatenate Dot
    Flatten Reshape Permute RepeatVector Cropping1D Cropping2D ZeroPadding1D ZeroPadding2D
    UpSampling1D UpSampling2D
    LSTM GRU SimpleRNN LSTMCell GRUCell SimpleRNNCell Bidirectional TimeDistributed RNN
    StackedRNNCells ConvLSTM1D ConvLSTM2D
    Attention AdditiveAttention MultiHeadAttention GroupQueryAttention
"""

_MODELS = {
    ("keras", "Functional"),
    ("keras", "Sequential"),
    ("keras.models", "Functional"),
    ("keras.models", "Sequential"),
    ("keras.src.models.functional", "Functional"),
    ("keras.src.models.sequential", "Sequential"),
}

# Parts of layers, which Keras only looks up among its own classes of these modules.
_PARTS = ("keras.initializers", "keras.regularizers", "keras.constraints", "keras.dtype_policies")

_ALLOWED = (
    _MODELS
    | {("keras.layers", name) for name in _LAYERS.split()}
    | {("keras", "DTypePolicy"), ("keras.ops", "KerasTensor")}
)

# Tensors inside a functional model are named like classes, without a module.
_TENSORS = {"__keras_tensor__"}


def check_config(config, path) -> None:
    """Refuse a Keras configuration that names anything but Keras's own computing layers.

    Parameters
    ----------
    config : dict
        ``config.json`` of a ``.keras`` archive, parsed. Its ``compile_config`` is not looked at:
        it is never loaded.
    path : path-like
        For the message.

    Raises
    ------
    XaiAudioError
        Naming the first thing that is not allowed.
    """
    if not isinstance(config, dict) or (config.get("module"), config.get("class_name")) not in (
        _MODELS
    ):
        raise XaiAudioError(
            f"{path} holds no functional or Sequential Keras network: rebuild it as one."
        )
    _walk({key: value for key, value in config.items() if key != "compile_config"}, path)


def _walk(part, path) -> None:
    if isinstance(part, dict):
        if "class_name" in part:
            _check_entry(part, path)
        for value in part.values():
            _walk(value, path)
    elif isinstance(part, list):
        for value in part:
            _walk(value, path)


def _check_entry(entry: dict, path) -> None:
    name, module = entry["class_name"], entry.get("module")
    registered = entry.get("registered_name")
    if isinstance(name, str) and isinstance(module, (str, type(None))):
        tensor = module is None and name in _TENSORS
        part = module in _PARTS and name.isidentifier() and name not in ("deserialize", "get")
        plain = registered is None or registered == name
        if plain and (tensor or part or (module, name) in _ALLOWED):
            return
    raise XaiAudioError(
        f"{path} wants to load {name!r} from {module!r}, which is not one of Keras's plain layers "
        "and could run code: refused. Rebuild the network from built-in layers."
    )
