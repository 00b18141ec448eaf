//! Small runs of every kind, as texts and changes: they are compared with themselves when they are interrupted, and with
//! libtorch.
#![allow(dead_code, reason = "who includes it takes what it needs")]

pub(crate) const FLOW: &str = r#"
kind = "flow"
name = "small"
[data]
kind = "target"
target = "pinwheel"
dim = 3
samples = 500
[flow]
horizon = 1.0
lambda = 0.5
steps = { min = 1, max = 4 }
[representation]
kind = "network"
hidden = [8, 8]
[critic]
divergence = "kl-donsker-varadhan"
lipschitz = { method = "penalty", form = "lp", weight = 1.0 }
hidden = [8]
[training]
iterations = 40
batch = 16
critic_updates = 2
optimiser = { learning_rate = 1e-3 }
critic_optimiser = { learning_rate = 1e-3 }
average = 0.9
log_every = 5
checkpoint_every = 10
"#;

/// Every way to represent a flow, to bend its paths and to hold its critic; the critic is smooth unless it says so.
pub(crate) const FLOWS: [&[&str]; 8] = [
    &[],
    &["representation.kind=exact-terminal", "flow.terminal_gradient=0.1"],
    &["representation.kind=velocity", "flow.velocity_spread=0.1"],
    &["representation={ kind = \"hopf-lax\", refinements = 4, hidden = [8, 8] }", "flow.steps=1"],
    &["flow.noise=0.5", "flow.interaction={ kind = \"gaussian\", weight = 0.3, width = 0.5 }"],
    &["critic.lipschitz={ method = \"spectral\" }", "flow.hamilton_jacobi=0.1"],
    &["critic.lipschitz={ method = \"orthonormal\" }", "critic.activation=relu", "flow.characteristic=0.1"],
    &[
        "data.dim=4",
        "representation.convolutions={ image = [2, 2, 1], channels = [3, 2], kernel = 3, pooling = 1 }",
        "critic.convolutions={ image = [2, 2, 1], channels = [3], kernel = 3, pooling = 2 }",
    ],
];

/// Without what judges the generated points: [`generator`] puts it in.
const GENERATOR: &str = r#"
kind = "generator"
name = "ring"
[data]
kind = "target"
target = "ring"
dim = 2
balanced = true
[initial]
kind = "normal"
std = 0.5
dim = 2
[generator]
hidden = [8, 8]
batch_norm = true
residual = true
[update]
kind = "flow"
epsilon = 0.3
persistence = 2
[training]
iterations = 40
batch = 16
critic_updates = 2
optimiser = { learning_rate = 1e-3 }
critic_optimiser = { learning_rate = 1e-3 }
average = 0.9
log_every = 5
checkpoint_every = 10
"#;

const POTENTIALS: &str = r#"
[potentials]
psi = "minus-phi"
penalty = { kind = "quadratic", weight = 20.0 }
interpolated = true
equality = 1.0
hidden = [8, 8]
activation = "softplus"
"#;
const LP: &str = r#"
[critic]
divergence = "w1"
lipschitz = { method = "penalty", form = "lp", weight = 5.0 }
hidden = [8, 8]
activation = "softplus"
"#;
const JENSEN_SHANNON: &str = r#"
[critic]
divergence = "jensen-shannon"
lipschitz = { method = "none" }
hidden = [8, 8]
activation = "softplus"
"#;

/// A generator with its rivals: name, what judges the generated points, and changes.
pub(crate) type Method = (&'static str, &'static str, &'static [&'static str]);

/// W2-FE and its rivals.
pub(crate) const GENERATORS: [Method; 9] = [
    ("W2-FE", POTENTIALS, &[]),
    (
        "W2-FE by Adams–Bashforth",
        POTENTIALS,
        &["update.scheme=adams-bashforth", "potentials.pairing=all", "generator.batch_norm=false"],
    ),
    (
        "W2GAN",
        POTENTIALS,
        &["update={ kind = \"direct\" }", "generator.output={ kind = \"tanh\", scale = 2.0 }"],
    ),
    ("W1-FE", LP, &[]),
    (
        "W1-FE by orthonormal layers",
        LP,
        &["critic.lipschitz={ method = \"orthonormal\" }", "critic.activation=relu"],
    ),
    ("W1-FE, gradient penalty", LP, &["critic.lipschitz.form=gp"]),
    ("WGAN-GP", LP, &["critic.lipschitz.form=gp", "update={ kind = \"direct\" }"]),
    ("GAN", JENSEN_SHANNON, &["update={ kind = \"direct\" }"]),
    ("GAN, non-saturating", JENSEN_SHANNON, &["update={ kind = \"non-saturating\" }"]),
];

/// The text of a generator that a judge trains.
pub(crate) fn generator(judge: &str) -> String {
    GENERATOR.replace("[update]", &format!("{judge}[update]"))
}

/// Changes as a configuration takes them.
pub(crate) fn changes<'a>(changes: impl IntoIterator<Item = &'a &'a str>) -> Vec<String> {
    changes.into_iter().map(|&change| change.to_owned()).collect()
}
