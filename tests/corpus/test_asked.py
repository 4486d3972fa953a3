"""What `xaiaudio explain` can be told of a network and of sounds, `xaiaudio corpus explain` can."""

import json

import foreign
import numpy as np
import pytest
import soundfile
import typer
from commands import call, complaint

import xaiaudio as xa
from xaiaudio import cli
from xaiaudio.corpus import plans

RATE = foreign.PATCHES.sample_rate


@pytest.fixture
def stereo(tmp_path):
    """Two files of two channels, noises of different loudness, and one of one channel."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        wave = rng.normal(0, (0.01, 0.2), (RATE, 2)).clip(-1, 1)
        soundfile.write(folder / f"{name}.wav", wave, RATE)
    soundfile.write(folder / "mono.wav", wave[:, 0], RATE)
    return folder


@pytest.fixture
def network(tmp_path):
    """Options for a SavedModel with two outputs and a front end of its own."""
    foreign.write_savedmodel(tmp_path / "net", "patches")
    (tmp_path / "front.json").write_text(json.dumps({"frames": 24, "bands": 16}))
    (tmp_path / "labels.txt").write_text("\n".join(foreign.LABELS))
    options = {"--model": "net", "--labels": "labels.txt", "--front-end": "front.json"}
    words = [word for name, file in options.items() for word in (name, tmp_path / file)]
    return [*words, "--output-name", "scores"]


def test_commands_share_their_options():
    top = typer.main.get_command(cli.app)
    commands = [top.commands["explain"], top.commands["corpus"].commands["explain"]]
    one, other = ({option.name: option for option in command.params} for command in commands)
    named = {"model", "labels", "ends_in", "activation", "repeat_channels", "sample_rate"}
    named |= {"seconds", "front_end", "output_name", "span", "signature"}
    named |= {"target", "overlap", "channel", "pad", "settings"}
    assert named <= set(one) & set(other)
    for name in named:
        assert one[name].help == other[name].help and one[name].opts == other[name].opts
        assert one[name].default == other[name].default
    measured = {option.name for option in top.commands["evaluate"].params}
    assert named - {"target", "overlap", "channel", "pad"} <= measured


@pytest.mark.slow
def test_a_network_and_a_channel_are_explained_as_asked(capsys, stereo, network, tmp_path):
    asked = ("corpus", "explain", stereo, "--out", tmp_path / "out", "--workers", "0", *network)
    asked += ("--method", "occlusion", "--set", "occlusion.mask=0.5")
    status, said, told = call(capsys, *asked, "--channel", "1")
    assert status == 0 and said.startswith("2 clips explained, 1 bad.")
    assert "mono.wav" in told
    found = xa.corpus.read(tmp_path / "out")
    settings = found.settings
    assert settings.channel == 1 and settings.about["output_name"] == "scores"
    assert settings.about["frontend"]["bands"] == 16
    model = xa.load_model(
        tmp_path / "net", labels=foreign.LABELS, frontend=foreign.PATCHES, output_name="scores"
    )
    for row, file in enumerate(found.clips["file"]):
        wave = xa.load_audio(stereo / file, sample_rate=RATE, channel=1)
        patches = model.frontend(wave, overlap=0.5)
        scores = model.scores(patches)
        label = model.labels.index(found.clips["class"][row])
        np.testing.assert_allclose(found.clips["score"][row], scores[:, label].mean(), rtol=1e-4)
    # Begun with one channel, it is not gone on with another, nor with another end.
    for other in ([], ["--channel", "0"]):
        status, _, told = call(capsys, *asked, *other)
        assert status == 1 and "the channel changed, from 1" in complaint(told)
    status, _, told = call(capsys, *asked, "--channel", "1", "--span", "0:0.5")
    assert status == 1 and "what was said of the network changed" in complaint(told)


@pytest.mark.slow
def test_plans_of_before_there_were_channels_are_read(stereo, tmp_path):
    xa.corpus.plan(stereo, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "plan.json").read_text())
    del told["channel"]
    (tmp_path / "out" / "plan.json").write_text(json.dumps(told))
    assert plans.load(tmp_path / "out").settings.channel is None
    with pytest.raises(xa.XaiAudioError, match="channel is -1: they are counted from 0"):
        xa.corpus.plan(stereo, tmp_path / "other", channel=-1)


@pytest.mark.slow
def test_one_patch_is_called_one(capsys, tmp_path):
    wave = np.random.default_rng(0).normal(0, 0.1, 16_000).clip(-1, 1)
    soundfile.write(tmp_path / "one.wav", wave, 16_000)
    status, said, _ = call(
        capsys, "explain", tmp_path / "one.wav", "--out", tmp_path / "out", "-m", "gradcam"
    )
    assert status == 0 and "(of 1 patch: " in said
