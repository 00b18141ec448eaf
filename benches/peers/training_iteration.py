"""Times one training iteration in PyTorch, eager and compiled, beside ours, from the same weights and with the same losses.

usage: training_iteration.py [--binary PATH] [--threads 1,2] [--out FILE] [--sizes 48x5,...] [--dims 2,12,784] [--seconds S] [--no-compile] [--processor-time]

The binary is ours (cargo build --release -p oplus-benches --bin training_iteration); it writes the problem that both
solve. Blocks of iterations alternate between the two, so that whatever else the machine does hits both and each is timed as
in a training, with its data near the core; medians, ratios and the best are kept. The share of the matrix-product rate
compares the best with the best: interruptions only ever slow a run down. On a machine that is shared, `--processor-time` counts
the seconds that the processor spends on each program, with one thread.

With one thread, two runs of ours are also timed side by side, as `reproduce` has them: their scale is the number of iterations
that both do together in the time of one by a run alone.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/training_iteration")
    parser.add_argument("--threads", default="1,2", help="numbers of threads, one after the other")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sizes", default="48x5,64x3,128x4,256x4")
    parser.add_argument("--dims", default="2,12,784")
    parser.add_argument("--seconds", type=float, default=10.0, help="time for each size, dimension and number of threads")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--processor-time", action="store_true", help="count seconds of the processor, one thread")
    return parser.parse_args()


options = arguments()
clock = time.process_time if options.processor_time else time.perf_counter
THREADS = [int(threads) for threads in options.threads.split(",")]
# Read once, when the libraries are loaded; torch.set_num_threads lowers it later.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(max(THREADS))

import numpy
import torch
from dashboard import write_results


class Field(torch.nn.Module):
    """A scalar perceptron whose parameters come from one flat buffer, layer by layer: weights, then biases."""

    def __init__(self, buffer, widths, activation):
        super().__init__()
        layers, start = [], 0
        for width, out in zip(widths, [*widths[1:], 1]):
            layer = torch.nn.Linear(width, out)
            with torch.no_grad():
                for tensor in (layer.weight, layer.bias):
                    tensor.copy_(buffer[start : start + tensor.numel()].view_as(tensor))
                    start += tensor.numel()
            layers += [layer, activation()]
        assert start == buffer.numel(), (start, buffer.numel())
        self.layers = torch.nn.Sequential(*layers[:-1])

    def forward(self, z):
        return self.layers(z)[:, 0]


class Iteration:
    def __init__(self, folder, compiled):
        self.problem = json.loads((folder / "problem.json").read_text())
        load = lambda name: torch.from_numpy(numpy.load(folder / f"{name}.npy"))
        problem = self.problem
        dim = problem["dim"]
        self.potential = Field(load("potential")[:, 0], [dim + 1, *problem["potential"]], torch.nn.Tanh)
        self.critic = Field(load("critic")[:, 0], [dim, *problem["critic"]], torch.nn.ReLU)
        self.initial, self.target, self.mixing = load("initial"), load("target"), load("mixing")
        adam = lambda net: torch.optim.Adam(
            net.parameters(), lr=problem["learning_rate"], betas=problem["betas"], eps=problem["epsilon"], fused=True
        )
        self.potential_optimiser, self.critic_optimiser = adam(self.potential), adam(self.critic)
        self.call = torch.compile if compiled else lambda net: net
        self.u, self.phi = self.call(self.potential), self.call(self.critic)

    def velocity(self, x, t, graph):
        z = torch.cat([x, torch.full((len(x), 1), t)], dim=1)
        return -torch.autograd.grad(self.u(z).sum(), x, create_graph=graph)[0] / self.problem["lambda"]

    def generate(self):
        steps, x = self.problem["steps"], self.initial
        for i in range(steps):
            x = x.detach().requires_grad_()
            x = x + self.velocity(x, i / steps, graph=False) / steps
        return x.detach()

    def critic_loss(self):
        x, y = self.generate(), self.target
        between = (self.mixing * x + (1 - self.mixing) * y).requires_grad_()
        slope = torch.autograd.grad(self.phi(between).sum(), between, create_graph=True)[0]
        excess = torch.relu(slope.square().sum(1) - self.problem["bound"] ** 2)
        dual = self.phi(x).mean() - torch.exp(self.phi(y) - 1).mean()
        return self.problem["penalty_weight"] * excess.mean() - dual

    def flow_loss(self):
        steps, x, kinetic = self.problem["steps"], self.initial.clone().requires_grad_(), 0.0
        for i in range(steps):
            v = self.velocity(x, i / steps, graph=True)
            kinetic = kinetic + 0.5 * v.square().sum(1).mean() / steps
            x = x + v / steps
        return self.phi(x).mean() + self.problem["lambda"] * kinetic

    def run(self):
        losses = []
        self.potential.requires_grad_(False)
        for _ in range(self.problem["critic_updates"]):
            losses.append(self.update(self.critic_optimiser, self.critic_loss))
        self.potential.requires_grad_(True)
        self.critic.requires_grad_(False)
        losses.append(self.update(self.potential_optimiser, self.flow_loss))
        self.critic.requires_grad_(True)
        return losses

    @staticmethod
    def update(optimiser, loss):
        optimiser.zero_grad()
        value = loss()
        value.backward()
        optimiser.step()
        return value.item()


class Ours:
    """Our binary, asked line by line: a number of iterations, or `peak`."""

    def __init__(self, size, dim, threads, folder):
        command = [options.binary, size, str(dim), str(folder)]
        environment = os.environ | {"RAYON_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def tell(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, line):
        self.tell(line)
        return self.hear()

    def seconds(self, count):
        """Of that many iterations."""
        begun = self.processor_seconds()
        clock = self.ask(count)["seconds"]
        return self.processor_seconds() - begun if options.processor_time else clock

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def agreement(iteration, first, what):
    """The largest difference of a loss in the first two iterations from those of ours."""
    theirs = [iteration.run() for _ in range(2)]
    # Single precision: each loss is a sum over layers and points with roundings of 6e-8. Adam's first steps have the size of
    # the learning rate whatever the gradient, also where that is nothing but rounding: after six of them the widest networks
    # differ by some 1e-5.
    for tolerance, ours, other in zip((1e-5, 2e-4), first, theirs):
        numpy.testing.assert_allclose(ours, other, rtol=tolerance, atol=tolerance, err_msg=what)
    return float(numpy.abs(numpy.array(first) - numpy.array(theirs)).max())


# Why torch.compile cannot do the iteration: what it refuses at one size it refuses at every other, and trying takes long.
refusal = "it was left out" if options.no_compile else None


def compiles(folder):
    """Whether torch.compile can do one iteration; asks it until it refuses."""
    global refusal
    if refusal is None:
        try:
            Iteration(folder, compiled=True).run()
        except Exception as error:  # whatever the compiler raises
            refusal = str(error).strip().splitlines()[0]
    return refusal is None


def side_by_side(ours, twin, seconds):
    """How many times the iterations of one run two do in the same time, from a block of some tenths of a second alone and one
    side by side in turn."""
    count, scales = max(1, round(0.3 / seconds)), []
    for _ in range(5):
        alone = ours.ask(count)["seconds"]
        for run in (ours, twin):
            run.tell(count)
        together = max(run.hear()["seconds"] for run in (ours, twin))
        scales.append(2 * alone / together)
    return {"runs": 2, "scale": statistics.median(scales)}


def compare(size, dim, threads):
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = Ours(size, dim, threads, folder)
        first = [ours.ask(1)["losses"] for _ in range(2)]
        problem = json.loads((folder / "problem.json").read_text())
        peers = {"eager": Iteration(folder, compiled=False)}
        if compiles(folder):
            peers["compile"] = Iteration(folder, compiled=True)
        notes = {peer: agreement(run, first, f"{peer} {size} d={dim}") for peer, run in peers.items()}
        if refusal:
            notes["compile"] = refusal
        times, peak = {"ours": [], **{peer: [] for peer in peers}}, 0.0
        # Blocks of a twentieth of a second; a comparison that is out of time still has three.
        count = max(1, round(0.05 / ours.seconds(1)))
        begun = time.perf_counter()
        while time.perf_counter() - begun < options.seconds or len(times["ours"]) < 3:
            times["ours"].append(ours.seconds(count) / count)
            for peer, iteration in peers.items():
                start = clock()
                for _ in range(count):
                    iteration.run()
                times[peer].append((clock() - start) / count)
            peak = max(peak, ours.ask("peak")["operations_per_second"])
        median = {who: statistics.median(values) for who, values in times.items()}
        best = {who: min(values) for who, values in times.items()}
        pair = None
        if threads == 1 and not options.processor_time:
            twin = Ours(size, dim, threads, folder)
            pair = side_by_side(ours, twin, best["ours"])
            twin.close()
        ours.close()
    return {
        "size": size,
        "dim": dim,
        "threads": threads,
        "blocks": len(times["ours"]),
        "iterations_of_a_block": count,
        # The largest difference of a loss, or the reason why there is no such peer.
        "agreement": notes,
        "median_seconds": median,
        "best_seconds": best,
        "ratio": {peer: median[peer] / median["ours"] for peer in peers},
        "best_ratio": {peer: best[peer] / best["ours"] for peer in peers},
        "side_by_side": pair,
        # Of one thread.
        "matrix_product_rate": peak,
        "share_of_matrix_product_rate": problem["operations"] / best["ours"] / peak,
    }


def show(row):
    columns = [
        f"{who} {1e3 * seconds:8.2f} ms (best {1e3 * row['best_seconds'][who]:.2f})"
        for who, seconds in row["median_seconds"].items()
    ]
    ratios = [f"{peer}/ours {ratio:5.2f} (best {row['best_ratio'][peer]:.2f})" for peer, ratio in row["ratio"].items()]
    missing = [f"no torch.{peer}: {note}" for peer, note in row["agreement"].items() if peer not in row["ratio"]]
    share = f"{100 * row['share_of_matrix_product_rate']:.0f} % of one thread's matrix-product rate"
    pair = [f"two runs side by side scale {row['side_by_side']['scale']:.2f}"] if row["side_by_side"] else []
    name = f"{row['size']:6} d={row['dim']:<4} {row['threads']} threads"
    print(name, *columns, *ratios, *missing, *pair, share, sep="  ", flush=True)


def main():
    rows = []
    for threads in THREADS:
        for size in options.sizes.split(","):
            for dim in map(int, options.dims.split(",")):
                rows.append(compare(size, dim, threads))
                show(rows[-1])
    if options.out:
        seconds = {
            f"training iteration {row['size']} d={row['dim']} threads={row['threads']}/{who}": value
            for row in rows
            for who, value in row["median_seconds"].items()
        }
        what = "processor" if options.processor_time else "clock"
        everything = {"versions": {"torch": torch.__version__}, "time": what, "seconds": options.seconds, "rows": rows}
        write_results(options.out, everything, seconds)


main()
