//! What can be wrong with a file that is read.

use std::{io, path::PathBuf};

use thiserror::Error;

/// A file that cannot be read as asked; each message names the file, the place and the remedy.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such file.
    #[error("{} does not exist: check the path", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{} cannot be read ({source}): check that it is a file you may read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason given.
        source: io::Error,
    },
    /// The file has no bytes.
    #[error("{} is empty: write it again, it may come from an interrupted run", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The extension is neither .npy nor .csv.
    #[error("{} is neither .npy nor .csv by its name: save the array in one of these formats", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The bytes do not follow the format.
    #[error("{} is not a valid {format} file ({reason}): write it again with the program that made it", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The format that was expected.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The elements are not floating point numbers of 4 or 8 bytes.
    #[error(
        "{} holds elements of type {found}, not float32 or float64: convert it, in NumPy with array.astype(\"float64\")",
        path.display()
    )]
    ElementType {
        /// The file.
        path: PathBuf,
        /// The type as the file states it.
        found: String,
    },
    /// The array is not a vector or a matrix.
    #[error(
        "{} holds an array of shape {shape:?}, not one of one or two axes: reshape it to [points, coordinates]",
        path.display()
    )]
    Axes {
        /// The file.
        path: PathBuf,
        /// The shape of the array.
        shape: Vec<usize>,
    },
    /// There is not one row, or not one column.
    #[error("{} holds {rows} rows of {columns} columns: give at least one of each", path.display())]
    NoRows {
        /// The file.
        path: PathBuf,
        /// Number of rows.
        rows: usize,
        /// Number of columns.
        columns: usize,
    },
    /// A value is NaN or infinite.
    #[error("{} has the value {value} at {place}: remove that row or repair it", path.display())]
    NonFinite {
        /// The file.
        path: PathBuf,
        /// Row and column, or line and column.
        place: String,
        /// The value.
        value: f64,
    },
    /// A row of a table has another length than the rows before it.
    #[error(
        "{} has {found} cells on line {line} where the lines before have {expected}: make all lines equally long",
        path.display()
    )]
    RaggedRow {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// Cells on that line.
        found: usize,
        /// Cells on the lines before.
        expected: usize,
    },
    /// A cell of a table is not a number.
    #[error(
        "{} has \"{text}\" on line {line}, column {column}, which is no number: use a decimal point and commas between cells",
        path.display()
    )]
    Cell {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column, counted from 1.
        column: usize,
        /// The text of the cell, shortened.
        text: String,
    },
    /// The number of columns is not the one asked for.
    #[error("{} has {found} columns where {expected} are needed: give points of that dimension", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// Columns of the file.
        found: usize,
        /// Columns needed.
        expected: usize,
    },
}
