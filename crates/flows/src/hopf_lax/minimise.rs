//! Many small minimisations at once: limited-memory quasi-Newton descent of φ(y) + h(‖y − x‖) for every row.

#![allow(clippy::indexing_slicing, reason = "rows are counted where the buffers are sized")]

use super::Pull;
use super::curvature::Curvature;
use super::exchange::{Candidates, costs};
use super::history::Histories;
use super::lanes::{dot, padded};
use crate::FlowError;
use crate::error::expect_length;
use crate::real::Real;
use simd::{Instructions, Vectorised};
use std::ops::Range;

/// Share of the decrease that the slope promises which a step must reach (Armijo).
const SUFFICIENT: f64 = 1e-4;

/// How many times what is left of a gradient it may be at the beginning of the next call, for roundings of x.
const RESOLVED: f64 = 2.0;

/// Value and gradient of φ at a batch of points.
pub trait Field<T> {
    /// The dimension of the points.
    fn dim(&self) -> usize;

    /// Writes φ and ∇φ at the rows of `points`.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the points do not fit the field.
    fn jet(&mut self, points: &[T], values: &mut Vec<T>, gradients: &mut Vec<T>) -> Result<(), FlowError>;
}

/// When a minimisation ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// Most evaluations after the first one.
    pub iterations: usize,
    /// A point is done when ‖∇φ(y) + μ(y − x)‖ is at most this share of ‖∇φ(y)‖ + μ‖y − x‖ (μ the rate of the pull).
    pub tolerance: f64,
}

/// Buffers of the minimisation, reused from call to call, and what earlier calls have learnt.
#[derive(Debug, Clone, Default)]
pub struct Minimiser<T> {
    /// The mean curvature along each coordinate, which the next call begins with.
    pub curvature: Curvature,
    /// φ at each start.
    values: Vec<T>,
    /// ∇φ at each y.
    slopes: Vec<T>,
    states: Vec<State>,
    /// ∇φ(y) + μ(y − x) at each y, in padded rows.
    gradients: Vec<T>,
    histories: Histories<T>,
    candidates: Candidates<T>,
    /// The rows that still move.
    active: Vec<usize>,
    trials: Vec<T>,
    trial_values: Vec<T>,
    trial_slopes: Vec<T>,
}

/// One row where it is now.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// φ(y) + h(‖y − x‖).
    objective: f64,
    /// ‖y − x‖, or the length of the free step −∇/μ where that is 0.
    reach: f64,
    /// Whether the gradient is small beside its parts.
    is_stationary: bool,
}

impl<T: Real> Minimiser<T> {
    /// A search that begins with the curvature that its owner has learnt, and adds what it learns to it.
    pub fn knowing<R>(&mut self, curvature: &mut Curvature, search: impl FnOnce(&mut Self) -> R) -> R {
        std::mem::swap(&mut self.curvature, curvature);
        let found = search(self);
        std::mem::swap(&mut self.curvature, curvature);
        found
    }

    /// Moves each row of `y` downhill on φ(y) + h(‖y − x‖), from where it is; a number μ is the pull h(r) = μr²/2.
    ///
    /// Each row keeps to the valley that it starts in; no accepted step raises its objective. Rows that are done are no
    /// longer evaluated. Limited-memory BFGS (Liu and Nocedal 1989) for every row, from the mean curvature of all, with
    /// backtracking; a rejected trial still teaches its curvature.
    ///
    /// Before that, each row begins at the best of its own start and the starts of the `offered` rows: so it finds
    /// valleys that its own start is not in.
    ///
    /// Complexity: `iterations` evaluations of φ at the rows that still move, and O(d) memory for each; O(d) for every
    /// pair of a row and an offered one.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when `x` and `y` differ in length, and what the field reports.
    pub fn minimise(
        &mut self,
        field: &mut impl Field<T>,
        pull: impl Into<Pull>,
        x: &[T],
        y: &mut [T],
        offered: Range<usize>,
        stop: Stop,
    ) -> Result<(), FlowError> {
        // No gradient is at most this.
        self.begin_and_descend(field, (pull.into(), stop), (x, y), offered, -1.0)
    }

    /// [`Minimiser::minimise`] of the same rows again, for another x and pull with the same minima: a row whose gradient is not
    /// larger than twice what the last call has left of it is done, since its arithmetic resolves no more.
    ///
    /// # Errors
    /// As [`Minimiser::minimise`].
    pub fn follow(
        &mut self,
        field: &mut impl Field<T>,
        pull: impl Into<Pull>,
        (x, y): (&[T], &mut [T]),
        stop: Stop,
    ) -> Result<(), FlowError> {
        self.begin_and_descend(field, (pull.into(), stop), (x, y), 0..0, RESOLVED)
    }

    fn begin_and_descend(
        &mut self,
        field: &mut impl Field<T>,
        (pull, stop): (Pull, Stop),
        (x, y): (&[T], &mut [T]),
        offered: Range<usize>,
        resolved: f64,
    ) -> Result<(), FlowError> {
        expect_length("the start of the minimisation", y.len(), x.len())?;
        let dim = field.dim();
        field.jet(y, &mut self.values, &mut self.slopes)?;
        let rows = self.values.len();
        self.exchange((pull, dim), x, y, offered.start.min(rows)..offered.end.min(rows));
        self.curvature.begin(dim);
        self.histories.begin(rows, dim);
        self.gradients.resize(rows * padded(dim), T::zero());
        let at = At { dim, pull, tolerance: stop.tolerance };
        simd::run(Begin { minimiser: self, at, x, y, resolved });
        for _ in 0..stop.iterations {
            if self.active.is_empty() {
                break;
            }
            simd::run(Propose { minimiser: self, at, y });
            field.jet(&self.trials, &mut self.trial_values, &mut self.trial_slopes)?;
            simd::run(Accept { minimiser: self, at, x, y });
        }
        Ok(())
    }

    /// Gives each row the best of its own y and those of the `offered` rows.
    fn exchange(&mut self, (pull, dim): (Pull, usize), x: &[T], y: &mut [T], offered: Range<usize>) {
        if offered.is_empty() {
            return;
        }
        let all = offered.start * dim..offered.end * dim;
        self.candidates.gather(dim, &y[all.clone()], &self.values[offered.clone()]);
        let best = self.candidates.best(pull, x, &costs(pull, dim, x, y, &self.values));
        let (points, values, slopes) =
            (y[all.clone()].to_vec(), self.values[offered].to_vec(), self.slopes[all].to_vec());
        for (row, best) in best.into_iter().enumerate() {
            if let Some(best) = best {
                let (to, from) = (row * dim..(row + 1) * dim, best * dim..(best + 1) * dim);
                y[to.clone()].copy_from_slice(&points[from.clone()]);
                self.slopes[to].copy_from_slice(&slopes[from]);
                self.values[row] = values[best];
            }
        }
    }

    /// Gives each row of `y`, as the last minimisation left it, the best of that and the rows of `points`; whether any
    /// has changed. A further minimisation goes on from there.
    ///
    /// Complexity: an evaluation of φ at `points`, and O(d) for every pair.
    ///
    /// # Errors
    /// What the field reports.
    pub fn offer(
        &mut self,
        field: &mut impl Field<T>,
        pull: impl Into<Pull>,
        (x, y): (&[T], &mut [T]),
        points: &[T],
    ) -> Result<bool, FlowError> {
        let dim = field.dim();
        field.jet(points, &mut self.trial_values, &mut self.trial_slopes)?;
        self.candidates.gather(dim, points, &self.trial_values);
        let own: Vec<T> = self.states.iter().map(|state| T::of(state.objective)).collect();
        let best = self.candidates.best(pull.into(), x, &own);
        for (y, best) in y.chunks_exact_mut(dim).zip(&best) {
            if let Some(best) = *best {
                y.copy_from_slice(&points[best * dim..(best + 1) * dim]);
            }
        }
        Ok(best.iter().any(Option::is_some))
    }

    /// ∇φ at each row of the `y` that the last minimisation left.
    pub fn slopes(&self) -> &[T] {
        &self.slopes
    }
}

/// What all rows have in common.
#[derive(Clone, Copy)]
struct At {
    dim: usize,
    pull: Pull,
    tolerance: f64,
}

impl At {
    fn row(self, row: usize) -> Range<usize> {
        row * self.dim..(row + 1) * self.dim
    }

    fn padded(self, row: usize) -> Range<usize> {
        let width = padded(self.dim);
        row * width..(row + 1) * width
    }

    /// A row with φ(y) = `value`; writes its gradient, ∇φ(y) + μ(y − x).
    #[inline(always)]
    fn state<T: Real>(self, value: T, x: &[T], y: &[T], slope: &[T], gradient: &mut [T]) -> State {
        let mut steepness = T::zero();
        // First y − x, then the gradient.
        for ((g, (&x, &y)), &slope) in gradient.iter_mut().zip(x.iter().zip(y)).zip(slope) {
            *g = y - x;
            steepness += slope * slope;
        }
        let square = dot(gradient, gradient).wide();
        let finite = self.pull.reach.is_finite();
        let rate = if finite { self.pull.rate(square) } else { self.pull.weight };
        for (g, &slope) in gradient.iter_mut().zip(slope) {
            *g = slope + T::of(rate) * *g;
        }
        let (length, displacement) = (dot(gradient, gradient).wide().sqrt(), square.sqrt());
        State {
            objective: value.wide() + self.pull.cost(square),
            reach: if displacement > 0.0 { displacement } else { length / self.pull.weight },
            // A NaN compares false and is given up at its first trial.
            is_stationary: length <= self.tolerance * (steepness.wide().sqrt() + rate * displacement),
        }
    }
}

/// Looks at every start.
struct Begin<'a, T> {
    minimiser: &'a mut Minimiser<T>,
    at: At,
    x: &'a [T],
    y: &'a [T],
    /// A row is done whose gradient is at most so many times what the last call has left of it.
    resolved: f64,
}

impl<T: Real> Vectorised for Begin<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self { minimiser, at, x, y, resolved } = self;
        minimiser.states.clear();
        minimiser.active.clear();
        for (row, &value) in minimiser.values.iter().enumerate() {
            let (dense, padded) = (at.row(row), at.padded(row));
            let gradient = &mut minimiser.gradients[padded];
            let left = dot(gradient, gradient).wide().sqrt();
            gradient[at.dim..].fill(T::zero());
            let slope = &minimiser.slopes[dense.clone()];
            let state = at.state(value, &x[dense.clone()], &y[dense], slope, &mut gradient[..]);
            minimiser.states.push(state);
            let is_resolved = dot(gradient, gradient).wide().sqrt() <= resolved * left;
            if !(state.is_stationary || is_resolved) {
                minimiser.active.push(row);
            }
        }
    }
}

/// The next trial of every active row.
struct Propose<'a, T> {
    minimiser: &'a mut Minimiser<T>,
    at: At,
    y: &'a [T],
}

impl<T: Real> Vectorised for Propose<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self { minimiser, at, y } = self;
        let weight = at.pull.weight;
        let inverse = minimiser.curvature.inverse::<T>(weight);
        minimiser.trials.clear();
        for &row in &minimiser.active {
            let gradient = &minimiser.gradients[at.padded(row)];
            let known = (inverse.as_deref(), weight);
            let step = minimiser.histories.step(row, gradient, known, minimiser.states[row].reach);
            minimiser.trials.extend(y[at.row(row)].iter().zip(step).map(|(&y, &s)| y + s));
        }
    }
}

/// Takes the trials that go down, learns from all, and keeps active what is not done.
struct Accept<'a, T> {
    minimiser: &'a mut Minimiser<T>,
    at: At,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Vectorised for Accept<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self { minimiser, at, x, y } = self;
        let width = padded(at.dim);
        let [mut step, mut change, mut gradient] = [(); 3].map(|()| vec![T::zero(); width]);
        let mut kept = 0;
        for trial in 0..minimiser.active.len() {
            let row = minimiser.active[trial];
            let (dense, padded, from) = (at.row(row), at.padded(row), at.row(trial));
            let (new, slope) = (&minimiser.trials[from.clone()], &minimiser.trial_slopes[from]);
            let state = at.state(minimiser.trial_values[trial], &x[dense.clone()], new, slope, &mut gradient);
            let before = &mut minimiser.gradients[padded];
            let rows = new.iter().zip(&y[dense.clone()]).zip(gradient.iter().zip(&*before));
            for ((step, change), ((&new, &old), (&after, &before))) in
                step.iter_mut().zip(&mut change).zip(rows)
            {
                (*step, *change) = (new - old, after - before);
            }
            let promised = dot(before, &step).wide();
            let old = minimiser.states[row].objective;
            // Near the minimum the values differ by less than they are rounded.
            let rounding = 4.0 * T::epsilon().wide() * (old.abs() + state.objective.abs());
            let down = state.objective <= old + SUFFICIENT * promised + rounding;
            minimiser.curvature.learn(&step, &change, at.pull.weight);
            minimiser.histories.learn(row, &step, &change);
            let done = if down {
                let idle = minimiser.histories.goes_idle(row, state.objective < old - rounding);
                y[dense.clone()].copy_from_slice(new);
                minimiser.slopes[dense].copy_from_slice(slope);
                before.copy_from_slice(&gradient);
                minimiser.states[row] = state;
                state.is_stationary || idle
            } else {
                minimiser.histories.gives_up(row)
            };
            if !done {
                minimiser.active[kept] = row;
                kept += 1;
            }
        }
        minimiser.active.truncate(kept);
    }
}
