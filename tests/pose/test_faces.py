"""blur_faces: no face is left, and where that is not sure, no picture."""

import os

import numpy as np
import pytest
from media import corners, moving_astronaut, noise, write_video
from real_files import VIDEOS, model_file, needs_model, needs_shared_videos

from skrehab.pose import VideoError, blur_faces, read_frames
from skrehab.pose.detector import PeopleDetector
from skrehab.pose.face_boxes import face_box, tiles
from skrehab.pose.faces import hide, plan_hiding

MODEL = model_file()


@pytest.fixture(autouse=True)
def use_model_of_this_machine(monkeypatch):
    if MODEL is not None:
        monkeypatch.setenv("SKREHAB_MODELS", str(MODEL))


def detail(picture):
    """Energy of differences between pixels six apart: what a face is made of; sorts out shading."""
    grey = np.asarray(picture, dtype=float).mean(axis=-1)
    fine = grey - (np.roll(grey, 6, 0) + np.roll(grey, -6, 0) + np.roll(grey, 6, 1)
                   + np.roll(grey, -6, 1)) / 4  # fmt: skip
    return float(np.mean(fine[6:-6, 6:-6] ** 2))


def likeness(one, other):
    """Correlation of the fine structure of two pictures, blind to mean colours."""
    parts = []
    for picture in (one, other):
        grey = np.asarray(picture, dtype=float).mean(axis=-1)
        fields = grey[: len(grey) // 8 * 8, : grey.shape[1] // 8 * 8]
        coarse = fields.reshape(len(fields) // 8, 8, -1, 8).mean(axis=(1, 3)).repeat(8, 0)
        parts.append((fields - coarse.repeat(8, 1)).ravel())
    if not all(part.std() for part in parts):
        return 0.0
    return abs(np.corrcoef(parts)[0, 1])


# the astronaut's face in moving_astronaut, before the shift: hair line to chin, ear to ear
FACE = (slice(70, 175), slice(175, 275))


def face_of(frame, shift):
    return frame[FACE[0], FACE[1].start + shift : FACE[1].stop + shift]


# --- pure functions -------------------------------------------------------------------------------
def person(x=200.0, y=100.0, size=60.0, visibility=1.0):
    """Image landmarks of somebody whose trunk is `size` high."""
    body = np.zeros((33, 4))
    body[:, :2] = x, y
    body[7:9, 0] += np.array([0.15, -0.15]) * size
    body[9:11, 1] += 0.1 * size
    body[[11, 12], 1] += 0.5 * size
    body[[23, 24], 1] += 1.5 * size
    body[:, 3] = visibility
    return body


def test_the_box_grows_with_the_person_and_holds_the_head():
    small, large = face_box(person()), face_box(person(size=120))
    for box, size in ((small, 60), (large, 120)):
        x0, y0, x1, y1 = box
        assert x0 < 200 - 0.3 * size and x1 > 200 + 0.3 * size  # a head is 0.3 trunks wide
        assert y0 < 100 - 0.3 * size and y1 > 100 + 0.28 * size
    assert large[2] - large[0] == pytest.approx(2 * (small[2] - small[0]))


@pytest.mark.parametrize("lost", [0, 5, 10])
def test_no_box_without_a_sure_face(lost):
    one = person()
    one[lost, :2] = np.nan
    assert face_box(one) is None
    assert face_box(person(visibility=0.3)) is None
    assert face_box(person(visibility=0.3), min_visibility=0.2) is not None
    assert face_box(np.full((33, 4), np.nan)) is None
    flat = person()
    flat[11:] = flat[0]
    assert face_box(flat) is None


def box(x, size=10.0):
    return (x, 0.0, x + size, size)


@pytest.mark.parametrize(
    ("boxes", "hidden"),
    [
        ([[box(0)], [box(1)], [box(2)]], [False] * 3),
        ([[box(0)], [], [box(0)]], [True] * 3),  # the neighbours cannot be compared
        ([[box(0)], [box(0)], [box(0)], [None], [box(0)]], [False, False, True, True, True]),
        ([[box(0)], [box(0)], [box(90)], [box(0)]], [False, True, True, True]),  # a ghost elsewhere
        ([[box(0)], [box(0)], [box(0), box(50)], [box(0), box(50)]], [True, True, True, False]),
        ([[], []], [True, True]),
    ],
)
def test_when_everything_is_hidden(boxes, hidden):
    plan = plan_hiding(boxes, np.arange(len(boxes)) / 30)
    assert [one is None for one in plan] == hidden


def test_what_is_hidden_beside():
    plan = plan_hiding([[box(0)], [box(3)], [box(6)]], [0, 0.1, 0.2])
    assert sorted(plan[1]) == [box(0), box(3), box(6)]
    assert sorted(plan[0]) == [box(0), box(3)]


def test_the_number_of_people():
    boxes = [[box(0)]] * 5
    assert all(one is None for one in plan_hiding(boxes, np.arange(5), people=2))
    assert not any(one is None for one in plan_hiding(boxes, np.arange(5), people=1))
    # somebody comes in after three seconds: hidden from a second before
    boxes = [[box(0)]] * 30 + [[box(0), box(50)]] * 10
    hidden = [one is None for one in plan_hiding(boxes, np.arange(40) / 10)]
    assert hidden == [False] * 20 + [True] * 11 + [False] * 9


@pytest.mark.parametrize("style", ["blur", "fill"])
def test_hide_destroys_what_is_in_the_box_only(style):
    picture = np.random.RandomState(0).randint(0, 255, (90, 120, 3), dtype=np.uint8)
    before = picture.copy()
    hide(picture, (30.5, 20.5, 80.2, 70.9), style)
    inside = picture[20:71, 30:81].astype(float)
    assert inside.std(axis=(0, 1)).max() < 0.15 * before.std()
    outside = np.ones((90, 120), dtype=bool)
    outside[20:71, 30:81] = False
    np.testing.assert_array_equal(picture[outside], before[outside])
    assert likeness(inside, before[20:71, 30:81]) < 0.1


def test_hide_at_the_edges():
    for box_ in ((-50, -50, 5, 5), (100, 80, 500, 500), (300, 300, 400, 400), (-9, -9, -1, -1)):
        picture = np.zeros((90, 120, 3), dtype=np.uint8)
        hide(picture, box_, "fill")
        inside = picture.any()
        assert inside == (box_[0] < 120 and box_[2] > 0)
    whole = noise(1)[0]
    before = detail(whole)
    hide(whole)
    assert detail(whole) < 0.01 * before


# --- a still of a person --------------------------------------------------------------------------
@pytest.fixture(scope="module")
def astronaut(tmp_path_factory):
    frames, shifts = moving_astronaut(n_frames=8)
    path = tmp_path_factory.mktemp("videos") / "astronaut.mp4"
    return write_video(path, frames, fps=15), frames, shifts


@needs_model
@pytest.mark.parametrize("style", ["blur", "fill"])
def test_the_face_is_destroyed_and_the_body_is_not(astronaut, tmp_path, style):
    path, frames, shifts = astronaut
    out = tmp_path / "shared.mp4"
    counted = []
    report = blur_faces(path, out, style=style, people=1, progress=counted.append)
    assert report.path == out and (report.n_frames, report.n_dropped) == (8, 0)
    assert report.n_faces >= 1 and counted == list(range(1, 17))
    assert report.n_hidden <= 2
    result = list(read_frames(out))
    np.testing.assert_allclose([t for t, _ in result], np.arange(8) / 15, atol=1e-3)
    bodies = 0
    for (_, picture), frame, shift in zip(result, frames, shifts):
        face, before = face_of(picture, shift), face_of(frame, shift)
        assert detail(face) < 0.02 * detail(before)
        assert likeness(face, before) < 0.2
        if style == "fill":
            assert np.ptp(face[10:-10, 10:-10].mean(axis=-1)) < 12  # one grey, but for the codec
        trunk = slice(250, 384), slice(100 + shift, 300 + shift)
        bodies += likeness(picture[trunk], frame[trunk]) > 0.8
    assert bodies == 8 - report.n_hidden


@needs_model
def test_a_frame_without_a_sure_face_shows_nothing(astronaut, tmp_path):
    """Somebody is there whom the landmarker cannot see: upside down, for two frames."""
    _, frames, _ = astronaut
    frames = frames.copy()
    frames[3:5] = frames[3:5, ::-1]
    path = write_video(tmp_path / "tumble.mp4", frames, fps=15)
    report = blur_faces(path, tmp_path / "blurred.mp4", window=0.05)
    assert report.n_hidden >= 2
    for i, (_, picture) in enumerate(read_frames(tmp_path / "blurred.mp4")):
        if i in (3, 4):
            assert detail(picture) < 0.02 * detail(frames[i])
    report = blur_faces(path, tmp_path / "dropped.mp4", window=0.05, unsure="drop")
    times = [time for time, _ in read_frames(tmp_path / "dropped.mp4")]
    assert report.n_dropped >= 2 and len(times) == 8 - report.n_dropped
    assert not {3, 4} & {round(15 * (time + 1e-9)) for time in times} or times[0] == 0


@needs_model
def test_nobody_at_all(tmp_path):
    path = write_video(tmp_path / "nobody.mp4", [corners()] * 4)
    report = blur_faces(path, tmp_path / "out.mp4")
    assert (report.n_hidden, report.n_faces) == (4, 0)
    for _, picture in read_frames(tmp_path / "out.mp4"):
        assert detail(picture) < 0.1 * detail(corners())
    with pytest.raises(VideoError, match=r"nobody\.mp4: in none of its 4 frames"):
        blur_faces(path, tmp_path / "none.mp4", unsure="drop")
    assert not (tmp_path / "none.mp4").exists()


@needs_model
def test_more_people_than_are_found(astronaut, tmp_path):
    report = blur_faces(astronaut[0], tmp_path / "out.mp4", people=3)
    assert report.n_hidden == 8


@needs_model
def test_sound_and_what_the_file_says_are_left_out(astronaut, tmp_path):
    import av

    _, frames, _ = astronaut
    path = tmp_path / "with_sound.mp4"
    with av.open(str(path), "w") as file:
        file.metadata["title"] = "Mrs Miller at home"
        file.metadata["location"] = "+48.1+011.5/"
        picture = file.add_stream("libx264", rate=15)
        picture.width, picture.height, picture.pix_fmt = 640, 384, "yuv420p"
        sound = file.add_stream("aac", rate=44100, layout="mono")
        for frame in frames[:4]:
            file.mux(picture.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(picture.encode(None))
        for start in range(0, 10240, 1024):
            tone = np.sin(np.arange(start, start + 1024) * 0.06).astype(np.float32)[None]
            part = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            part.sample_rate, part.pts = 44100, start
            file.mux(sound.encode(part))
        file.mux(sound.encode(None))
    assert b"Miller" in path.read_bytes()
    out = tmp_path / "shared.mp4"
    blur_faces(path, out)
    assert b"Miller" not in out.read_bytes()
    with av.open(str(out)) as file:
        assert [stream.type for stream in file.streams] == ["video"]
        known = {key.lower() for key in (*file.metadata, *file.streams[0].metadata)}
    assert known <= {"major_brand", "minor_version", "compatible_brands", "encoder", "language",
                     "handler_name", "vendor_id"}  # fmt: skip


@needs_model
def test_a_rotated_odd_sized_video(astronaut, tmp_path):
    _, frames, _ = astronaut
    stored = [np.rot90(frame[:-1], -1) for frame in frames[:3]]
    path = write_video(tmp_path / "phone.mp4", stored, fps=15, rotation=(90, False))
    report = blur_faces(path, tmp_path / "out.mp4", people=1)
    assert report.n_frames == 3
    (_, picture), *_ = read_frames(tmp_path / "out.mp4")
    assert picture.shape == (382, 640, 3)
    assert detail(face_of(picture, 0)) < 0.02 * detail(face_of(frames[0], 0))


def test_what_is_refused(tmp_path):
    path = write_video(tmp_path / "clip.mp4", noise(3))
    with pytest.raises(ValueError, match=r"clip\.mp4 cannot be written over itself"):
        blur_faces(path, path)
    os.link(path, tmp_path / "same.mp4")
    with pytest.raises(ValueError, match="over itself"):
        blur_faces(path, tmp_path / "same.mp4")
    for wrong in ({"unsure": "keep"}, {"style": "pixels"}, {"people": 0}, {"people": 5}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            blur_faces(path, tmp_path / "out.mp4", **wrong)
    with pytest.raises(VideoError, match=r"missing\.mp4"):
        blur_faces(tmp_path / "missing.mp4", tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


@needs_model
def test_a_damaged_video_leaves_no_file(tmp_path):
    path = write_video(tmp_path / "broken.mp4", noise(40), options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(VideoError, match=r"broken\.mp4"):
        blur_faces(path, tmp_path / "out.mp4")
    assert sorted(os.listdir(tmp_path)) == ["broken.mp4"]


@needs_model
@needs_shared_videos
def test_a_real_video(tmp_path):
    """A man balances; at the back of the room somebody looks on, whom the pose does not find."""
    frames = []
    for _, frame in read_frames(VIDEOS / "one_person_balance.mp4", max_size=960):
        frames.append(frame)
        if len(frames) == 8:
            break
    path = write_video(tmp_path / "clip.mp4", frames, fps=60)
    man, onlooker = (slice(190, 240), slice(225, 270)), (slice(152, 198), slice(16, 60))
    left = {}
    for sweep in (0.25, None):
        report = blur_faces(path, tmp_path / "out.mp4", people=1, sweep=sweep)
        assert report.n_hidden == 0
        for (_, picture), frame in zip(read_frames(tmp_path / "out.mp4"), frames):
            assert detail(picture[man]) < 0.1 * detail(frame[man])
            left[sweep] = detail(picture[onlooker]) / detail(frame[onlooker])
    assert left[0.25] < 0.1
    assert left[None] > 0.5  # which is why there are sweeps


@pytest.mark.parametrize("size", [(640, 384), (200, 200), (33, 1000), (1, 1), (7, 2)])
def test_tiles_cover_the_picture(size):
    seen = np.zeros(size[::-1], dtype=bool)
    for x, y, side in tiles(*size):
        # of a thin strip a tile covers the whole width: it is cut at the edge
        assert 0 <= x <= max(0, size[0] - side) and 0 <= y <= max(0, size[1] - side)
        seen[y : y + side, x : x + side] = True
    assert seen.all()


@needs_model
def test_a_single_picture_remembers_nothing(astronaut):
    """The sweep's detector gives the same for a picture, whatever came before."""
    frames = astronaut[1]
    with PeopleDetector(MODEL, 1, (0.5, 0.5, 0.5), video=False) as detector:
        first = detector.detect(frames[0])[0]
        detector.detect(noise(1, 384, 640)[0])
        np.testing.assert_array_equal(detector.detect(frames[0])[0], first)
    assert np.isfinite(first).all()
