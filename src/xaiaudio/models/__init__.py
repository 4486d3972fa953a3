"""Networks that name sounds: the classifier, its backbones, training and testing."""

import lazy_loader as _lazy

# No module bears the name of a function: importing it would put the module in the function's place.
__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "adapters.base": ["ForeignNetwork"],
        "adapters.opening": ["open_network"],
        "backbones": ["Backbone", "backbone"],
        "classifier": ["AudioClassifier"],
        "designs.base": ["SelfExplaining"],
        "designs.registry": ["train_design"],
        "flattening": ["flatten"],
        "saving": ["load_model"],
        "tags": ["ClipTags", "Tag"],
        "training.crossval": ["cross_validate"],
        "training.pretraining": ["pretrain"],
        "training.tables": ["PatchTable", "patch_table"],
        "training.testing": ["TestResult", "test"],
        "training.transfer": ["transfer"],
        "votes": ["ClipPrediction"],
    },
)
