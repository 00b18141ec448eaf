//! What an entropic solve returns, and the plan that its potentials stand for.

use crate::cost::{PairCost, Swapped};
use crate::dual::c_transform::TransformError;
use crate::potentials::Potentials;
use crate::soft::{SoftAverages, log_weights};
use ndarray::{Array2, ArrayView2, Axis};

/// The state of an entropic solve, with what it is worth.
///
/// The plan P_ij = a_i b_j e^{(f_i + g_j − c_ij)/ε} is never stored; its rows and its products with tables are made on
/// request.
#[derive(Debug, Clone)]
pub struct EntropicTransport<'a> {
    /// OT_ε as the dual value Σ a f + Σ b g, a lower bound that is second order in `marginal_error`.
    pub value: f64,
    /// The potentials; g is the soft c-transform of f, so the second marginal is exact.
    pub potentials: Potentials<'a>,
    /// The regularisation ε, in units of cost.
    pub epsilon: f64,
    /// Updates of both potentials.
    pub iterations: usize,
    /// ‖P1 − a‖₁, measured after the last update.
    pub marginal_error: f64,
    /// Whether `marginal_error` is within the tolerance.
    pub converged: bool,
}

impl EntropicTransport<'_> {
    /// P_ij of one source i, \[m\]; nothing if there is no such source.
    ///
    /// O(m·d).
    ///
    /// ```
    /// use ndarray::array;
    /// use ot_core::{Measure, cost::Euclidean, entropic::{SinkhornOptions, sinkhorn}};
    /// let (x, y) = (array![[0.0], [5.0]], array![[0.0], [5.0]]);
    /// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
    /// let plan = sinkhorn(&source, &target, &Euclidean::Squared, 1.0, SinkhornOptions::default())?;
    /// let row = plan.row(0).unwrap_or_default();
    /// assert!((row[0] - 0.5).abs() < 1e-5 && row[1] < 1e-5);
    /// # Ok::<(), ot_core::entropic::EntropicError>(())
    /// ```
    pub fn row(&self, source: usize) -> Option<Vec<f64>> {
        let potentials = &self.potentials;
        let f = *potentials.f.get(source)?;
        let log_a = *log_weights(potentials.source(), 1.0).get(source)?;
        let pairs = potentials.pairs();
        let mut row = vec![0.0; potentials.g.len()];
        pairs.row(source, 0, &mut row);
        for ((entry, g), log_b) in
            row.iter_mut().zip(&potentials.g).zip(log_weights(potentials.target(), 1.0))
        {
            *entry = ((f + g - *entry) / self.epsilon + log_a + log_b).exp();
        }
        Some(row)
    }

    /// P·values for a table of values of the targets, [m, k] ↦ [n, k].
    ///
    /// # Errors
    /// A table of another number of rows.
    ///
    /// O(n·m·(d + k)) operations, O(n·k) memory; the result does not depend on the number of threads.
    pub fn apply(&self, values: ArrayView2<'_, f64>) -> Result<Array2<f64>, TransformError> {
        let pairs = self.potentials.pairs();
        let log_weights =
            [self.potentials.source(), self.potentials.target()].map(|side| log_weights(side, 1.0));
        self.applied(&pairs, (&self.potentials.f, &self.potentials.g), log_weights, values)
    }

    /// Pᵀ·values for a table of values of the sources, [n, k] ↦ [m, k].
    ///
    /// # Errors
    /// A table of another number of rows.
    ///
    /// O(n·m·(d + k)) operations, O(m·k) memory; the result does not depend on the number of threads.
    pub fn apply_transposed(&self, values: ArrayView2<'_, f64>) -> Result<Array2<f64>, TransformError> {
        let pairs = self.potentials.pairs();
        let log_weights =
            [self.potentials.target(), self.potentials.source()].map(|side| log_weights(side, 1.0));
        self.applied(&Swapped(&pairs), (&self.potentials.g, &self.potentials.f), log_weights, values)
    }

    /// e^{f_i/ε + log a_i} times the sums over the rows.
    fn applied(
        &self,
        pairs: &dyn PairCost,
        (own, other): (&[f64], &[f64]),
        [log_own, log_other]: [Vec<f64>; 2],
        values: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, TransformError> {
        if values.nrows() != other.len() {
            return Err(TransformError::Length { values: values.nrows(), points: other.len() });
        }
        let SoftAverages { log_sums, mut means } =
            SoftAverages::new(pairs, other, &log_other, self.epsilon, values);
        let rows = means.axis_iter_mut(Axis(0)).zip(log_sums);
        for ((mut mean, log_sum), (own, log)) in rows.zip(own.iter().zip(log_own)) {
            mean *= (own / self.epsilon + log + log_sum).exp();
        }
        Ok(means)
    }

    /// The barycentric map of the plan at the sources, T(x_i) = Σ_j P_ij y_j / Σ_j P_ij, [n, d].
    ///
    /// It depends on g alone, so it is defined for sources without mass too; [`Potentials::map`] is the same at new
    /// points.
    ///
    /// O(n·m·d) operations, O(n·d) memory; the result does not depend on the number of threads.
    ///
    /// ```
    /// use ndarray::array;
    /// use ot_core::{Measure, cost::Euclidean, entropic::{SinkhornOptions, sinkhorn}};
    /// let (x, y) = (array![[0.0], [1.0]], array![[2.0], [4.0]]);
    /// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
    /// let plan = sinkhorn(&source, &target, &Euclidean::Squared, 1e4, SinkhornOptions::default())?;
    /// // So blurred that every source goes everywhere.
    /// assert!(plan.barycentric_map().iter().all(|image| (image - 3.0).abs() < 1e-3));
    /// # Ok::<(), ot_core::entropic::EntropicError>(())
    /// ```
    pub fn barycentric_map(&self) -> Array2<f64> {
        self.potentials.image(self.potentials.source().points())
    }
}
