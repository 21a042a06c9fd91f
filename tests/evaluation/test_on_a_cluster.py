"""A study on a Dask cluster: the same numbers, all workers at work, a lost one costs a fold."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from instances import tiny_frames, tiny_labeler, tiny_trials
from joblib import parallel_config
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import Bunch

from skrehab.evaluation import OnFrameTruth, evaluate_by_patient
from skrehab.pseudo_labels import PatientPipeline

try:
    import distributed
except ImportError:
    distributed = None

# two processes import torch before they work
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    if distributed is None:
        pytest.skip("dask is not installed: skrehab[cluster]")
    here = tmp_path_factory.mktemp("dask")
    how = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(**how, local_directory=str(here)) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def tiny():
    one = tiny_trials(6)
    return Bunch(X=one.X, y=one.y, groups=one.patients, frame_labels=one.frame_labels)


def weak(**params):
    return PatientPipeline([("labels", tiny_labeler()), ("frames", tiny_frames(**params))])


def assert_same_study(one, other):
    assert one.summary() == other.summary()
    for name, frames in one.frame_scores.items():
        for a, b in zip(frames, other.frame_scores[name]):
            np.testing.assert_array_equal(a, b)


def test_results_equal_those_of_one_process(client, tiny):
    here = evaluate_by_patient({"weak": weak()}, tiny, random_state=(0, 1))
    with distributed.get_task_stream(client) as stream, parallel_config(backend="dask"):
        there = evaluate_by_patient({"weak": weak()}, tiny, random_state=(0, 1))
    assert_same_study(here, there)
    assert len({task["worker"] for task in stream.data}) == 2


def test_workers_read_poses_by_path(client, tiny, tmp_path):
    """What travels is the names of files; the first step reads them, where the work is done."""
    paths = []
    for i, trial in enumerate(tiny.X):
        paths.append(str(tmp_path / f"{i}.npy"))
        np.save(paths[-1], trial)
    by_path = make_pipeline(FunctionTransformer(read_all), tiny_frames())
    in_memory = make_pipeline(tiny_frames())
    data = {"y": tiny.y, "groups": tiny.groups, "frame_labels": tiny.frame_labels}
    here = evaluate_by_patient({"m": OnFrameTruth(in_memory)}, tiny.X, **data, random_state=0)
    with parallel_config(backend="dask"):
        there = evaluate_by_patient({"m": OnFrameTruth(by_path)}, paths, **data, random_state=0)
    for a, b in zip(here.frame_scores["m"], there.frame_scores["m"]):
        np.testing.assert_array_equal(a, b)


def read_all(paths):
    return [np.load(path) for path in paths]


def test_a_lost_worker_costs_one_fold(client, tiny, tmp_path):
    """A worker is killed after the first finished fold: the others' files stay as they were."""
    pids = client.run(os.getpid)
    folder = tmp_path / "study" / "folds"
    seen = {}

    def kill_one():
        while not (files := list(folder.glob("*.npz"))):
            time.sleep(0.02)
        seen.update({file: file.stat().st_mtime_ns for file in files})
        os.kill(next(iter(pids.values())), signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    model = weak(max_epochs=40)  # long enough to be hit at work
    with parallel_config(backend="dask"):
        study = evaluate_by_patient({"weak": model}, tiny, memory=tmp_path / "study", n_jobs=2)
    killer.join()
    assert len(list(folder.glob("*.npz"))) == 6
    assert seen and all(file.stat().st_mtime_ns == when for file, when in seen.items())
    assert_same_study(study, evaluate_by_patient({"weak": model}, tiny))
    assert set(client.run(os.getpid).values()) != set(pids.values())  # a new one stands there


def test_results_on_ray_equal_those_of_one_process(tiny, monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")  # it reports home otherwise
    ray = pytest.importorskip("ray", reason="ray is not installed, and no extra of skrehab")
    from ray.util.joblib import register_ray

    here = evaluate_by_patient({"weak": weak()}, tiny)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        register_ray()
        with parallel_config(backend="ray", n_jobs=2):
            there = evaluate_by_patient({"weak": weak()}, tiny)
    finally:
        ray.shutdown()
    assert_same_study(here, there)
