"""Times a converged Sinkhorn divergence in geomloss (tensorized, CPU) beside ours, on the same pinwheel samples.

usage: sinkhorn_divergence.py --binary PATH [--threads N] [--out FILE] [--points 5000] [--blur 0.05] [--scalings 0.5,0.9,...] [--rounds 3]

The reference is computed in double precision, in blocks, independently of both: from our potentials the cost is enclosed between its
dual value and the value of a feasible plan, and the self costs are iterated until they stand still. That takes minutes for some thousand
points, so it is kept with the results and read from FILE where that holds the reference of the same samples. A geomloss run counts as
accurate where its value is within 1e-3 of the reference, or 1e-5 absolutely; the ratio is that of the fastest accurate one, and there is
none where no run is accurate.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--binary", required=True)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--out", type=Path)
parser.add_argument("--points", type=int, default=5000)
parser.add_argument("--blur", type=float, default=0.05)
parser.add_argument("--scalings", default="0.5,0.9,0.95,0.98")
parser.add_argument("--rounds", type=int, default=3)
options = parser.parse_args()
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = str(options.threads)

import geomloss
import numpy
import torch
from dashboard import write_results

torch.set_num_threads(options.threads)


def pinwheel(generator, n):
    radial = 0.3 * generator.normal(size=n) + 1.0
    tangential = 0.1 * generator.normal(size=n)
    angle = 2 * numpy.pi * generator.integers(0, 5, size=n) / 5 + 0.25 * numpy.exp(radial)
    cos, sin = numpy.cos(angle), numpy.sin(angle)
    return 1.4 * numpy.stack([radial * cos + tangential * sin, -radial * sin + tangential * cos], axis=1)


def blocks(x, y):
    """The costs of 500 rows at a time."""
    for start in range(0, len(x), 500):
        rows = slice(start, start + 500)
        yield rows, 0.5 * ((x[rows, None, :] - y[None, :, :]) ** 2).sum(dim=2)


def soft_minimum(x, y, potential, epsilon):
    """-epsilon log mean_j exp((potential_j - c_ij) / epsilon)"""
    parts = [torch.logsumexp((potential - cost) / epsilon, dim=1) for _, cost in blocks(x, y)]
    return -epsilon * (torch.cat(parts) - numpy.log(len(y)))


def self_cost(x, epsilon):
    f = torch.zeros(len(x), dtype=torch.float64)
    for _ in range(100):
        best = soft_minimum(x, x, f, epsilon)
        if float((best - f).abs().max()) < 1e-12:
            break
        f = 0.5 * (f + best)
    return float(2 * f.mean())


def enclosed_cost(x, y, g, epsilon):
    """A lower and an upper bound of the entropic cost: the dual value, and the value of a plan with exact marginals."""
    n, m = len(x), len(y)
    f = soft_minimum(x, y, g, epsilon)
    lower = float(f.mean() + g.mean())
    # f makes the rows exact, so that the dual value lacks only the mass of the columns: scale those that are too heavy down, and hand
    # what is missing out as a product plan (Altschuler, Weed and Rigollet, arXiv 1705.09634, algorithm 2).
    columns = sum(torch.exp((f[rows, None] + g - cost) / epsilon).sum(dim=0) for rows, cost in blocks(x, y)) / (n * m)
    scale = torch.clamp(1 / (m * columns), max=1.0)
    missing_columns = 1 / m - columns * scale
    kept = torch.cat([(torch.exp((f[rows, None] + g - cost) / epsilon) * scale).sum(dim=1) for rows, cost in blocks(x, y)]) / (n * m)
    missing_rows = 1 / n - kept
    total = max(float(missing_rows.sum()), 1e-300)
    upper = 0.0
    for rows, cost in blocks(x, y):
        plan = torch.exp((f[rows, None] + g - cost) / epsilon) * scale / (n * m)
        plan = plan + missing_rows[rows, None] * missing_columns / total
        upper += float((plan * (cost + epsilon * torch.log(torch.clamp(plan * n * m, min=1e-300)))).sum())
    return lower, upper


def reference_value(x, y, g, epsilon):
    """The divergence and half the width of the interval that it lies in."""
    x, y, g = torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(g)
    for _ in range(4):
        g = soft_minimum(y, x, soft_minimum(x, y, g, epsilon), epsilon)
    lower, upper = enclosed_cost(x, y, g, epsilon)
    own = 0.5 * (self_cost(x, epsilon) + self_cost(y, epsilon))
    return 0.5 * (lower + upper) - own, 0.5 * (upper - lower)


def known_reference(problem):
    """That of the same samples in an earlier run."""
    if not (options.out and options.out.exists()):
        return None
    earlier = json.loads(options.out.read_text())
    if {key: earlier.get(key) for key in problem} != problem:
        return None
    return earlier["reference"], earlier["reference_uncertainty"]


def main():
    generator = numpy.random.default_rng(20261122)
    x, y = pinwheel(generator, options.points), pinwheel(generator, options.points)
    epsilon = options.blur**2
    with tempfile.TemporaryDirectory() as name:
        numpy.save(f"{name}/x.npy", x)
        numpy.save(f"{name}/y.npy", y)
        ours = subprocess.Popen(
            [options.binary, f"{name}/x.npy", f"{name}/y.npy", str(options.blur), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        def ask():
            ours.stdin.write("\n")
            ours.stdin.flush()
            return json.loads(ours.stdout.readline())

        first = ask()
        # The sum tells samples of another generator apart.
        problem = {"points": options.points, "blur": options.blur, "sum": float(x.sum() + y.sum())}
        reference, uncertainty = known_reference(problem) or reference_value(
            x, y, numpy.load(f"{name}/g.npy")[:, 0], epsilon
        )

        x32, y32 = torch.from_numpy(x).float(), torch.from_numpy(y).float()
        scalings = [float(scaling) for scaling in options.scalings.split(",")]
        times, values = {"ours": []}, {"ours": first["value"]}
        for _ in range(options.rounds):
            times["ours"].append(ask()["seconds"])
            for scaling in scalings:
                who = f"geomloss {scaling}"
                loss = geomloss.SamplesLoss("sinkhorn", p=2, blur=options.blur, scaling=scaling, backend="tensorized")
                start = time.perf_counter()
                values[who] = float(loss(x32, y32))
                times.setdefault(who, []).append(time.perf_counter() - start)
        ours.stdin.close()
        ours.wait()
    median = {who: statistics.median(seconds) for who, seconds in times.items()}
    accurate = {who: abs(value - reference) <= max(1e-3 * abs(reference), 1e-5) for who, value in values.items()}
    peers = [who for who in median if who != "ours"]
    fair = min((who for who in peers if accurate[who]), key=median.get, default=None)
    row = {
        **problem,
        "threads": options.threads,
        "versions": {"geomloss": geomloss.__version__, "torch": torch.__version__},
        "reference": reference,
        "reference_uncertainty": uncertainty,
        "values": values,
        "errors": {who: abs(value - reference) for who, value in values.items()},
        "accurate": accurate,
        "marginal_error": first["marginal_error"],
        "median_seconds": median,
        "compared_with": fair,
        "ratio": median[fair] / median["ours"] if fair else None,
    }
    print(f"reference {reference:.7f} ± {uncertainty:.1e} (double precision)")
    for who, seconds in median.items():
        word = "accurate" if accurate[who] else "NOT accurate"
        print(f"{who:14} {values[who]:11.7f}  error {row['errors'][who]:.1e}  {word:12}  {seconds:8.2f} s")
    print(f"{fair} / ours: {row['ratio']:.1f}" if fair else "no run of geomloss is accurate")
    if options.out:
        name = f"sinkhorn divergence n={options.points} blur={options.blur}"
        write_results(options.out, row, {f"{name}/{who}": seconds for who, seconds in median.items()})


main()
