"""Trials stay trials under set_config(transform_output=...), and tables become data frames."""

import numpy as np
import pytest
import sklearn
from sklearn.pipeline import make_pipeline

import skrehab
from skrehab.datasets import make_rehab_trials
from skrehab.recipes import recommended

pd = pytest.importorskip("pandas")
STEPS = {
    "bones": skrehab.BoneVectors,
    "measures": skrehab.KinematicMeasures,
    "motion": skrehab.DisplacementSmoother,
    "scale": skrehab.LandmarkScaler,
    "gaps": skrehab.preprocessing.GapFiller,
    "reference": skrehab.PatientReference,
    "sides": skrehab.preprocessing.SideNormalizer,
}
TABLES = {
    "summary": skrehab.MovementSummary,
    "rocket": lambda: skrehab.RocketFeatures(84, random_state=0),
}


@pytest.fixture(scope="module")
def data():
    return make_rehab_trials(2, 2, "brush_hair", random_state=0)


@pytest.mark.parametrize("name", STEPS)
def test_trials_are_no_table(data, name):
    plain = STEPS[name]().fit_transform(data.X)
    asked = STEPS[name]()
    assert asked.set_output(transform="pandas") is asked
    with sklearn.config_context(transform_output="pandas"):
        for found in (STEPS[name]().fit_transform(data.X), asked.fit(data.X).transform(data.X)):
            assert type(found) is type(plain) and len(found) == len(plain)
            assert all(isinstance(one, np.ndarray) for one in found)
            if name != "reference":  # whose transform is another thing than its fit_transform
                np.testing.assert_array_equal(found[0], plain[0])


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_frames(data, name):
    plain = make_pipeline(skrehab.BoneVectors(), TABLES[name]()).fit_transform(data.X)
    assert isinstance(plain, np.ndarray)
    told = make_pipeline(skrehab.BoneVectors(), TABLES[name]()).set_output(transform="pandas")
    with sklearn.config_context(transform_output="pandas"):
        asked = make_pipeline(skrehab.BoneVectors(), TABLES[name]()).fit_transform(data.X)
    for found in (told.fit_transform(data.X), asked):
        assert isinstance(found, pd.DataFrame)
        assert found.columns.tolist() == told[-1].get_feature_names_out().tolist()
        np.testing.assert_array_equal(found.to_numpy(), plain)


def test_the_recipe(data):
    how = {"n_teachers": 1, "max_epochs": 1, "random_state": 0}
    plain = recommended(**how).fit(data.X, data.y).predict_proba(data.X)
    with sklearn.config_context(transform_output="pandas"):
        found = recommended(**how).fit(data.X, data.y).predict_proba(data.X)
    np.testing.assert_array_equal(found[0], plain[0])
    told = recommended(**how).set_output(transform="pandas").fit(data.X, data.y)
    np.testing.assert_array_equal(told.predict_proba(data.X)[0], plain[0])
