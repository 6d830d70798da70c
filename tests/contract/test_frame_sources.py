"""What the till may expect of every source of frames, and of a camera that is watched over any of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drivers.fakes import FailingFrames, WorkingFrames
from drivers.frame_sources import FolderSource, VideoSource
from drivers.ports import Judged
from drivers.watching import CameraWatch, watcher_of
from pos_loyalty.config_camera import CameraConfig
from pos_loyalty.errors import DeviceError, DeviceGoneError
from tests.emulators.camera import Shot
from tests.emulators.frames import LosingFrames, card_frame, plain, table, two_cards, upside_down, write_folder, write_video

CARD, OTHER = "2900000001237", "2900000000001"
SHOT = Shot(noise=3)
FRAMES = [card_frame(CARD, seed, shot=SHOT) for seed in (1, 2, 3)]


def config(kind="folder", path="x", **more):
    return CameraConfig(kind=kind, path=str(path), name="counter", **({"budget_ms": 500} | more))


@pytest.fixture(params=["folder", "file", "fake"])
def source(request, tmp_path):
    if request.param == "fake":
        return WorkingFrames(FRAMES, "counter")
    if request.param == "file":
        return VideoSource(config("file", write_video(tmp_path / "counter.avi", FRAMES)))
    return FolderSource(config("folder", write_folder(tmp_path / "counter", FRAMES)))


class Time:
    """Milliseconds that go on only when somebody waits."""

    def __init__(self):
        self.ms = 0

    def now_ms(self):
        return self.ms

    def wait(self, seconds):
        self.ms += round(seconds * 1000)


def judge(text, symbology):
    return Judged(text, text, is_signed=False) if text.startswith("29") else None


def watched(source, time=None, **more):
    time = time or Time()
    return CameraWatch(source, config(**more), ["ean13", "qr"], judge, now_ms=time.now_ms, wait=time.wait)


def cards_of(frames):
    return [read.card for read in watched(WorkingFrames(frames)).watch() if read is not None]


class TestASourceThatWorks:
    def test_it_gives_every_frame_in_order_and_ends(self, source):
        frames = list(source.frames())
        assert len(frames) == len(FRAMES)
        for frame, drawn in zip(frames, FRAMES, strict=True):
            assert (frame.gray.dtype, frame.gray.shape) == (np.uint8, drawn.shape)
            assert np.abs(frame.gray.astype(int) - drawn).mean() < 4

    def test_it_begins_anew_when_it_is_opened_again(self, source):
        assert len(list(source.frames())) == len(list(source.frames()))

    def test_it_ends_when_it_is_closed_and_may_be_closed_twice(self, source):
        frames = source.frames()
        next(frames)
        source.close()
        source.close()
        assert list(frames) == []

    def test_a_card_is_read_from_it_once(self, source):
        reads = [read for read in watched(source).watch() if read is not None]
        assert [(read.card, read.source, read.device, read.symbology) for read in reads] == [(CARD, "camera", "counter", "ean13")]


@pytest.mark.parametrize(
    "made",
    [
        lambda tmp_path: FailingFrames("counter"),
        lambda tmp_path: VideoSource(config("v4l", tmp_path / "video99")),
        lambda tmp_path: VideoSource(config("file", tmp_path / "none.avi")),
        lambda tmp_path: FolderSource(config("folder", tmp_path / "none")),
    ],
)
def test_a_source_that_is_not_there_says_so_in_one_sentence_that_names_it(made, tmp_path):
    with pytest.raises(DeviceGoneError, match=r"^counter: [^\n]+$"):
        list(made(tmp_path).frames())


def test_without_its_packages_a_source_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zxingcpp", None)
    with pytest.raises(DeviceError, match=r"counter: the camera cannot be used here: install pos-loyalty\[camera\]"):
        list(FolderSource(config("folder", tmp_path)).frames())


def test_a_broken_picture_is_a_broken_frame_and_the_next_one_is_whole(tmp_path):
    folder = write_folder(tmp_path, [FRAMES[0], None, FRAMES[1]])
    frames = [frame.gray is None for frame in FolderSource(config("folder", folder)).frames()]
    assert frames == [False, True, False]
    assert [read.card for read in watched(FolderSource(config("folder", folder))).watch() if read] == [CARD]


def test_a_file_that_is_no_video_is_a_camera_that_is_gone(tmp_path):
    (tmp_path / "x.avi").write_bytes(b"no video at all" * 100)
    with pytest.raises(DeviceGoneError):
        list(VideoSource(config("file", tmp_path / "x.avi")).frames())


class TestAWatchedCamera:
    def test_a_card_upside_down_is_read(self):
        assert cards_of([upside_down(frame) for frame in FRAMES]) == [CARD]

    def test_blank_and_black_frames_and_an_empty_counter_hold_no_card(self):
        assert cards_of([plain(0), plain(255), plain(128), *(table(seed) for seed in range(4))]) == []

    def test_two_cards_in_one_frame_are_nobodys(self):
        assert cards_of([two_cards(CARD, OTHER)] * 6) == []

    def test_one_frame_alone_is_not_believed(self):
        assert cards_of([FRAMES[0]]) == []
        assert cards_of([FRAMES[0], *[plain(90)] * 20, FRAMES[1]]) == []

    def test_a_product_is_no_card(self):
        assert cards_of([card_frame("4601234567893", seed, shot=SHOT) for seed in (1, 2, 3)]) == []

    def test_a_camera_that_comes_back_reads_on_and_does_not_tell_the_same_card_twice(self):
        source, told = LosingFrames([FRAMES, FRAMES]), []
        camera = watched(source)
        with pytest.raises(DeviceGoneError, match="camera: the cable is loose"):
            for read in camera.watch():
                told.append(read)
        told += camera.watch()
        assert source.openings == 2
        assert [read.card for read in told if read is not None] == [CARD]

    def test_a_card_that_lies_still_for_long_is_told_once_and_costs_only_glances(self):
        time = Time()
        camera = watched(WorkingFrames([FRAMES[0], *[FRAMES[1]] * 60]), time)
        assert [read.card for read in camera.watch() if read is not None] == [CARD]
        assert time.ms > 60 * 1000 / 15

    def test_the_live_picture_shows_the_outline_of_what_was_read(self):
        camera = watched(WorkingFrames(FRAMES))
        assert camera.picture(-1) is None
        list(camera.watch())
        shown = camera.picture(-1)
        assert shown is not None and camera.picture(shown.number) is None
        seen = cv2.imdecode(np.frombuffer(shown.jpeg, np.uint8), cv2.IMREAD_COLOR).astype(int)
        assert seen.shape[:2] == (360, 640)
        coloured = np.abs(seen[:, :, 0] - seen[:, :, 2]) > 60
        assert coloured.sum() > 100


def test_the_config_chooses_the_source(tmp_path):
    folder = write_folder(tmp_path / "pictures", FRAMES)
    camera = watcher_of(config("folder", folder, fps=60), ["ean13"], judge)
    assert [read.card for read in camera.watch() if read is not None] == [CARD]
    assert camera.device == "counter"
    camera.close()
