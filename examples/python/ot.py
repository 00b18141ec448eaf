"""The exact W2 of two clouds of points with its certificate, beside POT's emd2 where that is installed.

python examples/python/ot.py [--points N]
"""

import argparse
import sys
import time

import numpy as np

import oplus


def timed(work):
    """What `work` returns, and the seconds that it takes."""
    begun = time.perf_counter()
    found = work()
    return found, time.perf_counter() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=8000, help="points of each cloud")
    n = parser.parse_args().points
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 2))
    angle = rng.uniform(0, 2 * np.pi, size=n)
    y = np.stack([3 * np.cos(angle), np.sin(angle)], axis=1) + 0.1 * rng.normal(size=(n, 2))

    found, ours = timed(lambda: oplus.ot.emd(x, y))
    print(f"{n} points: W2 = {found.value**0.5:.9f} in {ours:.2f} s")
    print(f"certificate: duality gap {found.gap:.1e}, marginals within {found.certificate['marginal_error']:.1e}")
    print(f"the plan has {len(found.plan)} entries, of {n * n} pairs")
    # This file has the name of POT's module, and its folder comes first.
    sys.path.pop(0)
    try:
        import ot
    except ModuleNotFoundError:
        print("POT is not installed: nothing to compare with")
        return
    value, theirs = timed(lambda: ot.emd2([], [], ot.dist(x, y), numItermax=10**7))
    difference = abs(value - found.value)
    print(f"POT: {theirs:.2f} s with its matrix of costs, {theirs / ours:.0f} times as long; values differ by {difference:.1e}")
    assert difference < 1e-9, "the values differ"


if __name__ == "__main__":
    main()
