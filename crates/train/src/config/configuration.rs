//! What every kind of configuration has in common: reading, writing, and the run that it describes.

use super::keys::only_its_own;
use super::load::{Document, contents, folder_of};
use super::{Condition, ConfigError, Kind, Points, Training};
use crate::TrainError;
use crate::digest::sha256;
use crate::reach::Reach;
use crate::source::Source;
use crate::training;
use flows::device::Device;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Everything that one kind of run depends on.
pub trait Configuration: Clone + PartialEq + Serialize + DeserializeOwned {
    /// What a file of this kind says of itself.
    const KIND: Kind;

    /// The training that it describes.
    type Training: training::Training;

    /// Checks every value against its domain.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for the first value outside its domain, with the remedy.
    fn validate(&self) -> Result<(), ConfigError>;

    /// Name of the run; it may name folders.
    fn name(&self) -> &str;

    /// Seed of every random stream.
    fn seed(&self) -> u64;

    /// The same configuration with another seed.
    #[must_use]
    fn with_seed(self, seed: u64) -> Self;

    /// The data, which is the target π.
    fn data(&self) -> &Points;

    /// What is moved to the data: the initial law ρ₀.
    fn initial(&self) -> &Points;

    /// What the points are conditioned on, if on anything.
    fn condition(&self) -> Option<&Condition> {
        None
    }

    /// The same configuration with other points where they are given.
    #[must_use]
    fn with_points(self, data: Option<Points>, initial: Option<Points>) -> Self;

    /// The same configuration, with relative paths of its points taken from `folder`.
    #[must_use]
    fn located(self, folder: &Path) -> Self {
        let (data, initial) = (self.data().clone().located(folder), self.initial().clone().located(folder));
        self.with_points(Some(data), Some(initial))
    }

    /// The loop.
    fn training(&self) -> &Training;

    /// The same configuration for another number of iterations.
    #[must_use]
    fn with_iterations(self, iterations: u64) -> Self;

    /// A key that is in use and divides the iterations of the whole training into parts.
    fn divides_the_training(&self) -> Option<&'static str> {
        None
    }

    /// Whether points can travel as far as they have to, of a flow whose points have a longest way.
    ///
    /// # Errors
    /// As [`Reach::of`].
    fn reach(&self, _source: &Source) -> Result<Option<Reach>, TrainError> {
        Ok(None)
    }

    /// The training at its start.
    ///
    /// # Errors
    /// [`TrainError`] when the points do not fit each other, the networks cannot be built or the device is not there.
    fn begin(&self, source: Source, device: Device) -> Result<Self::Training, TrainError>;

    /// Reads a configuration file, merges a preset (`full` is the file itself) and overrides `key.path=value`, and
    /// checks the result; a relative path of its points is one from the folder of the file.
    ///
    /// A preset is a table `[presets.NAME]` of dotted keys, such as `"training.iterations" = 200`.
    ///
    /// # Errors
    /// [`ConfigError`], naming the file, the key and the remedy.
    fn load(path: &Path, preset: Option<&str>, overrides: &[String]) -> Result<Self, ConfigError> {
        let config = Self::parse(&contents(path)?, &path.display().to_string(), preset, overrides)?;
        Ok(config.located(folder_of(path)))
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
        Document::new(text, origin, preset, overrides)?.read()
    }

    /// The configuration as TOML, every default of a key that it has written out.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] when a value has no TOML form (a path that is not UTF-8).
    fn to_toml(&self) -> Result<String, ConfigError> {
        let refused = |e: toml::ser::Error| ConfigError::Syntax {
            origin: "this configuration".into(),
            reason: e.to_string(),
        };
        let mut table = toml::Table::try_from(self).map_err(refused)?;
        only_its_own(Self::KIND, &mut table);
        let fields = toml::to_string_pretty(&table).map_err(refused)?;
        Ok(format!("kind = \"{}\"\n{fields}", Self::KIND))
    }

    /// Eight hexadecimal digits of the SHA-256 of [`Configuration::to_toml`] with seed 0: equal for runs that differ in
    /// their seed only.
    ///
    /// # Errors
    /// As [`Configuration::to_toml`].
    fn hash(&self) -> Result<String, ConfigError> {
        let text = self.clone().with_seed(0).to_toml()?;
        Ok(sha256([text.as_bytes()]).chars().take(8).collect())
    }
}
