"""Times one training iteration in PyTorch eager beside ours, from the same weights and with the same losses.

usage: training_iteration.py [--binary PATH] [--threads N] [--out FILE] [--sizes 48x5,...] [--dims 2,12,784] [--compile]

The binary is ours (cargo build --release -p oplus-benches --bin training_iteration); it writes the problem that both
solve. Iterations alternate between the two, so that whatever else the machine does hits both; medians, ratios and the best are
kept. The share of the matrix-product rate compares the best with the best: interruptions only ever slow a run down.
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
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sizes", default="48x5,64x3,128x4,256x4")
    parser.add_argument("--dims", default="2,12,784")
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--compile", action="store_true", help="also time torch.compile")
    return parser.parse_args()


options = arguments()
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = str(options.threads)

import numpy
import torch

torch.set_num_threads(options.threads)


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
    """Our binary, asked for iterations line by line."""

    def __init__(self, size, dim, folder):
        command = [options.binary, size, str(dim), str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(size, dim):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = Ours(size, dim, folder)
        first = [ours.ask(1)["losses"] for _ in range(2)]
        problem = json.loads((folder / "problem.json").read_text())
        peers = {"eager": Iteration(folder, compiled=False)}
        if options.compile:
            peers["compile"] = Iteration(folder, compiled=True)
        for peer, iteration in peers.items():
            # Single precision: each loss is a sum over layers and points with roundings of 6e-8, and Adam's first steps
            # have the size of the learning rate whatever the gradient; two iterations differ by some 1e-7.
            theirs = [iteration.run() for _ in range(2)]
            numpy.testing.assert_allclose(first, theirs, rtol=1e-5, atol=1e-5, err_msg=f"{peer} {size} d={dim}")
            error = float(numpy.abs(numpy.array(first) - numpy.array(theirs)).max())
        times, peak = {"ours": [], **{peer: [] for peer in peers}}, 0.0
        for _ in range(options.rounds):
            times["ours"].append(ours.ask(1)["seconds"])
            for peer, iteration in peers.items():
                start = time.perf_counter()
                iteration.run()
                times[peer].append(time.perf_counter() - start)
            peak = max(peak, ours.ask("peak")["operations_per_second"])
        ours.close()
    median = {who: statistics.median(values) for who, values in times.items()}
    best = {who: min(values) for who, values in times.items()}
    return {
        "size": size,
        "dim": dim,
        "threads": options.threads,
        "torch": torch.__version__,
        "largest_loss_difference": error,
        "median_seconds": median,
        "best_seconds": best,
        "ratio": {peer: median[peer] / median["ours"] for peer in peers},
        "best_ratio": {peer: best[peer] / best["ours"] for peer in peers},
        "matrix_product_rate": peak,
        "share_of_matrix_product_rate": problem["operations"] / best["ours"] / peak,
    }


def main():
    rows = []
    for size in options.sizes.split(","):
        for dim in map(int, options.dims.split(",")):
            row = compare(size, dim)
            rows.append(row)
            columns = [
                f"{who} {1e3 * seconds:8.2f} ms (best {1e3 * row['best_seconds'][who]:.2f})"
                for who, seconds in row["median_seconds"].items()
            ]
            ratios = [f"{peer}/ours {ratio:5.2f} (best {row['best_ratio'][peer]:.2f})" for peer, ratio in row["ratio"].items()]
            share = f"{100 * row['share_of_matrix_product_rate']:.0f} % of the matrix-product rate"
            print(f"{size:6} d={dim:<4}", *columns, *ratios, share, sep="  ", flush=True)
    if options.out:
        partial = options.out.with_suffix(".partial")
        partial.write_text(json.dumps(rows, indent=2) + "\n")
        partial.replace(options.out)


main()
