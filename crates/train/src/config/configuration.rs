//! What every kind of configuration has in common: reading, writing, and the run that it describes.

use super::ConfigError;
use super::load::{contents, merged};
use crate::TrainError;
use crate::training::Training;
use flows::device::Device;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::path::Path;

/// The length of a run and what it leaves on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// Iterations.
    pub iterations: u64,
    /// Iterations between two records of metrics.jsonl.
    pub log_every: u64,
    /// Iterations between two checkpoints.
    pub checkpoint_every: u64,
}

/// Everything that one kind of run depends on.
pub trait Configuration: Clone + PartialEq + Serialize + DeserializeOwned {
    /// The training that it describes.
    type Training: Training;

    /// Checks every value against its domain.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for the first value outside its domain, with the remedy.
    fn validate(&self) -> Result<(), ConfigError>;

    /// Name of the run; it may name folders.
    fn name(&self) -> &str;

    /// The length of the run.
    fn length(&self) -> Length;

    /// The same configuration with another seed.
    #[must_use]
    fn with_seed(self, seed: u64) -> Self;

    /// The training at its start.
    ///
    /// # Errors
    /// [`TrainError`] when the data cannot be had, the networks cannot be built or the device is not there.
    fn begin(&self, device: Device) -> Result<Self::Training, TrainError>;

    /// Reads a configuration file, merges a preset (`full` is the file itself) and overrides `key.path=value`, and
    /// checks the result.
    ///
    /// A preset is a table `[presets.NAME]` of dotted keys, such as `"training.iterations" = 200`.
    ///
    /// # Errors
    /// [`ConfigError`], naming the file, the key and the remedy.
    fn load(path: &Path, preset: Option<&str>, overrides: &[String]) -> Result<Self, ConfigError> {
        Self::parse(&contents(path)?, &path.display().to_string(), preset, overrides)
    }

    /// [`Configuration::load`] from a text; `origin` names it in errors.
    ///
    /// # Errors
    /// [`ConfigError`] as above.
    fn parse(
        text: &str,
        origin: &str,
        preset: Option<&str>,
        overrides: &[String],
    ) -> Result<Self, ConfigError> {
        let config: Self = merged(text, origin, preset, overrides)?;
        config.validate()?;
        Ok(config)
    }

    /// The configuration as TOML, every default written out.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] when a value has no TOML form (a path that is not UTF-8).
    fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string_pretty(self)
            .map_err(|e| ConfigError::Syntax { origin: "this configuration".into(), reason: e.to_string() })
    }

    /// Eight hexadecimal digits of the SHA-256 of [`Configuration::to_toml`] with seed 0: equal for runs that differ in
    /// their seed only.
    ///
    /// # Errors
    /// As [`Configuration::to_toml`].
    fn hash(&self) -> Result<String, ConfigError> {
        let text = self.clone().with_seed(0).to_toml()?;
        Ok(Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect())
    }
}
