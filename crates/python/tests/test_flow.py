"""Flows from Python: the same bits as the command line's, and everything a flow is asked for."""

import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import numpy as np
import oplus
import pytest

PROGRAM = os.environ.get("OPLUS_PROGRAM")
CONFIG = {
    "name": "small",
    "seed": 3,
    "flow": {"horizon": 2.0, "lambda": 0.5},
    "representation": {"kind": "explicit", "hidden": [16, 16]},
    "training": {"iterations": 60, "batch": 32, "log_every": 20},
}
CRITIC = {
    "divergence": "kl-donsker-varadhan",
    "hidden": [16, 16],
    "lipschitz": {"method": "penalty", "form": "lp", "weight": 10.0},
}


def s_curve(n, seed=0):
    rng = np.random.default_rng(seed)
    t = 3 * np.pi * (rng.uniform(size=n) - 0.5)
    return np.stack([np.sin(t), 2 * rng.uniform(size=n), np.sign(t) * (np.cos(t) - 1)], axis=1)


@pytest.fixture(scope="module")
def flow():
    return oplus.train(CONFIG, s_curve(300))


def game(representation):
    training = {"critic_updates": 2, "optimiser": {"learning_rate": 1e-3}, "critic_optimiser": {"learning_rate": 1e-3}}
    return CONFIG | {
        "flow": {"horizon": 2.0, "lambda": 0.5, "steps": 3},
        "representation": {"kind": representation, "hidden": [16]},
        "critic": CRITIC,
        "training": {"iterations": 10, "batch": 16, "log_every": 5} | training,
    }


TOML = """
kind = "flow"
name = "small"
seed = 3
data = { kind = "file", file = "points.npy" }
flow = { horizon = 2.0, lambda = 0.5 }
representation = { kind = "explicit", hidden = [16, 16] }
training = { iterations = 60, batch = 32, log_every = 20 }
"""


@pytest.mark.skipif(PROGRAM is None, reason="OPLUS_PROGRAM names no program: run `cargo xtask python`")
def test_samples_are_those_of_the_command_line_to_the_bit(flow, tmp_path):
    np.save(tmp_path / "points.npy", s_curve(300))
    (tmp_path / "small.toml").write_text(TOML)

    def command(*arguments):
        done = subprocess.run([PROGRAM, *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    command("train", "small.toml", "--out", "run")
    command("sample", "run", "--n", "50", "--seed", "7", "--out", "samples.npy")
    theirs = np.load(tmp_path / "samples.npy")
    np.testing.assert_array_equal(flow.sample(50, seed=7), theirs)
    # The same file from Python, and the folder that the command line has left.
    np.testing.assert_array_equal(oplus.train(tmp_path / "small.toml").sample(50, seed=7), theirs)
    loaded = oplus.Flow.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.sample(50, seed=7), theirs)
    np.testing.assert_array_equal(np.load(tmp_path / "run" / "held-out.npy"), flow.held_out)
    # And the other way round: the command line samples what Python has trained.
    oplus.train(CONFIG, s_curve(300), out=tmp_path / "mine")
    command("sample", "mine", "--n", "50", "--seed", "7", "--out", "again.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "again.npy"), theirs)


def test_a_flow_answers_what_it_is_asked(flow):
    start = flow.initial(40, seed=5)
    ends = flow.transport(start)
    np.testing.assert_array_equal(flow.sample(40, seed=5), ends)
    assert flow.dim == 3 and flow.horizon == 2.0 and flow.iteration == 60
    # Paths are straight; samples are made in single precision, and the scale is about 1.
    np.testing.assert_allclose(start + 2.0 * flow.velocity(start), ends, atol=1e-5)
    paths = flow.trajectory(start, steps=4)
    assert paths.shape == (5, 40, 3)
    np.testing.assert_allclose(paths[2], (start + ends) / 2, atol=1e-5)
    assert flow.potential(start, t=0.5).shape == flow.log_prob(ends).shape == (40,)
    assert flow.inverse(ends).shape == (40, 3)
    assert 'kind = "explicit"' in flow.config and "small" in repr(flow)


def test_the_density_of_a_gaussian_flow_is_that_of_its_gaussian():
    # One iteration leaves nearly the Gaussian map that an explicit flow begins with.
    rng = np.random.default_rng(0)
    points = rng.normal(size=(4000, 2)) * [2.0, 0.5] + [10.0, -3.0]
    settings = {"training": {"iterations": 1, "optimiser": {"learning_rate": 1e-12}}}
    flow = oplus.train(CONFIG | settings, points)
    training = points  # A tenth is held out, and changes moments by a few per cent of their error.
    mean, covariance = training.mean(axis=0), np.cov(training.T)
    y = points[:200]
    from scipy.stats import multivariate_normal

    expected = multivariate_normal(mean, covariance).logpdf(y)
    # The network that training begins with adds to the Gaussian map; the sample's moments are off by 1/sqrt(4000).
    assert np.median(np.abs(flow.log_prob(y) - expected)) < 0.2


def test_records_reach_the_callback_and_false_ends_the_training():
    seen = []

    def callback(record):
        seen.append(record)
        return record["step"] < 40

    flow = oplus.train(CONFIG, s_curve(300), callback=callback)
    assert [record["step"] for record in seen] == [20, 40]
    assert flow.outcome["status"] == "interrupted" and flow.outcome["iterations"] == 40
    assert flow.records == seen and len(seen[0]) > 3


def test_what_a_callback_raises_is_raised():
    def callback(record):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        oplus.train(CONFIG, s_curve(300), callback=callback)


def test_an_interrupted_run_goes_on_to_the_same_bits(flow, tmp_path):
    oplus.train(CONFIG, s_curve(300), out=tmp_path / "run", callback=lambda record: record["step"] < 20)
    resumed = oplus.train(CONFIG, s_curve(300), out=tmp_path / "run", resume=True)
    np.testing.assert_array_equal(resumed.sample(30), flow.sample(30))
    with pytest.raises(oplus.RunError, match="holds another run"):
        oplus.train(CONFIG, s_curve(300), out=tmp_path / "run")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_raises_keyboard_interrupt_and_keeps_the_state(tmp_path):
    program = f"""
        import signal, sys
        # A shell starts what goes on in the background with the signal ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
        import oplus
        from test_flow import CONFIG, s_curve
        long = CONFIG | {{"training": CONFIG["training"] | {{"iterations": 10**9}}}}
        first = lambda record: print("begun", flush=True)
        try:
            oplus.train(long, s_curve(300), out="run", callback=first)
        except KeyboardInterrupt:
            print("interrupted", oplus.Flow.load("run").iteration > 0, flush=True)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "begun\n"
    child.send_signal(signal.SIGINT)
    output, _ = child.communicate(timeout=60)
    assert output.splitlines()[-1] == "interrupted True" and child.returncode == 0


def test_points_of_another_dimension_are_refused(flow):
    for question in (flow.transport, flow.velocity, flow.potential, flow.inverse, flow.log_prob):
        with pytest.raises(oplus.InputError, match="give points of 3 coordinates"):
            question(np.zeros((4, 2)))


def test_the_ends_of_every_flow_have_their_starts_but_where_noise_moves_it():
    for kind in ["hopf-lax", "network"]:
        flow = oplus.train(game(kind), s_curve(200))
        start = flow.initial(5)
        assert flow.velocity(start).shape == (5, 3)
        # Ends are searched, or moved, in single precision.
        np.testing.assert_allclose(flow.inverse(flow.transport(start)), start, atol=1e-3)
    noisy = oplus.train(game("network"), s_curve(200), changes={"flow.noise": 0.1})
    assert np.isfinite(noisy.sample(5, steps=7)).all()
    with pytest.raises(oplus.InputError, match="noise"):
        noisy.inverse(np.zeros((1, 3)))


def test_numbers_of_numpy_and_paths_are_settings():
    config = CONFIG | {"seed": np.int64(3), "flow": {"horizon": np.float64(2.0), "lambda": 0.5, "steps": None}}
    config["representation"] = {"kind": "explicit", "hidden": np.array([16, 16])}
    np.testing.assert_array_equal(
        oplus.train(config, s_curve(300)).sample(5), oplus.train(CONFIG, s_curve(300)).sample(5)
    )
    other = oplus.train(CONFIG, s_curve(300), changes={"flow.lambda": 0.25, "training.iterations": 5})
    assert other.iteration == 5 and "lambda = 0.25" in other.config


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"flow": {"lamda": 1.0}}, "flow.lamda"),
        ({"flow": {"lambda": -1.0}}, "lambda"),
        ({"training": {"batch": {1, 2}}}, "training.batch is of type set"),
        (3, "the configuration is of type int"),
        ("nowhere.toml", "nowhere.toml cannot be read"),
    ],
)
def test_wrong_configurations_are_said_in_the_words_of_the_command_line(config, sentence):
    with pytest.raises(oplus.InputError, match=sentence):
        oplus.train(config, s_curve(50))


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(oplus.RunError, match="holds no run"):
        oplus.Flow.load(tmp_path)


def test_warnings_about_data_are_warnings():
    points = s_curve(100)
    points[:, 0] = np.arange(100)
    with pytest.warns(UserWarning, match="counts the rows"):
        oplus.train(CONFIG, points)
