//! `init`: looks at a file of points and writes a configuration that fits them.

use crate::ending::Ending;
use crate::kinds::inputs;
use crate::own_data::{Proposal, Survey};
use crate::shell;
use crate::table::Coordinates;
use anyhow::{Context, Result, bail};
use clap::Args;
use flows::affine::Affine;
use ndarray::{Array1, Array2, ArrayView2};
use ot_core::gaussian::Gaussian;
use std::path::{Path, PathBuf};
use train::{Configuration, FlowConfig};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A .npy or .csv file, one point a row
    data: PathBuf,
    /// The configuration to write [default: the name of the data with .toml, in this folder]
    #[arg(long, value_name = "FILE.toml")]
    out: Option<PathBuf>,
    #[command(flatten)]
    coordinates: Coordinates,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let data = &arguments.data;
    let stem = data.file_stem().unwrap_or(data.as_os_str()).to_string_lossy().into_owned();
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from(format!("{stem}.toml")));
    if out.exists() {
        bail!("{} exists: choose another name with --out, or delete it", out.display());
    }
    let points = datasets::read_table(data, &arguments.coordinates.options())?.values;
    let text = Proposal::of(&stem, &seen_from(data, &out)?, &arguments.coordinates.options()).to_toml();
    trainable(&text, &out, points.view())?;
    for sentence in Survey::of(points.view()).sentences() {
        say::answer!("{sentence}");
    }
    datasets::write_whole(&out, |file| file.write_all(text.as_bytes()))?;
    let name = out.display().to_string();
    say::answer!("\n{name} is written; train with\n  cargo xtask train {}", shell::word(&name));
    Ok(Ending::Done)
}

/// Refuses what the training that `text` describes would refuse to begin with.
fn trainable(text: &str, out: &Path, points: ArrayView2<'_, f64>) -> Result<()> {
    let mut config = FlowConfig::parse(text, &out.display().to_string(), None, &[])?;
    let folder = out.parent().unwrap_or(Path::new(""));
    config.data = config.data.located(folder);
    inputs().data(&config)?;
    // The training begins with the optimal map between Gaussians, which points that are one do not have in any dimension.
    let first = points.row(0);
    if points.rows().into_iter().all(|row| row == first) {
        let of_variance = |variance| Gaussian::new(Array1::zeros(1), Array2::eye(1) * variance);
        Affine::gaussian(&of_variance(1.0)?, &of_variance(0.0)?)?;
    }
    Ok(())
}

/// The path of the data as the configuration names it: from its own folder where they lie below it, else from the root.
fn seen_from(data: &Path, config: &Path) -> Result<String> {
    let absolute =
        |path: &Path| std::path::absolute(path).with_context(|| format!("{} has no path", path.display()));
    let (data, config) = (absolute(data)?, absolute(config)?);
    let below = config.parent().and_then(|folder| data.strip_prefix(folder).ok());
    let path = below.unwrap_or(&data);
    let text = path.to_str().with_context(|| {
        format!("{} is not UTF-8 and cannot stand in a configuration: rename it", path.display())
    })?;
    Ok(text.to_owned())
}
