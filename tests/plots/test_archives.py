"""Figures of archives show the reports and the groups that they were given."""

import numpy as np
import pytest

from xaiaudio import LogMel, plots
from xaiaudio.corpus.classes import ClassReport
from xaiaudio.corpus.spectral import Groups, groups_of

FRONTEND = LogMel.vggish()


def groups(labels):
    """Maps of 2 by 4 cells in groups that are known beforehand."""
    rng = np.random.default_rng(1)
    count = len(labels)
    return Groups(
        labels=np.asarray(labels),
        found=2,
        places=rng.normal(size=(count, 2)),
        pooled=rng.random((count, 8)),
        eigenvalues=np.arange(5) / 4,
        gap=0.25,
        chance=np.arange(21) / 20,
        grid=(2, 4),
    )


def report(label, count, height):
    mean = np.full(64, height)
    names = np.array([f"{number}.wav" for number in range(count)])
    flat = groups_of(np.ones((count, 96, 64)), draws=0)
    return ClassReport(label, names, mean, mean - 1, mean + 1, np.zeros(count), flat, ())


def test_each_class_has_its_profile_and_its_number_of_clips():
    figure = plots.class_profiles(
        [report("Rain", 3, 2.0), report("Dog", 4, -5.0), report("Sea", 5, 0.0)], FRONTEND
    )
    shown = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title() for ax in shown] == ["Rain (3)", "Dog (4)", "Sea (5)"]
    assert [ax.lines[0].get_ydata()[0] for ax in shown] == [2, -5, 0]
    np.testing.assert_array_equal(figure.data["low"], np.array(figure.data["mean"]) - 1)
    assert figure.data["clips"].tolist() == [3, 4, 5]
    # The lowest panel of each column says what its axis is.
    assert [ax.get_xlabel() for ax in shown] == ["", "frequency (Hz)", "frequency (Hz)"]


def test_frequencies_are_marked_in_the_bands_that_hold_them():
    figure = plots.class_profiles([report("Rain", 3, 0.0)], FRONTEND, columns=1)
    (ax,) = figure.axes
    edges = FRONTEND.band_edges()
    for place, text in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True):
        band = int(np.searchsorted(edges, float(text.get_text()))) - 1
        assert band <= place <= band + 1


def test_a_group_has_the_mean_share_of_each_of_its_bands():
    found = groups([0, 1, 0, 1, 1])
    figure = plots.map_groups(found, FRONTEND)
    for group, members in enumerate(([0, 2], [1, 3, 4])):
        shares = []
        for member in members:
            bands = found.pooled[member].reshape(2, 4).sum(axis=0)
            shares.append(bands / bands.sum())
        np.testing.assert_allclose(figure.data["profiles"][group], np.mean(shares, axis=0))
    eigenvalues, places, profiles = figure.axes
    assert [len(points.get_offsets()) for points in places.collections] == [2, 3]
    names = [line.get_label() for line in profiles.lines]
    assert names == ["group 1 (2)", "group 2 (3)"]
    # The dashed line stands behind the eigenvalues that make the groups.
    assert list(eigenvalues.lines[1].get_xdata()) == [2.5, 2.5]
    assert figure.data["chance"] == pytest.approx(0.95)


def test_one_group_has_no_line_and_no_chance():
    figure = plots.map_groups(groups_of(np.ones((3, 96, 64)), draws=0), FRONTEND)
    assert len(figure.axes[0].lines) == 1 and figure.data["chance"] == 0
    assert len(figure.data["profiles"]) == 1
