"""POT's functions of exact transport, written with oplus: what a user of POT would put in their place.

`docs/from-pot.md` says where the two differ.
"""

import numpy as np

import oplus


def _weights(a):
    """POT takes an empty list for equal weights."""
    return None if len(a) == 0 else a


def emd(a, b, M, log=False):
    """The plan, [n, m]; with `log` also the cost and the potentials."""
    found = oplus.ot.emd_matrix(M, _weights(a), _weights(b))
    plan = found.plan.to_dense() * (1.0 if len(a) == 0 else np.sum(a))
    if not log:
        return plan
    u, v = found.potentials
    return plan, {"cost": float(np.sum(plan * M)), "u": u, "v": v, "warning": None, "result_code": 1}


def emd2(a, b, M, log=False, return_matrix=False):
    """The cost, or a list of them for the columns of b; with `log` also the potentials, and the plan if it is wanted."""
    if np.ndim(b) == 2:
        return [emd2(a, column, M, log, return_matrix) for column in np.transpose(b)]
    plan, found = emd(a, b, M, log=True)
    if not (log or return_matrix):
        return found["cost"]
    return found["cost"], found | ({"G": plan} if return_matrix else {})


_COSTS = {"sqeuclidean": "sqeuclidean", "euclidean": "euclidean", "minkowski": "euclidean", "cityblock": "euclidean"}


def emd_1d(x, y, a=None, b=None, metric="sqeuclidean", dense=True):
    """The plan on a line, dense or sparse; all of POT's metrics are the distance or its square there."""
    x, y = (np.reshape(points, (-1, 1)) for points in (x, y))
    found = oplus.ot.emd(x, y, a, b, cost=_COSTS[metric])
    return found.plan.to_dense() if dense else found.plan.to_scipy()


def emd2_1d(x, y, a=None, b=None, metric="sqeuclidean"):
    """The cost on a line."""
    x, y = (np.reshape(points, (-1, 1)) for points in (x, y))
    return oplus.ot.emd2(x, y, a, b, cost=_COSTS[metric])


def wasserstein_1d(u_values, v_values, u_weights=None, v_weights=None, p=1):
    """W_p to the power p, for each column."""
    return oplus.ot.wasserstein_1d(u_values, v_values, u_weights, v_weights, p)
