"""Figures of sources: what they show is what the weights are."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots
from xaiaudio.explainers.averages import Average
from xaiaudio.explainers.engines.components import Components


@pytest.fixture(scope="module")
def model():
    return xa.load_model("lite")


@pytest.fixture(scope="module")
def parts():
    wave = np.random.default_rng(0).normal(0, 0.1, 32_000).astype("float32")
    return Components.of_sources(wave, {"low": wave / 2, "high": wave / 4, "rest": wave / 5})


@pytest.mark.slow
def test_weights_stand_in_rows_of_sources_and_columns_of_time(model, parts):
    result = xa.explain_parts(model, parts.times(2), "Rain", samples=20)
    figure = plots.by_source({"stems": result, "again": result}, model.frontend)
    for row, name in enumerate(("low", "high", "rest")):
        for column in range(2):
            place = result.components.names.index(f"{name}, time {column + 1}")
            assert figure.data["stems"][row, column] == result.weights[place]
    np.testing.assert_array_equal(figure.data["stems"], figure.data["again"])
    labels = [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert labels == ["low", "high", "rest"]
    assert figure.axes[1].images[0].get_clim() == figure.axes[2].images[0].get_clim()
    written = [text.get_text() for text in figure.axes[1].texts]
    assert written == [f"{value:z.1f}" for value in figure.data["stems"].ravel()]


@pytest.mark.slow
def test_parts_that_are_no_sources_in_time_are_refused(model, parts):
    result = xa.explain_parts(model, parts, "Rain", samples=8)
    with pytest.raises(xa.XaiAudioError, match="Components.times"):
        plots.by_source({"stems": result}, model.frontend)


def test_a_weight_of_nearly_nothing_has_no_sign():
    figure = plots.source_averages([Average("rain", "low", 2, -0.04, 0.04, 0.5)])
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.0"]


def test_averages_stand_in_rows_of_classes():
    rows = [
        Average("rain", "low", 2, 1.0, 1.0, 0.5),
        Average("rain", "high", 2, -2.0, 2.0, 0.1),
        Average("dog", "low", 1, 3.0, 3.0, 0.2),
    ]
    figure = plots.source_averages(rows)
    np.testing.assert_array_equal(figure.data["weights"], [[1, -2], [3, np.nan]])
    assert figure.data["classes"].tolist() == ["rain", "dog"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.0", "-2.0", "3.0"]
    assert figure.axes[0].images[0].get_clim() == (-3, 3)
