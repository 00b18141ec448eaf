//! The condition of points on the command line.

use anyhow::{Result, bail};
use clap::Args;
use datasets::{TableOptions, read_table};
use ndarray::{Array2, ArrayView2};
use std::path::{Path, PathBuf};
use train::Model;

/// A condition for all points, or one for each.
#[derive(Debug, Args)]
pub(crate) struct Conditions {
    /// The condition of all points of a conditional flow: its label, such as 3, or its numbers, such as 0.5,-1
    #[arg(long, value_name = "C", value_delimiter = ',', allow_hyphen_values = true, value_parser = number)]
    condition: Vec<f64>,
    /// The condition of each point, one a row of this .npy or .csv file, without a row of names
    #[arg(long, value_name = "FILE", conflicts_with = "condition")]
    conditions: Option<PathBuf>,
}

/// One number of a condition on the command line.
fn number(text: &str) -> Result<f64, String> {
    let remedy = "give the label of a class as a number, or numbers with commas between them, such as 0.5,-1";
    text.trim().parse().map_err(|_| remedy.into())
}

impl Conditions {
    /// What is written, a row for all points or one for each; none where nothing is.
    pub(crate) fn read(&self) -> Result<Written> {
        Ok(Written(match &self.conditions {
            // A label 0 in the first row is a label, and not the number of its column.
            Some(file) => {
                Some(read_table(file, &TableOptions { columns: None, header: Some(false) })?.values)
            }
            None if self.condition.is_empty() => None,
            None => Some(ArrayView2::from_shape((1, self.condition.len()), &self.condition)?.to_owned()),
        }))
    }
}

/// Conditions as their user writes them.
pub(crate) struct Written(Option<Array2<f64>>);

impl Written {
    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.0.as_ref().map_or(0, Array2::nrows)
    }

    /// The rows that a model takes of these points: with their condition, where it is conditional.
    pub(crate) fn beside(self, model: &Model, run: &Path, points: Array2<f64>) -> Result<Array2<f64>> {
        match (model, self.0) {
            (Model::Flow(flow), written) => match (flow.condition(), written) {
                (None, None) => Ok(points),
                (Some(condition), None) => {
                    let what = match condition.labels() {
                        Some(labels) => {
                            let labels: Vec<String> = labels.iter().take(20).map(f64::to_string).collect();
                            format!("a label, one of {}", labels.join(", "))
                        }
                        None => format!("{} numbers", condition.columns()),
                    };
                    bail!(
                        "{} holds a conditional flow: give --condition or --conditions ({what})",
                        run.display()
                    );
                }
                (None, Some(_)) => {
                    bail!("{} holds a flow without a condition: leave out --condition", run.display())
                }
                (Some(_), Some(written)) => Ok(flow.given(points.view(), written.view())?),
            },
            (Model::Generator(_) | Model::Critic(_), None) => Ok(points),
            (Model::Generator(_) | Model::Critic(_), Some(_)) => {
                bail!("{} holds no flow, and so no condition: leave out --condition", run.display())
            }
        }
    }
}
