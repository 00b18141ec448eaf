//! Everything that a run depends on.
//!
//! A run is its configuration and its seed: [`Config`] is read from TOML ([`Configuration::load`]), merged with a preset and
//! with overrides, checked ([`Configuration::validate`]) and written back whole into the run folder.

mod configuration;
mod load;
mod schema;
pub(crate) mod text;
pub(crate) mod validate;

pub use configuration::{Configuration, Length};
pub use flows::flow::Steps;
pub use flows::lipschitz::Lipschitz;
pub use load::ConfigError;
pub use schema::{
    Config, Critic, Data, Flow, Optimiser, Representation, Sampling, Schedule, StopWhen, Training,
};
