//! Training of generative flows: configuration, optimiser, the adversarial loop, checkpoints and observers.
//!
//! | home | what |
//! | --- | --- |
//! | [`config`] | everything a run depends on, from TOML, presets and overrides |
//! | [`source`] | minibatches of the initial law and of the target, by seeded stream |
//! | [`optim`] | Adam with a state that can be saved, and learning-rate schedules |
//! | [`average`] | exponential moving average of parameters |
//! | [`player`] | one network with its optimiser and its average |
//! | [`adversarial`] | one iteration of the game: critic updates, then a flow update |
//! | [`training`] | what a run folder needs of a training |
//! | [`flow_run`] | the training of a flow with its live indicators |
//! | [`checkpoint`] | the whole state of a run in one file, written whole or not at all |
//! | [`observe`] | metrics.jsonl and the progress bar |
//! | [`run`] | the run folder: start, resume, finish |
//! | [`model`] | a trained run, loaded: samples, trajectories, slopes |
//! | [`w2fe`] | the gradient flow of ½·W2² on particles |

pub mod adversarial;
pub mod average;
mod backend;
pub mod checkpoint;
pub mod config;
pub mod error;
pub mod flow_run;
pub mod model;
pub mod observe;
pub mod optim;
pub mod player;
pub mod run;
pub mod source;
pub mod training;
pub mod w2fe;

pub use error::TrainError;
