"""A server of archives, and an empty cache."""

import pytest
from small_esc10 import serving


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    with serving(folder) as serve:
        yield serve


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("XAIAUDIO_ESC10", raising=False)
    return tmp_path / "cache"
