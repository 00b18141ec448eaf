//! What a file of points holds beside their coordinates, and what is to be read of it.

use ndarray::{Array2, Axis};

use super::Columns;

/// What is to be read of a file of points.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableOptions {
    /// Whether the first row of a text holds names; where this is not said, a row of names is one without a number.
    pub header: Option<bool>,
    /// The columns that are coordinates; all of them where this is not said.
    pub columns: Option<Columns>,
}

/// Points that were read, one a row, and where each number stands in its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The points, [n, d].
    pub values: Array2<f64>,
    /// The number of columns of the file, of which the coordinates are some.
    pub width: usize,
    /// The line of each row in a text file, counted from 1; none where rows themselves are what is counted.
    pub(super) lines: Option<Vec<u64>>,
    /// The column of each coordinate in the file, counted from 0.
    pub(super) columns: Vec<usize>,
}

impl Table {
    /// The table of some columns of this one, by their index.
    ///
    /// # Errors
    /// What is wrong with the columns, and the remedy.
    pub fn selected(self, columns: &Columns) -> Result<Self, String> {
        let columns = columns.indices(self.width, None)?;
        Ok(Self { values: self.values.select(Axis(1), &columns), columns, ..self })
    }

    /// The column in the file of each coordinate, counted from 0.
    #[must_use]
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The same table without some columns of its file.
    ///
    /// ```
    /// let table = datasets::Table::from(ndarray::array![[1.0, 2.0, 3.0]]);
    /// assert_eq!(table.without(&[1]).values, ndarray::array![[1.0, 3.0]]);
    /// ```
    #[must_use]
    pub fn without(self, columns: &[usize]) -> Self {
        let kept: Vec<(usize, usize)> = self
            .columns
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, column)| !columns.contains(column))
            .collect();
        let (places, columns): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
        Self { values: self.values.select(Axis(1), &places), columns, ..self }
    }

    /// Where a number stands, in the words of its format: row and column counted from 0 as in NumPy, or the line and
    /// the column of a text, counted from 1 as in an editor.
    ///
    /// ```
    /// let table = datasets::Table::from(ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(table.place(1, 0), "row 1, column 0 (counted from 0)");
    /// ```
    #[must_use]
    pub fn place(&self, row: usize, column: usize) -> String {
        let column = self.columns.get(column).copied().unwrap_or(column);
        match self.lines.as_ref().and_then(|lines| lines.get(row)) {
            Some(line) => format!("line {line}, column {} (counted from 1)", column + 1),
            None => format!("row {row}, column {column} (counted from 0)"),
        }
    }
}

impl From<Array2<f64>> for Table {
    /// Points that are in memory.
    fn from(values: Array2<f64>) -> Self {
        let width = values.ncols();
        Self { values, width, lines: None, columns: (0..width).collect() }
    }
}
