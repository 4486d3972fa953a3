import numpy as np

from xaiaudio import LogMel, plots


def test_atoms_go_from_low_to_high_and_the_marked_ones_are_named():
    frontend, columns = LogMel.vggish(), np.zeros((257, 4))
    for number, bin_ in enumerate((100, 20, 200, 0)):
        columns[bin_, number] = number + 1
    figure = plots.atoms(columns, frontend, [2, 1])
    assert figure.data["order"].tolist() == [3, 1, 0, 2]
    spectra = figure.data["spectra"]
    assert spectra.shape == (64, 4) and spectra[:, 1:].max(axis=0).tolist() == [1, 1, 1]
    assert (np.diff(spectra[:, 1:].argmax(axis=0)) > 0).all()
    ax = figure.axes[0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "1"]
    assert ax.get_xticks().tolist() == [3.5, 1.5]
