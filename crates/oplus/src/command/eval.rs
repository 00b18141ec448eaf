//! `eval`: the distances between two sets of samples, and the scores of images.

use crate::data_sets::{classifier_is_there, images, set_is_there};
use crate::ending::Ending;
use crate::kinds::data_sets;
use crate::progress::Progress;
use anyhow::{Context, Result};
use clap::Args;
use datasets::{Columns, ReadError, TableOptions, read_table};
use eval::Metrics;
use eval::distances::{Blur, Distance, DistanceOptions, Distances, Wanted, distances_while_telling};
use eval::summary::significant;
use measure::ImageScores;
use ndarray::Array2;
use serde_json::json;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The samples, a .npy or .csv file with one point a row
    #[arg(long, value_name = "FILE")]
    samples: PathBuf,
    /// What they are compared with
    #[arg(long, value_name = "FILE", required_unless_present = "images")]
    reference: Option<PathBuf>,
    /// Score the samples as images of this set, mnist, fashion or cifar10, against its test images, in the features of
    /// its classifier
    #[arg(long, value_name = "SET", conflicts_with_all = ["reference", "coords", "measures", "blur", "weights_a", "weights_b"])]
    images: Option<String>,
    /// Compare these coordinates only, such as 0..2 for the first two
    #[arg(long, value_name = "FROM..TO", value_parser = coordinates)]
    coords: Option<Range<usize>>,
    /// What to measure: names from w1, w2, w2_squared, transport_cost, sliced_w2, coordinate_w1, sinkhorn_divergence,
    /// or exact, sliced, all [default: exact and sliced, and sinkhorn_divergence of small clouds, (n + m)²·d ≤ 1e6]
    #[arg(long, value_name = "LIST")]
    measures: Option<Wanted>,
    /// Measure sinkhorn_divergence too, with this blur: a length in the unit of the points such as 0.05, or with % a
    /// part of their scale such as 5%, where the scale is their RMS distance to the mean of both clouds
    #[arg(long, value_name = "BLUR", value_parser = blur)]
    blur: Option<Blur>,
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
    let table = TableOptions { header: arguments.header, columns: arguments.columns.clone() };
    if let Some(name) = &arguments.images {
        return scores(arguments, name, &table);
    }
    let progress = Progress::new("eval");
    progress.stage("reading the files");
    let file = arguments.reference.as_deref().unwrap_or(Path::new(""));
    let (samples, reference) = clouds(&arguments.samples, file, &table)?;
    let weights = |file: &Option<PathBuf>| -> Result<Option<Vec<f64>>> {
        Ok(file.as_ref().map(datasets::read_vector).transpose()?.map(|weights| weights.to_vec()))
    };
    let (a, b) = (weights(&arguments.weights_a)?, weights(&arguments.weights_b)?);
    let mut options = DistanceOptions { coords: arguments.coords.clone(), ..DistanceOptions::default() };
    options.wanted = arguments.measures.clone().unwrap_or_default();
    if let Some(blur) = arguments.blur {
        options.blur = blur;
        options.wanted = options.wanted.with(Distance::SinkhornDivergence);
    }
    // Fixed directions: the same files always give the same number.
    let mut directions = datasets::stream(0, "sliced-directions", 0);
    let (x, y, size) =
        (samples.view(), reference.view(), format!("{} × {}", samples.nrows(), reference.nrows()));
    let tell = |distance: Distance| progress.stage(format!("{distance} of {size} points"));
    let found = distances_while_telling(x, y, a.as_deref(), b.as_deref(), &options, &mut directions, tell)
        .with_context(|| {
            format!("{} cannot be compared with {}", arguments.samples.display(), file.display())
        })?;
    drop(progress);
    if arguments.json {
        say::answer!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print(&found);
    }
    Ok(Ending::Done)
}

/// Scores samples as images of a set.
fn scores(arguments: &Arguments, name: &str, table: &TableOptions) -> Result<Ending> {
    let set = images(name)?;
    set_is_there(name)?;
    classifier_is_there(name)?;
    let progress = Progress::new("eval");
    progress.stage("reading the file");
    let samples = read_table(&arguments.samples, table)?.values;
    datasets::expect_columns(&arguments.samples, &samples, set.shape().values())?;
    let folder = data_sets();
    let ImageScores { images, real, reference } =
        measure::image_scores(samples.view(), (set, &folder), &|stage| progress.stage(stage))?;
    drop(progress);
    if arguments.json {
        let definitions: BTreeMap<&str, Option<String>> =
            images.iter().map(|(metric, _)| (metric, metrics::definition(metric))).collect();
        let numbers =
            |found: &Metrics| found.iter().map(|(name, x)| (name.to_owned(), x)).collect::<BTreeMap<_, _>>();
        let found = json!({
            "dataset": name, "n": samples.nrows(), "m": reference, "definitions": definitions,
            "metrics": numbers(&images), "real": numbers(&real),
        });
        say::answer!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(Ending::Done);
    }
    say::answer!(
        "{} images against {reference} test images of {name}, and as many training images",
        samples.nrows()
    );
    for (metric, value) in images.iter() {
        let real = real.iter().find(|(other, _)| *other == metric);
        let real = real.map_or_else(String::new, |(_, real)| format!("  real {real:.6e}"));
        say::answer!("{metric:>25}  {value:.6e}{real}");
    }
    if images.get(metrics::FRECHET_DISTANCE).is_none() {
        say::answer!(
            "left out: frechet_distance, kernel_distance, precision and recall: they need more than 128 images"
        );
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
    say::answer!("{} against {} points, {} coordinates", found.n, found.m, found.dim);
    for distance in Distance::ALL {
        let Some(value) = found.get(distance) else { continue };
        let note = match (distance, &found.sinkhorn_divergence, &found.coordinate_w1) {
            (Distance::SinkhornDivergence, Some(divergence), _) => {
                let converged = if divergence.converged { "" } else { ", not converged" };
                format!("  (blur {}{converged})", significant(divergence.blur))
            }
            (Distance::CoordinateW1, _, Some(columns)) => columns.worst.map_or_else(String::new, |worst| {
                let relative = significant(worst.relative);
                format!(
                    "  (column {}, the worst: {relative} of its mean distance to its median)",
                    worst.column
                )
            }),
            _ => String::new(),
        };
        say::answer!("{distance:>20}  {value:.6e}{note}");
    }
    if let Some(gap) = found.exact.duality_gap {
        say::answer!("{:>20}  {gap:.6e}", "duality_gap");
    }
    if let Some(floor) = &found.floor {
        say::answer!(
            "two halves of the reference and as many samples against one of them, {} points each:",
            floor.n
        );
        for (name, floor, value) in
            [("w1", floor.w1, floor.samples_w1), ("w2_squared", floor.w2_squared, floor.samples_w2_squared)]
        {
            if let (Some(floor), Some(value)) = (floor, value) {
                say::answer!("{name:>20}  {value:.6e}  floor {floor:.6e}");
            }
        }
    }
    found.notes.iter().for_each(|note| say::answer!("note: {note}"));
    for (name, reason) in &found.left_out {
        say::answer!("left out: {name}: {reason}{}", flag(name));
    }
}

/// The flags that have a distance measured after all.
fn flag(name: &str) -> &'static str {
    if name == Distance::SinkhornDivergence.name() { " (--measures all, --blur 5%)" } else { "" }
}

fn blur(text: &str) -> Result<Blur, String> {
    let (number, share) = text.strip_suffix('%').map_or((text, false), |number| (number, true));
    match number.trim().parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => {
            Ok(if share { Blur::OfScale(value / 100.0) } else { Blur::Length(value) })
        }
        _ => {
            Err("write a length above 0 such as 0.05, or a part of the scale of the points such as 5%".into())
        }
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
    use super::{blur, coordinates};
    use eval::distances::Blur;

    #[test]
    fn ranges_are_half_open_and_not_empty() {
        assert_eq!(coordinates("0..2"), Ok(0..2));
        for wrong in ["2", "2..2", "a..b", "0..=1", ""] {
            assert!(coordinates(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_blur_is_a_length_or_a_part_of_the_scale() {
        assert_eq!((blur("0.05"), blur("2.5%")), (Ok(Blur::Length(0.05)), Ok(Blur::OfScale(0.025))));
        for wrong in ["0", "-1", "5 x", "%", "nan", "inf", ""] {
            assert!(blur(wrong).is_err(), "{wrong}");
        }
    }
}
