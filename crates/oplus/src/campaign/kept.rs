//! What a campaign measures beside its runs, floors and references: kept in its folder, so that `--resume` need not measure
//! it again.

use crate::manifest::Manifest;
use crate::run_folder::write_json;
use anyhow::{Result, anyhow};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Name of the file in the folder of a campaign.
const KEPT_FILE: &str = "measured.json";

/// Values by what they were measured of.
#[derive(Debug)]
pub(crate) struct Kept {
    path: PathBuf,
    file: Mutex<File>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    /// The program that measured them: another one may measure otherwise.
    made_by: String,
    values: BTreeMap<String, Value>,
}

impl Kept {
    /// What a folder has of the program and the device that this manifest names; nothing where there is no such file.
    pub(crate) fn of(out: &Path, manifest: &Manifest) -> Self {
        let path = out.join(KEPT_FILE);
        let made_by = manifest.made_by();
        let found = fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str(&text).ok());
        let file = found.filter(|file: &File| file.made_by == made_by);
        let file = Mutex::new(file.unwrap_or(File { made_by, values: BTreeMap::new() }));
        Self { path, file }
    }

    /// What was measured of this; none where nothing was.
    pub(crate) fn get<T: DeserializeOwned>(&self, of: &str) -> Option<T> {
        let file = self.file.lock().ok()?;
        serde_json::from_value(file.values.get(of)?.clone()).ok()
    }

    /// What was measured of this, or what `measure` finds now, which is kept.
    pub(crate) fn or_measure<T: Serialize + DeserializeOwned>(
        &self,
        of: &str,
        measure: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if let Some(value) = self.get(of) {
            return Ok(value);
        }
        let value = measure()?;
        let mut file = self.file.lock().map_err(|_| anyhow!("another measurement has failed"))?;
        file.values.insert(of.to_owned(), serde_json::to_value(&value)?);
        write_json(&self.path, &*file)?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;
    use crate::manifest::Manifest;

    #[test]
    fn a_value_is_measured_once_by_each_program() {
        let out = tempfile::tempdir().unwrap();
        let program = Manifest { version: "1".into(), ..Manifest::default() };
        let measure = |manifest: &Manifest, value: f64| {
            Kept::of(out.path(), manifest).or_measure("moons", || Ok(vec![value, 0.1])).unwrap()
        };
        assert_eq!(measure(&program, 0.1 + 0.2), [0.1 + 0.2, 0.1]);
        assert_eq!(measure(&program, 5.0), [0.1 + 0.2, 0.1], "every bit of what was kept");
        let other = Manifest { version: "2".into(), ..Manifest::default() };
        assert_eq!(measure(&other, 7.0), [7.0, 0.1]);
        assert_eq!(Kept::of(out.path(), &other).get::<f64>("circles"), None);
        // What somebody has cut short is measured again.
        std::fs::write(out.path().join("measured.json"), "{\"made_by\": \"2").unwrap();
        assert_eq!(measure(&other, 8.0), [8.0, 0.1]);
    }
}
