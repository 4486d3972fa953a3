"""Which Keras configurations may be loaded: only layers that compute, from Keras itself."""

from __future__ import annotations

import math

import h5py

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
    ActivityRegularization SpatialDropout1D MelSpectrogram STFTSpectrogram
    Resizing CenterCrop RandomCrop RandomFlip RandomTranslation RandomRotation RandomZoom
    RandomBrightness RandomContrast RandomErasing
"""

# What keras.ops.* leaves in a graph: only arithmetic, nothing that calls a function it is given.
_OPERATIONS = {
    "keras.src.ops.nn": """
        Relu Relu6 Sigmoid Softplus Silu LeakyRelu HardSigmoid HardSilu Elu Selu Gelu Softmax
        LogSoftmax MaxPool AveragePool Normalize
    """,
    "keras.src.ops.numpy": """
        Absolute Add Amax Amin Average Clip Concatenate Divide Exp ExpandDims Expm1 Flip GetItem
        Log Log10 Log1p Matmul Max Maximum Mean Min Minimum Moveaxis Multiply Negative Pad Power
        Reciprocal Repeat Reshape Sqrt Square Squeeze Stack Std Subtract Sum Swapaxes Tanh Tile
        Transpose TrueDivide Var
    """,
    "keras.src.ops.math": "Logsumexp Rsqrt",
    "keras.src.ops.core": "Cast",
}

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

#: What the names of this package's layers begin with in a file.
PACKAGE = "xaiaudio"

#: Layers of this package, by their names: what is in the file is only where they are used. Those
#: of networks that explain themselves.
OWN: dict[str, str] = {
    "Prototypes": "xaiaudio.models.designs.prototypes",
    "EnergyShares": "xaiaudio.models.designs.nmf",
    "DecodedPrototypes": "xaiaudio.models.designs.apnet_layer",
    "LocalPrototypes": "xaiaudio.models.designs.local_layer",
    "LargestCell": "xaiaudio.models.designs.asymmetry",
    "Positions": "xaiaudio.models.designs.attention",
    "Moments": "xaiaudio.models.designs.attention",
}

_ALLOWED = (
    _MODELS
    | {("keras.layers", name) for name in _LAYERS.split()}
    | {("keras", "DTypePolicy"), ("keras.ops", "KerasTensor")}
    | {(module, name) for module, names in _OPERATIONS.items() for name in names.split()}
)

# Tensors and slices inside a functional model are named like classes, without a module.
_TENSORS = {"__keras_tensor__", "__slice__", "__ellipsis__"}

# Why other layers of Keras's own are refused.
_REASONS = {
    "Lambda": "it runs Python code that is stored in the file",
    "TFSMLayer": "it runs another program, a SavedModel",
    "TorchModuleWrapper": "it unpickles a PyTorch module",
    "JaxLayer": "it runs functions that are named in the file",
    "FlaxLayer": "it runs functions that are named in the file",
    **dict.fromkeys(
        ("StringLookup", "IntegerLookup", "TextVectorization"), "it reads files that it names"
    ),
}


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
        if name in OWN and module == OWN[name] and registered == f"{PACKAGE}>{name}":
            return
    _refuse(name, module, registered, path)


def _refuse(name, module, registered, path) -> None:
    known = isinstance(name, str) and name in _REASONS
    if module == "keras.layers" and known and registered in (None, name):
        raise XaiAudioError(
            f"{path} holds a {name} layer: refused, because {_REASONS[name]} and so could run code."
        )
    raise XaiAudioError(
        f"{path} wants to load {name!r} from {module!r}, which is not among the layers of Keras "
        "that only compute, and could run code: refused. Rebuild the network from such layers."
    )


# Keras 2 names classes without their modules: Keras looks them up among its own.
_LEGACY_PARTS = """
    Zeros Ones Constant RandomNormal RandomUniform TruncatedNormal VarianceScaling Orthogonal
    Identity GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform
    L1 L2 L1L2 MaxNorm MinMaxNorm NonNeg UnitNorm DTypePolicy
"""
_LEGACY = {"Functional", "Sequential", "Model", *_LAYERS.split(), *_LEGACY_PARTS.split()}


def check_legacy_config(config, path) -> None:
    """Refuse a Keras 2 configuration that names anything but Keras's own computing layers.

    Parameters
    ----------
    config : dict
        The attribute ``model_config`` of an HDF5 file, parsed.
    path : path-like
        For the message.

    Raises
    ------
    XaiAudioError
        Naming the first thing that is not allowed.
    """
    models = ("Functional", "Sequential", "Model")
    if not isinstance(config, dict) or config.get("class_name") not in models:
        raise XaiAudioError(
            f"{path} holds no functional or Sequential Keras network: rebuild it as one."
        )
    for entry in _entries(config):
        name, module = entry["class_name"], entry.get("module")
        registered = entry.get("registered_name")
        known = isinstance(name, str) and name in _LEGACY
        # Keras 3 writes its own way of naming classes, and its tensors, also into HDF5 files.
        tensor = isinstance(name, str) and name in _TENSORS and module is registered is None
        if tensor:
            continue
        if "module" in entry and module is not None:
            _check_entry(entry, path)
        elif not known or registered not in (None, name):
            _refuse(name, "keras.layers" if module is None else module, registered, path)


def own_modules(config) -> set[str]:
    """Return the modules of this package whose layers a configuration, checked before, names."""
    return {OWN[entry["class_name"]] for entry in _entries(config) if entry["class_name"] in OWN}


def _entries(part):
    if isinstance(part, dict):
        if "class_name" in part:
            yield part
        for value in part.values():
            yield from _entries(value)
    elif isinstance(part, list):
        for value in part:
            yield from _entries(value)


# Configurations are text of a few kilobytes; weights have their own member.
MAX_CONFIG = 16 << 20


def check_weights(file, config, path) -> None:
    """Refuse a weights file that refers to other files, or that holds less than is asked for.

    Parameters
    ----------
    file : h5py.File
    config : dict
        The network's configuration, checked before.
    path : path-like
        For the message.

    Raises
    ------
    XaiAudioError
        Naming the first thing that is not allowed.
    """
    total = sum(math.prod(data.shape) for data in _datasets(file, path))
    for entry in _entries(config):
        about = entry.get("config")
        if isinstance(about, dict):
            _check_size(entry, about, total, path)


def _datasets(file, path):
    """Yield each dataset once; only what lies in the file itself may be there."""
    groups, seen = [file["/"]], set()
    while groups:
        group = groups.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise XaiAudioError(
                    f"{path} holds a {type(link).__name__} in its weights: refused."
                )
            part = group[name]
            place = h5py.h5o.get_info(part.id).addr
            if place in seen:
                continue
            seen.add(place)
            if isinstance(part, h5py.Group):
                groups.append(part)
            elif isinstance(part, h5py.Dataset):
                if part.external or part.is_virtual:
                    raise XaiAudioError(f"{path} takes weights from other files: refused.")
                yield part


def _check_size(entry, about, total, path) -> None:
    """Refuse a layer that would need more memory than all weights in the file."""
    # Four-bit weights are stored two by two.
    if _least(entry, about) > 2 * total:
        raise XaiAudioError(
            f"{path}: its layer {about.get('name')!r} asks for more weights than the file holds: "
            "it is damaged, or made to fill the memory."
        )


def _least_of_plan(about) -> int:
    """Count the weights of the largest convolution of a decoder, whose plan a layer holds."""
    widths, kernels = about.get("widths"), about.get("kernels")
    if not isinstance(widths, list) or not isinstance(kernels, list):
        return 0
    last = about.get("channels")
    sizes = [1, *widths, last if type(last) is int else 1]
    if not all(type(size) is int for size in (*sizes, *kernels)):
        return 0  # the layer itself will refuse them
    steps = zip(kernels, sizes[:-1], sizes[1:], strict=False)
    return max((size * size * one * two for size, one, two in steps), default=0)


def _least(entry, about) -> int:
    """Count the weights that a layer has at least, as far as its configuration says."""

    def number(value):
        return value if type(value) is int else 1

    kernel = about.get("kernel_size")
    kernel = math.prod(map(number, kernel)) if isinstance(kernel, list) else number(kernel)
    build = entry.get("build_config")
    shape = build.get("input_shape") if isinstance(build, dict) else None
    last = about.get("data_format") != "channels_first" and about.get("groups") in (None, 1)
    width = number(shape[-1]) if last and isinstance(shape, list) and shape else 1
    name = entry["class_name"]
    if name == "Embedding":
        return number(about.get("input_dim")) * number(about.get("output_dim"))
    if name == "Dense":
        return number(about.get("units")) * width
    if name in ("Conv1D", "Conv2D"):
        return number(about.get("filters")) * kernel * width
    if name in OWN:
        own = number(about.get("count")) * width
        return max(own, number(about.get("span")), _least_of_plan(about))
    sizes = ("units", "filters", "num_heads", "key_dim", "value_dim", "depth_multiplier")
    weighted = [number(about.get(key)) for key in sizes] + [kernel]
    return max(weighted) if max(weighted) > 1 else 0
