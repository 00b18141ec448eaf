//! The experiments there are: a row is a configuration, embedded so that the program works anywhere.

use crate::kinds;
use crate::nearest::nearest;
use anyhow::{Context, Result, bail};
use datasets::DigitSet;
use eval::report::{Columns, Published};
use eval::results::Results;
use serde::Deserialize;
use train::Config;

/// An experiment.
#[derive(Debug)]
pub struct Experiment {
    pub name: &'static str,
    pub title: &'static str,
    pub rows: &'static [Setting],
    /// Figures of the report that compare rows.
    pub curves: &'static [Comparison],
    in_print: &'static str,
}

/// One quantity of several rows of a family, over iterations and over time.
#[derive(Debug)]
pub struct Comparison {
    pub caption: &'static str,
    pub family: &'static str,
    /// A field of metrics.jsonl.
    pub metric: &'static str,
    /// The stems of the rows.
    pub rows: &'static [&'static str],
}

/// The configuration of a row.
#[derive(Debug)]
pub struct Setting {
    /// The folder: a family of settings.
    pub family: &'static str,
    /// The file without its ending: METHOD, for flows DATASET-DIMd-METHOD.
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

const ALL: &[Experiment] = &[
    Experiment {
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
        curves: &[],
        in_print: include_str!("../../../../configs/table1/in-print.toml"),
    },
    Experiment {
        name: "optimality",
        title: "How well trained flows satisfy the optimality system of arXiv 2407.11901: pinwheel and moons in 2, 7 and \
                12 dimensions",
        rows: configurations!("optimality":
            "ours" / "pinwheel-2d-w1w2",
            "ours" / "pinwheel-7d-w1w2",
            "ours" / "pinwheel-12d-w1w2",
            "ours" / "moons-2d-w1w2",
            "ours" / "moons-7d-w1w2",
            "ours" / "moons-12d-w1w2",
            "published" / "pinwheel-2d-w1w2",
            "published" / "pinwheel-2d-w1",
            "published" / "pinwheel-7d-w1w2",
            "published" / "pinwheel-7d-w1",
            "published" / "pinwheel-12d-w1w2",
            "published" / "pinwheel-12d-w1",
            "published" / "moons-2d-w1w2",
            "published" / "moons-2d-w1",
            "published" / "moons-7d-w1w2",
            "published" / "moons-7d-w1",
            "published" / "moons-12d-w1w2",
            "published" / "moons-12d-w1",
            "known" / "origin-2d-w1w2",
            "known" / "plane-7d-w1w2",
            "known" / "shifted-gaussian-2d-w1w2",
            "known" / "shifted-gaussian-2d-noise",
            "known" / "shifted-gaussian-2d-attraction",
            "representations" / "pinwheel-7d-network",
            "representations" / "pinwheel-7d-exact-terminal",
            "representations" / "pinwheel-7d-velocity",
            "representations" / "pinwheel-7d-orthonormal",
            "lambda" / "pinwheel-2d-lambda-0.02",
            "lambda" / "pinwheel-2d-lambda-0.5",
            "lambda" / "pinwheel-2d-lambda-2.0",
        ),
        curves: &[],
        in_print: include_str!("../../../../configs/optimality/in-print.toml"),
    },
    Experiment {
        name: "ring",
        title: "The ring of 8 Gaussians, as in arXiv 2406.13619: W2-FE, W1-FE and their rivals",
        rows: configurations!("ring":
            "methods" / "w2fe-k1",
            "methods" / "w2fe-k3",
            "methods" / "w2fe-k5",
            "methods" / "w2fe-k10",
            "methods" / "w2fe-k10-large",
            "methods" / "w1fe-k1",
            "methods" / "w1fe-k3",
            "methods" / "w1fe-k5",
            "methods" / "w1fe-k10",
            "methods" / "w2gan",
            "methods" / "w1-lp",
            "methods" / "wgan-gp",
            "methods" / "gan",
            "published" / "w2fe-k3",
            "published" / "w2fe-k10",
            "stability" / "w2fe-eps1-k1",
            "stability" / "w2fe-eps1-k3",
            "stability" / "w2fe-eps1-k10",
            "stability" / "w2fe-eps01-k1",
            "stability" / "w2fe-eps01-k3",
            "stability" / "w2fe-eps01-k10",
        ),
        curves: &[
            Comparison {
                caption: "W2-FE with K persistent updates, and W2GAN",
                family: "methods",
                metric: "w2",
                rows: &["w2fe-k1", "w2fe-k3", "w2fe-k5", "w2fe-k10", "w2gan"],
            },
            Comparison {
                caption: "W1-FE with K persistent updates, and W1-LP",
                family: "methods",
                metric: "w2",
                rows: &["w1fe-k1", "w1fe-k3", "w1fe-k5", "w1fe-k10", "w1-lp"],
            },
            Comparison {
                caption: "W2-FE beside its rivals",
                family: "methods",
                metric: "w2",
                rows: &["w2fe-k1", "w2fe-k10", "w2fe-k10-large", "w1-lp", "wgan-gp", "gan"],
            },
            Comparison {
                caption: "The same from even starting points",
                family: "methods",
                metric: "w2_even",
                rows: &["w2fe-k1", "w2fe-k10", "w2fe-k10-large", "w1-lp", "wgan-gp", "gan"],
            },
            Comparison {
                caption: "W2-FE beside its rivals",
                family: "methods",
                metric: "w1",
                rows: &["w2fe-k1", "w2fe-k10", "w1-lp", "wgan-gp", "gan"],
            },
            Comparison {
                caption: "Modes covered",
                family: "methods",
                metric: "modes_covered",
                rows: &["w2fe-k1", "w2fe-k10", "w1-lp", "wgan-gp", "gan"],
            },
            Comparison {
                caption: "W2-FE with other steps ε and numbers K",
                family: "stability",
                metric: "w2",
                rows: &[
                    "w2fe-eps1-k1",
                    "w2fe-eps1-k3",
                    "w2fe-eps1-k10",
                    "w2fe-eps01-k1",
                    "w2fe-eps01-k3",
                    "w2fe-eps01-k10",
                ],
            },
        ],
        in_print: "",
    },
    Experiment {
        name: "usps-mnist",
        title: "USPS ↔ MNIST by domain adaptation, as in arXiv 2406.13619: W2-FE, W1-FE and W1-LP",
        rows: configurations!("usps-mnist":
            "usps-to-mnist" / "w2fe-k1",
            "usps-to-mnist" / "w2fe-k3",
            "usps-to-mnist" / "w2fe-k5",
            "usps-to-mnist" / "w1fe-k3",
            "usps-to-mnist" / "w1-lp",
            "mnist-to-usps" / "w2fe-k1",
            "mnist-to-usps" / "w2fe-k3",
            "mnist-to-usps" / "w2fe-k5",
            "mnist-to-usps" / "w1fe-k3",
            "mnist-to-usps" / "w1-lp",
        ),
        curves: &[
            Comparison {
                caption: "Accuracy on all test digits",
                family: "usps-to-mnist",
                metric: "accuracy_all",
                rows: &["w2fe-k1", "w2fe-k3", "w2fe-k5", "w1fe-k3", "w1-lp"],
            },
            Comparison {
                caption: "Distance to the test digits, n = 500",
                family: "usps-to-mnist",
                metric: "w2",
                rows: &["w2fe-k1", "w2fe-k3", "w2fe-k5", "w1fe-k3", "w1-lp"],
            },
            Comparison {
                caption: "Accuracy on all test digits",
                family: "mnist-to-usps",
                metric: "accuracy_all",
                rows: &["w2fe-k1", "w2fe-k3", "w2fe-k5", "w1fe-k3", "w1-lp"],
            },
            Comparison {
                caption: "Distance to the test digits, n = 500",
                family: "mnist-to-usps",
                metric: "w2",
                rows: &["w2fe-k1", "w2fe-k3", "w2fe-k5", "w1fe-k3", "w1-lp"],
            },
        ],
        in_print: "",
    },
];

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
    #[serde(default)]
    number: Vec<Published>,
}

impl Experiment {
    /// The title; what stands in for the data of the publication is said in it.
    pub fn title_of(&self, results: &Results) -> String {
        let stand_in = results.rows.iter().any(|row| row.dataset.contains(DigitSet::UspsResampled.name()));
        let note = if stand_in { " — ON USPS-RESAMPLED, A STAND-IN FOR USPS" } else { "" };
        format!("{}{note}", self.title)
    }

    /// The tables of its results.
    pub fn tables(&self) -> Result<&'static [Columns]> {
        let first = self.rows.first().context("an experiment without rows")?;
        Ok(kinds::tables(&Config::parse(first.text, first.stem, None, &[])?))
    }

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
    use train::Config;

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
    fn figures_compare_rows_that_there_are() {
        for experiment in ALL {
            for figure in experiment.curves {
                for stem in figure.rows {
                    let there = |row: &super::Setting| row.family == figure.family && row.stem == *stem;
                    assert!(experiment.rows.iter().any(there), "{}/{stem}", figure.family);
                }
            }
        }
    }

    #[test]
    fn every_row_is_valid_under_every_preset_and_named_after_its_file() {
        for experiment in ALL {
            experiment.in_print().unwrap();
            for row in experiment.rows {
                for preset in ["smoke", "quick", "full"] {
                    let config = Config::parse(row.text, row.stem, Some(preset), &[]).unwrap();
                    assert_eq!(config.name(), format!("{}/{}/{}", experiment.name, row.family, row.stem));
                    let Config::Flow(config) = config else { continue };
                    let data = &config.data;
                    let prefix = format!("{}-{}d-", data.name(), data.dim().unwrap());
                    assert!(row.stem.starts_with(&prefix), "{} is not about {prefix}", row.stem);
                }
            }
        }
    }
}
