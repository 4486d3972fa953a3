"""Downloads end: whole, or with a line."""

import http.server
import threading
import time

import pytest

from xaiaudio.datasets import download
from xaiaudio.errors import XaiAudioError


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(1000 if self.path == "/whole" else 30):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0 if self.path == "/whole" else 0.05)

    def log_message(self, *args):
        pass


@pytest.fixture
def address():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def fetch(address, path):
    return download.download(
        address, path, title="Fetching", advice="Or take your own.", progress=False
    )


@pytest.mark.slow
def test_a_file_arrives_whole(address, tmp_path):
    assert fetch(f"{address}/whole", tmp_path / "a").read_bytes() == b"x" * 1000
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.slow
def test_a_server_that_sends_next_to_nothing_is_not_waited_for(address, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.3)
    began = time.monotonic()
    with pytest.raises(XaiAudioError, match=r"only \d+ bytes within .* Or take your own"):
        fetch(f"{address}/slow", tmp_path / "a")
    assert time.monotonic() - began < 1.2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_download_that_ends_too_soon_is_none(address, tmp_path):
    with pytest.raises(XaiAudioError, match="Could not download"):
        fetch(f"{address}/cut", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
