//! Every kernel at every width of vectors that the machine has, against sums in double precision and the portable one.

use super::*;
use simd::{Width, run_at};

/// Numbers in [−½, ½], different for each `seed`.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 - 0.5
    };
    (0..count).map(|_| next()).collect()
}

/// The widths of this machine; the last one is the portable one.
fn widths() -> impl Iterator<Item = Width> {
    Width::ALL.into_iter().filter(|&width| width <= Width::of_this_machine())
}

/// Shapes that meet every tile: rows, depth and columns around multiples of what registers and blocks hold.
const SHAPES: [(usize, usize, usize); 12] = [
    (1, 1, 1),
    (7, 3, 2),
    (12, 5, 8),
    (13, 48, 12),
    (25, 9, 17),
    (24, 12, 24),
    (31, 48, 48),
    (40, 16, 64),
    (53, 20, 50),
    (64, 7, 80),
    (11, 33, 96),
    (3, 70, 113),
];

/// A sum of n products below ¼ has n roundings of less than n/4·2⁻²⁴ each at most.
fn tolerance(terms: usize) -> f64 {
    (terms * terms) as f64 * 0.25 * 2f64.powi(-24)
}

fn assert_near(found: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (&found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (f64::from(found) - expected).abs() <= tolerance,
            "{what}, entry {i}: {found} for {expected}"
        );
    }
}

/// Doubles the rows and remembers where they began.
struct Double(Vec<usize>);

impl Finish<f32> for &mut Double {
    #[inline(always)]
    fn finish(&mut self, start: usize, rows: &mut [f32]) {
        self.0.push(start);
        rows.iter_mut().for_each(|entry| *entry *= 2.0);
    }
}

#[test]
fn products_are_sums_of_products_at_every_width() {
    for (rows, depth, columns) in SHAPES {
        let (a, b) = (numbers(rows * depth, 1), numbers(depth * columns, 2));
        let entry = |i: usize| {
            let (row, column) = (i / columns, i % columns);
            let terms = (0..depth)
                .map(|k| f64::from(a[row * depth + k]) * f64::from(b[k * columns + column]))
                .sum::<f64>();
            2.0 * terms
        };
        let expected: Vec<f64> = (0..rows * columns).map(entry).collect();
        let transposed: Vec<f32> = (0..columns * depth).map(|i| b[i % depth * columns + i / depth]).collect();
        let [mut packed, mut packed_transposed] = [Panels::new(), Panels::new()];
        packed.pack(&b, depth, columns);
        packed_transposed.pack_transposed(&transposed, depth, columns);
        for width in widths() {
            for b in [&packed, &packed_transposed] {
                let (mut out, mut finish) = (vec![f32::NAN; rows * columns], Double(Vec::new()));
                let product = Multiply { out: (&mut out, columns), a: (&a, depth), b, finish: &mut finish };
                run_at(width, product).unwrap();
                let what = format!("{rows} × {depth} × {columns}, {width}");
                assert_near(&out, &expected, 2.0 * tolerance(depth), &what);
                let blocks: Vec<usize> = (0..rows * columns).step_by(24 * columns).collect();
                assert_eq!(finish.0, blocks, "{what}");
            }
        }
    }
}

#[test]
fn the_first_rows_and_columns_of_a_packed_matrix_can_be_used_alone() {
    let (rows, depth, columns) = (14, 18, 33);
    let (a, b) = (numbers(rows * (depth - 1), 1), numbers(depth * columns, 2));
    let mut panels = Panels::new();
    panels.pack(&b, depth, columns);
    for width in widths() {
        for used in [32, 17, 16, 3] {
            let entry = |i: usize| {
                let row = &a[i / used * (depth - 1)..][..depth - 1];
                row.iter()
                    .enumerate()
                    .map(|(k, &a)| f64::from(a) * f64::from(b[k * columns + i % used]))
                    .sum()
            };
            let expected: Vec<f64> = (0..rows * used).map(entry).collect();
            let mut out = vec![0.0; rows * used];
            run_at(width, Multiply { out: (&mut out, used), a: (&a, depth - 1), b: &panels, finish: () });
            assert_near(&out, &expected, tolerance(depth), &format!("{used} columns, {width}"));
        }
    }
}

#[test]
fn sums_of_products_are_added_at_every_width_and_leave_the_rest_of_a_row_alone() {
    // The last one is large enough to be packed whatever the width.
    for (m, rows, n) in SHAPES.into_iter().chain([(260, 9, 260)]) {
        let (a, b) = (numbers(rows * m, 1), numbers(rows * n, 2));
        let stride = n + 1;
        let before = numbers(m * stride, 3);
        let entry = |i: usize| {
            let (row, column) = (i / stride, i % stride);
            let term = |k: usize| f64::from(a[k * m + row]) * f64::from(b[k * n + column]);
            let sum = if column < n { (0..rows).map(term).sum() } else { 0.0 };
            f64::from(before[i]) + sum
        };
        let expected: Vec<f64> = (0..m * stride).map(entry).collect();
        for width in widths() {
            let mut out = before.clone();
            run_at(width, AddProducts { out: (&mut out, stride), a: (&a, m), b: (&b, n) }).unwrap();
            assert_near(&out, &expected, tolerance(rows + 1), &format!("{m} × {rows} × {n}, {width}"));
        }
    }
}

#[test]
fn weighted_rows_are_added_at_every_width() {
    for (rows, _, columns) in SHAPES {
        // More rows than factors: what is left over in a reused buffer.
        let (a, factors) = (numbers((rows + 2) * columns, 1), numbers(rows, 2));
        let before = numbers(columns, 3);
        let entry = |column: usize| {
            let terms = factors.iter().enumerate();
            f64::from(before[column])
                + terms.map(|(k, &f)| f64::from(f) * f64::from(a[k * columns + column])).sum::<f64>()
        };
        let expected: Vec<f64> = (0..columns).map(entry).collect();
        for width in widths() {
            let mut out = before.clone();
            run_at(width, AddWeightedRows { out: &mut out, factors: &factors, a: &a }).unwrap();
            assert_near(&out, &expected, tolerance(rows + 1), &format!("{rows} × {columns}, {width}"));
        }
    }
}

/// A product of numbers in either precision at one width.
fn product<T: Real>(width: Width, a: &[T], b: &[T], depth: usize, columns: usize) -> Vec<T> {
    let mut panels = Panels::new();
    panels.pack(b, depth, columns);
    let mut out = vec![T::zero(); a.len() / depth * columns];
    run_at(width, Multiply { out: (&mut out, columns), a: (a, depth), b: &panels, finish: () }).unwrap();
    out
}

/// What RELIABILITY says of earlier bits: fused sums have one order whatever the tile.
#[test]
fn products_of_fused_instructions_have_the_same_bits() {
    for (rows, depth, columns) in SHAPES {
        let (a, b) = (numbers(rows * depth, 1), numbers(depth * columns, 2));
        let doubles = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let (a64, b64) = (doubles(&a), doubles(&b));
        let fused = || widths().filter(|&width| width > Width::Bits128);
        let Some(widest) = fused().next() else { return };
        for width in fused() {
            assert_eq!(product(width, &a, &b, depth, columns), product(widest, &a, &b, depth, columns));
            assert_eq!(
                product(width, &a64, &b64, depth, columns),
                product(widest, &a64, &b64, depth, columns)
            );
        }
    }
}
