"""The whole chain, from video files to frame scores, as scikit-learn sees it."""

import pickle

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from media import moving_astronaut, write_video
from real_files import model_file, needs_model
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, LeaveOneGroupOut, cross_val_score

from skrehab import (
    DisplacementSmoother,
    FrameMLP,
    PoseExtractor,
    SaliencyPseudoLabeler,
    VideoClassifier,
)
from skrehab.metrics import trial_roc_auc

pytestmark = needs_model


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Six short videos of a person who moves (1) or stays (0), of three patients."""
    folder = tmp_path_factory.mktemp("videos")
    paths, y = [], []
    for i in range(6):
        y.append(i % 2)
        frames, _ = moving_astronaut(8, step=12 * y[-1] + i)
        paths.append(str(write_video(folder / f"video{i}.mp4", frames)))
    return paths, np.array(y), np.repeat(["P01", "P02", "P03"], 2)


@pytest.fixture
def pipeline(tmp_path):
    classifier = VideoClassifier(
        "act", network_params={"dropout": 0.1}, max_epochs=2, random_state=0
    )
    return Pipeline(
        [
            ("pose", PoseExtractor(model_file(), memory=str(tmp_path / "poses"))),
            ("motion", DisplacementSmoother(window=5)),
            ("labels", SaliencyPseudoLabeler(classifier, threshold=(0.22, 0.32), n_steps=4)),
            ("frames", FrameMLP((8,), max_epochs=2, random_state=0)),
        ],
        memory=str(tmp_path / "steps"),
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_from_video_files_to_frame_scores(videos, pipeline):
    paths, y, patients = videos
    fitted = clone(pipeline).fit(paths, y)
    proba = fitted.predict_proba(paths)
    assert [one.shape for one in proba] == [(8, 2)] * 6
    again = pickle.loads(pickle.dumps(fitted)).predict_proba(paths)
    for one, other in zip(proba, again):
        np.testing.assert_array_equal(one, other)

    scores = cross_val_score(
        pipeline, paths, y, groups=patients, cv=LeaveOneGroupOut(), scoring=trial_roc_auc
    )
    assert scores.shape == (3,)
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_grid_search_from_video_files(videos, pipeline):
    paths, y, patients = videos
    grid = [
        {"labels__threshold": [0.3, (0.2, 0.4)]},
        {"labels__estimator__lr": [1e-2], "labels__estimator__network__dropout": [0.0]},
        {"frames__hidden_layer_sizes": [(4,), (8, 8)]},
    ]
    search = GridSearchCV(pipeline, grid, scoring=trial_roc_auc, cv=GroupKFold(3))
    search.fit(paths, y, groups=patients)
    assert len(search.cv_results_["params"]) == 5
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(paths)[0].shape == (8,)
