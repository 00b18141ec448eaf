//! A configuration of either kind: a flow, or a generator.

use datasets::DigitSet;
use datasets::manifest::cache_root;
use eval::results::Protocol;
use measure::RING_POINTS;
use std::path::{Path, PathBuf};
use train::config::{Config, ConfigError, Configuration};
use train::w2fe::config::{Config as GeneratorConfig, Points};

/// What a configuration file describes: with a table `[generator]` a generator, else a flow.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyConfig {
    Flow(Box<Config>),
    Generator(Box<GeneratorConfig>),
}

impl AnyConfig {
    pub fn load(path: &Path, preset: Option<&str>, overrides: &[String]) -> Result<Self, ConfigError> {
        // What is wrong with a file that cannot be read is said by the reader of flows.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if is_generator(&text) {
            return GeneratorConfig::load(path, preset, overrides).map(|c| Self::Generator(Box::new(c)));
        }
        Config::load(path, preset, overrides).map(|c| Self::Flow(Box::new(c)))
    }

    pub fn parse(
        text: &str,
        origin: &str,
        preset: Option<&str>,
        overrides: &[String],
    ) -> Result<Self, ConfigError> {
        if is_generator(text) {
            let config = GeneratorConfig::parse(text, origin, preset, overrides)?;
            return Ok(Self::Generator(Box::new(config)));
        }
        Ok(Self::Flow(Box::new(Config::parse(text, origin, preset, overrides)?)))
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Flow(config) => &config.name,
            Self::Generator(config) => &config.name,
        }
    }

    pub fn seed(&self) -> u64 {
        match self {
            Self::Flow(config) => config.seed,
            Self::Generator(config) => config.seed,
        }
    }

    pub fn hash(&self) -> Result<String, ConfigError> {
        match self {
            Self::Flow(config) => config.hash(),
            Self::Generator(config) => config.hash(),
        }
    }

    /// The name of the data.
    pub fn dataset(&self) -> String {
        let of_file =
            |file: &Path| file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        match self {
            Self::Flow(config) => match (&config.data.target, &config.data.file) {
                (Some(target), _) => target.name().into(),
                (None, Some(file)) => of_file(file),
                (None, None) => String::new(),
            },
            Self::Generator(config) => match (&config.start, &config.data) {
                (Points::Digits { set: start, .. }, Points::Digits { set, .. }) => direction(*start, *set),
                (_, Points::Digits { set, .. }) => set.name().into(),
                (_, Points::Target { target, .. }) => target.name().into(),
                (_, Points::Noise { .. }) => "noise".into(),
                (_, Points::File { file }) => of_file(file),
            },
        }
    }

    /// The names of the digit sets that the run reads.
    pub fn digit_sets(&self) -> Vec<&'static str> {
        let Self::Generator(config) = self else { return Vec::new() };
        let name = |points: &Points| match points {
            Points::Digits { set, .. } => Some(set.name()),
            _ => None,
        };
        [&config.start, &config.data].into_iter().filter_map(name).collect()
    }

    /// The files that the run reads, each with the name under which its digest is kept.
    pub fn data_files(&self) -> Vec<(String, PathBuf)> {
        match self {
            Self::Flow(config) => config.data.file.iter().map(|file| own_file(file)).collect(),
            Self::Generator(config) => [&config.start, &config.data].into_iter().flat_map(files).collect(),
        }
    }

    /// Multiplications of the training up to a factor: what takes long is started first.
    pub fn work(&self) -> u64 {
        let (iterations, batch, updates) = match self {
            Self::Flow(config) => (config.training.iterations, config.training.batch, config.critic.updates),
            Self::Generator(config) => {
                (config.training.iterations, config.training.batch, config.critic.updates)
            }
        };
        iterations * batch as u64 * (1 + updates as u64)
    }

    /// How clouds are measured under a preset.
    pub fn protocol(&self, preset: &str) -> Protocol {
        let (pairs, exact_points) = match self {
            Self::Flow(_) => {
                return match preset {
                    "smoke" => Protocol::SMOKE,
                    "quick" => Protocol::QUICK,
                    _ => Protocol::FULL,
                };
            }
            Self::Generator(config) => match (&config.start, preset) {
                (Points::Digits { .. }, "smoke") => (1, 200),
                (Points::Digits { .. }, "quick") => (1, 1000),
                (Points::Digits { .. }, _) => (2, 2000),
                (_, "smoke") => (2, RING_POINTS),
                (_, "quick") => (4, RING_POINTS),
                _ => (8, RING_POINTS),
            },
        };
        Protocol { pairs, exact_points, sinkhorn_points: 0, sinkhorn_points_as_published: 0 }
    }
}

/// Between source and target in the name of a pair of digit sets.
pub const DIRECTION: char = '→';

/// The name of a pair of digit sets.
pub fn direction(start: DigitSet, target: DigitSet) -> String {
    format!("{start}{DIRECTION}{target}")
}

fn is_generator(text: &str) -> bool {
    text.parse::<toml::Table>().is_ok_and(|table| table.contains_key("generator"))
}

fn files(points: &Points) -> Vec<(String, PathBuf)> {
    match points {
        Points::File { file } => vec![own_file(file)],
        Points::Digits { set, .. } => {
            let folder = cache_root(Path::new(".")).join(set.name());
            let files = set.data_set().map_or(&[][..], |data_set| data_set.files);
            files.iter().map(|file| (format!("{set}/{}", file.name), folder.join(file.name))).collect()
        }
        Points::Target { .. } | Points::Noise { .. } => Vec::new(),
    }
}

fn own_file(file: &Path) -> (String, PathBuf) {
    (file.display().to_string(), file.into())
}
