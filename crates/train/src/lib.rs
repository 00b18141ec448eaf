//! Training of generative flows: configuration, optimiser, the adversarial loop, checkpoints and observers.
//!
//! A [`Run`] of a [`FlowConfig`], of a [`GeneratorConfig`] or of a [`CriticConfig`] trains, in a folder or in memory, and gives a [`Model`].
//!
//! | home | what |
//! | --- | --- |
//! | [`config`] | everything a run depends on, from TOML, presets and overrides |
//! | [`run`] | a run: what it is given, its folder, its observers |
//! | [`observe`] | what follows a run: metrics.jsonl and other formats of the records, the progress bar, your own |
//! | [`reach`] | whether points can travel as far as they have to |
//! | [`outcome`] | how a run ends |
//! | [`model`] | what a run leaves: samples, trajectories, slopes |
//! | [`source`] | minibatches of the data and of the initial points, by seeded stream |
//! | [`optim`] | Adam with a state that can be saved, and learning-rate schedules |
//! | [`average`] | exponential moving average of parameters |
//! | [`player`] | one network with its optimiser and its average |
//! | [`adversarial`] | one iteration of the game: critic updates, then a flow update |
//! | [`training`] | what a run needs of a training |
//! | [`flow_run`] | the training of a flow with its live indicators |
//! | [`explicit`] | the training of an explicit flow |
//! | [`likelihood`] | the training of an OT-Flow by its likelihood |
//! | [`critic`] | the training of a critic alone, between two laws |
//! | [`matching`] | the training by flow matching |
//! | [`classifier`] | the classifier that scores generated images |
//! | [`export`] | functions of a trained model for other programs |
//! | [`checkpoint`] | the whole state of a training in one file, written whole or not at all, under its digest |
//! | [`digest`] | SHA-256 of what a run depends on |
//! | [`w2fe`] | the gradient flow of ½·W2² on particles |

pub mod adversarial;
pub mod average;
mod backend;
pub mod checkpoint;
pub mod classifier;
pub mod config;
mod coordinates;
pub mod critic;
pub mod digest;
pub mod error;
pub mod explicit;
pub mod export;
pub mod flow_run;
pub mod likelihood;
pub mod matching;
pub mod model;
pub mod observe;
pub mod optim;
pub mod outcome;
pub mod player;
mod protobuf;
pub mod reach;
mod remembered;
pub mod run;
pub mod source;
pub mod training;
pub mod w2fe;

pub use config::{Config, Configuration, CriticConfig, FlowConfig, GeneratorConfig};
pub use error::TrainError;
pub use model::Model;
pub use run::Run;

/// The program of the page that the registry shows is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
