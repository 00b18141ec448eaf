//! Whether the first row of a table holds names.

use super::number::number;

/// What the first row of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstRow {
    /// A point.
    Point,
    /// The names of the columns.
    Names,
    /// 0, 1, …, d − 1: a point, or the names that pandas gives.
    Counted,
    /// Its cell of this column, counted from 0, is neither a number nor like a name.
    Unclear(usize),
}

/// Judges the cells of a first row: names are a row without a number, each of whose cells begins with a letter, its
/// signs aside. The first name may be missing, as it is above an index.
pub(super) fn judged(cells: &[&str]) -> FirstRow {
    let is_number = |cell: &str| number(cell).is_some();
    let counted = |cells: &[&str]| (0..).zip(cells).all(|(count, cell)| *cell == format!("{count}"));
    match cells {
        ["", rest @ ..] if !rest.is_empty() && (counted(rest) || rest.iter().all(|cell| is_name(cell))) => {
            FirstRow::Names
        }
        _ if counted(cells) => FirstRow::Counted,
        _ if cells.iter().any(|cell| is_number(cell)) || cells.iter().all(|cell| is_missing(cell)) => {
            FirstRow::Point
        }
        _ => match cells.iter().position(|cell| !cell.is_empty() && !is_name(cell)) {
            Some(column) => FirstRow::Unclear(column),
            None => FirstRow::Names,
        },
    }
}

/// Whether a name stands above an index rather than a coordinate: pandas writes none, and reads that back as
/// `Unnamed: 0`.
pub(super) fn is_index(name: &str) -> bool {
    name.is_empty() || name == "Unnamed: 0"
}

/// Whether the first letter or digit is a letter; `$1.50`, `−2` and `50%` are numbers gone wrong.
fn is_name(cell: &str) -> bool {
    cell.chars().find(|c| c.is_alphanumeric()).is_some_and(char::is_alphabetic)
}

/// Whether a cell says that there is no value.
fn is_missing(cell: &str) -> bool {
    let words = ["", "na", "n/a", "#n/a", "nan", "null", "none", "missing", "-", "--", "?", "."];
    words.contains(&cell.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::{FirstRow, judged};

    #[test]
    fn first_rows_are_told_apart() {
        for (cells, expected) in [
            (&["2.5", "7"][..], FirstRow::Point),
            (&["2.5D0", "7.0D0"], FirstRow::Point),
            (&["1.5", "two"], FirstRow::Point),
            (&["nan", "inf"], FirstRow::Point),
            (&["NA", "NA"], FirstRow::Point),
            (&["1", "2"], FirstRow::Point),
            (&["0", "1", "3"], FirstRow::Point),
            (&["x", "y"], FirstRow::Names),
            (&["x", ""], FirstRow::Names),
            (&["speed, m/s", "(y)", "température"], FirstRow::Names),
            (&["K", "NA"], FirstRow::Names),
            (&["", "0", "1"], FirstRow::Names),
            (&["", "x", "y"], FirstRow::Names),
            (&["0", "1"], FirstRow::Counted),
            (&["0"], FirstRow::Counted),
            (&["2.5f", "7f"], FirstRow::Unclear(0)),
            (&["x", "$1.50"], FirstRow::Unclear(1)),
            (&["−2.5", "−1"], FirstRow::Unclear(0)),
            (&["1 000", "x"], FirstRow::Unclear(0)),
        ] {
            assert_eq!(judged(cells), expected, "{cells:?}");
        }
    }
}
