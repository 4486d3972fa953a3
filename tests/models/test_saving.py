import json
import pickle

import keras
import numpy as np
import pytest
from archives import members, write

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.models import AudioClassifier, load_model

layers = keras.layers
PATCHES = np.random.default_rng(0).normal(-1, 2, (3, 50, 40)).astype(np.float32)
FRONTEND = LogMel(bands=40, frames=50, overlap=0.5, fmax=4000.0)


@pytest.fixture
def classifier():
    model = keras.Sequential(
        [
            layers.Input((50, 40, 1)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", loss="categorical_crossentropy")
    made = AudioClassifier.from_keras(
        model, ["Hund", "Kätzchen"], FRONTEND, name="mine", attribution="me, CC BY"
    )
    made.history = {"loss": [1.0, 0.5]}
    return made


@pytest.fixture
def saved(classifier, tmp_path):
    return classifier.save(tmp_path / "mine.keras")


@pytest.mark.slow
def test_everything_comes_back(classifier, saved):
    again = load_model(saved)
    for name in ("labels", "frontend", "name", "attribution", "history"):
        assert getattr(again, name) == getattr(classifier, name)
    np.testing.assert_array_equal(again.scores(PATCHES), classifier.scores(PATCHES))
    np.testing.assert_array_equal(again.logits(PATCHES), classifier.logits(PATCHES))
    assert again.network.get_layer("conv").filters == 4
    assert [file.name for file in saved.parent.iterdir()] == ["mine.keras"]


@pytest.mark.slow
def test_keras_itself_reads_the_file(classifier, saved):
    network = keras.saving.load_model(saved)
    np.testing.assert_allclose(network(PATCHES[..., None]), classifier.scores(PATCHES), atol=1e-6)


def test_saving_over_a_file_keeps_the_old_one_if_it_fails(classifier, saved, monkeypatch):
    before = saved.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("xaiaudio.models.saving.shutil.copyfile", full)
    with pytest.raises(XaiAudioError, match="No space left"):
        classifier.save(saved)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["mine.keras"]


def test_saving_under_another_extension_or_in_an_impossible_place(classifier, tmp_path):
    with pytest.raises(XaiAudioError, match=r"must end in \.keras"):
        classifier.save(tmp_path / "mine.h5")
    (tmp_path / "file").write_text("")
    with pytest.raises(XaiAudioError, match="Could not write"):
        classifier.save(tmp_path / "file" / "mine.keras")


@pytest.mark.slow
def test_a_plain_keras_file_needs_labels(classifier, tmp_path):
    path = tmp_path / "plain.keras"
    classifier.network.save(path)
    with pytest.raises(XaiAudioError, match="--labels.*from_keras"):
        load_model(path)
    made = load_model(path, labels=["a", "b"], frontend=FRONTEND)
    np.testing.assert_allclose(made.scores(PATCHES), classifier.scores(PATCHES), atol=1e-6)
    assert made.name == "plain"


@pytest.mark.slow
def test_labels_for_a_file_that_has_them(saved):
    with pytest.raises(XaiAudioError, match="leave them out"):
        load_model(saved, labels=["a", "b"])


def test_a_missing_network_is_asked_for_by_its_likely_name(tmp_path):
    with pytest.raises(XaiAudioError, match="yamnt .did you mean 'yamnet'.*onnx"):
        load_model("yamnt")
    # A wrong name is said before labels are asked for.
    with pytest.raises(XaiAudioError, match="There is no network"):
        load_model(tmp_path / "mine.tflite")


def test_missing_folder_and_foreign_formats(tmp_path):
    with pytest.raises(XaiAudioError, match="There is no network"):
        load_model(tmp_path / "none.keras")
    with pytest.raises(XaiAudioError, match="folder"):
        load_model(tmp_path)
    for name in ("net.pkl", "net.pt", "net.zip"):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(XaiAudioError, match="may run code"):
            load_model(tmp_path / name)


class Bomb:
    def __reduce__(self):
        return (print, ("executed",))


def test_a_pickle_under_a_false_name_is_not_opened(tmp_path, capsys):
    path = tmp_path / "net.keras"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(XaiAudioError, match="damaged or no .keras"):
        load_model(path)
    assert "executed" not in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(share * len(data))])
    with pytest.raises(XaiAudioError, match="damaged or no .keras"):
        load_model(saved)


@pytest.mark.slow
def test_flipped_bytes_never_pass_silently(classifier, saved):
    data = saved.read_bytes()
    expected = classifier.scores(PATCHES)
    for place in np.random.default_rng(0).integers(0, len(data), 40):
        saved.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            np.testing.assert_array_equal(load_model(saved).scores(PATCHES), expected)
        except XaiAudioError as error:
            assert str(saved) in str(error)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"xaiaudio.json": b"{"}, "damaged"),
        ({"xaiaudio.json": b"[]"}, "another version"),
        ({"xaiaudio.json": b'{"format": 99}'}, "another version"),
        ({"xaiaudio.json": b'{"format": 1}'}, "labels"),
        ({"xaiaudio.json": b'{"format": 1, "labels": 3, "frontend": {}, "name": ""}'}, "damaged"),
        ({"config.json": b"{}"}, "no functional or Sequential"),
        ({"config.json": b"[" * 100_000}, "damaged"),
        ({"model.weights.h5": b"not hdf5"}, "Keras cannot read"),
        ({"model.weights.h5": None}, "lacks model.weights.h5"),
        ({"evil.py": b"print('executed')"}, "evil.py"),
        ({"../../evil": b""}, "evil"),
    ],
)
def test_archives_with_other_contents(saved, changed, words):
    parts = {**members(saved), **changed}
    write(saved, {name: data for name, data in parts.items() if data is not None})
    with pytest.raises(XaiAudioError, match=words):
        load_model(saved)


def hostile(entry):
    """Return a change of a configuration: the convolution becomes `entry`."""

    def change(config):
        config["config"]["layers"][1].update(entry)

    return change


def activation(value):
    def change(config):
        config["config"]["layers"][1]["config"]["activation"] = value

    return change


def whole(entry):
    return lambda config: config.update(entry)


CALL = {"module": "builtins", "class_name": "print", "config": {}, "registered_name": None}


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        hostile({"class_name": "Lambda"}),
        hostile({"class_name": "TFSMLayer"}),
        hostile({"class_name": "TorchModuleWrapper"}),
        hostile({"class_name": "StringLookup"}),
        hostile({"module": "os", "class_name": "system"}),
        hostile({"module": "keras.src.layers.core.lambda_layer", "class_name": "Lambda"}),
        hostile({"module": None, "class_name": "Lambda"}),
        hostile({"registered_name": "Custom>Conv2D"}),
        hostile({"module": ["keras.layers"]}),
        hostile({"class_name": {"a": 1}}),
        activation(CALL),
        activation({"class_name": "__lambda__", "config": {"value": "4wAAAA=="}}),
        activation({"class_name": "function", "config": "system", "module": "os"}),
        activation({"class_name": "function", "config": "run", "module": "subprocess"}),
        activation({"class_name": "load_model", "module": "keras.saving", "config": {}}),
        activation({"class_name": "get_file", "module": "keras.utils", "config": {}}),
        activation({"class_name": "__typespec__", "module": "os", "config": []}),
        whole({"module": "mine", "class_name": "Network", "registered_name": "mine>Network"}),
        whole({"class_name": "Lambda", "module": "keras.layers"}),
    ],
)
def test_hostile_configurations_are_refused_before_keras_sees_them(saved, change, monkeypatch):
    parts = members(saved)
    config = json.loads(parts["config.json"])
    change(config)
    write(saved, {**parts, "config.json": json.dumps(config)})

    def seen(*_, **__):
        raise AssertionError("Keras was asked to load it")

    monkeypatch.setattr("xaiaudio.models.saving.keras.saving.load_model", seen)
    with pytest.raises(XaiAudioError, match="could run code|no functional or Sequential"):
        load_model(saved)


def test_a_lambda_layer_is_refused_when_saving_and_when_loading(tmp_path):
    model = keras.Sequential(
        [
            layers.Input((96, 64, 1)),
            layers.Lambda(lambda x: x * 2),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    made = AudioClassifier.from_keras(model, ["a", "b"])
    with pytest.raises(XaiAudioError, match="Lambda"):
        made.save(tmp_path / "mine.keras")
    assert not list(tmp_path.iterdir())
    model.save(tmp_path / "theirs.keras")
    with pytest.raises(XaiAudioError, match="Lambda"):
        load_model(tmp_path / "theirs.keras", labels=["a", "b"])


def test_members_that_unpack_to_gigabytes(saved):
    write(saved, members(saved), packed=True)
    raw = bytearray(saved.read_bytes())
    entry = raw.rindex(b"PK\x01\x02")  # the last member's entry in the directory
    raw[entry + 24 : entry + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    saved.write_bytes(bytes(raw))
    with pytest.raises(XaiAudioError):
        load_model(saved)


@pytest.mark.slow
@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv1D(4, 3, padding="same"),
        layers.LSTM(4, return_sequences=True),
        layers.Bidirectional(layers.GRU(4, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(4, kernel_regularizer="l2")),
        layers.MultiHeadAttention(2, 4),
        layers.LayerNormalization(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_ordinary_layers_are_not_refused(layer, tmp_path):
    rows = layers.Input((96, 64))
    tensor = layer(rows, rows) if isinstance(layer, layers.MultiHeadAttention) else layer(rows)
    tensor = layers.Add()([layers.Dense(4)(tensor), layers.Dense(4)(rows)])
    scores = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling1D()(tensor))
    made = AudioClassifier.from_keras(keras.Model(rows, scores), ["a", "b"])
    again = load_model(made.save(tmp_path / "mine.keras"))
    patches = np.random.default_rng(0).normal(size=(2, 96, 64)).astype(np.float32)
    np.testing.assert_allclose(again.scores(patches), made.scores(patches), atol=1e-6)


@pytest.mark.slow
def test_the_shipped_network():
    lite = xa.load_model("lite")
    assert lite.labels == xa.datasets.CLASSES
    assert lite.frontend == LogMel.vggish(overlap=0.75)
    assert "Piczak" in lite.attribution and "CC BY" in lite.attribution
    assert not [la for la in lite.network.layers if isinstance(la, layers.BatchNormalization)]
    assert lite.scores(np.zeros((2, 96, 64))).shape == (2, 10)
