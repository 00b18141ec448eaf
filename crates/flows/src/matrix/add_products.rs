//! Sums of products over the rows of matrices: the gradients of weights and biases.
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "slices are cut to the shapes that the caller states, and unrolled into registers"
)]

use super::tile;
use crate::real::Real;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use simd::{Instructions, Row, Vectorised};

/// out ← out + aᵀ·b: `a` has `m` columns, `b` has `n`, and `out` m rows of `stride` ≥ n entries.
pub(crate) struct AddProducts<'a, T> {
    /// The sums and their stride.
    pub(crate) out: (&'a mut [T], usize),
    /// The left factor and m.
    pub(crate) a: (&'a [T], usize),
    /// The right factor and n.
    pub(crate) b: (&'a [T], usize),
}

impl<T: Real> Vectorised for AddProducts<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { out: (out, stride), a: (a, m), b: (b, n) } = self;
        if <T::Row<I>>::SUMS < 24 || m * n >= PACKED {
            let rows = a.len() / m;
            let out = MatMut::from_row_major_slice_mut(out, m, stride).subcols_mut(0, n);
            let (a, b) = (MatRef::from_row_major_slice(a, rows, m), MatRef::from_row_major_slice(b, rows, n));
            return matmul(out, Accum::Add, a.transpose(), b, T::one(), Par::Seq);
        }
        let mut first = 0;
        while first < n {
            let products = AddProducts { out: (&mut *out, stride), a: (a, m), b: (b, n) };
            let rows = match (n - first) / <T::Row<I>>::NUMBERS {
                0 => instructions.run(Strip::<T, 1, false> { products, first }),
                3 => instructions.run(Strip::<T, 3, true> { products, first }),
                2.. => instructions.run(Strip::<T, 2, true> { products, first }),
                _ => instructions.run(Strip::<T, 1, true> { products, first }),
            };
            first += rows * <T::Row<I>>::NUMBERS;
        }
    }
}

/// Entries of a result from which on packing the matrices first, as [`faer`] does, is worth its time wherever registers
/// are wide and many; with others it always is.
const PACKED: usize = 1 << 16;

/// The sums of G rows of registers from column `first` on, which are full or reach beyond the last column, straight from
/// the matrices; gives G.
struct Strip<'a, T, const G: usize, const FULL: bool> {
    products: AddProducts<'a, T>,
    first: usize,
}

impl<T: Real, const G: usize, const FULL: bool> Vectorised for Strip<'_, T, G, FULL> {
    type Output = usize;

    #[inline(always)]
    fn run<I: Instructions>(mut self, instructions: I) -> usize {
        let (mut row, m) = (0, self.products.a.1);
        while row < m {
            row += match m - row {
                12.. if G <= 2 => self.tile::<I, 12>(instructions, row),
                8.. => self.tile::<I, 8>(instructions, row),
                4.. => self.tile::<I, 4>(instructions, row),
                2.. => self.tile::<I, 2>(instructions, row),
                _ => self.tile::<I, 1>(instructions, row),
            };
        }
        G
    }
}

impl<T: Real, const G: usize, const FULL: bool> Strip<'_, T, G, FULL> {
    /// R rows of the result from `row` on; gives R.
    #[inline(always)]
    fn tile<I: Instructions, const R: usize>(&mut self, instructions: I, row: usize) -> usize {
        let AddProducts { out: (ref mut out, stride), a: (a, m), b: (b, n) } = self.products;
        let (first, numbers) = (self.first, <T::Row<I>>::NUMBERS);
        let depth = a.len() / m;
        assert!(b.len() == depth * n && row + R <= m && first < n, "the shapes of a tile");
        assert!(!FULL || first + G * numbers <= n, "the shapes of a tile");
        let sums = tile::sums::<T, I, T::Row<I>, R, G>(
            instructions,
            depth,
            // SAFETY: k < depth and r < R ≤ m − row, and `a` has depth·m entries.
            |k, r| unsafe { *a.get_unchecked(k * m + row + r) },
            |k| {
                std::array::from_fn(|g| {
                    let from = k * n + first + g * numbers;
                    // SAFETY: k < depth, and a row has `first + G·numbers` entries, or is read up to its end.
                    unsafe {
                        if FULL {
                            Row::load(instructions, b.as_ptr().add(from))
                        } else {
                            Row::load_first(instructions, b.get_unchecked(from..(k + 1) * n))
                        }
                    }
                })
            },
        );
        for r in 0..R {
            let out = &mut out[(row + r) * stride..][first..n];
            for g in 0..G {
                let out = &mut out[g * numbers..];
                let before = Row::load_first(instructions, out);
                sums[r][g].add_multiple(instructions, T::one(), before).store_first(instructions, out);
            }
        }
        R
    }
}

/// out ← out + Σ_r factor_r·a_r over the rows of `a`, as wide as `out`.
pub(crate) struct AddWeightedRows<'a, T> {
    pub(crate) out: &'a mut [T],
    pub(crate) factors: &'a [T],
    pub(crate) a: &'a [T],
}

impl<T: Real> Vectorised for AddWeightedRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(mut self, instructions: I) {
        let width = self.out.len();
        let mut first = 0;
        while first < width {
            first += match width - first {
                left if left >= <T::Row<I>>::NUMBERS => self.group::<I, T::Row<I>>(instructions, first),
                left if left >= <T::HalfRow<I>>::NUMBERS => {
                    self.group::<I, T::HalfRow<I>>(instructions, first)
                }
                left => self.rest(left),
            };
        }
    }
}

/// Sums that take turns in [`AddWeightedRows`]: they hide the latency of an addition.
const TURNS: usize = 8;

impl<T: Real> AddWeightedRows<'_, T> {
    /// A row of registers from column `first` on; gives its numbers.
    #[inline(always)]
    fn group<I: Instructions, V: Row<T, I>>(&mut self, instructions: I, first: usize) -> usize {
        let Self { out, factors, a } = self;
        let width = out.len();
        let out = &mut out[first..][..V::NUMBERS];
        assert!(a.len() >= factors.len() * width, "a factor for each row");
        // SAFETY: `row` is that of a factor, and all of its numbers from `first` on lie before `width`.
        let row = |row: usize| unsafe { V::load(instructions, a.as_ptr().add(row * width + first)) };
        let (turns, rest) = factors.as_chunks::<TURNS>();
        let mut sums = [V::zero(instructions); TURNS];
        for (i, factors) in turns.iter().enumerate() {
            for (t, sum) in sums.iter_mut().enumerate() {
                *sum = sum.add_multiple(instructions, factors[t], row(i * TURNS + t));
            }
        }
        for (i, &factor) in rest.iter().enumerate() {
            sums[0] = sums[0].add_multiple(instructions, factor, row(turns.len() * TURNS + i));
        }
        let total = sums.into_iter().fold(V::load_first(instructions, out), |total, sum| {
            total.add_multiple(instructions, T::one(), sum)
        });
        total.store_first(instructions, out);
        V::NUMBERS
    }

    /// The last `count` columns one by one; gives `count`.
    #[inline(always)]
    fn rest(&mut self, count: usize) -> usize {
        let Self { out, factors, a } = self;
        let width = out.len();
        for (row, &factor) in a.chunks_exact(width).zip(*factors) {
            for (entry, &addend) in out[width - count..].iter_mut().zip(&row[width - count..]) {
                *entry = factor.mul_add(addend, *entry);
            }
        }
        count
    }
}
