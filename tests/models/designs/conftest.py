"""Networks that several tests of designs look at, trained once."""

import pytest
from lazily import Lazily
from tones import seeing_backbone, tiny_backbone

import xaiaudio as xa


@pytest.fixture(scope="session")
def taught_prototypes(clips):
    """Prototypes of parts by the names of their designs, and the clips of training and test."""
    (train, test), base = clips.split(5), seeing_backbone()

    def made(name):
        return xa.models.train_design(name, train, base, per_class=2, progress=False)

    return Lazily(made), train, test


@pytest.fixture(scope="session")
def trained_apnet(clips):
    """An APNet that learnt the tones; whoever changes its weights puts them back."""
    train, _ = clips.split(5)
    few = {"per_class": 2, "filters": 4, "channels": 4, "epochs": 6, "batch": 16}
    return xa.models.train_design("apnet", train, tiny_backbone(), progress=False, **few)
