//! The map of Euler steps as a change of variables: the way back, and the change of volume.
//!
//! A step x ↦ x + h·v(x, t) has the derivative I + h·∇v(x, t), and is inverted by Newton's method. Together the steps of a
//! flow have log |det ∂x_T/∂x₀| = Σᵢ log |det(I + h·∇v(xᵢ, tᵢ))|: that is the density of what the steps generate, whatever h
//! is. As h → 0 it becomes the integral ∫ tr ∇v(x_t, t) dt of a normalising flow.

use crate::FlowError;
use crate::integrate::{VelocityField, step_count};
use faer::Mat;
use faer::linalg::solvers::Solve;
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis, Zip, concatenate};
use rayon::prelude::*;

/// A velocity field that knows its derivatives.
pub trait Differentiable: VelocityField<f64> {
    /// ∂vᵢ/∂xⱼ at the rows of `x`, [n, d], and one time: [n, d, d].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the batch does not fit the field.
    fn jacobians(&mut self, x: ArrayView2<'_, f64>, t: f64) -> Result<Array3<f64>, FlowError>;
}

/// Where given points come from, and how they were stretched on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Retraced {
    /// x₀, [n, d].
    pub beginnings: Array2<f64>,
    /// log |det ∂x_T/∂x₀|, \[n\].
    pub log_determinants: Array1<f64>,
}

/// Most rows that go back together.
const ROWS: usize = 512;
/// Numbers of the Jacobians that are held at once.
const JACOBIANS: usize = 1 << 22;
/// A step leads to its point when it misses it by less, beside 1 and the length of the point.
const MISSED: f64 = 1e-12;
/// Most fixed-point iterations x ← y − h·v(x): each has to halve what is missed.
const CONTRACTIONS: usize = 50;
/// Most Newton steps for the rows at which the fixed point does not contract.
const NEWTON_STEPS: usize = 50;
/// A pivot of I + h·∇v that is less than this share of the largest is a zero.
const SINGULAR: f64 = 1e-12;
/// Halvings of a Newton step that does not bring a row nearer.
const HALVINGS: usize = 8;

/// x₀ of the rows of `y`, [n, d]: where the `steps` equal Euler steps over [0, `horizon`] begin that end there.
///
/// Where a step folds, so that several beginnings lead to a point, it is that which Newton's method finds from x = y − h·v(y);
/// where none leads there, the nearest that it has found. Each thread that takes part asks `field` for its own field.
///
/// Complexity: some evaluations of v a step where h·‖∇v‖ < ½; elsewhere some Jacobians and O(d³) too.
///
/// # Errors
/// What the field reports; [`FlowError::Specification`] for zero steps.
///
/// ```
/// use flows::euler_map::{Differentiable, inverse, retrace};
/// use flows::{FlowError, integrate::VelocityField};
/// use ndarray::{Array3, ArrayView2, ArrayViewMut2, array};
/// /// dx/dt = 2x.
/// struct Growth;
/// impl VelocityField<f64> for Growth {
///     fn velocity(&mut self, x: ArrayView2<f64>, _: f64, mut v: ArrayViewMut2<f64>) -> Result<(), FlowError> {
///         v.assign(&(&x * 2.0));
///         Ok(())
///     }
/// }
/// impl Differentiable for Growth {
///     fn jacobians(&mut self, x: ArrayView2<f64>, _: f64) -> Result<Array3<f64>, FlowError> {
///         Ok(Array3::from_elem((x.nrows(), 1, 1), 2.0))
///     }
/// }
/// // Two steps of ½ double a point twice.
/// assert!((inverse(|| Ok(Growth), (1.0, 2), array![[12.0]].view())?[[0, 0]] - 3.0).abs() < 1e-10);
/// let retraced = retrace(|| Ok(Growth), (1.0, 2), array![[12.0]].view())?;
/// assert!((retraced.log_determinants[0] - 4.0_f64.ln()).abs() < 1e-12);
/// # Ok::<(), FlowError>(())
/// ```
pub fn inverse<F: Differentiable>(
    field: impl Fn() -> Result<F, FlowError> + Sync,
    (horizon, steps): (f64, usize),
    y: ArrayView2<'_, f64>,
) -> Result<Array2<f64>, FlowError> {
    let parts = in_parts(y, |part| {
        let mut field = field()?;
        backwards((horizon, steps), part, |(h, t), y| step_back(&mut field, (h, t), y))
    })?;
    Ok(stacked(parts, y.ncols()))
}

/// [`inverse`] with log |det ∂x_T/∂x₀|: subtracted from log ρ₀(x₀) it is the log-density of the ends of the paths.
///
/// Complexity: that of [`inverse`], and a Jacobian of v and O(d³) a step.
///
/// # Errors
/// As [`inverse`], and for derivatives that are not finite.
pub fn retrace<F: Differentiable>(
    field: impl Fn() -> Result<F, FlowError> + Sync,
    (horizon, steps): (f64, usize),
    y: ArrayView2<'_, f64>,
) -> Result<Retraced, FlowError> {
    let parts = in_parts(y, |part| {
        let mut field = field()?;
        let mut log_determinants = Array1::zeros(part.nrows());
        let beginnings = backwards((horizon, steps), part, |(h, t), y| {
            let x = step_back(&mut field, (h, t), y)?;
            let jacobians = field.jacobians(x.view(), t)?;
            for (sum, stretched) in log_determinants.iter_mut().zip(stretches(h, &jacobians)) {
                *sum += log_determinant(&stretched)?;
            }
            Ok(x)
        })?;
        Ok((beginnings, log_determinants))
    })?;
    let (beginnings, logs): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let log_determinants = logs.into_iter().flatten().collect();
    Ok(Retraced { beginnings: stacked(beginnings, y.ncols()), log_determinants })
}

/// `part` of blocks of the rows of `y`, on all threads.
fn in_parts<R: Send>(
    y: ArrayView2<'_, f64>,
    part: impl Fn(ArrayView2<'_, f64>) -> Result<R, FlowError> + Sync,
) -> Result<Vec<R>, FlowError> {
    let rows = (JACOBIANS / y.ncols().pow(2).max(1)).clamp(1, ROWS);
    let parts: Vec<_> = y.axis_chunks_iter(Axis(0), rows).collect();
    parts.into_par_iter().map(&part).collect()
}

fn stacked(parts: Vec<Array2<f64>>, dim: usize) -> Array2<f64> {
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    // Blocks of the same rows have the same columns; there is none of no rows.
    concatenate(Axis(0), &views).unwrap_or_else(|_| Array2::zeros((0, dim)))
}

/// The steps from the last to the first: `back((h, t), x)` is where the step from time t to x begins.
fn backwards(
    (horizon, steps): (f64, usize),
    y: ArrayView2<'_, f64>,
    mut back: impl FnMut((f64, f64), Array2<f64>) -> Result<Array2<f64>, FlowError>,
) -> Result<Array2<f64>, FlowError> {
    let h = horizon / step_count(steps)?;
    (0..steps).rev().try_fold(y.to_owned(), |x, i| back((h, i as f64 * h), x))
}

/// x with x + h·v(x, t) = y.
fn step_back(
    field: &mut impl Differentiable,
    (h, t): (f64, f64),
    y: Array2<f64>,
) -> Result<Array2<f64>, FlowError> {
    let mut x = y.clone();
    let mut largest = Array1::from_elem(y.nrows(), f64::INFINITY);
    // Rows at which the fixed point does not contract are left to Newton's method, where they were last.
    let mut contracts = vec![true; y.nrows()];
    for _ in 0..CONTRACTIONS {
        let missed = misses(field, (h, t), &x, &y)?;
        let mut moved = false;
        let rows = x.rows_mut().into_iter().zip(missed.rows()).zip(y.rows());
        for (((mut x, missed), y), (largest, contracts)) in rows.zip(largest.iter_mut().zip(&mut contracts)) {
            let now = length(missed) / scale(y);
            let is_there = now <= MISSED;
            // What is not a number goes on, and is returned as such.
            *contracts &= is_there || now.is_nan() || now <= 0.5 * *largest;
            if *contracts && !is_there {
                x -= &missed;
                (*largest, moved) = (now, true);
            }
        }
        if !moved {
            break;
        }
    }
    let rest: Vec<usize> = contracts.iter().enumerate().filter(|(_, c)| !**c).map(|(row, _)| row).collect();
    if !rest.is_empty() {
        let found = newton(field, (h, t), x.select(Axis(0), &rest), &y.select(Axis(0), &rest))?;
        for (&row, found) in rest.iter().zip(found.rows()) {
            x.row_mut(row).assign(&found);
        }
    }
    Ok(x)
}

/// Newton's method from the rows of `x`; a row that no part of a step brings nearer to its own of `y` stays.
fn newton(
    field: &mut impl Differentiable,
    (h, t): (f64, f64),
    mut x: Array2<f64>,
    y: &Array2<f64>,
) -> Result<Array2<f64>, FlowError> {
    let mut missed = misses(field, (h, t), &x, y)?;
    for _ in 0..NEWTON_STEPS {
        if missed.rows().into_iter().zip(y.rows()).all(|(missed, y)| length(missed) <= MISSED * scale(y)) {
            break;
        }
        let mut steps = missed.clone();
        let jacobians = field.jacobians(x.view(), t)?;
        for (mut step, stretch) in steps.rows_mut().into_iter().zip(stretches(h, &jacobians)) {
            let factors = stretch.partial_piv_lu();
            let pivots = factors.U().diagonal().column_vector().iter().map(|pivot| pivot.abs());
            let (least, most) = pivots.fold((f64::INFINITY, 0.0), |(a, b), p| (p.min(a), p.max(b)));
            // Onto a plane nothing tells where a step begins beside it: there the fixed point goes on.
            if least > SINGULAR * most {
                let off = Mat::from_fn(step.len(), 1, |i, _| step.get(i).copied().unwrap_or_default());
                step.assign(&factors.solve(off).col(0).iter().copied().collect::<Array1<f64>>());
            }
        }
        let mut moved = false;
        for _ in 0..=HALVINGS {
            let next = &x - &steps;
            let after = misses(field, (h, t), &next, y)?;
            Zip::from(x.rows_mut())
                .and(missed.rows_mut())
                .and(steps.rows_mut())
                .and(next.rows())
                .and(after.rows())
                .for_each(|mut x, mut missed, mut step, next, after| {
                    if length(after) < length(missed.view()) {
                        x.assign(&next);
                        missed.assign(&after);
                        step.fill(0.0);
                        moved = true;
                    }
                    step *= 0.5;
                });
        }
        if !moved {
            break;
        }
    }
    Ok(x)
}

/// x + h·v(x, t) − y.
fn misses(
    field: &mut impl Differentiable,
    (h, t): (f64, f64),
    x: &Array2<f64>,
    y: &Array2<f64>,
) -> Result<Array2<f64>, FlowError> {
    let mut v = Array2::zeros(x.dim());
    field.velocity(x.view(), t, v.view_mut())?;
    Ok(x + &(v * h) - y)
}

/// I + h·∇v of each row.
fn stretches(h: f64, jacobians: &Array3<f64>) -> impl Iterator<Item = Mat<f64>> {
    jacobians.outer_iter().map(move |jacobian| {
        Mat::from_fn(jacobian.nrows(), jacobian.ncols(), |i, j| {
            f64::from(u8::from(i == j)) + h * jacobian.get((i, j)).copied().unwrap_or(f64::NAN)
        })
    })
}

/// log |det| of any matrix, from its factor U.
fn log_determinant(stretch: &Mat<f64>) -> Result<f64, FlowError> {
    let log =
        stretch.partial_piv_lu().U().diagonal().column_vector().iter().map(|u| u.abs().ln()).sum::<f64>();
    if log.is_nan() {
        let remedy = "ask for the density of points that are finite";
        return Err(FlowError::specification("the derivative of the velocity", "not finite", remedy));
    }
    Ok(log)
}

fn length(row: ArrayView1<'_, f64>) -> f64 {
    row.dot(&row).sqrt()
}

/// What the rounding of a point is relative to.
fn scale(point: ArrayView1<'_, f64>) -> f64 {
    1.0 + length(point)
}
