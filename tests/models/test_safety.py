"""What a file may hold: layers that compute, and weights of its own."""

import pytest
from archives import rewritten
from small_apnet import by_hand

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError


@pytest.mark.parametrize("wrong", [{"widths": [10**5] * 3}, {"kernels": [10**4] * 4}])
def test_no_file_asks_for_a_decoder_larger_than_itself(tmp_path, wrong):
    def change(config):
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "DecodedPrototypes":
                layer["config"].update(wrong)
        return config

    changed = rewritten(by_hand().save(tmp_path / "one.keras"), "config.json", change)
    with pytest.raises(XaiAudioError, match="asks for more weights than the file holds"):
        xa.load_model(changed)
