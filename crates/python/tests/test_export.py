"""Exported functions, evaluated by other programs, against the flow itself."""

import importlib.util
import json
import pathlib

import numpy as np
import oplus
import pytest
from test_flow import CONFIG, CRITIC, PROGRAM, game, s_curve

# Some layers of sums of a dozen terms of order 1, in single precision on both sides.
SINGLE = 1e-5


def explicit(**settings):
    return CONFIG | {"representation": {"kind": "explicit", "hidden": [16, 16]} | settings}


def network(**settings):
    config = game("network")
    return config | {"representation": {"kind": "network", "hidden": [16, 16]} | settings}


MATCHING = {
    "representation": {"kind": "matching", "hidden": [16, 16]},
    "training": {"iterations": 10, "batch": 16, "optimiser": {"learning_rate": 1e-3}},
}
GENERATOR = {
    "kind": "generator",
    "generator": {"hidden": [16, 16], "batch_norm": True, "residual": True},
    "potentials": {"penalty": {"kind": "quadratic", "weight": 10.0}, "hidden": [8]},
    "update": {"kind": "flow", "epsilon": 0.3},
    "training": {"iterations": 12, "batch": 32, "critic_updates": 1, "log_every": 4}
    | {"optimiser": {"learning_rate": 1e-3}, "critic_optimiser": {"learning_rate": 1e-3}},
}


def cases():
    """A name, a configuration, a function of it, and what the flow says it is."""
    for activation in ("softplus", "sharp-softplus", "tanh"):
        yield f"map-{activation}", explicit(activation=activation), "map", lambda flow, x, t: flow.transport(x)
    identity = explicit(base="identity")
    yield "map-identity", identity, "map", lambda flow, x, t: flow.transport(x)
    quadratic = explicit(quadratic=True)
    yield "map-quadratic", quadratic, "map", lambda flow, x, t: flow.transport(x)
    yield "potential-quadratic", quadratic, "potential", lambda flow, x, t: flow.potential(x)[:, None]
    yield "potential-explicit", explicit(), "potential", lambda flow, x, t: flow.potential(x)[:, None]
    for activation in ("softplus", "sharp-softplus", "tanh"):
        yield f"velocity-{activation}", network(activation=activation), "velocity", lambda flow, x, t: flow.velocity(x, t)
    yield "potential-network", network(), "potential", lambda flow, x, t: flow.potential(x, t)[:, None]
    yield "velocity-direct", game("velocity"), "velocity", lambda flow, x, t: flow.velocity(x, t)
    yield "velocity-matching", MATCHING, "velocity", lambda flow, x, t: flow.velocity(x, t)
    # At the horizon the potential of a Hopf–Lax flow is its critic.
    yield "critic", game("hopf-lax"), "critic", lambda flow, x, t: flow.potential(x, flow.horizon)[:, None]
    bounded = game("hopf-lax") | {"critic": CRITIC | {"divergence": "kl"}}
    yield "critic-below", bounded, "critic", lambda flow, x, t: flow.potential(x, flow.horizon)[:, None]
    yield "generator", GENERATOR, "map", lambda flow, x, t: flow.transport(x)


NUMPY = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "MatMul": np.matmul,
    "Gemm": lambda a, weight, bias: a @ weight.T + bias,
    "Concat": lambda a, b: np.concatenate([a, b], axis=1),
    "Tanh": np.tanh,
    "Softplus": lambda a: np.logaddexp(np.float32(0), a),
    "Relu": lambda a: np.maximum(a, 0),
    "Sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "Sign": np.sign,
}


def of_safetensors(path, inputs):
    """What a few lines of numpy make of the file."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    head, numbers = json.loads(content[8 : 8 + length]), content[8 + length :]
    graph = json.loads(head.pop("__metadata__")["graph"])
    values = dict(zip((given["name"] for given in graph["inputs"]), inputs))
    for name, tensor in head.items():
        begin, end = tensor["data_offsets"]
        values[name] = np.frombuffer(numbers[begin:end], np.float32).reshape(tensor["shape"])
    for node in graph["nodes"]:
        values[node["output"]] = NUMPY[node["op"]](*(values[name] for name in node["inputs"]))
    return values[graph["output"]["name"]]


def of_onnx(path, inputs):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx").checker.check_model(str(path), full_check=True)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs)))[0]


def of_torch(path, inputs):
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    program = pathlib.Path(__file__).parents[3] / "examples/python/torch/load.py"
    spec = importlib.util.spec_from_file_location("load", program)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(path)(*(torch.from_numpy(rows) for rows in inputs)).numpy()


@pytest.mark.parametrize("evaluate", [of_safetensors, of_onnx, of_torch])
@pytest.mark.parametrize(("config", "function", "expected"), [case[1:] for case in cases()], ids=[case[0] for case in cases()])
def test_other_programs_compute_what_the_flow_does(config, function, expected, evaluate, tmp_path):
    flow = oplus.train(config, s_curve(200))
    path = tmp_path / ("f.onnx" if evaluate is of_onnx else "f.safetensors")
    assert flow.export(path, function) == function
    x = flow.initial(50, seed=1)
    inputs = [x.astype(np.float32)]
    if function in ("velocity", "potential") and "explicit" not in flow.config:
        inputs.append(np.full((50, 1), 0.5, np.float32))
    found, wanted = evaluate(path, inputs), expected(flow, inputs[0].astype(float), 0.5)
    if function == "potential" and "explicit" in flow.config:
        # Up to a constant.
        found, wanted = found - found.mean(), wanted - wanted.mean()
    assert found.dtype == np.float32 and found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=SINGLE * (1 + np.abs(wanted).max()))


def test_a_condition_is_given_to_the_export_as_its_user_writes_it(tmp_path):
    rows = s_curve(200)
    # Far from 0 and wide: as networks see it, it is another number.
    rows[:, 2] = 50 + 10 * rows[:, 2]
    flow = oplus.train(explicit() | {"condition": {"kind": "vector", "columns": 2}}, rows)
    path = tmp_path / "f.safetensors"
    assert flow.export(path, "map") == "map"
    x = flow.initial(50, seed=3)[:, :2]
    c = np.full((50, 1), 62.0)
    found = of_safetensors(path, [x.astype(np.float32), c.astype(np.float32)])
    wanted = flow.sample(50, seed=3, condition=62.0)[:, :2]
    np.testing.assert_allclose(found, wanted, atol=SINGLE * (1 + np.abs(wanted).max()))


def test_what_is_no_network_is_not_exported(tmp_path):
    flow = oplus.train(game("hopf-lax"), s_curve(200))
    with pytest.raises(oplus.InputError, match="export its critic"):
        flow.export(tmp_path / "f.onnx", "map")
    with pytest.raises(oplus.InputError, match="neither in .onnx nor"):
        flow.export(tmp_path / "f.txt")


@pytest.mark.skipif(PROGRAM is None, reason="OPLUS_PROGRAM names no program: run `cargo xtask python`")
def test_the_command_line_writes_the_same_file(tmp_path):
    import subprocess

    flow = oplus.train(CONFIG, s_curve(200), out=tmp_path / "run")
    for name in ("f.onnx", "f.safetensors"):
        flow.export(tmp_path / name)
        arguments = ["export", "run", "--format", name.split(".")[1], "--out", f"theirs-{name}"]
        done = subprocess.run([PROGRAM, *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0 and "the map from x [n, 3] to y [n, 3]" in done.stdout, done.stderr
        assert (tmp_path / f"theirs-{name}").read_bytes() == (tmp_path / name).read_bytes()
