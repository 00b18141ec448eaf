//! The dual of a divergence with its best additive shift.

use super::CriticObjective;
use ot_core::divergence::{Divergence, DivergenceError, DualValue};

/// Halvings of the interval of ν: all digits of a double.
const HALVINGS: usize = 60;

impl CriticObjective {
    /// max over ν of E φ(generated) − ν − c·E f*((φ(target) − ν)/c), with its derivatives in the critic's values.
    ///
    /// Adding a constant to φ then changes nothing: any φ comes into the domain of f*, and the derivatives in the target
    /// values are weights of sum −1, (f*)′((φ − ν)/c)/m. For KL they are those of Donsker–Varadhan.
    ///
    /// Complexity: O(n) and sixty evaluations of f* at the target values.
    ///
    /// # Errors
    /// [`DivergenceError`] when a value is not finite.
    ///
    /// ```
    /// use flows::critic::CriticObjective;
    /// use ot_core::divergence::Divergence;
    /// let dual = |divergence| {
    ///     CriticObjective { divergence, weight: 2.0 }.shifted_dual(&[1.0, 3.0], &[0.5, -4.0])
    /// };
    /// let (kl, shifted) = (dual(Divergence::KullbackLeibler)?, dual(Divergence::DonskerVaradhan)?);
    /// assert!((kl.value - shifted.value).abs() < 1e-12);
    /// # Ok::<(), ot_core::divergence::DivergenceError>(())
    /// ```
    pub fn shifted_dual(&self, generated: &[f64], target: &[f64]) -> Result<DualValue, DivergenceError> {
        if matches!(self.divergence, Divergence::DonskerVaradhan | Divergence::Wasserstein1) {
            return self.dual(generated, target);
        }
        let shifted = |nu: f64| {
            let less = |values: &[f64]| values.iter().map(|phi| phi - nu).collect::<Vec<_>>();
            self.dual(&less(generated), &less(target))
        };
        // Whether the weights sum to less than 1, which they do for a large ν; outside the domain ν is too small.
        let above = |nu: f64| match shifted(nu) {
            Ok(dual) => Ok(-dual.d_target.iter().sum::<f64>() < 1.0),
            Err(DivergenceError::OutsideDomain { .. } | DivergenceError::Overflow { .. }) => Ok(false),
            Err(other) => Err(other),
        };
        let largest = target.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = target.iter().copied().fold(f64::INFINITY, f64::min);
        let mut reach = self.weight;
        while above(least - reach)? || !above(largest + reach)? {
            reach *= 2.0;
        }
        let (mut low, mut high) = (least - reach, largest + reach);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            *(if above(middle)? { &mut high } else { &mut low }) = middle;
        }
        shifted(high)
    }
}
