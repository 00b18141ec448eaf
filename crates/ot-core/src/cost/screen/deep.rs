//! Many coordinates: a pass over the products of all points.

#![allow(clippy::indexing_slicing, reason = "kernel; sizes are those of the clouds, checked at construction")]

use super::super::Row;
use super::frame::{Rounding, Threshold};
use super::products::{LINE, Products};
use simd::{Instructions, Vectorised};

/// Lines whose least sums are found together, lane by lane: a group is a lane of so many lines.
const DEPTH: usize = 16;

/// The potentials of one pass, with the products that they are added to.
pub(in super::super) struct ProductScreen<'a> {
    products: &'a Products,
    /// Whether the rows are those of the targets.
    is_swapped: bool,
    rounding: Rounding,
    /// β of every column, in whole lines; what fills the last one is below nothing.
    offsets: Vec<[f32; LINE]>,
    /// The last coordinate of every column.
    last: Vec<[f32; LINE]>,
}

impl<'a> ProductScreen<'a> {
    /// Nothing if the potentials are beyond single precision.
    pub(crate) fn new(products: &'a Products, is_swapped: bool, potential: &[f64]) -> Option<Self> {
        let gauge = products.frame().gauge(potential)?;
        let mut rounding = Rounding::new(products.frame(), gauge);
        let (_, others) = products.sides(is_swapped);
        let lines = others.count.div_ceil(LINE);
        let (mut offsets, mut last) = (vec![[f32::MAX; LINE]; lines], vec![[0.0; LINE]; lines]);
        let columns = others.along.iter().zip(&others.squares).zip(potential);
        for ((offset, last), ((&along, &square), &value)) in
            offsets.as_flattened_mut().iter_mut().zip(last.as_flattened_mut()).zip(columns)
        {
            (*offset, *last) = rounding.add(along, square, gauge.of_potential(value));
        }
        rounding.is_sound().then_some(Self { products, is_swapped, rounding, offsets, last })
    }

    /// Offers each of the `rows`, which begin at `first`, every column whose reduced cost is not proved to be at or
    /// above the row's limit.
    pub(crate) fn scan<R: Row>(&self, first: usize, rows: &mut [R], offer: impl Fn(&mut R, usize, usize)) {
        let (own, others) = self.products.sides(self.is_swapped);
        let (mut buffer, mut near) = (Vec::new(), Near::default());
        let span = self.products.span(self.is_swapped);
        for start in (0..others.count).step_by(span) {
            let columns = span.min(others.count - start);
            let part =
                self.products.read(self.is_swapped, (first, rows.len()), (start, columns), &mut buffer);
            let lines = start / LINE..(start + columns).div_ceil(LINE);
            for (index, kept) in rows.iter_mut().enumerate() {
                let row = first + index;
                let base = own.along[row] + self.rounding.squared_distance();
                let sums = Sums {
                    products: part.row(index, columns),
                    offsets: &self.offsets[lines.clone()],
                    last: &self.last[lines.clone()],
                    count: columns,
                };
                near.visit(
                    kept,
                    sums,
                    |kept| self.rounding.threshold(kept.limit(), base, own.squares[row]),
                    |kept, column| offer(kept, row, start + column),
                );
            }
        }
    }
}

/// The sums β_j − 2x'·y'_j + w·g_j of a row, with w the last coordinate of the row.
#[derive(Clone, Copy)]
struct Sums<'a> {
    products: &'a [[f32; LINE]],
    offsets: &'a [[f32; LINE]],
    last: &'a [[f32; LINE]],
    count: usize,
}

impl Sums<'_> {
    fn at(&self, column: usize, own: f32) -> f32 {
        let (line, lane) = (column / LINE, column % LINE);
        self.products[line][lane] + self.offsets[line][lane] + own * self.last[line][lane]
    }

    /// The columns of a group.
    fn group(&self, group: usize) -> impl Iterator<Item = usize> + use<> {
        let first = group / LINE * LINE * DEPTH + group % LINE;
        (first..self.count.min(first + LINE * DEPTH)).step_by(LINE)
    }
}

/// What a row's columns are gone through with; kept from row to row for its memory only.
#[derive(Default)]
struct Near {
    /// The least sum of each group.
    least: Vec<[f32; LINE]>,
    /// The groups with a sum below the limit.
    groups: Vec<(f32, usize)>,
    /// Columns that were offered before the others, with their sums.
    first: Vec<(f32, usize)>,
}

impl Near {
    /// Offers a row every column whose sum is below its limit.
    ///
    /// As many columns as the row wants are likely to be those with the least sums: offered first, they lower the limit
    /// to what it will be in the end, and next to nothing is left below it.
    fn visit<R: Row>(
        &mut self,
        kept: &mut R,
        sums: Sums<'_>,
        threshold: impl Fn(&R) -> Threshold,
        offer: impl Fn(&mut R, usize),
    ) {
        self.first.clear();
        let wanted = kept.wanted();
        let mut limit = threshold(kept);
        self.find_groups(sums, limit);
        // The first sums of a distance are not in the order of their reduced costs: the limit is not yet known.
        for _ in 0..2 {
            if self.groups.len() <= wanted {
                break;
            }
            let (_, &mut (bound, _), _) =
                self.groups.select_nth_unstable_by(wanted - 1, |a, b| a.0.total_cmp(&b.0));
            let before = self.first.len();
            for &(_, group) in &self.groups[..wanted] {
                for column in sums.group(group) {
                    let sum = sums.at(column, limit.last);
                    if sum <= bound && !contains(&self.first[..before], column) {
                        self.first.push((sum, column));
                    }
                }
            }
            self.first[before..].sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            self.first[before..].iter().for_each(|&(_, column)| offer(kept, column));
            let known = limit.last;
            limit = threshold(kept);
            if limit.last == known {
                self.groups.retain(|(least, _)| *least < limit.sum);
                break;
            }
            self.find_groups(sums, limit);
        }
        self.groups.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for &(_, group) in &self.groups {
            for column in sums.group(group) {
                if sums.at(column, limit.last) < limit.sum && !contains(&self.first, column) {
                    offer(kept, column);
                    limit = threshold(kept);
                }
            }
        }
    }

    fn find_groups(&mut self, sums: Sums<'_>, limit: Threshold) {
        simd::run(LeastSums { sums, own: limit.last, out: &mut self.least });
        let least = self.least.as_flattened().iter().copied().enumerate();
        self.groups.clear();
        self.groups
            .extend(least.filter(|(_, least)| *least < limit.sum).map(|(group, least)| (least, group)));
    }
}

fn contains(offered: &[(f32, usize)], column: usize) -> bool {
    offered.iter().any(|&(_, known)| known == column)
}

/// Finds the least sum of each group.
struct LeastSums<'a> {
    sums: Sums<'a>,
    own: f32,
    out: &'a mut Vec<[f32; LINE]>,
}

impl Vectorised for LeastSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self { sums: Sums { products, offsets, last, .. }, own, out } = self;
        out.clear();
        for (products, (offsets, last)) in
            products.chunks(DEPTH).zip(offsets.chunks(DEPTH).zip(last.chunks(DEPTH)))
        {
            let mut least = [f32::INFINITY; LINE];
            for (products, (offsets, last)) in products.iter().zip(offsets.iter().zip(last)) {
                for lane in 0..LINE {
                    let sum = products[lane] + offsets[lane] + own * last[lane];
                    least[lane] = if sum < least[lane] { sum } else { least[lane] };
                }
            }
            out.push(least);
        }
    }
}
