"""The layouts that people have sounds in, tidy and not."""

import csv
import os

import numpy as np
import pytest
from sound_files import coded, tone

from xaiaudio import datasets
from xaiaudio.audio import save_audio
from xaiaudio.datasets import CLASSES, archives, esc10, folders
from xaiaudio.errors import XaiAudioError

SILENCE = np.zeros(160)

ATTRIBUTION = """# Some words before
001 - Dog bark:
- [1-100032-A.ogg]:  clip derived from A (b) by c (http://sound.example/100032/) by Jo [x] Doe [CC0]
- [2-100033-B.ogg]: clip derived from b.wav (https://sounds.example/100033/) by by by [CC-BY]
- [3-100034-A.ogg]: clip derived from c (http://sounds.example/100034/) by someone [CC-Sampling+]
- [4-100035-A.ogg]: not in this form
"""


def sounds(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save_audio(path, SILENCE)
    return folder


@pytest.fixture
def authors(tmp_path):
    """ESC-10 as its authors publish it, small."""
    folder = sounds(
        tmp_path / "ESC-10",
        "010 - Fire crackling/1-4211-A.ogg",
        "001 - Dog bark/2-100033-B.ogg",
        "001 - Dog bark/1-100032-A.ogg",
        "001 - Dog bark/3-100034-A.ogg",
        "001 - Dog bark/4-100035-A.ogg",
        "002 - Rain/5-17367-A.ogg",
    )
    (folder / "ATTRIBUTION.txt").write_text(ATTRIBUTION)
    (folder / "ESC-10.png").write_bytes(b"no sound")
    return folder


def sums(folder):
    return {
        str(path.relative_to(folder)): archives.sha256(path)
        for path in sorted(folder.rglob("*.ogg"))
    }


def test_the_authors_files_are_known_by_their_bytes(authors, monkeypatch):
    known = sums(authors)
    monkeypatch.setattr(esc10, "manifest", lambda: known)
    assert [clip.fold for clip in datasets.load(authors)] == [1, 2, 3, 4, 5, 1]
    assert "CC BY" in {clip.licence for clip in datasets.load(authors)}
    (authors / "002 - Rain" / "5-17367-A.ogg").unlink()  # a part of them is theirs as well
    assert [clip.fold for clip in datasets.load(authors)] == [1, 2, 3, 4, 1]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["bytes", "format", "one more"])
def test_copies_with_the_authors_names_are_ones_own(authors, monkeypatch, change):
    known = sums(authors)
    monkeypatch.setattr(esc10, "manifest", lambda: known)
    rain = authors / "002 - Rain" / "5-17367-A.ogg"
    if change == "bytes":
        save_audio(rain, SILENCE + 0.1)
    elif change == "format":
        save_audio(rain.with_suffix(".wav"), SILENCE)
        rain.unlink()
    else:
        save_audio(rain.with_name("5-1-A.ogg"), SILENCE)
    clips = datasets.load(authors)
    assert {clip.licence for clip in clips} == {""}
    assert [clip.fold for clip in clips.of("Dog bark")] == [1, 2, 3, 5]  # dealt by order
    # Who knows that it is ESC-10 can say so.
    assert {clip.licence for clip in folders.read(authors, esc10=True)} > {"CC BY"}


def test_own_sounds_named_as_in_esc10_can_be_split(tmp_path):
    names = [f"{label}/1-{number}-A.wav" for label in ("dog", "rain") for number in range(5)]
    clips = datasets.load(sounds(tmp_path, *names))
    train, test = clips.split(5)
    assert (len(train), len(test)) == (8, 2)


def test_the_authors_folders(authors):
    clips = folders.read(authors, esc10=True)
    assert clips.name == "ESC-10"
    assert clips.labels == ("Dog bark", "Rain", "Fire crackling")
    assert [(clip.name, clip.label, clip.fold) for clip in clips] == [
        ("1-100032-A", "Dog bark", 1),
        ("2-100033-B", "Dog bark", 2),
        ("3-100034-A", "Dog bark", 3),
        ("4-100035-A", "Dog bark", 4),
        ("5-17367-A", "Rain", 5),
        ("1-4211-A", "Fire crackling", 1),
    ]


def test_licence_and_author_are_kept_per_clip(authors):
    first, second, third, unlisted, *_ = folders.read(authors, esc10=True)
    assert (first.licence, first.author) == ("CC0", "Jo [x] Doe")
    assert first.source == "http://sound.example/100032/"
    assert (second.licence, second.author) == ("CC BY", "by by")
    assert (third.licence, third.author) == ("CC Sampling+", "someone")
    assert (unlisted.licence, unlisted.author) == ("CC BY", "")  # that of the whole set
    (authors / "ATTRIBUTION.txt").unlink()
    assert {clip.licence for clip in folders.read(authors, esc10=True)} == {"CC BY"}


def test_mathworks_names(tmp_path):
    folder = sounds(tmp_path, "dog/1-1-A.ogg", "crying_baby/5-2-A.ogg", "sea_waves/2-3-B.ogg")
    clips = folders.read(folder, esc10=True)
    assert clips.labels == ("Dog bark", "Sea waves", "Baby cry")
    assert [clip.fold for clip in clips] == [1, 2, 5]


def esc50(folder, rows):
    (folder / "meta").mkdir(parents=True)
    with open(folder / "meta" / "esc50.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["filename", "fold", "target", "category", "esc10", "src_file", "take"])
        table.writerows(rows)
    return folder


ROWS = [
    ["1-100032-A-0.wav", 1, 0, "dog", "True", 100032, "A"],
    ["2-100033-B-0.wav", 2, 0, "dog", "True", 100033, "B"],
    ["1-999-A-5.wav", 1, 5, "cat", "False", 999, "A"],
    ["4-4211-A-12.wav", 4, 12, "crackling_fire", "True", 4211, "A"],
    ["5-10-A-40.wav", 5, 40, "helicopter", "True", 10, "A"],
]


def test_esc50_gives_the_clips_of_esc10(tmp_path):
    folder = esc50(tmp_path / "ESC-50", ROWS)
    sounds(folder, *(f"audio/{row[0]}" for row in ROWS))
    (folder / "LICENSE").write_text(ATTRIBUTION)
    clips = datasets.load(folder)
    assert clips.labels == ("Dog bark", "Helicopter", "Fire crackling")
    assert [(clip.name, clip.fold) for clip in clips] == [
        ("1-100032-A-0", 1),
        ("2-100033-B-0", 2),
        ("5-10-A-40", 5),
        ("4-4211-A-12", 4),
    ]
    assert [clip.licence for clip in clips] == ["CC0", "CC BY", "CC BY", "CC BY"]
    assert clips[0].author == "Jo [x] Doe"
    assert len(clips[0].load()) == 160


def test_esc50_with_missing_sounds(tmp_path):
    folder = sounds(esc50(tmp_path, ROWS), "audio/1-100032-A-0.wav")
    with pytest.raises(XaiAudioError, match=r"lists 4 clips.*3 of them are missing, first .*2-10"):
        datasets.load(folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "filename,fold\nx.wav,1\n",
        "filename,fold,category,esc10\nx.wav,one,dog,True\n",
        "filename,fold,category,esc10\nx.wav,1,cow,True\n",
        "filename,fold,category,esc10\nx.wav\n",
        "filename,fold,category,esc10\nx.wav,1,cat,False\n",
        "\x00\xff\xfe",
    ],
)
def test_esc50_with_another_table(tmp_path, text):
    folder = esc50(tmp_path, [])
    (folder / "meta" / "esc50.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(XaiAudioError, match=r"esc50\.csv"):
        datasets.load(folder)


def test_ones_own_folder(tmp_path):
    names = [f"whistle/{i:02}.{ext}" for i, ext in enumerate(["wav", "flac", "ogg", "mp3"] * 3)]
    folder = sounds(tmp_path / "mine", *names, "knock/b.WAV", "knock/a.wav")
    clips = datasets.load(str(folder))
    assert clips.name == "mine"
    assert clips.labels == ("knock", "whistle")
    assert clips.counts() == {"knock": 2, "whistle": 12}
    assert [clip.path.name for clip in clips][:3] == ["a.wav", "b.WAV", "00.wav"]
    assert {clip.licence for clip in clips} == {""}


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7, 10, 11, 40, 41])
def test_folds_by_position_agree_with_the_split_by_share(tmp_path, count):
    folder = sounds(tmp_path, *(f"{label}/{i:03}.wav" for label in "ab" for i in range(count)))
    clips = datasets.load(folder)
    folds = [clip.fold for clip in clips.of("b")]
    assert folds == sorted(folds)
    assert clips.split(5) == clips.split_share(0.8)
    if count % 5 == 0:
        assert [folds.count(fold) for fold in range(1, 6)] == [count // 5] * 5


def test_a_single_clip_is_learnt_from(tmp_path):
    assert datasets.load(sounds(tmp_path, "a/x.wav"))[0].fold == 1


def test_names_like_those_of_esc10_in_other_classes_are_ones_own(tmp_path):
    clips = datasets.load(sounds(tmp_path, "dog/1-1-A.wav", "cow/2-2-A.wav"))
    assert clips.labels == ("cow", "dog")
    assert {clip.licence for clip in clips} == {""}


def test_classes_of_esc10_with_other_files_keep_their_names(tmp_path):
    assert datasets.load(sounds(tmp_path, "dog/bello.wav", "rain/a.wav")).labels == ("dog", "rain")


def test_numbers_are_dropped_only_if_all_have_one(tmp_path):
    assert datasets.load(sounds(tmp_path / "a", "01 - x/a.wav", "2 - y/a.wav")).labels == ("x", "y")
    labels = datasets.load(sounds(tmp_path / "b", "1 - x/a.wav", "y/a.wav")).labels
    assert labels == ("1 - x", "y")


def test_sounds_without_classes_can_be_explained(tmp_path):
    clips = datasets.load(sounds(tmp_path, "b.wav", "a.mp3"))
    assert [clip.path.name for clip in clips] == ["a.mp3", "b.wav"]
    assert clips.labels == ()
    assert {clip.label for clip in clips} == {None}


def test_what_systems_leave_behind_is_not_seen(tmp_path):
    folder = sounds(tmp_path, "a/x.wav", "b/y.wav", "a/.hidden.wav", ".c/z.wav", "__MACOSX/w.wav")
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "a" / "._x.wav").write_bytes(b"x")
    (folder / "a" / "notes.txt").write_text("x")
    (folder / "a" / "folder.wav").mkdir()
    (folder / "empty").mkdir()
    (folder / "README.txt").write_text("Above the classes there may be anything.")
    clips = datasets.load(folder)
    assert clips.counts() == {"a": 1, "b": 1}
    assert clips.passed_over == (folder / "a" / "notes.txt",)
    assert clips.of("b").passed_over == clips.passed_over


def test_pipes_dead_links_and_sounds_deeper_in_a_class_are_listed(tmp_path):
    folder = sounds(tmp_path, "a/x.wav", "b/y.wav", "a/old/z.wav")
    os.mkfifo(folder / "a" / "pipe.wav")
    (folder / "b" / "link.wav").symlink_to("nowhere.wav")
    clips = datasets.load(folder)
    assert clips.counts() == {"a": 1, "b": 1}
    names = {str(path.relative_to(folder)) for path in clips.passed_over}
    assert names == {"a/old/z.wav", "a/pipe.wav", "b/link.wav"}


def test_files_beside_loose_sounds_are_passed_over_too(tmp_path):
    folder = sounds(tmp_path, "b.wav")
    (folder / "list.csv").write_text("x")
    assert datasets.load(folder).passed_over == (folder / "list.csv",)


def test_sounds_of_phones_are_sounds(tmp_path):
    folder = sounds(tmp_path, "a/x.wav", "b/z.wav")
    coded(folder / "a" / "y.m4a", tone(), "aac")
    coded(folder / "b" / "y.WEBM", tone(1, 48_000), "libopus", 48_000, container="webm")
    clips = datasets.load(folder)
    assert clips.counts() == {"a": 2, "b": 2}
    assert abs(len(clips[1].load()) - 16_000) < 400
    assert clips.passed_over == ()


def test_sounds_that_cannot_be_read_are_left_out_with_the_reason(tmp_path):
    folder = sounds(tmp_path, "a/x.wav", "a/y.wav", "b/z.wav")
    (folder / "a" / "text.wav").write_text("no sound " * 100)
    (folder / "b" / "empty.mp3").touch()
    clips, reasons = datasets.readable(datasets.load(folder))
    assert [clip.path.name for clip in clips] == ["x.wav", "y.wav", "z.wav"]
    assert clips.labels == ("a", "b")
    assert [str(folder / "a" / "text.wav") in reasons[0], "is empty" in reasons[1]] == [True] * 2
    assert len(reasons) == 2


def test_one_class_only(tmp_path):
    assert datasets.load(sounds(tmp_path, "a/x.wav", "a/y.wav")).counts() == {"a": 2}


def strange(folder, kind):
    if kind == "missing":
        return folder / "no"
    if kind == "file":
        save_audio(folder / "x.wav", SILENCE)
        return folder / "x.wav"
    if kind == "zip":
        (folder / "esc.zip").write_bytes(b"PK")
        return folder / "esc.zip"
    if kind == "no sounds":
        (folder / "a").mkdir()
        (folder / "a" / "x.txt").touch()
    if kind == "too deep":
        sounds(folder, "ESC-10/001 - Dog bark/1-1-A.ogg")
    if kind == "partly too deep":
        sounds(folder, "a/x.wav", "b/more/y.wav")
    if kind == "loose":
        sounds(folder, "a/x.wav", "y.wav")
    return folder


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "There is no folder .*no"),
        ("file", r"x\.wav is a file: name a folder"),
        ("zip", r"esc\.zip is a zip file: unpack it"),
        ("empty", "holds no sounds"),
        ("no sounds", r"holds no sounds \(\.wav, \.flac, \.ogg, \.mp3, \.m4a, \.\.\.\)"),
        ("too deep", "those in ESC-10 lie deeper: if .*ESC-10 is the data set, name that"),
        ("partly too deep", "those in b lie deeper"),
        ("loose", r"sounds beside its class folders, first y\.wav"),
    ],
)
def test_strange_folders(tmp_path, kind, message):
    with pytest.raises(XaiAudioError, match=message) as caught:
        folders.read(strange(tmp_path, kind))
    assert "\n" not in str(caught.value)


def test_a_folder_one_may_not_read(tmp_path, monkeypatch):
    folder = sounds(tmp_path, "a/x.wav")
    real = type(folder).iterdir

    def refuse(self):
        if self.name == "a":
            raise PermissionError(13, "Permission denied", str(self))
        return real(self)

    monkeypatch.setattr(type(folder), "iterdir", refuse)
    with pytest.raises(XaiAudioError, match=r"Could not read .*/a: Permission denied"):
        datasets.load(folder)


def test_an_unknown_name():
    with pytest.raises(XaiAudioError, match="no folder esc-10.*synthetic, esc10, digits, fsdd"):
        datasets.load("esc-10")


def test_classes_are_the_ten():
    assert len(set(CLASSES)) == 10
    assert (CLASSES[0], CLASSES[9]) == ("Dog bark", "Fire crackling")
