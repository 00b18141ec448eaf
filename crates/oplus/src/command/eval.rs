//! `eval`: the distances between two sets of samples.

use crate::ending::Ending;
use anyhow::{Context, Result};
use clap::Args;
use datasets::{Columns, ReadError, TableOptions, read_table};
use eval::distances::{DistanceOptions, Distances, distances};
use ndarray::Array2;
use std::ops::Range;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The samples, a .npy or .csv file with one point a row
    #[arg(long, value_name = "FILE")]
    samples: PathBuf,
    /// What they are compared with
    #[arg(long, value_name = "FILE")]
    reference: PathBuf,
    /// Compare these coordinates only, such as 0..2 for the first two
    #[arg(long, value_name = "FROM..TO", value_parser = coordinates)]
    coords: Option<Range<usize>>,
    /// The columns of both files that are coordinates, by index from 0, range or name: 0..2,4 or height,weight; samples
    /// that have no other columns are taken whole
    #[arg(long)]
    columns: Option<Columns>,
    /// Whether the first row of both files holds names, where that cannot be seen
    #[arg(long)]
    header: Option<bool>,
    /// Weights of the samples, one for each [default: equal]
    #[arg(long, value_name = "FILE")]
    weights_a: Option<PathBuf>,
    /// Weights of the reference
    #[arg(long, value_name = "FILE")]
    weights_b: Option<PathBuf>,
    /// Print one JSON object with every number and its definition
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let options = TableOptions { header: arguments.header, columns: arguments.columns.clone() };
    let (samples, reference) = clouds(&arguments.samples, &arguments.reference, &options)?;
    let weights = |file: &Option<PathBuf>| -> Result<Option<Vec<f64>>> {
        Ok(file.as_ref().map(datasets::read_vector).transpose()?.map(|weights| weights.to_vec()))
    };
    let (a, b) = (weights(&arguments.weights_a)?, weights(&arguments.weights_b)?);
    let options = DistanceOptions { coords: arguments.coords.clone(), ..DistanceOptions::default() };
    // Fixed directions: the same files always give the same number.
    let mut directions = datasets::stream(0, "sliced-directions", 0);
    let found =
        distances(samples.view(), reference.view(), a.as_deref(), b.as_deref(), &options, &mut directions)
            .with_context(|| {
                format!(
                    "{} cannot be compared with {}",
                    arguments.samples.display(),
                    arguments.reference.display()
                )
            })?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print(&found);
    }
    Ok(Ending::Done)
}

/// The points of two files. A flow that was trained on some columns of a table makes samples of no others: where
/// columns of the reference are left out and the samples have just the number of the rest, they are taken whole.
fn clouds(
    samples: &Path,
    reference: &Path,
    options: &TableOptions,
) -> Result<(Array2<f64>, Array2<f64>), ReadError> {
    let reference = read_table(reference, options)?;
    let all = TableOptions { columns: None, ..options.clone() };
    let whole =
        (reference.width > reference.values.ncols()).then(|| read_table(samples, &all).ok()).flatten();
    let samples = match whole.filter(|samples| samples.width == reference.values.ncols()) {
        Some(samples) => samples,
        None => read_table(samples, options)?,
    };
    Ok((samples.values, reference.values))
}

fn print(found: &Distances) {
    println!("{} against {} points, {} coordinates", found.n, found.m, found.dim);
    let converged = if found.sinkhorn_divergence.converged { "" } else { " (not converged)" };
    for (name, value, note) in [
        ("w1", found.exact.w1, ""),
        ("w2", found.exact.w2, ""),
        ("w2_squared", found.exact.w2_squared, ""),
        ("transport_cost", found.exact.transport_cost, ""),
        ("duality_gap", found.exact.duality_gap, ""),
        ("sinkhorn_divergence", found.sinkhorn_divergence.value, converged),
        ("sliced_w2", found.sliced_w2, ""),
    ] {
        println!("{name:>20}  {value:.6e}{note}");
    }
}

fn coordinates(text: &str) -> Result<Range<usize>, String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    match ends {
        Some((from, to)) if from < to => Ok(from..to),
        _ => Err("write FROM..TO with FROM below TO, counted from 0, such as 0..2".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::coordinates;

    #[test]
    fn ranges_are_half_open_and_not_empty() {
        assert_eq!(coordinates("0..2"), Ok(0..2));
        for wrong in ["2", "2..2", "a..b", "0..=1", ""] {
            assert!(coordinates(wrong).is_err(), "{wrong}");
        }
    }
}
