//! The configuration in a run folder, under a digest that shows changes, and what may follow it.

use super::folder::{CONFIG_FILE, FORMAT, FORMAT_FIELD, MANIFEST_FILE};
use crate::TrainError;
use crate::config::{Config, Configuration, Points, Schedule};
use crate::digest::sha256;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// What the first line says before the digest of all others.
const SEAL: &str = "# SHA-256 of the lines below: ";

/// Writes the configuration of a run folder.
pub(super) fn write(config: &impl Configuration, folder: &Path) -> Result<(), TrainError> {
    let text = config.to_toml()?;
    let seal = format!("{SEAL}{}\n", sha256([text.as_bytes()]));
    datasets::write_whole(folder.join(CONFIG_FILE), |file| file.write_all((seal + &text).as_bytes()))?;
    Ok(())
}

/// The configuration of a run folder, of either kind.
///
/// # Errors
/// [`TrainError::NoRun`] when the folder holds no run, [`TrainError::OtherVersion`] for one of another version,
/// [`TrainError::EditedConfiguration`] when it is not as it was written, and what reading it reports.
pub fn stored_config(folder: &Path) -> Result<Config, TrainError> {
    let (text, origin) = unsealed(folder)?;
    Ok(Config::parse(&text, &origin, None, &[])?)
}

/// [`stored_config`] of a known kind.
pub(crate) fn stored<C: Configuration>(folder: &Path) -> Result<C, TrainError> {
    let (text, origin) = unsealed(folder)?;
    Ok(C::parse(&text, &origin, None, &[])?)
}

/// The text that was written, and its name in errors.
fn unsealed(folder: &Path) -> Result<(String, String), TrainError> {
    of_this_version(folder)?;
    let path = folder.join(CONFIG_FILE);
    let text = fs::read(&path).map_err(|source| TrainError::Io { path: path.clone(), source })?;
    let sealed = std::str::from_utf8(&text).ok().and_then(|text| text.strip_prefix(SEAL)?.split_once('\n'));
    match sealed {
        Some((seal, text)) if seal == sha256([text.as_bytes()]) => {
            Ok((text.to_owned(), path.display().to_string()))
        }
        _ => Err(TrainError::EditedConfiguration { path }),
    }
}

fn of_this_version(folder: &Path) -> Result<(), TrainError> {
    for name in [CONFIG_FILE, MANIFEST_FILE] {
        if !folder.join(name).is_file() {
            return Err(TrainError::NoRun { path: folder.into(), reason: format!("no {name}") });
        }
    }
    let manifest = manifest(folder)?;
    let found = manifest.get(FORMAT_FIELD).and_then(Value::as_u64).unwrap_or(1);
    if found == FORMAT {
        return Ok(());
    }
    let version = manifest.get("version").and_then(Value::as_str);
    let writer = version.map(|version| format!(" (by version {version})")).unwrap_or_default();
    Err(TrainError::OtherVersion { path: folder.into(), found, writer, read: FORMAT })
}

/// The manifest of a run folder; null where it is no JSON.
pub(super) fn manifest(folder: &Path) -> Result<Value, TrainError> {
    let path = folder.join(MANIFEST_FILE);
    let text = fs::read(&path).map_err(|source| TrainError::Io { path, source })?;
    Ok(serde_json::from_slice(&text).unwrap_or_default())
}

/// Checks that the run of a folder can go on as `config`: with the same settings, with data files that may have moved,
/// and for another number of iterations where neither a learning rate nor a part of the training depends on it.
pub(super) fn continues<C: Configuration>(stored: &C, config: &C, folder: &Path) -> Result<(), TrainError> {
    let moved = |stored: &Points, now: &Points| Some(stored.clone().in_the_place_of(now));
    let (data, initial) = (moved(stored.data(), config.data()), moved(stored.initial(), config.initial()));
    let stored = stored.clone().with_points(data, initial);
    if stored == *config {
        return Ok(());
    }
    let iterations = config.training().iterations;
    if stored.with_iterations(iterations) != *config {
        return Err(TrainError::OtherConfiguration { path: folder.into() });
    }
    if let Some(key) = config.divides_the_training() {
        return Err(TrainError::OtherLength { path: folder.into(), iterations, key });
    }
    let training = config.training();
    for (key, optimiser) in [
        ("training.optimiser.schedule", training.optimiser),
        ("training.critic_optimiser.schedule", training.critic_optimiser),
    ] {
        if optimiser.schedule != Schedule::Constant {
            return Err(TrainError::OtherLength { path: folder.into(), iterations, key });
        }
    }
    Ok(())
}
