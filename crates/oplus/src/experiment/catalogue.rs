//! The experiments there are: a row is a configuration, embedded so that the program works anywhere.

use crate::nearest::nearest;
use anyhow::{Result, bail};
use eval::report::Published;
use serde::Deserialize;

/// An experiment.
#[derive(Debug)]
pub struct Experiment {
    pub name: &'static str,
    pub title: &'static str,
    pub rows: &'static [Setting],
    in_print: &'static str,
}

/// The configuration of a row.
#[derive(Debug)]
pub struct Setting {
    /// The folder: a family of settings.
    pub family: &'static str,
    /// The file without its ending: DATASET-DIMd-METHOD.
    pub stem: &'static str,
    pub text: &'static str,
}

/// The files of an experiment's folder below `configs`.
macro_rules! configurations {
    ($experiment:literal: $($family:literal / $stem:literal),* $(,)?) => {
        &[$(Setting {
            family: $family,
            stem: $stem,
            text: include_str!(concat!("../../../../configs/", $experiment, "/", $family, "/", $stem, ".toml")),
        }),*]
    };
}

const ALL: &[Experiment] = &[Experiment {
    name: "table1",
    title: "Table 1 of arXiv 2407.11901: W1 ⊕ W2 proximal flows on the pinwheel in 2, 7 and 12 dimensions",
    rows: configurations!("table1":
        "published" / "pinwheel-2d-w1w2",
        "published" / "pinwheel-2d-w1",
        "published" / "pinwheel-2d-w2",
        "published" / "pinwheel-2d-none",
        "published" / "pinwheel-7d-w1w2",
        "published" / "pinwheel-7d-w1",
        "published" / "pinwheel-7d-w2",
        "published" / "pinwheel-7d-none",
        "published" / "pinwheel-12d-w1w2",
        "published" / "pinwheel-12d-w1",
        "published" / "pinwheel-12d-w2",
        "published" / "pinwheel-12d-none",
        "tuned" / "pinwheel-2d-w1w2",
        "tuned" / "pinwheel-2d-w1",
        "tuned" / "pinwheel-2d-w2",
        "tuned" / "pinwheel-2d-none",
        "tuned" / "pinwheel-7d-w1w2",
        "tuned" / "pinwheel-7d-w1",
        "tuned" / "pinwheel-7d-w2",
        "tuned" / "pinwheel-7d-none",
        "tuned" / "pinwheel-12d-w1w2",
        "tuned" / "pinwheel-12d-w1",
        "tuned" / "pinwheel-12d-w2",
        "tuned" / "pinwheel-12d-none",
    ),
    in_print: include_str!("../../../../configs/table1/in-print.toml"),
}];

/// The experiment of this name.
pub fn find(name: &str) -> Result<&'static Experiment> {
    if let Some(experiment) = ALL.iter().find(|experiment| experiment.name == name) {
        return Ok(experiment);
    }
    let names: Vec<&str> = ALL.iter().map(|experiment| experiment.name).collect();
    let nearest = nearest(name, names.iter().copied()).unwrap_or_default();
    bail!("there is no experiment `{name}`: did you mean `{nearest}`? There are: {}", names.join(", "))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InPrint {
    number: Vec<Published>,
}

impl Experiment {
    /// The numbers of others.
    pub fn in_print(&self) -> Result<Vec<Published>> {
        Ok(toml::from_str::<InPrint>(self.in_print)?.number)
    }
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use std::collections::BTreeMap;
    use std::path::Path;
    use train::config::{Config, Configuration};

    #[test]
    fn what_is_embedded_is_what_lies_in_the_folder() {
        for experiment in ALL {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs").join(experiment.name);
            let mut files = BTreeMap::new();
            for family in std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()) {
                if !family.is_dir() {
                    continue;
                }
                for file in std::fs::read_dir(&family).unwrap().map(|entry| entry.unwrap().path()) {
                    let name = file.strip_prefix(&root).unwrap().with_extension("");
                    files.insert(name.to_str().unwrap().to_owned(), std::fs::read_to_string(&file).unwrap());
                }
            }
            let embedded: BTreeMap<_, _> = experiment
                .rows
                .iter()
                .map(|row| (format!("{}/{}", row.family, row.stem), row.text.to_owned()))
                .collect();
            assert_eq!(embedded.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
            assert!(embedded == files, "a configuration has changed since the build");
        }
    }

    #[test]
    fn every_row_is_valid_under_every_preset_and_named_after_its_file() {
        for experiment in ALL {
            experiment.in_print().unwrap();
            for row in experiment.rows {
                for preset in ["smoke", "quick", "full"] {
                    let config = Config::parse(row.text, row.stem, Some(preset), &[]).unwrap();
                    assert_eq!(config.name, format!("{}/{}/{}", experiment.name, row.family, row.stem));
                    let data = &config.data;
                    let prefix = format!("{}-{}d-", data.target.unwrap().name(), data.dim.unwrap());
                    assert!(row.stem.starts_with(&prefix), "{} is not about {prefix}", row.stem);
                }
            }
        }
    }
}
