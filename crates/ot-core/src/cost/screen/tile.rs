//! The inner kernel of a screened pass: a tile of dot products, compared with a limit per row.

#![allow(clippy::indexing_slicing, reason = "kernel; the panels of one screen have one depth and count")]

/// Rows and columns of a tile: 6 × 16 single-precision sums fill twelve of the sixteen registers of AVX2.
pub(super) const ROWS: usize = 6;
pub(super) const LANES: usize = 16;

/// The products of a tile.
pub(super) type Tile = [[f32; LANES]; ROWS];

/// The columns that a panel of rows is held against.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    /// Coordinates, \[panel, depth, LANES\].
    pub coordinates: &'a [[f32; LANES]],
    /// β, \[panel, LANES\].
    pub offsets: &'a [[f32; LANES]],
    /// The last coordinate, \[panel, LANES\]; kept apart because it changes with the potentials.
    pub last: &'a [[f32; LANES]],
}

/// A panel of rows.
pub(super) struct Rows<'a> {
    /// Coordinates, \[depth, ROWS\].
    pub coordinates: &'a [[f32; ROWS]],
    pub last: [f32; ROWS],
    /// Only sums below the limit matter.
    pub limits: [f32; ROWS],
}

/// The first panel of columns with a sum β_j + Σ_k r_k·c_k below its row's limit, with all sums of the tile.
pub(super) fn find_below(rows: &Rows<'_>, columns: Columns<'_>) -> Option<(usize, Tile)> {
    assert_eq!(columns.coordinates.len(), columns.offsets.len() * rows.coordinates.len());
    assert_eq!(columns.offsets.len(), columns.last.len());
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the processor has just been seen to support both.
        return unsafe { avx2::find_below(rows, columns) };
    }
    find_below_portable(rows, columns)
}

fn find_below_portable(rows: &Rows<'_>, columns: Columns<'_>) -> Option<(usize, Tile)> {
    let depth = rows.coordinates.len();
    columns.offsets.iter().zip(columns.last).enumerate().find_map(|(panel, (offsets, last))| {
        let coordinates = &columns.coordinates[panel * depth..(panel + 1) * depth];
        let mut is_below = false;
        let mut sums: Tile = [*offsets; ROWS];
        for (row, sums) in sums.iter_mut().enumerate() {
            for (sum, last) in sums.iter_mut().zip(last) {
                *sum += rows.last[row] * last;
            }
            for (of_row, of_column) in rows.coordinates.iter().zip(coordinates) {
                for (sum, coordinate) in sums.iter_mut().zip(of_column) {
                    *sum += of_row[row] * coordinate;
                }
            }
            is_below |= sums.iter().fold(false, |any, sum| any | (*sum < rows.limits[row]));
        }
        is_below.then_some((panel, sums))
    })
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{Columns, LANES, ROWS, Rows, Tile};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx2,fma")]
    pub fn find_below(rows: &Rows<'_>, columns: Columns<'_>) -> Option<(usize, Tile)> {
        let depth = rows.coordinates.len();
        for (panel, (offsets, last)) in columns.offsets.iter().zip(columns.last).enumerate() {
            let mut sums = [load(offsets); ROWS];
            multiply_add(&mut sums, &rows.last, last);
            for (of_row, of_column) in
                rows.coordinates.iter().zip(&columns.coordinates[panel * depth..(panel + 1) * depth])
            {
                multiply_add(&mut sums, of_row, of_column);
            }
            let mut below = _mm256_setzero_ps();
            for (sum, limit) in sums.iter().zip(&rows.limits) {
                let limit = _mm256_set1_ps(*limit);
                below = _mm256_or_ps(below, _mm256_cmp_ps::<_CMP_LT_OQ>(sum.0, limit));
                below = _mm256_or_ps(below, _mm256_cmp_ps::<_CMP_LT_OQ>(sum.1, limit));
            }
            if _mm256_movemask_ps(below) != 0 {
                return Some((panel, sums.map(|sum| store(sum))));
            }
        }
        None
    }

    type Lanes = (__m256, __m256);

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn multiply_add(sums: &mut [Lanes; ROWS], of_row: &[f32; ROWS], of_column: &[f32; LANES]) {
        let column = load(of_column);
        for (sum, value) in sums.iter_mut().zip(of_row) {
            let value = _mm256_set1_ps(*value);
            sum.0 = _mm256_fmadd_ps(value, column.0, sum.0);
            sum.1 = _mm256_fmadd_ps(value, column.1, sum.1);
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn load(lanes: &[f32; LANES]) -> Lanes {
        // SAFETY: two groups of eight numbers lie in the array, and the loads need no alignment.
        unsafe { (_mm256_loadu_ps(lanes.as_ptr()), _mm256_loadu_ps(lanes.as_ptr().add(LANES / 2))) }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn store(sum: Lanes) -> [f32; LANES] {
        let mut lanes = [0.0; LANES];
        // SAFETY: two groups of eight numbers fit into the array, and the stores need no alignment.
        unsafe {
            _mm256_storeu_ps(lanes.as_mut_ptr(), sum.0);
            _mm256_storeu_ps(lanes.as_mut_ptr().add(LANES / 2), sum.1);
        }
        lanes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of integers below 2^24 are exact in any order, so both kernels must find the same tile.
    #[test]
    fn the_kernels_agree() {
        let (depth, panels) = (5, 7);
        let number = |index: usize| ((index * 2_654_435_761) % 201) as f32 - 100.0;
        let coordinates: Vec<[f32; LANES]> =
            (0..panels * depth).map(|at| std::array::from_fn(|lane| number(at * LANES + lane))).collect();
        let lanes = |seed: usize| -> Vec<[f32; LANES]> {
            (0..panels).map(|at| std::array::from_fn(|lane| number(seed + at * LANES + lane))).collect()
        };
        let (offsets, last) = (lanes(1000), lanes(2000));
        let of_rows: Vec<[f32; ROWS]> =
            (0..depth).map(|at| std::array::from_fn(|row| number(3000 + at * ROWS + row))).collect();
        let columns = Columns { coordinates: &coordinates, offsets: &offsets, last: &last };
        let mut found = std::collections::BTreeSet::new();
        for limit in (-50_000..0).step_by(500) {
            let limits = std::array::from_fn(|row| (limit + 10 * row as i32) as f32);
            let rows = Rows { coordinates: &of_rows, last: std::array::from_fn(|row| row as f32), limits };
            let portable = find_below_portable(&rows, columns);
            assert_eq!(portable, find_below(&rows, columns));
            if let Some((_, sums)) = portable {
                assert!(sums.iter().zip(limits).any(|(sums, limit)| sums.iter().any(|&sum| sum < limit)));
            }
            found.insert(portable.map(|(panel, _)| panel));
        }
        // The limits reach from no tile at all to the first one.
        assert!(found.contains(&None) && found.contains(&Some(0)) && found.len() > 2);
    }
}
