//! Everything that a run depends on.
//!
//! A run is its configuration and its seed: [`Config`] is read from TOML ([`Config::load`]), merged with a preset and
//! with overrides, checked ([`Config::validate`]) and written back whole into the run folder.

mod load;
mod schema;
mod text;
mod validate;

pub use load::ConfigError;
pub use schema::{
    Config, Critic, Data, Flow, Lipschitz, Optimiser, Sampling, Schedule, Steps, StopWhen, Training,
};
