//! Ground costs between points, and the pairwise costs that solvers read row by row.
//!
//! | you have | take | works in |
//! | --- | --- | --- |
//! | a distance or its square | [`Euclidean`] | every solver, which dismisses most pairs by bounds |
//! | a cost c(x, y) of your own | an implementation of [`Cost`], or a closure | every solver |
//! | a matrix, a function of two indices | [`MatrixCost`], [`FunctionCost`] | [`crate::exact::solve_pairs`] |

mod below;
mod blocks;
mod cloud;
mod coarsen;
mod euclidean;
mod hooks;
mod largest;
mod line;
mod own;
mod pairs;
mod screen;
mod spatial;
mod views;

pub use cloud::CloudCost;
pub use euclidean::Euclidean;
pub use pairs::{FunctionCost, MatrixCost, PairCost};

pub(crate) use below::{AllPairs, Row, Smallest, visit_below};
pub(crate) use blocks::accumulate_rows;
pub(crate) use coarsen::coarsened;
pub(crate) use euclidean::{WIDE, squared_distance};
pub(crate) use hooks::{Clouds, Coarse, Sealed};
pub(crate) use largest::{LARGEST_COST, largest_cost};
pub(crate) use line::minima_on_line;
pub(crate) use spatial::sort_in_space;
pub(crate) use views::{Swapped, restricted};

/// A ground cost c(x, y) between points of R^d.
///
/// One function is all that a solver needs: exact, entropic and unbalanced transport, c-transforms, the semi-dual and
/// the gradient of the Sinkhorn divergence take any implementation. Values must be finite and the same at every call.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, cost::Cost, exact};
///
/// /// √‖x − y‖, a concave cost: what can stay where it is, stays.
/// struct Root;
///
/// impl Cost for Root {
///     fn between(&self, x: &[f64], y: &[f64]) -> f64 {
///         x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().powf(0.25)
///     }
/// }
///
/// let (x, y) = (array![[0.0], [1.0]], array![[1.0], [2.0]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let plan = exact::solve(&source, &target, &Root)?;
/// // 0 ↦ 2 and 1 ↦ 1, where the distance itself would not care.
/// assert_eq!(plan.coupling[0].target, 1);
/// // The same as a closure.
/// let same = |x: &[f64], y: &[f64]| (x[0] - y[0]).abs().sqrt();
/// assert_eq!(exact::solve(&source, &target, &same)?.primal(), plan.primal());
/// # Ok::<(), ot_core::exact::ExactError>(())
/// ```
pub trait Cost: Sync {
    /// The cost of moving a unit of mass from `x` to `y`, both \[d\].
    fn between(&self, x: &[f64], y: &[f64]) -> f64;

    /// Writes ∇_x c(x, y) into `out`, \[d\]; only gradients of divergences ask for it.
    ///
    /// Unless it is given, central differences with steps of 6e-6 times the larger of 1 and |x_k|, whose relative error
    /// is some 1e-10 for costs of order one.
    fn gradient(&self, x: &[f64], y: &[f64], out: &mut [f64]) {
        let mut moved = x.to_vec();
        for (axis, (&centre, out)) in x.iter().zip(out).enumerate() {
            let step = f64::EPSILON.cbrt() * centre.abs().max(1.0);
            let mut at = |coordinate: f64| {
                moved.iter_mut().skip(axis).take(1).for_each(|entry| *entry = coordinate);
                self.between(&moved, y)
            };
            let (above, below) = (centre + step, centre - step);
            let difference = at(above) - at(below);
            at(centre);
            *out = difference / (above - below);
        }
    }

    /// Which built-in cost this is.
    #[doc(hidden)]
    fn euclidean(&self, _: Sealed) -> Option<Euclidean> {
        None
    }
}

impl<F: Fn(&[f64], &[f64]) -> f64 + Sync> Cost for F {
    fn between(&self, x: &[f64], y: &[f64]) -> f64 {
        self(x, y)
    }
}
