"""Networks that several tests of designs look at, trained once."""

import pytest
from tones import seeing_backbone, tiny_backbone

import xaiaudio as xa


class Trained(dict):
    """Designs by their names, trained when they are first asked for."""

    def __init__(self, clips, backbone, **options):
        super().__init__()
        self.clips, self.backbone, self.options = clips, backbone, options

    def __missing__(self, name):
        made = xa.models.train_design(
            name, self.clips, self.backbone, progress=False, **self.options
        )
        self[name] = made
        return made


@pytest.fixture(scope="session")
def taught_prototypes(clips):
    """Prototypes of parts by the names of their designs, and the clips of training and test."""
    train, test = clips.split(5)
    return Trained(train, seeing_backbone(), per_class=2), train, test


@pytest.fixture(scope="session")
def trained_apnet(clips):
    """An APNet that learnt the tones; whoever changes its weights puts them back."""
    train, _ = clips.split(5)
    few = {"per_class": 2, "filters": 4, "channels": 4, "epochs": 6, "batch": 16}
    return xa.models.train_design("apnet", train, tiny_backbone(), progress=False, **few)
