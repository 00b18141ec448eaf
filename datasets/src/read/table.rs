//! Tables of comma-separated values.

use std::path::Path;

use ndarray::Array2;

use super::ReadError;

/// Parses the bytes of a `.csv` file into a matrix of finite values; it may have no rows.
///
/// Split by hand, because the lines of an error must be those of the file, with its blank lines and comments counted.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Array2<f64>, ReadError> {
    let malformed = |reason: String| ReadError::Malformed { path: path.into(), format: "csv", reason };
    let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, text)| !text.is_empty() && !text.starts_with('#'))
        .peekable();
    let columns = lines.peek().map_or(0, |(_, text)| cells(text).count());
    // Names of columns: only the first line, and only where no cell of it is a number or empty.
    let names = |text: &str| cells(text).all(|cell| !cell.is_empty() && cell.parse::<f64>().is_err());
    lines.next_if(|(_, text)| names(text));
    let mut values = Vec::new();
    let mut rows = 0;
    for (line, text) in lines {
        let found = cells(text).count();
        if found != columns {
            return Err(ReadError::RaggedRow { path: path.into(), line, found, expected: columns });
        }
        push_row(path, line, text, &mut values)?;
        rows += 1;
    }
    Array2::from_shape_vec((rows, columns), values).map_err(|error| malformed(error.to_string()))
}

/// The cells of a line, without the blanks and quotes around them.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|cell| cell.trim().trim_matches('"'))
}

fn push_row(path: &Path, line: u64, text: &str, values: &mut Vec<f64>) -> Result<(), ReadError> {
    for (column, cell) in (1..).zip(cells(text)) {
        let value: f64 = cell.parse().map_err(|_| ReadError::Cell {
            path: path.into(),
            line,
            column,
            text: cell.chars().take(40).collect(),
        })?;
        if !value.is_finite() {
            let place = format!("line {line}, column {column} (counted from 1)");
            return Err(ReadError::NonFinite { path: path.into(), place, value });
        }
        values.push(value);
    }
    Ok(())
}
