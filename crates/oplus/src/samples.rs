//! The clouds in a run folder.

use anyhow::{Context, Result, bail};
use datasets::{WriteError, write_npy_f32, write_npy_f64};
use eval::planar::Plane;
use measure::Measurement;
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use std::fs;
use std::path::{Path, PathBuf};
use train::source::Units;

const FOLDER: &str = "samples";
/// The generated clouds of all pairs, relative to the run folder.
pub(crate) const GENERATED: &str = "samples/generated.npy";
/// The label of each of them, relative to the run folder; of flows under labels only.
pub(crate) const LABELS: &str = "samples/labels.npy";
/// The starting points of the generated clouds, relative to the run folder; generators only.
pub(crate) const STARTS: &str = "samples/start.npy";
/// The target clouds of all pairs, relative to the run folder.
pub(crate) const TARGETS: &str = "samples/target.npy";
/// The positions of some particles of a flow on their way, relative to the run folder: a row for each particle, with
/// its two coordinates in the first plane of the data ([`Plane::of`]) at each time; in one dimension the coordinate itself.
pub(crate) const PATHS: &str = "samples/planar-paths.npy";
/// The potential at time 0 on a grid, relative to the run folder: a row (x, y, U) for each point, those of one ordinate one
/// after the other. Of flows in two dimensions.
pub(crate) const POTENTIAL: &str = "samples/potential.npy";
/// The critic on the same grid, relative to the run folder.
pub(crate) const CRITIC: &str = "samples/critic.npy";
/// The particles at an iteration, before its number and the ending.
const PARTICLES: &str = "particles-";

/// Checks the name of a file that is to be written, before what is in it is computed.
pub(crate) fn new_npy(path: &Path, flag: &str) -> Result<()> {
    if path.exists() {
        bail!("{} exists: choose another name with {flag}, or delete it", path.display());
    }
    if path.extension().is_none_or(|extension| extension != "npy") {
        bail!("{} does not end in .npy: arrays are written in that format", path.display());
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => bail!(
            "{} cannot be written, since {} is no folder: make it, or choose another name with {flag}",
            path.display(),
            folder.display()
        ),
        _ => Ok(()),
    }
}

/// Checks the names of --out and of --reached, before what is in them is computed.
pub(crate) fn new_pair(out: &Path, reached: Option<&Path>) -> Result<()> {
    new_npy(out, "--out")?;
    match reached {
        Some(reached) if reached == out => {
            bail!("{} is the name of both --out and --reached: give two names", out.display())
        }
        Some(reached) => new_npy(reached, "--reached"),
        None => Ok(()),
    }
}

/// Writes points that a network has made, in the user's units: single precision, in which networks compute, loses
/// nothing as long as their units are the same; other units may need more digits.
pub(crate) fn write_points(path: &Path, points: &Array2<f64>, units: &Units) -> Result<(), WriteError> {
    match units {
        Units::Same => write_npy_f32(path, &points.mapv(|x| x as f32)),
        Units::Scaled { .. } => write_npy_f64(path, points),
    }
}

/// Writes points that a run has generated, where it has led them anywhere.
pub(crate) fn write_generated(path: &Path, points: &Array2<f64>, units: &Units) -> Result<()> {
    if points.iter().any(|x| !x.is_finite()) {
        bail!(
            "the run leads out of the finite numbers from there: look whether it diverged (`cargo xtask report RUN`), or begin \
             nearer to where it was trained"
        );
    }
    Ok(write_points(path, points, units)?)
}

/// Writes the clouds of a measurement; returns where the generated ones are.
pub(crate) fn write(folder: &Path, measurement: &Measurement, units: &Units) -> Result<&'static str> {
    make(folder)?;
    write_points(&folder.join(GENERATED), &measurement.generated, units)?;
    write_npy_f64(folder.join(TARGETS), &measurement.target)?;
    if !measurement.labels.is_empty() {
        let labels = ArrayView2::from_shape((measurement.labels.len(), 1), &measurement.labels);
        write_npy_f64(folder.join(LABELS), labels.context("a label for each point")?)?;
    }
    if let Some(start) = &measurement.start {
        write_points(&folder.join(STARTS), start, units)?;
    }
    Ok(GENERATED)
}

/// Writes the ways of particles, of which `positions` has the rows [n, d] at each time, as they are seen in a plane.
pub(crate) fn write_paths(
    folder: &Path,
    positions: &[Array2<f64>],
    plane: Option<&Plane>,
    units: &Units,
) -> Result<()> {
    make(folder)?;
    let seen = |x: &Array2<f64>| match plane {
        Some(plane) => {
            Array2::from(plane.project(x.view()).into_iter().map(|(x, y)| [x, y]).collect::<Vec<_>>())
        }
        None => x.clone(),
    };
    let planar: Vec<Array2<f64>> = positions.iter().map(seen).collect();
    let views: Vec<_> = planar.iter().map(|x| x.view()).collect();
    let rows = concatenate(Axis(1), &views).context("positions of different particles")?;
    Ok(write_points(&folder.join(PATHS), &rows, units)?)
}

/// Writes a function of the plane, relative to the run folder: the rows (x, y, value).
pub(crate) fn write_values(
    folder: &Path,
    file: &str,
    points: ArrayView2<'_, f64>,
    values: Vec<f64>,
) -> Result<()> {
    make(folder)?;
    let values = Array2::from_shape_vec((points.nrows(), 1), values)?;
    let rows = concatenate(Axis(1), &[points, values.view()]).context("values of other points")?;
    Ok(write_npy_f64(folder.join(file), &rows)?)
}

/// Writes the particles at an iteration, which are in the units of the training.
pub(crate) fn write_particles(
    folder: &Path,
    iteration: u64,
    points: &Array2<f64>,
    units: &Units,
) -> Result<()> {
    let path = make(folder)?.join(format!("{PARTICLES}{iteration:09}.npy"));
    Ok(write_points(&path, &units.restored(points.view()), units)?)
}

/// The particles that were written, each with its iteration, in their order.
pub(crate) fn particles(folder: &Path) -> Vec<(PathBuf, u64)> {
    let entries = fs::read_dir(folder.join(FOLDER)).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<(PathBuf, u64)> = entries
        .filter_map(|entry| {
            let path = entry.path();
            let iteration = path.file_stem()?.to_str()?.strip_prefix(PARTICLES)?.parse().ok()?;
            Some((path, iteration))
        })
        .collect();
    found.sort_by_key(|(_, iteration)| *iteration);
    found
}

fn make(folder: &Path) -> Result<PathBuf> {
    let samples = folder.join(FOLDER);
    fs::create_dir_all(&samples).with_context(|| format!("{} cannot be made", samples.display()))?;
    Ok(samples)
}
