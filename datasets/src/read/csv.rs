//! Tables of numbers as text, one point a line.

use std::{borrow::Cow, path::Path};

use ::csv::{ReaderBuilder, StringRecord};
use ndarray::Array2;

use super::header::{self, FirstRow};
use super::number::{decimal_comma, is_rounded, number};
use super::{ReadError, Table, TableOptions, shortened, text};

/// Parses the bytes of a text file into a table of finite values; it may have no rows.
///
/// Cells are separated by tabs, semicolons, commas or blanks: the first of these that stands in the second line, which is
/// no line of names. Beside tabs and semicolons a comma may be the decimal sign.
pub(super) fn parse(path: &Path, bytes: &[u8], options: &TableOptions) -> Result<Table, ReadError> {
    let text = text::decoded(path, bytes)?;
    let delimiter = delimiter(&text);
    let text = if delimiter == BLANK { single_blanks(&text) } else { text };
    let mut records = Records::new(path, &text, delimiter);
    let Some((line, first)) = records.next()? else { return Ok(Table::from(Array2::zeros((0, 0)))) };
    let (width, cells) = (first.len(), cells(&first));
    let more = records.peek()?;
    let has_names = match options.header {
        Some(has_names) => has_names,
        None => match header::judged(&cells) {
            FirstRow::Point => false,
            FirstRow::Names => true,
            // A point by itself has nothing that names would stand above.
            FirstRow::Counted if !more => false,
            FirstRow::Counted => {
                return Err(ReadError::CountedFirstRow { path: path.into(), line, text: cells.join(",") });
            }
            FirstRow::Unclear(column) => {
                let text = shortened(cells.get(column).copied().unwrap_or_default());
                return Err(ReadError::UnclearFirstRow { path: path.into(), line, column: column + 1, text });
            }
        },
    };
    let names: Option<Vec<String>> = has_names.then(|| cells.iter().map(|cell| (*cell).to_owned()).collect());
    let columns = match &options.columns {
        Some(columns) => columns
            .indices(width, names.as_deref())
            .map_err(|reason| ReadError::Selection { path: path.into(), reason })?,
        None if names.as_ref().and_then(|names| names.first()).is_some_and(|name| header::is_index(name)) => {
            return Err(ReadError::Index { path: path.into() });
        }
        None => (0..width).collect(),
    };
    let mut values = Values::new(path, b"\t;".contains(&delimiter));
    let mut lines = Vec::new();
    let mut record = if has_names { records.next()? } else { Some((line, first)) };
    while let Some((line, cells)) = record {
        if cells.len() != width {
            let (found, expected) = (cells.len(), width);
            return Err(ReadError::RaggedRow { path: path.into(), line, found, expected });
        }
        for &column in &columns {
            values.push(line, column + 1, trimmed(cells.get(column).unwrap_or_default()))?;
        }
        lines.push(line);
        record = records.next()?;
    }
    let values = Array2::from_shape_vec((lines.len(), columns.len()), values.finished()?)
        .map_err(|error| malformed(path, error.to_string()))?;
    Ok(Table { values, width, lines: Some(lines), columns })
}

const BLANK: u8 = b' ';

/// What separates the cells.
fn delimiter(text: &str) -> u8 {
    let second = text.lines().filter(|line| is_content(line)).take(2).last().unwrap_or_default();
    // What stands within quotes separates nothing.
    let bare: String = second.trim().split('"').step_by(2).collect();
    [b'\t', b';', b',', BLANK].into_iter().find(|&byte| bare.contains(char::from(byte))).unwrap_or(b',')
}

fn is_content(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with('#')
}

/// The lines with one blank between any two cells.
fn single_blanks(text: &str) -> Cow<'static, str> {
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    Cow::Owned(text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n")
}

/// The records of a table with the lines where they stand.
struct Records<'a> {
    path: &'a Path,
    reader: ::csv::Reader<&'a [u8]>,
    ahead: Option<(u64, StringRecord)>,
}

impl<'a> Records<'a> {
    fn new(path: &'a Path, text: &'a str, delimiter: u8) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).comment(Some(b'#')).delimiter(delimiter);
        Self { path, reader: builder.from_reader(text.as_bytes()), ahead: None }
    }

    /// The next record, of which a line of blanks is none, and the line where it begins, counted from 1.
    fn next(&mut self) -> Result<Option<(u64, StringRecord)>, ReadError> {
        if let Some(record) = self.ahead.take() {
            return Ok(Some(record));
        }
        let mut record = StringRecord::new();
        while self.reader.read_record(&mut record).map_err(|error| malformed(self.path, error.to_string()))? {
            let blank =
                record.len() == 1 && record.iter().all(|cell| !cell.is_empty() && cell.trim().is_empty());
            if !blank {
                // The reader stands behind the line feed of the record. Where a record begins it says as well, but counts
                // the comments and empty lines before as part of it.
                let within: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
                let line = self.reader.position().line() - 1 - within as u64;
                return Ok(Some((line, record)));
            }
        }
        Ok(None)
    }

    /// Whether there is another record.
    fn peek(&mut self) -> Result<bool, ReadError> {
        if self.ahead.is_none() {
            self.ahead = self.next()?;
        }
        Ok(self.ahead.is_some())
    }
}

fn cells(record: &StringRecord) -> Vec<&str> {
    record.iter().map(trimmed).collect()
}

/// A cell without blanks around it, and without quotes that blanks before them have hidden.
fn trimmed(cell: &str) -> &str {
    cell.trim().trim_matches('"').trim()
}

/// The numbers of a table as they are read.
struct Values<'a> {
    path: &'a Path,
    /// Whether a comma within a cell is a decimal sign.
    decimal_commas: bool,
    numbers: Vec<f64>,
    /// Whether a decimal point was seen.
    point: bool,
    /// Whether a comma was seen that can be nothing but a decimal sign.
    comma: bool,
    /// A cell with a comma, first of all one that may separate thousands.
    doubtful: Option<(u64, usize, String)>,
}

impl<'a> Values<'a> {
    fn new(path: &'a Path, decimal_commas: bool) -> Self {
        Self { path, decimal_commas, numbers: Vec::new(), point: false, comma: false, doubtful: None }
    }

    /// Takes in a cell, both its places counted from 1.
    fn push(&mut self, line: u64, column: usize, cell: &str) -> Result<(), ReadError> {
        let path = || self.path.into();
        if cell.is_empty() {
            return Err(ReadError::EmptyCell { path: path(), line, column });
        }
        let value = if let Some(value) = number(cell) {
            self.point |= cell.contains('.');
            value
        } else if let Some(read) = decimal_comma(cell).filter(|_| self.decimal_commas) {
            self.comma |= !read.ambiguous;
            self.doubtful.get_or_insert_with(|| (line, column, shortened(cell)));
            read.value
        } else {
            return Err(ReadError::Cell { path: path(), line, column, text: shortened(cell) });
        };
        if is_rounded(cell, value) {
            return Err(ReadError::Rounded {
                path: path(),
                line,
                column,
                text: shortened(cell),
                rounded: value,
            });
        }
        if !value.is_finite() {
            let place = format!("line {line}, column {column} (counted from 1)");
            return Err(ReadError::NonFinite { path: path(), place, value });
        }
        self.numbers.push(value);
        Ok(())
    }

    /// The numbers, if every comma among them has one meaning.
    fn finished(self) -> Result<Vec<f64>, ReadError> {
        match self.doubtful {
            Some((line, column, text)) if self.point || !self.comma => {
                Err(ReadError::Comma { path: self.path.into(), line, column, text })
            }
            _ => Ok(self.numbers),
        }
    }
}

fn malformed(path: &Path, reason: String) -> ReadError {
    ReadError::Malformed { path: path.into(), format: "csv", reason }
}
