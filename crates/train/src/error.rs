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
    /// A run is continued with another number of iterations, on which one of its settings depends.
    #[error(
        "{} cannot go on for {iterations} iterations: {key} stretches over the whole run, so that its first \
         iterations would have been others; train for {iterations} iterations in a new folder (only runs with \
         constant learning rates, and without rectifications and snapshots, can be continued for longer)",
        path.display()
    )]
    OtherLength {
        /// The folder.
        path: PathBuf,
        /// How many iterations were asked for.
        iterations: u64,
        /// The setting that depends on them.
        key: &'static str,
    },
    /// A run is continued for fewer iterations than it has done.
    #[error("{} has done {done} iterations, more than {iterations}: ask for at least as many", path.display())]
    Shorter {
        /// The folder.
        path: PathBuf,
        /// How many iterations were asked for.
        iterations: u64,
        /// How many there are.
        done: u64,
    },
    /// The configuration in a run folder is not the one that was written there.
    #[error(
        "{} is not as it was written, and what lies beside it belongs to what it was: undo the change, or train with the \
         changed configuration in a new folder",
        path.display()
    )]
    EditedConfiguration {
        /// The file.
        path: PathBuf,
    },
    /// A run is continued with other data.
    #[error(
        "{} is not what {} was begun with (SHA-256 {found} instead of {expected}): put the old contents back, or train in \
         a new folder",
        file.display(),
        path.display()
    )]
    OtherData {
        /// The data file.
        file: PathBuf,
        /// The folder of the run.
        path: PathBuf,
        /// The digest of the file.
        found: String,
        /// The digest in the manifest.
        expected: String,
    },
    /// Another process works on a run folder.
    #[error("{} is in use by another process: wait until it has ended, or stop it", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A checkpoint of another training.
    #[error("checkpoint {} is not usable ({reason}): delete it to fall back on an older one, or start again", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint that is not what was written.
    #[error("checkpoint {} is damaged ({reason}): resume the run, which goes on from the one before", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
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
