"""The behaviour that POT's own tests of exact transport ask for, of the shim, with POT's numbers beside ours.

The cases are written after those of POT (`test/test_ot.py`, `test/test_1d_solver.py`); docs/from-pot.md lists what is
left out.
"""

import numpy as np
import pot_shim
import pytest

ot = pytest.importorskip("ot")

# Both solve a linear programme in double precision: costs of order 1 agree to some hundred roundings.
TIGHT = 1e-12


def clouds(n, m, d, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 1.0


def weights(n, seed):
    a = np.random.default_rng(seed).uniform(0.1, 1.0, size=n)
    return a / a.sum()


def test_a_plan_between_a_cloud_and_itself_is_the_identity():
    x, _ = clouds(100, 1, 2)
    plan = pot_shim.emd(ot.unif(100), ot.unif(100), ot.dist(x, x))
    np.testing.assert_allclose(plan, np.eye(100) / 100, atol=TIGHT)
    assert pot_shim.emd2([], [], ot.dist(x, x)) == pytest.approx(0.0, abs=TIGHT)


def test_empty_weights_are_equal_ones():
    x, y = clouds(40, 40, 2)
    costs = ot.dist(x, y)
    plan = pot_shim.emd([], [], costs)
    np.testing.assert_allclose(plan, pot_shim.emd(ot.unif(40), ot.unif(40), costs), atol=TIGHT)
    np.testing.assert_allclose(plan.sum(axis=1), ot.unif(40), atol=TIGHT)


@pytest.mark.parametrize("metric", ["sqeuclidean", "euclidean", "cityblock", "chebyshev", "minkowski"])
def test_costs_of_any_metric_are_those_of_pot(metric):
    x, y = clouds(60, 45, 3)
    a, b, costs = weights(60, 1), weights(45, 2), ot.dist(x, y, metric=metric)
    plan = pot_shim.emd(a, b, costs)
    np.testing.assert_allclose(plan.sum(axis=1), a, atol=TIGHT)
    np.testing.assert_allclose(plan.sum(axis=0), b, atol=TIGHT)
    if "euclidean" in metric:
        # Optimal plans of points in general position are unique; sums of coordinates leave several.
        np.testing.assert_allclose(plan, ot.emd(a, b, costs), atol=1e-10)
    assert pot_shim.emd2(a, b, costs) == pytest.approx(ot.emd2(a, b, costs), rel=TIGHT)


def test_potentials_prove_the_value_and_have_pots_sum():
    x, y = clouds(50, 70, 2)
    a, b, costs = weights(50, 3), weights(70, 4), ot.dist(x, y)
    plan, found = pot_shim.emd(a, b, costs, log=True)
    assert a @ found["u"] + b @ found["v"] == pytest.approx(found["cost"], rel=TIGHT)
    assert np.all(found["u"][:, None] + found["v"] <= costs + 1e-11)
    assert np.all(np.abs((found["u"][:, None] + found["v"] - costs)[plan > 0]) < 1e-11)
    _, theirs = ot.emd(a, b, costs, log=True)
    # Each pair is unique up to one constant.
    np.testing.assert_allclose(np.ptp(found["u"] - theirs["u"]), 0.0, atol=1e-9)


def test_several_targets_give_several_costs():
    x, y = clouds(30, 30, 2)
    a, costs = weights(30, 5), ot.dist(x, y)
    targets = np.stack([weights(30, seed) for seed in (6, 7, 8)], axis=1)
    ours, theirs = pot_shim.emd2(a, targets, costs), ot.emd2(a, targets, costs)
    np.testing.assert_allclose(ours, theirs, rtol=TIGHT)
    logs = pot_shim.emd2(a, targets, costs, log=True, return_matrix=True)
    np.testing.assert_allclose([np.sum(log["G"] * costs) for _, log in logs], ours, rtol=TIGHT)


def test_points_without_mass_change_nothing():
    x, y = clouds(20, 25, 2)
    a, b, costs = weights(20, 9), weights(25, 10), ot.dist(x, y)
    padded = np.concatenate([a, np.zeros(5)])
    with_rows = np.concatenate([costs, np.full((5, 25), 0.25)])
    assert pot_shim.emd2(padded, b, with_rows) == pytest.approx(pot_shim.emd2(a, b, costs), rel=TIGHT)


@pytest.mark.parametrize("shape", [(3, 4), (4, 3)])
def test_weights_of_another_number_are_refused(shape):
    n, m = shape
    with pytest.raises(ValueError, match="weights for"):
        pot_shim.emd(ot.unif(3), ot.unif(3), np.ones((n, m)))


@pytest.mark.parametrize("kind", ["float32", "int64"])
def test_other_types_of_numbers_are_converted(kind):
    costs = (10 * np.random.default_rng(0).uniform(size=(12, 12))).astype(kind)
    assert pot_shim.emd2([], [], costs) == pytest.approx(ot.emd2([], [], costs.astype(float)), rel=TIGHT)


@pytest.mark.parametrize("metric", ["sqeuclidean", "euclidean", "cityblock", "minkowski"])
def test_on_a_line_the_closed_form_is_the_programme(metric):
    x, y = clouds(30, 45, 1)
    a, b = weights(30, 11), weights(45, 12)
    plan = pot_shim.emd_1d(x, y, a, b, metric=metric)
    costs = ot.dist(x, y, metric=metric)
    cost = ot.emd2(a, b, costs)
    assert np.sum(plan * costs) == pytest.approx(cost, rel=TIGHT)
    assert pot_shim.emd2_1d(x, y, a, b, metric=metric) == pytest.approx(cost, rel=TIGHT)
    np.testing.assert_allclose(plan, ot.emd_1d(x, y, a, b, metric=metric), atol=TIGHT)
    sparse = pot_shim.emd_1d(x, y, a, b, metric=metric, dense=False)
    np.testing.assert_array_equal(sparse.toarray(), plan)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_wasserstein_1d_takes_columns_and_weights(p):
    x, y = clouds(40, 25, 3)
    a, b = weights(40, 13), weights(25, 14)
    np.testing.assert_allclose(
        pot_shim.wasserstein_1d(x, y, a, b, p), ot.wasserstein_1d(x, y, a, b, p), rtol=1e-10
    )
    assert pot_shim.wasserstein_1d(x[:, 0], x[:, 0], p=p) == 0.0
    shifted = pot_shim.wasserstein_1d(x[:, 0], x[:, 0] + 2.0, p=p)
    # Sums of 40 terms of order 1.
    assert shifted == pytest.approx(2.0**p, rel=TIGHT)
