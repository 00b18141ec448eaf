//! The experiments there are: a row is a configuration, embedded when the program is built, so that it works anywhere.

use super::order::{natural, rank, split};
use super::tables::{
    CELL_TABLES, CONDITIONAL_TABLES, CRITIC_TABLES, DIGIT_TABLES, FLOW_TABLES, IMAGE_TABLES,
    KNOWN_MAP_TABLES, PROXIMAL_TABLES, RING_TABLES, RIVAL_TABLES, TAIL_TABLES,
};
use crate::nearest::nearest;
use crate::page::Comparison;
use anyhow::{Result, bail};
use datasets::DigitSet;
use eval::report::{Columns, Published, Scale};
use eval::results::Results;
use metrics::{ACCURACY_ALL, BATCH_KINETIC_ENERGY, CRITIC_DIVERGENCE, MODES_COVERED, W1, W2, W2_EVEN};
use serde::Deserialize;

/// An experiment: the configurations in the folder of its name below `configs`.
#[derive(Debug)]
pub(crate) struct Experiment {
    pub name: &'static str,
    pub title: &'static str,
    /// Its families in the order of the tables; others come after them.
    families: &'static [&'static str],
    /// Families that smoke and quick leave out, unless rows are asked for by name: they are to take minutes.
    pub beyond_quick: &'static [&'static str],
    /// The methods of a family, or what their names begin with, in the order of the tables; others come after them.
    methods: &'static [&'static str],
    /// The tables of its results.
    pub tables: &'static [Columns],
    /// Figures of the report that compare rows.
    pub curves: &'static [Comparison],
}

/// The configuration of a row.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The folder: a family of settings.
    pub family: &'static str,
    /// The file without its ending: METHOD, for flows DATASET-DIMd-METHOD.
    pub stem: &'static str,
    pub text: &'static str,
}

/// What lies in the folder of an experiment.
struct Embedded {
    experiment: &'static str,
    in_print: &'static str,
    rows: &'static [Setting],
}

/// What lay below `configs` when the program was built.
const EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/configurations.rs"));

const ALL: &[Experiment] = &[
    Experiment {
        name: "table1",
        title: "Table 1 of arXiv 2407.11901 and beyond: W1 ⊕ W2 proximal flows beside Potential Flow GAN, OT-Flow and \
                flow matching, on the pinwheel and the moons in 2, 7 and 12 dimensions",
        families: &["explicit", "hopf-lax", "tuned", "published", "rivals"],
        beyond_quick: &["hopf-lax", "rivals"],
        methods: &[
            "w1w2",
            "w1",
            "w2",
            "none",
            "pfg",
            "pfg-as-published",
            "ot-flow",
            "ot-flow-noised",
            "cfm",
            "ot-cfm",
            "rectified",
        ],
        tables: FLOW_TABLES,
        curves: &[],
    },
    Experiment {
        name: "optimality",
        title: "How well trained flows satisfy the optimality system of arXiv 2407.11901: pinwheel and moons in 2, 7 \
                and 12 dimensions",
        families: &["explicit", "ours", "published", "known", "representations", "lambda", "bound"],
        beyond_quick: &[],
        methods: &["w1w2", "w1", "explicit", "network", "exact-terminal", "velocity", "orthonormal"],
        tables: FLOW_TABLES,
        curves: &[],
    },
    Experiment {
        name: "rivals",
        title: "The planar laws of torchcfm as in Table 2 of arXiv 2303.16852: W1 ⊕ W2 flows beside flow matching",
        families: &["ours", "matching"],
        beyond_quick: &[],
        methods: &["explicit", "hopf-lax", "cfm", "ot-cfm", "rectified"],
        tables: RIVAL_TABLES,
        curves: &[],
    },
    Experiment {
        name: "ring",
        title: "The ring of 8 Gaussians, as in arXiv 2406.13619: W2-FE, W1-FE and their rivals",
        families: &["methods", "published", "stability"],
        beyond_quick: &[],
        methods: &["w2fe", "w1fe", "w2gan", "w1-lp", "wgan-gp", "gan"],
        tables: RING_TABLES,
        curves: &[
            Comparison {
                caption: "W2-FE with K persistent updates, and W2GAN",
                family: "methods",
                metric: W2,
                scale: Scale::Logarithmic,
                rows: &["w2fe-k1", "w2fe-k3", "w2fe-k5", "w2fe-k10", "w2gan"],
            },
            Comparison {
                caption: "W1-FE with K persistent updates, and W1-LP",
                family: "methods",
                metric: W2,
                scale: Scale::Logarithmic,
                rows: &["w1fe-k1", "w1fe-k3", "w1fe-k5", "w1fe-k10", "w1-lp"],
            },
            Comparison {
                caption: "W2-FE beside its rivals",
                family: "methods",
                metric: W2,
                scale: Scale::Logarithmic,
                rows: &["w2fe-k1", "w2fe-k10", "w2fe-k10-large", "w1-lp", "wgan-gp", "gan"],
            },
            Comparison {
                caption: "The same from even starting points",
                family: "methods",
                metric: W2_EVEN,
                scale: Scale::Logarithmic,
                rows: &["w2fe-k1", "w2fe-k10", "w2fe-k10-large", "w1-lp", "wgan-gp", "gan"],
            },
            Comparison {
                caption: "W2-FE beside its rivals",
                family: "methods",
                metric: W1,
                scale: Scale::Logarithmic,
                rows: &["w2fe-k1", "w2fe-k10", "w1-lp", "wgan-gp", "gan"],
            },
            Comparison {
                caption: "Modes covered",
                family: "methods",
                metric: MODES_COVERED,
                scale: Scale::Linear,
                rows: &["w2fe-k1", "w2fe-k10", "w1-lp", "wgan-gp", "gan"],
            },
            Comparison {
                caption: "W2-FE with other steps ε and numbers K",
                family: "stability",
                metric: W2,
                scale: Scale::Logarithmic,
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
    },
    Experiment {
        name: "usps-mnist",
        title: "USPS ↔ MNIST by domain adaptation, as in arXiv 2406.13619: W2-FE, W1-FE and W1-LP, beside a W1 ⊕ W2 flow",
        families: &["usps-to-mnist", "mnist-to-usps"],
        beyond_quick: &[],
        methods: &["w2fe", "w1fe", "w1-lp", "explicit"],
        tables: DIGIT_TABLES,
        curves: &[
            Comparison {
                caption: "Accuracy on all test digits",
                family: "usps-to-mnist",
                metric: ACCURACY_ALL,
                scale: Scale::Linear,
                rows: &["w2fe-k1", "w2fe-k3", "w2fe-k5", "w1fe-k3", "w1-lp"],
            },
            Comparison {
                caption: "Distance to 500 test digits during the training",
                family: "usps-to-mnist",
                metric: W2,
                scale: Scale::Logarithmic,
                rows: &["w2fe-k1", "w2fe-k3", "w2fe-k5", "w1fe-k3", "w1-lp"],
            },
            Comparison {
                caption: "Accuracy on all test digits",
                family: "mnist-to-usps",
                metric: ACCURACY_ALL,
                scale: Scale::Linear,
                rows: &["w2fe-k1", "w2fe-k3", "w2fe-k5", "w1fe-k3", "w1-lp"],
            },
            Comparison {
                caption: "Distance to 500 test digits during the training",
                family: "mnist-to-usps",
                metric: W2,
                scale: Scale::Logarithmic,
                rows: &["w2fe-k1", "w2fe-k3", "w2fe-k5", "w1fe-k3", "w1-lp"],
            },
        ],
    },
    Experiment {
        name: "fig1",
        title: "Figure 1 of arXiv 2407.11901: flows to MNIST with and without the W1 and the W2 proximal, by perceptrons and by \
                convolutional networks",
        families: &["published", "convolutional"],
        beyond_quick: &["convolutional"],
        methods: &["w1w2", "w1", "w2", "none"],
        tables: PROXIMAL_TABLES,
        curves: &[
            Comparison {
                caption: "What the critic maximises",
                family: "published",
                metric: CRITIC_DIVERGENCE,
                scale: Scale::Linear,
                rows: &["w1w2", "w1", "w2", "none"],
            },
            Comparison {
                caption: "Kinetic energy",
                family: "published",
                metric: BATCH_KINETIC_ENERGY,
                scale: Scale::Logarithmic,
                rows: &["w1w2", "w1", "w2", "none"],
            },
            Comparison {
                caption: "What the critic maximises, by convolutional networks",
                family: "convolutional",
                metric: CRITIC_DIVERGENCE,
                scale: Scale::Logarithmic,
                rows: &["w1w2", "w1", "w2", "none"],
            },
            Comparison {
                caption: "Kinetic energy, by convolutional networks",
                family: "convolutional",
                metric: BATCH_KINETIC_ENERGY,
                scale: Scale::Logarithmic,
                rows: &["w1w2", "w1", "w2", "none"],
            },
        ],
    },
    Experiment {
        name: "fig2",
        title: "Figure 2 of arXiv 2407.11901: flows to MNIST with and without the kinetic energy, at other steps than those of \
                the training, by perceptrons and by convolutional networks; and straight flows of ours",
        families: &["published", "convolutional", "ours"],
        beyond_quick: &["convolutional"],
        methods: &["w1w2", "w1", "explicit", "hopf-lax"],
        tables: PROXIMAL_TABLES,
        curves: &[],
    },
    Experiment {
        name: "images",
        title: "Images of 28 × 28 and 32 × 32 pixels, without an autoencoder: W1 ⊕ W2 flows beside flow matching",
        families: &["mnist", "rivals", "fashion", "cifar10"],
        beyond_quick: &["rivals", "fashion", "cifar10"],
        methods: &["explicit", "hopf-lax", "cfm", "ot-cfm"],
        tables: IMAGE_TABLES,
        curves: &[],
    },
    Experiment {
        name: "w2-benchmark",
        title: "Optimal maps against the truth: the W2 benchmark of arXiv 2106.01954, and known maps that need no file",
        families: &["files", "known"],
        methods: &["explicit", "hopf-lax", "potentials", "ot-cfm", "w2fe"],
        beyond_quick: &[],
        tables: KNOWN_MAP_TABLES,
        curves: &[],
    },
    Experiment {
        name: "conditional",
        title: "Flows under a label: the arms of the pinwheel, the halves of the moons, and handwritten digits by class",
        families: &["planar", "digits"],
        beyond_quick: &[],
        methods: &["explicit"],
        tables: CONDITIONAL_TABLES,
        curves: &[],
    },
    Experiment {
        name: "heavy-tails",
        title: "Student-t laws, the targets of arXiv 2405.13962, in 2 dimensions and in 10 of 110: flows with and without the W1 \
                proximal, KL and α-divergences",
        families: &["explicit", "hopf-lax", "network"],
        beyond_quick: &[],
        methods: &["w1w2", "w2"],
        tables: TAIL_TABLES,
        curves: &[],
    },
    Experiment {
        name: "w1-benchmark",
        title: "Critics against the truth: the W1 benchmark of arXiv 2206.07767, and random funnels that need no file",
        families: &["files", "perceptrons", "known"],
        methods: &["hopf-lax", "lp", "orthonormal"],
        beyond_quick: &["perceptrons"],
        tables: CRITIC_TABLES,
        curves: &[],
    },
    Experiment {
        name: "cells",
        title: "Snapshots of cells: flows between two days, at the day between them that they have not seen",
        families: &["mesc"],
        methods: &["explicit", "hopf-lax", "ot-cfm"],
        beyond_quick: &[],
        tables: CELL_TABLES,
        curves: &[],
    },
];

/// The experiment of this name.
pub(crate) fn find(name: &str) -> Result<&'static Experiment> {
    if let Some(experiment) = ALL.iter().find(|experiment| experiment.name == name) {
        return Ok(experiment);
    }
    let names: Vec<&str> = names().collect();
    let nearest = nearest(name, names.iter().copied()).unwrap_or_default();
    bail!("there is no experiment `{name}`: did you mean `{nearest}`? There are: {}", names.join(", "))
}

/// The names of all experiments.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|experiment| experiment.name)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InPrint {
    /// What differs from print and why, a paragraph each.
    #[serde(default)]
    differences: Vec<String>,
    #[serde(default)]
    number: Vec<Published>,
}

impl Experiment {
    /// The title; what stands in for the data of the publication is said in it.
    pub(crate) fn title_of(&self, results: &Results) -> String {
        let stand_in = results.rows.iter().any(|row| row.dataset.contains(DigitSet::UspsResampled.name()));
        let note = if stand_in { " — ON USPS-RESAMPLED, A STAND-IN FOR USPS" } else { "" };
        format!("{}{note}", self.title)
    }

    /// Its rows in the order of the tables: by family, data, method, and then as people sort names.
    pub(crate) fn rows(&self) -> Vec<&'static Setting> {
        let mut rows: Vec<&Setting> = self.embedded().flat_map(|embedded| embedded.rows).collect();
        rows.sort_by(|a, b| {
            let ((data_a, method_a), (data_b, method_b)) = (split(a.stem), split(b.stem));
            let family = rank(a.family, self.families).cmp(&rank(b.family, self.families));
            let method = rank(method_a, self.methods).cmp(&rank(method_b, self.methods));
            family
                .then_with(|| natural(a.family, b.family))
                .then_with(|| natural(data_a, data_b))
                .then(method)
                .then_with(|| natural(method_a, method_b))
        });
        rows
    }

    /// The numbers of others.
    pub(crate) fn in_print(&self) -> Result<Vec<Published>> {
        let mut numbers = Vec::new();
        for embedded in self.embedded() {
            numbers.extend(toml::from_str::<InPrint>(embedded.in_print)?.number);
        }
        Ok(numbers)
    }

    /// What differs from print, and why.
    pub(crate) fn differences(&self) -> Result<Vec<String>> {
        let mut paragraphs = Vec::new();
        for embedded in self.embedded() {
            paragraphs.extend(toml::from_str::<InPrint>(embedded.in_print)?.differences);
        }
        Ok(paragraphs)
    }

    fn embedded(&self) -> impl Iterator<Item = &'static Embedded> {
        EMBEDDED.iter().filter(|embedded| embedded.experiment == self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, EMBEDDED, Setting, split};
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
                .rows()
                .into_iter()
                .map(|row| (format!("{}/{}", row.family, row.stem), row.text.to_owned()))
                .collect();
            assert_eq!(embedded.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
            assert!(embedded == files, "a configuration has changed since the build");
        }
    }

    #[test]
    fn every_folder_of_configurations_is_an_experiment_and_its_families_are_in_order() {
        let folders: Vec<_> = EMBEDDED.iter().map(|embedded| embedded.experiment).collect();
        let mut names: Vec<_> = super::names().collect();
        names.sort_unstable();
        assert_eq!(folders, names);
        for experiment in ALL {
            let mut families: Vec<_> = experiment.rows().iter().map(|row| row.family).collect();
            families.dedup();
            assert_eq!(families, experiment.families, "{}", experiment.name);
        }
    }

    #[test]
    fn rows_are_in_the_order_of_a_reader() {
        let stems = |name: &str, family: &str| -> Vec<&str> {
            let rows = super::find(name).unwrap().rows();
            rows.into_iter().filter(|row| row.family == family).map(|row| row.stem).collect()
        };
        assert_eq!(
            stems("table1", "tuned")[..6],
            [
                "pinwheel-2d-w1w2",
                "pinwheel-2d-w1",
                "pinwheel-2d-w2",
                "pinwheel-2d-none",
                "pinwheel-7d-w1w2",
                "pinwheel-7d-w1"
            ]
        );
        assert_eq!(
            stems("ring", "methods"),
            [
                "w2fe-k1",
                "w2fe-k3",
                "w2fe-k5",
                "w2fe-k10",
                "w2fe-k10-large",
                "w1fe-k1",
                "w1fe-k3",
                "w1fe-k5",
                "w1fe-k10",
                "w2gan",
                "w1-lp",
                "wgan-gp",
                "gan"
            ]
        );
    }

    #[test]
    fn figures_compare_rows_that_there_are() {
        for experiment in ALL {
            for figure in experiment.curves {
                for stem in figure.rows {
                    let there = |row: &&Setting| row.family == figure.family && split(row.stem).1 == *stem;
                    assert!(experiment.rows().iter().any(there), "{}/{stem}", figure.family);
                }
            }
        }
    }

    #[test]
    fn every_row_is_valid_under_every_preset_and_named_after_its_file() {
        for experiment in ALL {
            experiment.in_print().unwrap();
            for row in experiment.rows() {
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
