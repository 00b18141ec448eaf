//! Many small minimisations at once: limited-memory quasi-Newton descent of φ(y) + h(‖y − x‖) for every row.

#![allow(clippy::indexing_slicing, reason = "rows are counted where the buffers are sized")]

use super::Pull;
use crate::FlowError;
use crate::error::expect_length;
use crate::matrix::plain_dot;
use crate::real::Real;
use std::ops::Range;

/// Pairs of steps and gradient differences that are remembered for each point.
const MEMORY: usize = 6;
/// First step as a share of ‖y − x‖: short enough to be safe, long enough to feel the curvature.
const PROBE: f64 = 0.01;
/// Share of the decrease that the slope promises which a step must reach (Armijo).
const SUFFICIENT: f64 = 1e-4;
/// A point whose step had to be cut to less than this has reached what its arithmetic resolves.
const SMALLEST_FACTOR: f64 = 1e-4;

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

/// Buffers of the minimisation, reused from call to call.
#[derive(Debug, Clone, Default)]
pub struct Minimiser<T> {
    dim: usize,
    /// φ, then the objective, at each y.
    values: Vec<T>,
    /// ∇φ at each y.
    slopes: Vec<T>,
    /// The rows that still move.
    active: Vec<usize>,
    trials: Vec<T>,
    trial_values: Vec<T>,
    trial_slopes: Vec<T>,
    histories: Vec<History>,
    curvature: Curvature,
}

/// The mean curvature along each coordinate that the steps of all rows have met: across a manifold it is far larger
/// than along it, wherever a row is.
#[derive(Debug, Clone, Default)]
struct Curvature {
    /// Σ s_j·t_j and Σ s_j² over the steps s and their gradient differences t.
    sums: Vec<[f64; 2]>,
}

impl Curvature {
    fn learn(&mut self, step: &[f64], change: &[f64]) {
        for (sums, (s, t)) in self.sums.iter_mut().zip(step.iter().zip(change)) {
            sums[0] += s * t;
            sums[1] += s * s;
        }
    }

    /// The inverse curvature along each coordinate, at most 1/μ; nothing where no step was taken yet.
    fn inverse(&self, weight: f64) -> Option<Vec<f64>> {
        let known = self.sums.iter().any(|[_, squares]| *squares > 0.0);
        let inverse = |[product, squares]: &[f64; 2]| {
            if *product > weight * squares { squares / product } else { 1.0 / weight }
        };
        known.then(|| self.sums.iter().map(inverse).collect())
    }
}

/// What is remembered of one point's path.
#[derive(Debug, Clone, Default)]
struct History {
    /// s, t and 1/(s·t), the newest last.
    pairs: Vec<(Vec<f64>, Vec<f64>, f64)>,
    /// Cut of the next step.
    factor: f64,
    /// Whether the pairs were forgotten since the last step down.
    restarted: bool,
}

impl<T: Real> Minimiser<T> {
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
        let pull = pull.into();
        expect_length("the start of the minimisation", y.len(), x.len())?;
        let dim = field.dim();
        self.dim = dim;
        field.jet(y, &mut self.values, &mut self.slopes)?;
        let rows = self.values.len();
        self.exchange(pull, x, y, offered.start.min(rows)..offered.end.min(rows));
        self.histories.resize_with(rows, History::default);
        self.curvature.sums.clear();
        self.curvature.sums.resize(dim, [0.0; 2]);
        self.active.clear();
        for row in 0..rows {
            let at = row * dim..(row + 1) * dim;
            self.histories[row].begin();
            let point = Point { x: &x[at.clone()], y: &y[at.clone()], slope: &self.slopes[at], pull };
            self.values[row] += T::of(point.distance_term());
            if !point.is_stationary(stop.tolerance) {
                self.active.push(row);
            }
        }
        for _ in 0..stop.iterations {
            if self.active.is_empty() {
                break;
            }
            self.propose(pull, x, y);
            field.jet(&self.trials, &mut self.trial_values, &mut self.trial_slopes)?;
            self.accept(pull, x, y, stop.tolerance);
        }
        Ok(())
    }

    /// Gives each row the best of its own y and those of the `offered` rows.
    fn exchange(&mut self, pull: Pull, x: &[T], y: &mut [T], offered: Range<usize>) {
        let dim = self.dim;
        let row = |row: usize| row * dim..(row + 1) * dim;
        let candidates = y[offered.start * dim..offered.end * dim].to_vec();
        let slopes = self.slopes[offered.start * dim..offered.end * dim].to_vec();
        let values = self.values[offered].to_vec();
        let squares = |a: &[T], b: &[T]| a.iter().zip(b).map(|(&a, &b)| (a - b) * (a - b)).sum::<T>();
        let half = T::of(0.5 * pull.weight);
        let cost = |a: &[T], b: &[T]| {
            let square = squares(a, b);
            if pull.reach.is_finite() { T::of(pull.cost(square.wide())) } else { half * square }
        };
        for i in 0..self.values.len() {
            let x = &x[row(i)];
            let (mut best, mut least) = (None, self.values[i] + cost(x, &y[row(i)]));
            for (j, (candidate, &value)) in candidates.chunks_exact(dim).zip(&values).enumerate() {
                let total = value + cost(x, candidate);
                if total < least {
                    (best, least) = (Some(j), total);
                }
            }
            if let Some(j) = best {
                y[row(i)].copy_from_slice(&candidates[row(j)]);
                self.slopes[row(i)].copy_from_slice(&slopes[row(j)]);
                self.values[i] = values[j];
            }
        }
    }

    /// ∇φ at each row of the `y` that the last minimisation left.
    pub fn slopes(&self) -> &[T] {
        &self.slopes
    }

    /// The next trial of every active row.
    fn propose(&mut self, pull: Pull, x: &[T], y: &[T]) {
        let dim = self.dim;
        self.trials.clear();
        let inverse = self.curvature.inverse(pull.weight);
        for &row in &self.active {
            let at = row * dim..(row + 1) * dim;
            let point = Point { x: &x[at.clone()], y: &y[at.clone()], slope: &self.slopes[at], pull };
            let step = self.histories[row].step(&point, inverse.as_deref());
            self.trials.extend(point.y.iter().zip(step).map(|(&y, s)| y + T::of(s)));
        }
    }

    /// Takes the trials that go down, learns from all, and keeps active what is not done.
    fn accept(&mut self, pull: Pull, x: &[T], y: &mut [T], tolerance: f64) {
        let dim = self.dim;
        let (mut kept, trials) = (0, self.active.len());
        for trial in 0..trials {
            let row = self.active[trial];
            let (at, from) = (row * dim..(row + 1) * dim, trial * dim..(trial + 1) * dim);
            let old = Point { x: &x[at.clone()], y: &y[at.clone()], slope: &self.slopes[at.clone()], pull };
            let new = Point { y: &self.trials[from.clone()], slope: &self.trial_slopes[from.clone()], ..old };
            let value = self.trial_values[trial].wide() + new.distance_term();
            let before = self.values[row].wide();
            let gradient = old.gradient();
            let step: Vec<f64> = new.y.iter().zip(old.y).map(|(n, o)| n.wide() - o.wide()).collect();
            let promised = plain_dot(&gradient, &step);
            // Near the minimum the values differ by less than they are rounded.
            let rounding = 4.0 * T::epsilon().wide() * (before.abs() + value.abs());
            let down = value <= before + SUFFICIENT * promised + rounding;
            let change: Vec<f64> = new.gradient().iter().zip(&gradient).map(|(n, o)| n - o).collect();
            self.curvature.learn(&step, &change);
            let history = &mut self.histories[row];
            history.learn(step, change);
            if down {
                (history.factor, history.restarted) = (1.0, false);
            } else {
                history.factor *= 0.5;
            }
            let done = if down { new.is_stationary(tolerance) } else { history.gives_up() };
            if down {
                y[at.clone()].copy_from_slice(&self.trials[from.clone()]);
                self.slopes[at].copy_from_slice(&self.trial_slopes[from]);
                self.values[row] = T::of(value);
            }
            if !done {
                self.active[kept] = row;
                kept += 1;
            }
        }
        self.active.truncate(kept);
    }
}

/// One row: x, y and ∇φ(y).
#[derive(Clone, Copy)]
struct Point<'a, T> {
    x: &'a [T],
    y: &'a [T],
    slope: &'a [T],
    pull: Pull,
}

impl<T: Real> Point<'_, T> {
    /// y − x.
    fn displacement(&self) -> impl Iterator<Item = f64> + '_ {
        self.y.iter().zip(self.x).map(|(y, x)| y.wide() - x.wide())
    }

    /// ‖y − x‖².
    fn square(&self) -> f64 {
        self.displacement().map(|d| d * d).sum()
    }

    /// h(‖y − x‖).
    fn distance_term(&self) -> f64 {
        self.pull.cost(self.square())
    }

    /// The gradient of the cost over y − x.
    fn rate(&self) -> f64 {
        if self.pull.reach.is_finite() { self.pull.rate(self.square()) } else { self.pull.weight }
    }

    /// ∇φ(y) + μ(y − x), μ the rate.
    fn gradient(&self) -> Vec<f64> {
        let rate = self.rate();
        self.slope.iter().zip(self.displacement()).map(|(s, d)| s.wide() + rate * d).collect()
    }

    fn is_stationary(&self, tolerance: f64) -> bool {
        let slope = self.slope.iter().map(|s| s.wide().powi(2)).sum::<f64>().sqrt();
        let pull = self.rate() * self.square().sqrt();
        // A NaN compares false and is given up at its first trial.
        norm(&self.gradient()) <= tolerance * (slope + pull)
    }
}

impl History {
    fn begin(&mut self) {
        self.pairs.clear();
        (self.factor, self.restarted) = (1.0, false);
    }

    /// The step −H·∇ of the remembered curvature, cut to the displacement; a short one along −∇ where none is known.
    fn step<T: Real>(&self, point: &Point<'_, T>, inverse: Option<&[f64]>) -> Vec<f64> {
        let gradient = point.gradient();
        let displacement = point.square().sqrt();
        let free = norm(&gradient) / point.pull.weight;
        let reach = if displacement > 0.0 { displacement } else { free };
        let (mut step, longest) = match inverse {
            None => (gradient.iter().map(|g| -g / point.pull.weight).collect(), PROBE * reach),
            Some(inverse) => (self.two_loops(&gradient, inverse), reach),
        };
        let length = norm(&step);
        let cut = self.factor * if length > longest { longest / length } else { 1.0 };
        step.iter_mut().for_each(|s| *s *= cut);
        step
    }

    /// −H·∇ by the two-loop recursion (Nocedal 1980) from the diagonal `inverse`.
    fn two_loops(&self, gradient: &[f64], inverse: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut coefficients = Vec::with_capacity(self.pairs.len());
        for (s, t, rate) in self.pairs.iter().rev() {
            let a = rate * plain_dot(s, &q);
            add(&mut q, -a, t);
            coefficients.push(a);
        }
        q.iter_mut().zip(inverse).for_each(|(q, h)| *q *= h);
        for ((s, t, rate), a) in self.pairs.iter().zip(coefficients.iter().rev()) {
            let b = rate * plain_dot(t, &q);
            add(&mut q, a - b, s);
        }
        q
    }

    /// After a step that had to be cut away, begins again without what was learnt; with nothing learnt, gives up.
    fn gives_up(&mut self) -> bool {
        let small = self.factor < SMALLEST_FACTOR;
        if small && !self.restarted {
            (self.restarted, self.factor) = (true, 1.0);
            self.pairs.clear();
            return false;
        }
        small
    }

    /// Remembers a pair of positive curvature, so that H stays positive definite.
    fn learn(&mut self, step: Vec<f64>, change: Vec<f64>) {
        let curvature = plain_dot(&step, &change);
        if curvature > 1e-10 * norm(&step) * norm(&change) {
            if self.pairs.len() == MEMORY {
                self.pairs.remove(0);
            }
            self.pairs.push((step, change, 1.0 / curvature));
        }
    }
}

fn norm(a: &[f64]) -> f64 {
    plain_dot(a, a).sqrt()
}

/// x ← x + a·y.
fn add(x: &mut [f64], a: f64, y: &[f64]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += a * y;
    }
}
