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
    /// The extension is that of no format that is read.
    #[error("{} is neither .npy nor .csv (or .tsv) by its name: save the points in one of these formats", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The bytes begin with the mark of another format.
    #[error("{} is {found}: {remedy}", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What to do with it.
        remedy: &'static str,
    },
    /// The bytes are no text.
    #[error("{} is no text in UTF-8 or UTF-16 ({reason}): save it as UTF-8", path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
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
    /// The elements are no real numbers.
    #[error("{} holds elements of type {found}, which are no coordinates in double precision: {remedy}", path.display())]
    ElementType {
        /// The file.
        path: PathBuf,
        /// The type as the file states it.
        found: String,
        /// How to make numbers of them.
        remedy: &'static str,
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
    /// A whole number that double precision rounds.
    #[error(
        "{} has {text} on line {line}, column {column} (counted from 1): double precision rounds it to {rounded:.0}, subtract \
         an offset first, or leave the column out with --columns",
        path.display()
    )]
    Rounded {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column, counted from 1.
        column: usize,
        /// What stands there.
        text: String,
        /// What it would become.
        rounded: f64,
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
        "{} has \"{text}\" on line {line}, column {column}, which is no number: repair it, leave that column out, or say \
         that the first row holds names if it does",
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
    /// A cell of a table is empty.
    #[error("{} has an empty cell on line {line}, column {column}: fill it, or leave that line or column out", path.display())]
    EmptyCell {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column, counted from 1.
        column: usize,
    },
    /// A comma in a cell can be read in two ways.
    #[error(
        "{} has \"{text}\" on line {line}, column {column}, whose comma may be a decimal sign or separate thousands: \
         write decimal points and no thousands",
        path.display()
    )]
    Comma {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column, counted from 1.
        column: usize,
        /// The text of the cell, shortened.
        text: String,
    },
    /// The first row of a table may be names or a point.
    #[error(
        "{} begins with {text} on line {line}, a point or the numbers of the columns, as pandas writes them above a table: \
         say whether the first row holds names",
        path.display()
    )]
    CountedFirstRow {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The row.
        text: String,
    },
    /// A cell of the first row of a table is neither a number nor like a name.
    #[error(
        "{} has \"{text}\" on line {line}, column {column}, which is no number and does not look like a name: repair it, \
         or say that the first row holds names",
        path.display()
    )]
    UnclearFirstRow {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column, counted from 1.
        column: usize,
        /// The text of the cell, shortened.
        text: String,
    },
    /// The first column of a table has no name, as an index that pandas writes.
    #[error(
        "{} has a first column without a name, an index rather than a coordinate: leave it out by picking the columns \
         from 1 on (1..), in pandas write with index=False, or give it a name",
        path.display()
    )]
    Index {
        /// The file.
        path: PathBuf,
    },
    /// The columns that were picked are not there.
    #[error("{} {reason}", path.display())]
    Selection {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the remedy.
        reason: String,
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
