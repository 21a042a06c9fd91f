"""The recommended pipeline on a real video: live, frame by frame, as offline."""

import numpy as np
from real_files import VIDEOS, model_file, needs_model, needs_shared_videos

from skrehab import FrameStream, PoseExtractor
from skrehab.datasets import make_rehab_trials
from skrehab.pose import read_frames
from skrehab.recipes import recommended


@needs_model
@needs_shared_videos
def test_live_equals_offline_on_a_real_video():
    """Bones, thinning and the causal student behind MediaPipe: no frame looks ahead."""
    data = make_rehab_trials(3, 1, "brush_hair", random_state=0)
    recipe = recommended(
        frame_rate=30, n_teachers=1, max_epochs=2, augment=False, random_state=0
    )  # every fourth frame, in four phases
    poses = [np.concatenate([x, np.ones_like(x[..., :1])], axis=-1) for x in data.X]  # visibility
    recipe.fit(poses, data.y, groups=data.groups)
    recipe.steps.insert(0, ("pose", PoseExtractor(model_file())))
    video = VIDEOS / "one_person_balance.mp4"
    (offline,) = recipe.predict_proba([video])
    stream = FrameStream(recipe)
    live = [stream.push(picture, time) for time, picture in read_frames(video)]
    assert len(np.unique(offline[:, 1])) > 50  # somebody is seen, and moves
    np.testing.assert_allclose(live, offline, rtol=0, atol=1e-6)
