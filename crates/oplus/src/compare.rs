//! Several run folders, read to be set side by side.

use crate::kinds::dataset;
use crate::page::floor_of;
use crate::run_folder::{RESULTS_FILE, results, results_of_training};
use anyhow::{Result, bail};
use eval::results::{Floor, Results, Row};
use measure::Records;
use metrics::{Metric, W2, W2_SQUARED};
use std::fs;
use std::path::{Path, PathBuf};
use train::Config;
use train::run::{CONFIG_FILE, stored_config};

/// How far above a run folder the results of its experiment may lie: out/table1/runs/FAMILY/ROW.
const ABOVE: usize = 4;

/// One of several runs.
pub(crate) struct Member {
    /// What tells it from the others.
    pub name: String,
    pub folder: PathBuf,
    pub config: Config,
    /// Keys and values of its configuration.
    settings: Vec<(String, String)>,
    /// What was measured; none of a run that is not finished.
    results: Option<Results>,
    pub records: Option<Records>,
    /// The floor of its target, its own or that of the experiment that it belongs to.
    floor: Option<Floor>,
}

impl Member {
    fn read(folder: &Path, name: String) -> Result<Self> {
        let config = stored_config(folder)?;
        let text = fs::read_to_string(folder.join(CONFIG_FILE))?;
        let mut settings = Vec::new();
        flatten("", &toml::Value::Table(text.parse()?), &mut settings);
        let results = results_of_training(folder)?;
        let row = results.as_ref().and_then(|results| results.rows.first());
        let floor = row.and_then(|row| floor(folder, row));
        Ok(Self {
            name,
            folder: folder.into(),
            config,
            settings,
            results,
            records: Records::read(folder).ok(),
            floor,
        })
    }

    /// Its result.
    pub(crate) fn row(&self) -> Option<&Row> {
        self.results.as_ref()?.rows.first()
    }

    /// The distance that it is judged by, with its value and its floor.
    pub(crate) fn judged(&self) -> Option<(&'static Metric, f64, f64)> {
        let (metrics, floor) = (&self.row()?.metrics, &self.floor.as_ref()?.metrics);
        let both = |metric: &'static Metric| {
            Some((metric, metrics.get(metric)?, floor.get(metric).filter(|floor| *floor > 0.0)?))
        };
        [W2_SQUARED, W2].into_iter().find_map(both)
    }

    /// How far it has come, of a run without a result.
    pub(crate) fn progress(&self) -> String {
        let iterations = self.config.training().iterations;
        match self.records.as_ref().and_then(Records::reached) {
            Some((step, seconds)) => {
                format!("not finished: {step} of {iterations} iterations in {seconds:.1} s.")
            }
            None => "not finished: there is no record yet.".into(),
        }
    }
}

/// The runs in folders, each under the shortest name that tells it from the others.
pub(crate) fn members(folders: &[PathBuf]) -> Result<Vec<Member>> {
    for (index, folder) in folders.iter().enumerate() {
        let same = |other: &PathBuf| {
            folder.canonicalize().is_ok_and(|path| other.canonicalize().is_ok_and(|o| o == path))
        };
        if folders.iter().take(index).any(same) {
            bail!("{} stands there twice: name different runs", folder.display());
        }
    }
    let names = names(folders);
    folders.iter().zip(names).map(|(folder, name)| Member::read(folder, name)).collect()
}

/// The name of a target.
pub(crate) fn target(member: &Member) -> String {
    match member.row() {
        Some(row) => format!("{} {}D", row.dataset, row.dim),
        None => match member.config.data().dim() {
            Some(dim) => format!("{} {dim}D", dataset(&member.config)),
            None => dataset(&member.config),
        },
    }
}

/// The keys that do not have one value in all runs, each with the values of all; a dash where a run does not have it.
pub(crate) fn differences(members: &[Member]) -> Vec<Vec<String>> {
    let mut keys: Vec<&String> = Vec::new();
    for (key, _) in members.iter().flat_map(|member| &member.settings) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let value = |member: &Member, key: &str| {
        let found = member.settings.iter().find(|(name, _)| name == key);
        found.map_or("–".to_owned(), |(_, value)| value.clone())
    };
    let row = |key: &String| {
        let values: Vec<String> = members.iter().map(|member| value(member, key)).collect();
        let differ = values.windows(2).any(|pair| matches!(pair, [a, b] if a != b));
        differ.then(|| std::iter::once(key.clone()).chain(values).collect())
    };
    keys.into_iter().filter_map(row).collect()
}

/// The floor that was measured with a row, or with the experiment around it.
fn floor(folder: &Path, row: &Row) -> Option<Floor> {
    let around = folder.canonicalize().ok()?;
    around.ancestors().take(1 + ABOVE).find_map(|folder| {
        let results = folder.join(RESULTS_FILE).is_file().then(|| results(folder).ok()).flatten()?;
        floor_of(&results.floors, &row.dataset, row.dim).cloned()
    })
}

/// The values of a table by their dotted keys.
fn flatten(key: &str, value: &toml::Value, found: &mut Vec<(String, String)>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(&key, value, found);
            }
        }
        toml::Value::String(text) => found.push((key.into(), text.clone())),
        other => found.push((key.into(), other.to_string())),
    }
}

/// As many of the last parts of each path as tell all apart.
fn names(folders: &[PathBuf]) -> Vec<String> {
    let parts = |folder: &PathBuf| -> Vec<String> {
        let folder = folder.canonicalize().unwrap_or(folder.clone());
        folder.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let all: Vec<Vec<String>> = folders.iter().map(parts).collect();
    let most = all.iter().map(Vec::len).max().unwrap_or(1);
    let short = |count: usize| -> Vec<String> {
        let last = |parts: &Vec<String>| {
            parts.iter().skip(parts.len().saturating_sub(count)).cloned().collect::<Vec<_>>()
        };
        all.iter().map(|parts| last(parts).join("/")).collect()
    };
    let apart = |names: &Vec<String>| {
        names.iter().enumerate().all(|(i, name)| !names.iter().take(i).any(|n| n == name))
    };
    (1..=most).map(short).find(apart).unwrap_or_else(|| short(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_long_as_they_have_to_be() {
        let of = |folders: &[&str]| names(&folders.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(of(&["out/a/runs/x", "out/a/runs/y"]), ["x", "y"]);
        assert_eq!(of(&["out/a/x", "out/b/x", "out/b/y"]), ["a/x", "b/x", "b/y"]);
    }

    #[test]
    fn tables_have_dotted_keys() {
        let text = "a = 1\n[b]\nc = [1, 2]\nd = { e = \"f\" }\n";
        let mut found = Vec::new();
        flatten("", &toml::Value::Table(text.parse().unwrap()), &mut found);
        let expected = [("a", "1"), ("b.c", "[1, 2]"), ("b.d.e", "f")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
}
