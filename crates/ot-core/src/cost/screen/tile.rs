//! The inner kernel of a screened pass: a tile of dot products, compared with a limit per row.

#![allow(clippy::indexing_slicing, reason = "kernel; the panels of one screen have one depth and count")]

use simd::{Instructions, Vectorised};

/// Rows and columns of a tile: 6 × 16 single-precision sums fill twelve of the sixteen registers of AVX2.
pub(super) const ROWS: usize = 6;
pub(super) const LANES: usize = simd::LANES;

/// The products of a tile.
pub(super) type Tile = [[f32; LANES]; ROWS];

/// The columns that a panel of rows is held against.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    /// Coordinates, [panel, depth, LANES].
    pub coordinates: &'a [[f32; LANES]],
    /// β, [panel, LANES].
    pub offsets: &'a [[f32; LANES]],
    /// The last coordinate, [panel, LANES]; kept apart because it changes with the potentials.
    pub last: &'a [[f32; LANES]],
}

/// A panel of rows.
pub(super) struct Rows<'a> {
    /// Coordinates, [depth, ROWS].
    pub coordinates: &'a [[f32; ROWS]],
    pub last: [f32; ROWS],
    /// Only sums below the limit matter.
    pub limits: [f32; ROWS],
}

/// The first panel of columns with a sum β_j + Σ_k r_k·c_k below its row's limit, with all sums of the tile.
pub(super) fn find_below(rows: &Rows<'_>, columns: Columns<'_>) -> Option<(usize, Tile)> {
    assert_eq!(columns.coordinates.len(), columns.offsets.len() * rows.coordinates.len());
    assert_eq!(columns.offsets.len(), columns.last.len());
    simd::run(FindBelow { rows, columns })
}

struct FindBelow<'a> {
    rows: &'a Rows<'a>,
    columns: Columns<'a>,
}

impl Vectorised for FindBelow<'_> {
    type Output = Option<(usize, Tile)>;

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) -> Self::Output {
        let Self { rows, columns } = self;
        let depth = rows.coordinates.len();
        for (panel, (offsets, last)) in columns.offsets.iter().zip(columns.last).enumerate() {
            let mut sums = [instructions.load(offsets); ROWS];
            add_products(instructions, &mut sums, &rows.last, last);
            let coordinates = &columns.coordinates[panel * depth..(panel + 1) * depth];
            for (of_row, of_column) in rows.coordinates.iter().zip(coordinates) {
                add_products(instructions, &mut sums, of_row, of_column);
            }
            if instructions.any_below(&sums, &rows.limits) {
                let mut tile = [[0.0; LANES]; ROWS];
                for (numbers, sums) in tile.iter_mut().zip(sums) {
                    *numbers = instructions.store(sums);
                }
                return Some((panel, tile));
            }
        }
        None
    }
}

#[inline(always)]
fn add_products<I: Instructions>(
    instructions: I,
    sums: &mut [I::Lanes; ROWS],
    of_row: &[f32; ROWS],
    of_column: &[f32; LANES],
) {
    let column = instructions.load(of_column);
    for (sum, factor) in sums.iter_mut().zip(of_row) {
        *sum = instructions.add_multiple(*sum, *factor, column);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simd::Portable;

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
            let portable = FindBelow { rows: &rows, columns }.run(Portable);
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
