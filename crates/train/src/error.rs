//! What can go wrong with a run.

use crate::config::ConfigError;
use std::path::PathBuf;

/// An error of training, with the place and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A network, an integrator or a device.
    #[error(transparent)]
    Flow(#[from] flows::FlowError),
    /// Exact transport between clouds that have none.
    #[error(transparent)]
    Exact(#[from] ot_core::exact::ExactError),
    /// Samples that cannot be drawn.
    #[error(transparent)]
    Sample(#[from] datasets::SampleError),
    /// A data file that cannot be used.
    #[error(transparent)]
    Read(#[from] datasets::ReadError),
    /// A data set of others that cannot be used.
    #[error(transparent)]
    Data(#[from] datasets::DataError),
    /// A file that was not written.
    #[error(transparent)]
    Write(#[from] datasets::WriteError),
    /// A trajectory that cannot be measured.
    #[error(transparent)]
    Measure(#[from] mfg::MfgError),
    /// A trajectory that cannot be recorded.
    #[error(transparent)]
    Record(#[from] flows::record::RecordError),
    /// A measurement that the caller of a run has added failed.
    #[error("the run cannot be measured on its way: {0}")]
    Measurement(Box<dyn std::error::Error + Send + Sync>),
    /// An observer that the caller of a run has added failed.
    #[error("the run cannot be observed: {0}")]
    Observer(Box<dyn std::error::Error + Send + Sync>),
    /// The output folder is in use.
    #[error("{} holds another run: choose another folder, or resume that run", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that should hold a run does not.
    #[error("{} holds no run ({reason}): give the folder of a training", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// A run folder of another version.
    #[error(
        "{} was written in format {found}{writer}, and this version ({}) reads format {read}: \
         read it with the version that wrote it, or train again in a new folder",
        path.display(),
        env!("CARGO_PKG_VERSION")
    )]
    OtherVersion {
        /// The folder.
        path: PathBuf,
        /// The version of its format.
        found: u64,
        /// What wrote it, in parentheses; empty where that is not known.
        writer: String,
        /// The version of the format that can be read.
        read: u64,
    },
    /// A run is continued with another configuration.
    #[error(
        "{} was started with another configuration or other arrays: resume it without changes (its settings are in \
         config.toml), or choose a new folder",
        path.display()
    )]
    OtherConfiguration {
        /// The folder.
        path: PathBuf,
    },
    /// A checkpoint that cannot be read back.
    #[error("checkpoint {} is not usable ({reason}): delete it to fall back on an older one, or start again", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused.
    #[error("{} cannot be used ({source}): check the path and its permissions", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason given.
        source: std::io::Error,
    },
}
