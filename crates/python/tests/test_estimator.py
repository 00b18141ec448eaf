"""The estimator against scikit-learn's own checks."""

import numpy as np
import oplus
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

SMALL = {"representation": {"kind": "explicit", "hidden": [8]}}


def small(**settings):
    return oplus.FlowEstimator(**{"iterations": 10, "batch": 16, "settings": SMALL, "random_state": 0} | settings)


@parametrize_with_checks([small()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_it_is_the_flow_of_the_package():
    points = np.random.default_rng(0).normal(size=(100, 2)) + [3.0, 0.0]
    fitted = small().fit(points)
    config = SMALL | {
        "seed": 0,
        "training": {"iterations": 10, "batch": 16},
        "data": {"held_out": 0.0},
    }
    flow = oplus.train(config, points)
    np.testing.assert_array_equal(fitted.sample(20, random_state=1), flow.sample(20, seed=1))
    np.testing.assert_array_equal(fitted.score_samples(points[:3]), flow.log_prob(points[:3]))
    assert fitted.score(points) == -oplus.ot.emd2(flow.sample(100, seed=0), points)


def test_it_can_be_searched_and_stands_in_a_pipeline():
    points = np.random.default_rng(0).normal(size=(60, 2)) * [1.0, 5.0]
    search = GridSearchCV(small(), {"iterations": [1, 60]}, cv=2).fit(points)
    # One iteration has hardly moved the points beyond the Gaussian map, and 60 do not spoil it.
    assert set(search.best_params_) == {"iterations"} and np.isfinite(search.best_score_)
    pipeline = make_pipeline(StandardScaler(), small()).fit(points)
    assert np.isfinite(pipeline.score(points))
    assert clone(small(batch=8)).get_params()["batch"] == 8


def test_what_it_does_not_take_is_said():
    with pytest.raises(oplus.InputError, match="n_samples is 0"):
        small().fit(np.eye(4)).sample(0)
    with pytest.raises(oplus.InputError, match="training.itertions"):
        small(settings={"training": {"itertions": 3}}).fit(np.eye(4))
