//! A configuration of any kind.

use super::load::{Document, contents, folder_of};
use super::{ConfigError, Configuration, CriticConfig, FlowConfig, GeneratorConfig, Points, Training};
use std::fmt;
use std::path::Path;

/// What a configuration describes, as its key `kind` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A flow.
    Flow,
    /// A generator.
    Generator,
    /// A critic alone.
    Critic,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Flow, Self::Generator, Self::Critic];

    /// The name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Generator => "generator",
            Self::Critic => "critic",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A configuration of any kind.
///
/// ```
/// use train::config::Config;
/// let error = Config::parse("name = \"mine\"", "mine.toml", None, &[]).unwrap_err();
/// assert!(error.to_string().contains("kind = \"flow\""));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Config {
    /// Of a flow.
    Flow(Box<FlowConfig>),
    /// Of a generator.
    Generator(Box<GeneratorConfig>),
    /// Of a critic alone.
    Critic(Box<CriticConfig>),
}

/// The same expression for the configuration within.
macro_rules! either {
    ($config:expr, $inner:ident => $value:expr) => {
        match $config {
            Config::Flow($inner) => $value,
            Config::Generator($inner) => $value,
            Config::Critic($inner) => $value,
        }
    };
}

impl Config {
    /// As [`Configuration::load`].
    ///
    /// # Errors
    /// [`ConfigError`], naming the file, the key and the remedy.
    pub fn load(path: &Path, preset: Option<&str>, overrides: &[String]) -> Result<Self, ConfigError> {
        let folder = folder_of(path);
        Ok(match Self::parse(&contents(path)?, &path.display().to_string(), preset, overrides)? {
            Self::Flow(config) => Self::Flow(Box::new(config.located(folder))),
            Self::Generator(config) => Self::Generator(Box::new(config.located(folder))),
            Self::Critic(config) => Self::Critic(Box::new(config.located(folder))),
        })
    }

    /// As [`Configuration::parse`].
    ///
    /// # Errors
    /// [`ConfigError`] as above.
    pub fn parse(
        text: &str,
        origin: &str,
        preset: Option<&str>,
        overrides: &[String],
    ) -> Result<Self, ConfigError> {
        let document = Document::new(text, origin, preset, overrides)?;
        Ok(match document.kind()? {
            Kind::Flow => Self::Flow(Box::new(document.read()?)),
            Kind::Generator => Self::Generator(Box::new(document.read()?)),
            Kind::Critic => Self::Critic(Box::new(document.read()?)),
        })
    }

    /// What it describes.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Flow(_) => Kind::Flow,
            Self::Generator(_) => Kind::Generator,
            Self::Critic(_) => Kind::Critic,
        }
    }

    /// Name of the run.
    pub fn name(&self) -> &str {
        either!(self, config => config.name())
    }

    /// Seed of every random stream.
    pub fn seed(&self) -> u64 {
        either!(self, config => config.seed())
    }

    /// The data.
    pub fn data(&self) -> &Points {
        either!(self, config => config.data())
    }

    /// What is moved to the data.
    pub fn initial(&self) -> &Points {
        either!(self, config => config.initial())
    }

    /// The loop.
    pub fn training(&self) -> &Training {
        either!(self, config => config.training())
    }

    /// As [`Configuration::hash`].
    ///
    /// # Errors
    /// As [`Configuration::to_toml`].
    pub fn hash(&self) -> Result<String, ConfigError> {
        either!(self, config => config.hash())
    }
}
