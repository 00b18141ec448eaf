//! Everything that a run depends on.
//!
//! A run is its configuration and its seed. A [`FlowConfig`], a [`GeneratorConfig`] or a [`CriticConfig`] is read from TOML
//! ([`Configuration::load`]), merged with a preset and with overrides, checked ([`Configuration::validate`]) and
//! written back whole into the run folder; [`Config`] is any of them, as the key `kind` of the file says. All have the same
//! sections
//! `data`, `initial` ([`Points`]) and `training` ([`Training`]), and describe a critic in the same words
//! ([`flows::critic::CriticDescription`]).

mod any;
mod condition;
mod configuration;
mod critic;
mod flow;
mod generator;
mod keys;
mod load;
mod points;
mod seed;
mod training;
mod validate;

pub use any::{Config, Kind};
pub use condition::Condition;
pub use configuration::Configuration;
pub use critic::{CriticConfig, CriticForm};
pub use flow::{FlowConfig, Sampling, StopWhen};
pub use generator::{Dual, GeneratorConfig, GeneratorDescription, Update};
pub use keys::{Fault, reference};
pub use load::ConfigError;
pub use points::{Points, Scaling};
pub use training::{Optimiser, Schedule, Training};
