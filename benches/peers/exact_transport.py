"""Times exact transport beside POT's ot.emd and SciPy's linear_sum_assignment, on the same problems in the same run.

usage: exact_transport.py [--binary PATH] [--rounds N] [--problems NAME,...] [--growth N,...] [--out FILE]

The binary is ours (cargo build --release -p oplus-benches --bin exact_transport); it writes each problem as .npy files that both sides read.
Every side is a process of its own, so that peak memory is its own, and the sides take turns, so that whatever else the machine does
hits all of them. A peer's time includes its distance matrix, which it needs and we do not build. All solve in double precision, and
their values have to agree. FILE.json holds everything; beside it are FILE.github.json (an array of {name, unit, value}),
FILE.bencher.json (Bencher Metric Format) and FILE.svg, the growth of our time.
"""

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dashboard import write, write_results

PROBLEMS = {
    "pinwheel-8000-2": ["pot"],
    "pinwheel-8000-12": ["pot"],
    "normal-8000-12": ["pot"],
    "mixture-4000-784": ["pot"],
    "weighted-6000-9000": ["pot"],
    "pinwheel-4000-2": ["pot", "scipy"],
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/exact_transport")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--growth", default="2000,4000,8000,16000,32000,50000", help="sizes, or nothing")
    parser.add_argument("--out", type=Path, default=Path("benches/results/exact_transport.json"))
    parser.add_argument("--worker", nargs=2, metavar=("PEER", "FOLDER"), help=argparse.SUPPRESS)
    return parser.parse_args()


def work(peer, folder):
    """Answers each line of the input with one line of JSON, like our binary."""
    import numpy

    load = lambda name: numpy.load(Path(folder) / f"{name}.npy")
    x, y = load("x"), load("y")
    weighted = (Path(folder) / "a.npy").exists()
    a, b = ([w / w.sum() for w in (load("a").ravel(), load("b").ravel())]) if weighted else ([], [])
    if peer == "pot":
        import ot

        def solve():
            _, log = ot.emd(a, b, ot.dist(x, y), numItermax=10**9, log=True)
            assert log["warning"] is None, log["warning"]
            return log["cost"]
    else:
        from scipy.optimize import linear_sum_assignment
        from scipy.spatial.distance import cdist

        def solve():
            costs = cdist(x, y, "sqeuclidean")
            return costs[linear_sum_assignment(costs)].mean()

    # Kilobytes on Linux.
    peak = lambda: 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    before = peak()
    for _ in sys.stdin:
        start = time.perf_counter()
        value = float(solve())
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "value": value, "peak_bytes": peak(), "bytes_before": before}), flush=True)


class Side:
    """A process that solves one problem again and again."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answers = []

    def solve(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args} ended before its answer")
        self.answers.append(json.loads(line))

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        seconds = [answer["seconds"] for answer in self.answers]
        last = self.answers[-1]
        return {
            "median_seconds": statistics.median(seconds),
            "best_seconds": min(seconds),
            "value": last["value"],
            # What solving added to the program and its input.
            "solver_bytes": last["peak_bytes"] - last["bytes_before"],
            "peak_bytes": last["peak_bytes"],
            **{key: last[key] for key in ("gap", "pivots") if key in last},
        }


def compare(name, peers, rounds, binary):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([binary, "write", name, folder], check=True)
        sides = {"ours": Side([binary, "solve", folder])}
        for peer in peers:
            sides[peer] = Side([sys.executable, __file__, "--worker", peer, folder])
        for _ in range(rounds):
            for side in sides.values():
                side.solve()
        found = {who: side.close() for who, side in sides.items()}
    ours = found["ours"]
    for peer in peers:
        # Exact solvers in double precision; their sums and ours are in different orders.
        assert math.isclose(found[peer]["value"], ours["value"], rel_tol=1e-9), (name, peer, found[peer]["value"], ours["value"])
    ratio = lambda key: {peer: found[peer][key] / ours[key] for peer in peers if ours[key] > 0}
    return {"problem": name, "sides": found, "speed": ratio("median_seconds"), "memory": ratio("solver_bytes")}


def show(row):
    ours = row["sides"]["ours"]
    print(f"{row['problem']:20} ours {ours['median_seconds']:8.3f} s {ours['solver_bytes'] / 2**20:7.0f} MiB", end="")
    for peer in row["speed"]:
        side = row["sides"][peer]
        print(f"   {peer} {side['median_seconds']:8.3f} s {side['solver_bytes'] / 2**20:7.0f} MiB", end="")
        print(f"   {row['speed'][peer]:6.1f} times the time, {row['memory'].get(peer, math.inf):6.0f} times the memory", end="")
    print(f"   gap {ours['gap']:.0e}", flush=True)


def exponent(points):
    """The slope of the least-squares line through (log n, log seconds)."""
    logs = [(math.log(n), math.log(seconds)) for n, seconds in points]
    mean_x, mean_y = (sum(values) / len(logs) for values in zip(*logs))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def plot(growth):
    """The growth as an SVG with logarithmic axes."""
    points = [point for series in growth for point in series["points"]]
    spans = [(math.log(min(values)), math.log(max(values))) for values in zip(*points)]
    place = lambda value, span, size: 60 + (math.log(value) - span[0]) / (span[1] - span[0]) * size
    at = lambda n, seconds: (place(n, spans[0], 460), 380 - place(seconds, spans[1], 280))
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 400" font-family="sans-serif" font-size="12">']
    parts.append('<rect width="600" height="400" fill="white"/><path d="M60 20V330H560" fill="none" stroke="black"/>')
    for n in sorted({n for n, _ in points}):
        parts.append(f'<text x="{at(n, points[0][1])[0]:.0f}" y="348" text-anchor="middle">{n}</text>')
    for seconds in (math.exp(end) for end in spans[1]):
        parts.append(f'<text x="55" y="{at(points[0][0], seconds)[1] + 4:.0f}" text-anchor="end">{seconds:.2g} s</text>')
    for number, (series, colour) in enumerate(zip(growth, ("#0072b2", "#d55e00", "#009e73"))):
        places = [at(*point) for point in series["points"]]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        label = f"{series['family']}: seconds ~ n^{series['exponent']:.2f}"
        parts.append(f'<text x="80" y="{40 + 18 * number}" fill="{colour}">{label}</text>')
    parts.append('<text x="310" y="375" text-anchor="middle">points on each side</text></svg>')
    return "\n".join(parts) + "\n"


def measure_growth(sizes, rounds, binary):
    growth = []
    for family, dim in (("pinwheel", 2), ("pinwheel", 12), ("normal", 2)):
        rows = [compare(f"{family}-{n}-{dim}", [], rounds, binary) for n in sizes]
        for row in rows:
            show(row)
        points = [(n, row["sides"]["ours"]["median_seconds"]) for n, row in zip(sizes, rows)]
        growth.append({"family": f"{family}, d = {dim}", "points": points, "exponent": exponent(points), "rows": rows})
        print(f"{family}, d = {dim}: seconds grow like n^{growth[-1]['exponent']:.2f}", flush=True)
    return growth


def main():
    options = arguments()
    if options.worker:
        return work(*options.worker)
    from importlib.metadata import version

    versions = {name: version(name) for name in ("POT", "scipy", "numpy")}
    rows = []
    for name in filter(None, options.problems.split(",")):
        rows.append(compare(name, PROBLEMS.get(name, ["pot"]), options.rounds, options.binary))
        show(rows[-1])
    sizes = [int(size) for size in options.growth.split(",") if size]
    growth = measure_growth(sizes, options.rounds, options.binary) if len(sizes) > 1 else []

    measured = [(row["problem"], row) for row in rows + [row for series in growth for row in series["rows"]]]
    sides = {f"{name}/{who}": side for name, row in measured for who, side in row["sides"].items()}
    write_results(
        options.out,
        {"versions": versions, "rounds": options.rounds, "rows": rows, "growth": growth},
        {name: side["median_seconds"] for name, side in sides.items()},
        {name: side["solver_bytes"] for name, side in sides.items()},
    )
    if growth:
        write(options.out.with_suffix(".svg"), plot(growth))


main()
