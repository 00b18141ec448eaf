"""A flow to points of one's own, from an array in memory: trained, judged, sampled.

python examples/python/flow.py [--iterations N]
"""

import argparse

import numpy as np

import oplus


def s_curve(n, rng):
    """Points near an S in three dimensions."""
    t = 3 * np.pi * (rng.uniform(size=n) - 0.5)
    curve = np.stack([np.sin(t), 2 * rng.uniform(size=n), np.sign(t) * (np.cos(t) - 1)], axis=1)
    return curve + 0.02 * rng.normal(size=(n, 3))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--iterations", type=int, default=2000)
    iterations = parser.parse_args().iterations
    rng = np.random.default_rng(0)
    data, fresh = s_curve(2000, rng), s_curve(1000, rng)

    config = {"seed": 0, "training": {"iterations": iterations}}
    flow = oplus.train(config, data)
    print(f"{flow.outcome['status']} after {flow.outcome['iterations']} iterations, {flow.outcome['seconds']:.1f} s")

    generated = flow.sample(len(fresh))
    distance, floor = oplus.ot.emd2_batch([generated, s_curve(1000, rng)], [fresh, fresh])
    print(f"exact W2² to 1000 fresh points: {distance:.4f}; that of two samples of the data: {floor:.4f}")
    start = flow.initial(3)
    print("from", start.round(2).tolist(), "to", flow.transport(start).round(2).tolist())
    print("log-density at three points of the data:", flow.log_prob(fresh[:3]).round(2).tolist())


if __name__ == "__main__":
    main()
