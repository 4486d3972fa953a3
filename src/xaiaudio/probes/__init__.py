"""What a network knows: what can be read from its layers, and whether that means anything."""

import lazy_loader as _lazy

# No module bears the name of a function: importing it would put the module in the function's place.
__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=[
        "concept_sounds",
        "concepts",
        "influence",
        "planted",
        "planted_copies",
        "sparse",
        "steering",
        "traits",
    ],
    submod_attrs={
        "activations": ["Activations", "pooled", "stages"],
        "control": ["Selectivity", "control_labels", "selectivity"],
        "linear": ["classify", "over_layers", "regress"],
        "memorisation": [
            "Nearest",
            "Pair",
            "area",
            "cosine_similarity",
            "crossing",
            "mel_similarity",
            "nearest",
            "pairs",
            "roc",
            "threshold",
        ],
        "online_code": ["CodeLength", "code_length"],
        "readings": ["Knowledge", "Reading"],
        "splitting": ["dealt_anew", "folds_of", "recordings"],
    },
)
