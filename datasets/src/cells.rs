//! Snapshots of cells on five days of a differentiation, in their leading principal components.

use std::path::{Path, PathBuf};

use faer::{Mat, Side};
use ndarray::{Array1, Array2, Axis};

use crate::{DataError, ReadError};

/// The folder of the files below that of the data sets.
const FOLDER: &str = "mesc";
const GENES: &str = "Data_0_gene_expression_matrix.txt";
const DAYS: &str = "Data_0_Cells_Days_matrix.txt";
const TERMS: &str = "Data_0_gene_expression_matrix.txt and Data_0_Cells_Days_matrix.txt are in the repository \
                     Michorlab/PROFET (MIT licence)";

/// The files of the snapshots below the folder of the data sets.
#[must_use]
pub fn cells_files(data_sets: &Path) -> [PathBuf; 2] {
    [GENES, DAYS].map(|name| data_sets.join(FOLDER).join(name))
}

/// Mouse embryonic stem cells of one `day`, 0 to 4, in the first `components` principal components of the cells of all
/// days, [n, components], centred at their mean.
///
/// The components are ordered by variance, and each points to where its largest loading is positive. Complexity:
/// O(n·g² + g³) for g genes.
///
/// # Errors
/// [`DataError::NoPackage`] where a file is missing, which says where to get it; [`DataError::Read`] for one that is damaged,
/// a day without cells, and more components than genes.
///
/// Source: 456 cells × 100 genes, repository Michorlab/PROFET.
pub fn cells(data_sets: &Path, day: u8, components: usize) -> Result<Array2<f64>, DataError> {
    let files = cells_files(data_sets);
    let read = read(&files).map_err(|error| match error {
        ReadError::Missing { .. } => {
            let folder = data_sets.join(FOLDER);
            DataError::NoPackage { name: "mesc", folder, terms: TERMS }
        }
        error => error.into(),
    })?;
    let (genes, days) = read;
    let [path, _] = files;
    let malformed =
        |reason: String| ReadError::Malformed { path: path.clone(), format: "table of cells", reason };
    if components > genes.ncols() {
        let reason = format!("it has {} genes for {components} components", genes.ncols());
        return Err(malformed(reason).into());
    }
    let rows: Vec<usize> = (0..).zip(&days).filter(|(_, of)| **of == day).map(|(row, _)| row).collect();
    if rows.is_empty() {
        return Err(malformed(format!("it has no cell of day {day}")).into());
    }
    let scores = principal(&genes, components)
        .ok_or_else(|| malformed("its covariance has no eigenvectors".into()))?;
    Ok(scores.select(Axis(0), &rows))
}

/// The scores of the rows of `points`, [n, g], in their first components, [n, components].
fn principal(points: &Array2<f64>, components: usize) -> Option<Array2<f64>> {
    let centred = points - &points.mean_axis(Axis(0))?;
    let covariance = centred.t().dot(&centred);
    let dim = points.ncols();
    let matrix = Mat::from_fn(dim, dim, |i, j| covariance.get((i, j)).copied().unwrap_or(0.0));
    // Eigenvalues in rising order.
    let found = matrix.self_adjoint_eigen(Side::Lower).ok()?;
    let mut scores = Array2::zeros((points.nrows(), components));
    for (k, mut column) in (1..).zip(scores.columns_mut()) {
        let axis: Array1<f64> = (0..dim).map(|i| found.U()[(i, dim - k)]).collect();
        let largest = axis.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
        column.assign(&(centred.dot(&axis) * largest.signum()));
    }
    Some(scores)
}

/// The expression of each cell, [n, g], and its day, \[n\].
fn read([genes, days]: &[PathBuf; 2]) -> Result<(Array2<f64>, Vec<u8>), ReadError> {
    let expression = table(genes)?;
    let malformed = |reason: &str| ReadError::Malformed {
        path: days.clone(),
        format: "table of days",
        reason: reason.into(),
    };
    let found = table(days)?;
    if found.ncols() != 1 || found.nrows() != expression.nrows() {
        return Err(malformed("it has not one day for each cell of the expression matrix"));
    }
    let day = |&day: &f64| (0..=u8::MAX).find(|&whole| f64::from(whole) == day);
    let days: Option<Vec<u8>> = found.iter().map(day).collect();
    Ok((expression, days.ok_or_else(|| malformed("a day is no whole number"))?))
}

/// The numbers of a table whose first line has the names of the columns and whose first column those of the rows.
fn table(path: &Path) -> Result<Array2<f64>, ReadError> {
    if !path.is_file() {
        return Err(ReadError::Missing { path: path.into() });
    }
    let malformed =
        |reason: String| ReadError::Malformed { path: path.into(), format: "tab-separated", reason };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .from_path(path)
        .map_err(|error| malformed(error.to_string()))?;
    let (mut numbers, mut rows) = (Vec::new(), 0);
    for record in reader.records() {
        let record = record.map_err(|error| malformed(error.to_string()))?;
        rows += 1;
        for cell in record.iter().skip(1) {
            let number = cell.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            numbers.push(number.ok_or_else(|| malformed(format!("`{cell}` in row {rows} is no number")))?);
        }
    }
    let columns = numbers.len().checked_div(rows).unwrap_or(0);
    Array2::from_shape_vec((rows, columns), numbers).map_err(|error| malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{FOLDER, cells, cells_files, principal};
    use crate::{DataError, stream};
    use ndarray::{Array2, Axis};
    use rand::RngExt;
    use std::fs;
    use std::path::Path;

    fn written(folder: &Path, genes: &str, days: &str) {
        fs::create_dir_all(folder.join(FOLDER)).unwrap();
        let files = cells_files(folder);
        fs::write(&files[0], genes).unwrap();
        fs::write(&files[1], days).unwrap();
    }

    /// Cells along (3, 4)/5: the first component is the place on that line, up to rounding of a few units.
    #[test]
    fn a_line_is_its_first_component() {
        let folder = tempfile::tempdir().unwrap();
        let genes = "id\ta\tb\nx\t0\t0\ny\t3\t4\nz\t6\t8\n";
        written(folder.path(), genes, "id\tday\nx\t0\ny\t1\nz\t0\n");
        let first = cells(folder.path(), 0, 1).unwrap();
        assert!((&first - &ndarray::array![[-5.0], [5.0]]).iter().all(|gap| gap.abs() < 1e-12), "{first}");
        assert!(cells(folder.path(), 1, 2).unwrap().iter().all(|score| score.abs() < 1e-12));
    }

    #[test]
    fn scores_have_falling_variances_and_no_covariances() {
        let mut rng = stream(0, "cells", 0);
        let points = Array2::from_shape_simple_fn((60, 5), || rng.random::<f64>());
        let scores = principal(&points, 5).unwrap();
        let covariance = scores.t().dot(&scores);
        let variances = covariance.diag().to_vec();
        assert!(variances.is_sorted_by(|a, b| a >= b), "{variances:?}");
        let off = &covariance - &Array2::from_diag(&covariance.diag());
        // Sums of 60 products of size 1.
        assert!(off.iter().all(|value| value.abs() < 1e-12), "{off}");
        let centred = &points - &points.mean_axis(Axis(0)).unwrap();
        // A rotation keeps all distances.
        assert!(((&scores * &scores).sum() - (&centred * &centred).sum()).abs() < 1e-12);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = cells(folder.path(), 0, 1).unwrap_err();
        assert!(matches!(&missing, DataError::NoPackage { .. }) && missing.to_string().contains("PROFET"));
        let good = "id\ta\nx\t1\ny\t2\n";
        for (genes, days, day, components, says) in [
            ("id\ta\nx\t1\ny\tn/a\n", "id\tday\nx\t0\ny\t0\n", 0, 1, "`n/a` in row 2"),
            (good, "id\tday\nx\t0\n", 0, 1, "one day for each cell"),
            (good, "id\tday\nx\t0\ny\t0.5\n", 0, 1, "whole number"),
            (good, "id\tday\nx\t0\ny\t0\n", 3, 1, "no cell of day 3"),
            (good, "id\tday\nx\t0\ny\t0\n", 0, 2, "1 genes for 2 components"),
        ] {
            written(folder.path(), genes, days);
            let error = cells(folder.path(), day, components).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
