//! `init`: looks at a file of points and writes a configuration that fits them.

use crate::ending::Ending;
use crate::own_data::{Proposal, Survey};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A .npy or .csv file, one point a row
    data: PathBuf,
    /// The configuration to write [default: the name of the data with .toml, in this folder]
    #[arg(long, value_name = "FILE.toml")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let data = &arguments.data;
    let stem = data.file_stem().unwrap_or(data.as_os_str()).to_string_lossy().into_owned();
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from(format!("{stem}.toml")));
    if out.exists() {
        bail!("{} exists: choose another name with --out, or delete it", out.display());
    }
    let points = datasets::read_matrix(data)?;
    for sentence in Survey::of(points.view()).sentences() {
        say::answer!("{sentence}");
    }
    let text = Proposal::of(points.ncols(), &stem, &seen_from(data, &out)?).to_toml();
    datasets::write_whole(&out, |file| file.write_all(text.as_bytes()))?;
    say::answer!("\n{} is written; train with\n  cargo xtask train {}", out.display(), out.display());
    Ok(Ending::Done)
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
