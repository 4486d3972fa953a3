import numpy as np
import pytest

from xaiaudio import LogMel, XaiAudioError
from xaiaudio.models import generative

FRONTEND = LogMel(frames=6, bands=8)
LABELS = ("one", "two")


def lesson(n=12):
    rng = np.random.default_rng(0)
    patches = rng.normal(size=(40, 6, 8)).astype(np.float32)
    space = generative.Space.fit(patches, FRONTEND, dims=5)
    return space, patches[:n], np.arange(n) % 2


def trained(**options):
    space, patches, targets = lesson(options.pop("n", 12))
    options = {"width": 32, "steps": 20, **options}
    return generative.train(space, patches, targets, LABELS, generative.Options(**options))


def by_hand(made, noise, targets, steps):
    """The way from noise to sound, written with the layers' own weights."""
    names = {layer.name: layer for layer in (*made.before.layers, *made.after.layers)}

    def hidden(number, value):
        kernel, bias = names[f"hidden_{number}"].get_weights()
        found = value @ kernel + bias
        return found / (1 + np.exp(-found))

    point = noise.astype(float)
    for step in range(steps):
        time = step / steps
        angles = [np.pi / 2 * k * time for k in range(1, 9)]
        rows = []
        for row, target in zip(point, targets, strict=True):
            inputs = [*row, *np.sin(angles), *np.cos(angles), *(np.arange(2) == target)]
            value = hidden(1, np.array(inputs))
            for number in (2, 3, 4):
                value = value + hidden(number, np.array([*value, *inputs]))
            kernel, bias = names["expected"].get_weights()
            rows.append(row + (value @ kernel + bias - row) / (steps - step))
        point = np.array(rows)
    return point


@pytest.mark.slow
def test_the_way_is_its_definition():
    made = trained()
    noise, targets = made.noise(3, seed=4), [0, 1, 1]
    found = made.sample(targets, noise=noise, steps=5)
    np.testing.assert_allclose(found, by_hand(made, noise, targets, 5), atol=1e-4)


@pytest.mark.slow
def test_the_seed_decides_all():
    made, again, other = trained(), trained(), trained(seed=1)
    np.testing.assert_array_equal(made.sample([0, 1]), again.sample([0, 1]))
    np.testing.assert_array_equal(made.losses, again.losses)
    assert not np.array_equal(made.losses, other.losses)
    assert not np.array_equal(made.sample([0, 1], seed=1), made.sample([0, 1], seed=2))


@pytest.mark.slow
def test_few_seconds_come_back_and_many_do_not():
    space, _, _ = lesson()
    few = trained(n=2, steps=800, rate=3e-3)
    outputs = few.sample(np.arange(20) % 2, seed=3)
    known = space.encode(lesson(2)[1])
    distance = np.linalg.norm(outputs[:, None] - known, axis=2)
    assert np.median(distance.min(axis=1)) < 0.2 * np.linalg.norm(known[0] - known[1])
    # And each comes back when its class is asked for.
    assert (distance.argmin(axis=1) == np.arange(20) % 2).mean() > 0.9
    assert few.losses[-50:].mean() < few.losses[:50].mean()


@pytest.mark.slow
def test_the_middle_is_what_steering_is_given_and_nothing_changes_without_a_change():
    made, seen = trained(), []

    def watch(middle, step):
        seen.append(middle)
        return middle

    noise, targets = made.noise(2), [1, 0]
    plain = made.sample(targets, noise=noise, steps=4)
    np.testing.assert_array_equal(made.sample(targets, noise=noise, steps=4, steer=watch), plain)
    assert len(seen) == 4
    np.testing.assert_allclose(seen[0], made.middle(noise, 0.0, targets), atol=1e-6)
    moved = made.sample(targets, noise=noise, steps=4, steer=lambda middle, step: middle + 1)
    assert not np.allclose(moved, plain)


@pytest.mark.slow
def test_a_file_brings_it_back(tmp_path):
    made = trained()
    again = generative.Generator.load(made.save(tmp_path / "made.npz"))
    np.testing.assert_array_equal(again.sample([0, 1]), made.sample([0, 1]))
    np.testing.assert_array_equal(again.losses, made.losses)
    assert again.labels == LABELS and again.options == made.options
    assert again.space.frontend == FRONTEND


@pytest.mark.parametrize("content", [b"", b"PK nonsense"])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "made.npz"
    path.write_bytes(content)
    with pytest.raises(XaiAudioError, match="not a generator"):
        generative.Generator.load(path)


@pytest.mark.slow
def test_a_file_of_other_sizes_is_refused(tmp_path):
    path = trained().save(tmp_path / "made.npz")
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["weight 0"] = arrays["weight 0"][:-1]
    np.savez(path, **arrays)
    with pytest.raises(XaiAudioError, match="not a generator"):
        generative.Generator.load(path)


@pytest.mark.slow
def test_what_makes_no_sense_is_refused():
    space, patches, targets = lesson()
    with pytest.raises(XaiAudioError, match="width"):
        generative.Options(width=0)
    with pytest.raises(XaiAudioError, match="rate"):
        generative.Options(rate=2)
    with pytest.raises(XaiAudioError, match="one class for each"):
        generative.train(space, patches, targets[:3], LABELS)
    with pytest.raises(XaiAudioError, match="from 0 to 1"):
        generative.train(space, patches, targets + 1, LABELS)
    made = trained()
    with pytest.raises(XaiAudioError, match="from 0 to 1"):
        made.sample([2])
    with pytest.raises(XaiAudioError, match="noise"):
        made.sample([0], noise=np.zeros((1, 4)))
    with pytest.raises(XaiAudioError, match="noise holds NaN"):
        made.sample([0], noise=np.full((1, space.dims), np.nan))
    for steps in (0, -3, 2.5):
        with pytest.raises(XaiAudioError, match="steps is"):
            made.sample([0], steps=steps)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [lambda h: h[:, :-1], lambda h: h[:1], lambda h: h * np.nan])
def test_what_steers_to_another_shape_is_refused(wrong):
    made = trained()
    with pytest.raises(XaiAudioError, match="steer returned"):
        made.sample([0, 1], steps=2, steer=lambda hidden, step: wrong(hidden))
