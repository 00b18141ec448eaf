//! Limited-memory BFGS for many points, each with the curvature of its own path.

#![allow(clippy::indexing_slicing, reason = "rows are counted where the buffers are sized")]

use super::lanes::{add, dot, padded};
use crate::real::Real;
use std::ops::Range;

/// Pairs of steps and gradient differences that are remembered for each point.
const MEMORY: usize = 6;
/// First step as a share of ‖y − x‖: short enough to be safe, long enough to feel the curvature.
const PROBE: f64 = 0.01;
/// A point whose step had to be cut to less than this has reached what its arithmetic resolves.
const SMALLEST_FACTOR: f64 = 1e-4;
/// So has one that went on for this many steps without a gain beyond rounding: its gradient is smaller by then, or never.
const MOST_IDLE: usize = 8;

/// What is remembered of the paths of all points; rows are padded.
#[derive(Debug, Clone, Default)]
pub(super) struct Histories<T> {
    width: usize,
    /// The steps s, [n, MEMORY, width].
    steps: Vec<T>,
    /// The gradient differences t, [n, MEMORY, width].
    changes: Vec<T>,
    /// 1/(s·t), [n, MEMORY].
    rates: Vec<T>,
    paths: Vec<Path>,
    /// The next step.
    step: Vec<T>,
}

/// Where one point is on its way.
#[derive(Debug, Clone, Copy)]
struct Path {
    /// Pairs that were learnt; the newest [`MEMORY`] of them are remembered, each at its number modulo that.
    learnt: usize,
    /// Those of before this number are forgotten.
    forgotten: usize,
    /// Cut of the next step.
    factor: f64,
    /// Whether the pairs were forgotten since the last step down.
    restarted: bool,
    /// Steps since the last one that gained more than roundings.
    idle: usize,
}

impl<T: Real> Histories<T> {
    /// `count` points of dimension `dim` of which nothing is known.
    pub(super) fn begin(&mut self, count: usize, dim: usize) {
        self.width = padded(dim);
        let pairs = count * MEMORY;
        for buffer in [&mut self.steps, &mut self.changes] {
            buffer.resize(pairs * self.width, T::zero());
        }
        self.rates.resize(pairs, T::zero());
        self.paths.clear();
        self.paths.resize(count, Path { learnt: 0, forgotten: 0, factor: 1.0, restarted: false, idle: 0 });
    }

    /// The step −H·∇ of the remembered curvature from `inverse`, cut to `reach`; a short one along −∇ where no inverse is
    /// known, from a pull of curvature `weight`.
    #[inline(always)]
    pub(super) fn step(
        &mut self,
        row: usize,
        gradient: &[T],
        (inverse, weight): (Option<&[T]>, f64),
        reach: f64,
    ) -> &[T] {
        self.step.clear();
        let longest = match inverse {
            None => {
                self.step.extend(gradient.iter().map(|&g| -g / T::of(weight)));
                PROBE * reach
            }
            Some(inverse) => {
                self.step.extend(gradient.iter().map(|&g| -g));
                self.two_loops(row, inverse);
                reach
            }
        };
        let length = dot(&self.step, &self.step).wide().sqrt();
        let cut = self.paths[row].factor * if length > longest { longest / length } else { 1.0 };
        if cut != 1.0 {
            let cut = T::of(cut);
            self.step.iter_mut().for_each(|s| *s *= cut);
        }
        &self.step
    }

    /// −H·∇ of −∇ by the two-loop recursion (Nocedal 1980) from the diagonal `inverse`.
    #[inline(always)]
    fn two_loops(&mut self, row: usize, inverse: &[T]) {
        let Path { learnt, forgotten, .. } = self.paths[row];
        let oldest = forgotten.max(learnt.saturating_sub(MEMORY));
        let mut coefficients = [T::zero(); MEMORY];
        let q = &mut self.step;
        for number in (oldest..learnt).rev() {
            let (pair, at) = place(self.width, row, number);
            let a = self.rates[pair] * dot(&self.steps[at.clone()], q);
            add(q, -a, &self.changes[at]);
            coefficients[number % MEMORY] = a;
        }
        q.iter_mut().zip(inverse).for_each(|(q, &h)| *q *= h);
        for number in oldest..learnt {
            let (pair, at) = place(self.width, row, number);
            let b = self.rates[pair] * dot(&self.changes[at.clone()], q);
            add(q, coefficients[number % MEMORY] - b, &self.steps[at]);
        }
    }

    /// Remembers a pair of positive curvature, so that H stays positive definite.
    #[inline(always)]
    pub(super) fn learn(&mut self, row: usize, step: &[T], change: &[T]) {
        let curvature = dot(step, change);
        let size = (dot(step, step).wide() * dot(change, change).wide()).sqrt();
        if curvature.wide() > 1e-10 * size {
            let path = &mut self.paths[row];
            let (pair, at) = place(self.width, row, path.learnt);
            path.learnt += 1;
            self.steps[at.clone()].copy_from_slice(step);
            self.changes[at].copy_from_slice(change);
            self.rates[pair] = T::one() / curvature;
        }
    }

    /// After a step down, which has gained more than roundings or not; whether the point has gone far enough without.
    #[inline(always)]
    pub(super) fn goes_idle(&mut self, row: usize, gained: bool) -> bool {
        let path = &mut self.paths[row];
        (path.factor, path.restarted) = (1.0, false);
        path.idle = if gained { 0 } else { path.idle + 1 };
        path.idle >= MOST_IDLE
    }

    /// After a step that was refused, and is halved; whether the point is given up: when a step had to be cut away, it
    /// begins again without what was learnt, and when nothing was learnt, ends.
    #[inline(always)]
    pub(super) fn gives_up(&mut self, row: usize) -> bool {
        let path = &mut self.paths[row];
        path.factor *= 0.5;
        if path.factor >= SMALLEST_FACTOR {
            return false;
        }
        let again = !path.restarted;
        if again {
            (path.restarted, path.factor, path.forgotten) = (true, 1.0, path.learnt);
        }
        !again
    }
}

/// Where pair `number` of a row is: among the rates, and among the steps and changes.
#[inline(always)]
fn place(width: usize, row: usize, number: usize) -> (usize, Range<usize>) {
    let pair = row * MEMORY + number % MEMORY;
    (pair, pair * width..(pair + 1) * width)
}
