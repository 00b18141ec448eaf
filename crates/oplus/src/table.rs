//! Which numbers of a file of the user's own are coordinates, on the command line.

use anyhow::{Result, bail};
use clap::Args;
use datasets::{Columns, TableOptions, read_table};
use ndarray::Array2;
use std::path::Path;

/// How a file of points is read.
#[derive(Debug, Args)]
pub(crate) struct Coordinates {
    /// The columns of the file that are coordinates, by index from 0, range or name: 0..2,4 or height,weight
    #[arg(long)]
    pub(crate) columns: Option<Columns>,
    /// Whether the first row of the file holds names, where that cannot be seen
    #[arg(long)]
    pub(crate) header: Option<bool>,
}

impl Coordinates {
    /// Whether anything is said.
    pub(crate) fn are_given(&self) -> bool {
        self.columns.is_some() || self.header.is_some()
    }

    /// What is to be read of the file.
    pub(crate) fn options(&self) -> TableOptions {
        TableOptions { header: self.header, columns: self.columns.clone() }
    }

    /// The points in a file, which must have so many coordinates.
    pub(crate) fn read(&self, file: &Path, columns: usize) -> Result<Array2<f64>> {
        let points = read_table(file, &self.options())?.values;
        if points.ncols() > columns {
            bail!(
                "{} has {} columns where {columns} are needed: pick those that are coordinates with --columns",
                file.display(),
                points.ncols()
            );
        }
        datasets::expect_columns(file, &points, columns)?;
        Ok(points)
    }
}
