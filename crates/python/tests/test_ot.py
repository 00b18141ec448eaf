"""oplus.ot: values against independent ones, arrays of every layout, and what is refused."""

import math
import threading
import time

import numpy as np
import oplus
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance


def clouds(n, m, d, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), 2.0 * rng.normal(size=(m, d)) + 1.0


# What double precision leaves of sums of some hundred terms.
TIGHT = 1e-12


@pytest.mark.parametrize("cost", ["sqeuclidean", "euclidean"])
def test_the_value_is_that_of_the_best_assignment(cost):
    x, y = clouds(200, 200, 3)
    costs = cdist(x, y, cost)
    rows, columns = linear_sum_assignment(costs)
    found = oplus.ot.emd(x, y, cost=cost)
    assert found.value == pytest.approx(costs[rows, columns].mean(), rel=TIGHT)
    assert oplus.ot.emd2(x, y, cost=cost) == found.value
    np.testing.assert_array_equal(found.plan.source, rows)
    np.testing.assert_array_equal(found.plan.target, columns)


def test_a_result_proves_itself():
    x, y = clouds(60, 90, 2)
    a = np.random.default_rng(1).uniform(size=60)
    found = oplus.ot.emd(x, y, a=a)
    (f, g), costs = found.potentials, cdist(x, y, "sqeuclidean")
    assert found.certified and abs(found.gap) < 1e-12
    assert found.dual == pytest.approx(a / a.sum() @ f + g.mean(), rel=TIGHT)
    assert np.all(f[:, None] + g <= costs + found.certificate["tolerance"])
    plan = found.plan.to_scipy()
    np.testing.assert_array_equal(plan.toarray(), found.plan.to_dense())
    np.testing.assert_allclose(plan.sum(axis=1), a / a.sum(), atol=TIGHT)
    np.testing.assert_allclose(plan.sum(axis=0), np.full(90, 1 / 90), atol=TIGHT)
    assert len(found.plan) == plan.nnz <= 60 + 90 - 1
    np.testing.assert_allclose(found.barycentric_map, (plan @ y) / plan.sum(axis=1)[:, None], atol=TIGHT)
    # At their own points the potentials are what they are.
    np.testing.assert_allclose(found.f_at(x), f, atol=1e-11)
    np.testing.assert_allclose(found.g_at(y), g, atol=1e-11)


def test_half_the_squared_distance_is_half_the_value():
    x, y = clouds(50, 50, 2)
    half = oplus.ot.emd2(x, y, cost="half_sqeuclidean")
    assert 2.0 * half == pytest.approx(oplus.ot.emd2(x, y), rel=TIGHT)


def test_arrays_of_every_layout_give_the_same_bits():
    x, y = clouds(80, 80, 2)
    value = oplus.ot.emd2(x, y)
    wide = np.zeros((160, 5))
    wide[::2, 1:3] = x
    layouts = [np.asfortranarray(x), wide[::2, 1:3], x[::-1][::-1], x.tolist(), x.astype(">f8")]
    assert [oplus.ot.emd2(layout, y) for layout in layouts] == [value] * len(layouts)
    frozen = x.copy()
    frozen.flags.writeable = False
    assert oplus.ot.emd2(frozen, y) == value
    assert oplus.ot.emd2(x.astype(np.float32), y) == oplus.ot.emd2(x.astype(np.float32).astype(float), y)


def test_batches_are_the_problems_one_by_one():
    rng = np.random.default_rng(0)
    xs, ys = rng.normal(size=(4, 30, 2)), rng.normal(size=(4, 40, 2))
    expected = [oplus.ot.emd2(x, y) for x, y in zip(xs, ys)]
    assert oplus.ot.emd2_batch(xs, ys).tolist() == expected
    assert oplus.ot.emd2_batch(list(xs), tuple(ys)).tolist() == expected
    with pytest.raises(oplus.InputError, match="problem 1: .*columns"):
        oplus.ot.emd2_batch([xs[0], xs[1]], [ys[0], ys[1][:, :1]])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([1.0, 2.0], [[1.0]]), r"x has the shape \[2\]: pass one point a row"),
        (([[1.0, 2.0]], [[1.0]]), "select the same coordinates of both"),
        (([[math.nan]], [[1.0]]), "row 0, column 0 of the source points is NaN"),
        (([[1.0]], [["a"]]), "y holds <U1: pass real numbers"),
        (([[1j]], [[1.0]]), "x holds complex128"),
        ((np.zeros((0, 2)), [[1.0, 2.0]]), "there are no source points"),
        (([[1.0]], [[1.0]], [1.0, 2.0]), "2 weights for 1 source points"),
        (([[1.0]], [[1.0]], [-1.0]), "weights must be finite and not negative"),
        (([[1.0]], [[1.0]], None, None, "manhattan"), "cost is \"manhattan\""),
    ],
)
def test_what_is_refused_is_said_in_one_sentence(arguments, sentence):
    with pytest.raises(oplus.InputError, match=sentence) as raised:
        oplus.ot.emd(*arguments)
    assert isinstance(raised.value, ValueError) and "\n" not in str(raised.value)


def test_the_sinkhorn_divergence_of_two_points_is_half_their_squared_distance():
    found = oplus.ot.sinkhorn_divergence([[0.0, 0.0]], [[3.0, 4.0]], gradient=True)
    assert found.converged and found.value == pytest.approx(12.5, rel=1e-6)
    np.testing.assert_allclose(found.gradient, [[-3.0, -4.0]], rtol=1e-6)


def test_the_gradient_is_that_of_the_value():
    x, y = clouds(30, 40, 2)
    settings = {"blur": 1.0, "tolerance": 1e-9}
    found = oplus.ot.sinkhorn_divergence(x, y, gradient=True, **settings)
    # A central difference of a value that is good to about 1e-7.
    step = 1e-3
    for row, column in [(0, 0), (7, 1)]:
        moved = [x.copy(), x.copy()]
        moved[0][row, column] += step
        moved[1][row, column] -= step
        up, down = (oplus.ot.sinkhorn_divergence(points, y, **settings).value for points in moved)
        assert found.gradient[row, column] == pytest.approx((up - down) / (2 * step), abs=2e-4)


def test_the_entropic_plan_is_that_of_pot():
    pot = pytest.importorskip("ot")
    x, y = clouds(40, 50, 2)
    found = oplus.ot.sinkhorn(x, y, 1.0, plan=True, tolerance=1e-7)
    costs = cdist(x, y, "sqeuclidean")
    theirs = pot.sinkhorn(pot.unif(40), pot.unif(50), costs, 1.0, method="sinkhorn_log", stopThr=1e-10)
    # Ours computes sums in single precision until the marginals are good to the tolerance.
    np.testing.assert_allclose(found.plan, theirs, atol=1e-7)
    np.testing.assert_allclose(found.barycentric_map, found.plan @ y * 40, atol=1e-4)
    assert found.converged and oplus.ot.sinkhorn(x, y, 1.0).plan is None


def test_on_a_line_the_distance_is_that_of_scipy():
    x, y = clouds(100, 70, 1)
    expected = wasserstein_distance(x[:, 0], y[:, 0])
    assert oplus.ot.wasserstein_1d(x[:, 0], y[:, 0]) == pytest.approx(expected, rel=1e-12)


def test_slices_of_two_points_are_known():
    x, y = [[0.0, 0.0]], [[3.0, 4.0]]
    found = oplus.ot.sliced(x, y, n_projections=2000)
    # E (θ·z)² = ‖z‖²/d.
    assert abs(found.value - 12.5**0.5) < 4.0 * found.standard_error
    assert found.value == oplus.ot.sliced(x, y, n_projections=2000).value
    assert found.value != oplus.ot.sliced(x, y, n_projections=2000, seed=1).value
    largest = oplus.ot.max_sliced(x, y)
    # The search stops within 1e-3 of the best direction; the distance is second order in that.
    assert largest.value == pytest.approx(5.0, rel=1e-4)
    assert abs(largest.direction @ [0.6, 0.8]) == pytest.approx(1.0, rel=1e-4)


def test_other_threads_go_on_while_a_plan_is_computed():
    x, y = clouds(4000, 4000, 3)
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    clock = threading.Thread(target=tick)
    clock.start()
    begun = time.perf_counter()
    oplus.ot.emd2(x, y)
    ended = time.perf_counter()
    done.set()
    clock.join()
    during = [at for at in ticks if begun < at < ended]
    # With the lock held there would be one tick at most; a loaded machine may leave out most of them.
    assert len(during) > 5
