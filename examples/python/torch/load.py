"""Loads what `cargo xtask export RUN --format safetensors --out FILE` has written, as a function of PyTorch.

python examples/python/torch/load.py FILE             # needs torch and safetensors
"""

import json
import sys

import torch
from safetensors import safe_open

OPERATIONS = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "MatMul": lambda a, b: a @ b,
    "Gemm": lambda a, weight, bias: a @ weight.T + bias,
    "Concat": lambda a, b: torch.cat([a, b], dim=1),
    "Tanh": torch.tanh,
    "Softplus": torch.nn.functional.softplus,
    "Relu": torch.relu,
    "Sigmoid": torch.sigmoid,
    "Sign": torch.sign,
}


def load(path):
    """The function of a file: rows [n, d] (and times [n, 1]) to rows, differentiable."""
    with safe_open(path, framework="pt") as file:
        graph = json.loads(file.metadata()["graph"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}

    def function(*rows):
        values = tensors | dict(zip((given["name"] for given in graph["inputs"]), rows))
        for node in graph["nodes"]:
            values[node["output"]] = OPERATIONS[node["op"]](*(values[name] for name in node["inputs"]))
        return values[graph["output"]["name"]]

    function.inputs = graph["inputs"]
    return function


if __name__ == "__main__":
    function = load(sys.argv[1])
    print(function(*(torch.zeros(2, given["columns"]) for given in function.inputs)))
