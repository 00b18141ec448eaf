//! The variational dual of a divergence on two samples of critic values, with its derivatives.

use super::Divergence;
use super::generator::is_valid_order;

/// The dual objective of a critic and its derivative with respect to every critic value.
#[derive(Debug, Clone, PartialEq)]
pub struct DualValue {
    /// E_P φ − E_Q f*(φ), or the form named by the divergence.
    pub value: f64,
    /// ∂value/∂φ(x_i) for the generated points x_i ~ P.
    pub d_generated: Vec<f64>,
    /// ∂value/∂φ(y_j) for the target points y_j ~ Q.
    pub d_target: Vec<f64>,
}

/// Why a dual objective has no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DivergenceError {
    /// One of the two samples is empty.
    #[error("the {sample} sample has no critic values: pass at least one")]
    Empty {
        /// `generated` or `target`.
        sample: &'static str,
    },
    /// A critic value is NaN or infinite.
    #[error("critic value {index} of the {sample} sample is {value}: check the critic's weights and inputs")]
    NotFinite {
        /// `generated` or `target`.
        sample: &'static str,
        /// Position in the sample.
        index: usize,
        /// The offending value.
        value: f64,
    },
    /// A critic value lies outside the domain of f*.
    #[error(
        "critic value {index} of the target sample is {value}, but the conjugate of {divergence} is finite only below \
         {supremum}: map the critic's output below it, for example by −softplus(·) − δ"
    )]
    OutsideDomain {
        /// Position in the target sample.
        index: usize,
        /// The offending value.
        value: f64,
        /// The supremum of the domain, itself excluded.
        supremum: f64,
        /// The divergence.
        divergence: Divergence,
    },
    /// The order of an α-divergence is not a positive finite number other than 1.
    #[error("the order {0} of the alpha-divergence must be positive, finite and not 1 (for 1 use `kl`)")]
    Order(f64),
    /// The critic values are in the domain, but so large that the objective overflows.
    #[error("the dual of {divergence} overflows for critic values up to {largest}: scale the critic down")]
    Overflow {
        /// The divergence.
        divergence: Divergence,
        /// The largest critic value in the target sample.
        largest: f64,
    },
}

impl Divergence {
    /// The dual objective E_P\[φ\] − E_Q\[f*(φ)\] from critic values, and its derivative in each of them.
    ///
    /// The supremum over all critics is D_f(P‖Q), over L-Lipschitz critics the W1-proximal divergence
    /// inf_R { D_f(R‖Q) + L·W1(P, R) } (arXiv 2210.04974, theorem 1; arXiv 2407.11901 section 3).
    /// [`Divergence::DonskerVaradhan`] has E_P\[φ\] − log E_Q\[e^φ\], computed by a shifted log-sum-exp;
    /// [`Divergence::Wasserstein1`] has E_P\[φ\] − E_Q\[φ\].
    ///
    /// `generated` holds φ at \[n\] points of P, `target` at \[m\] points of Q; the derivatives have the same lengths.
    ///
    /// # Errors
    /// An empty sample, a critic value that is not finite, a target value outside the domain of f* (never clamped), an
    /// order α that is not allowed, a value or derivative that overflows.
    ///
    /// O(n + m).
    ///
    /// ```
    /// use ot_core::divergence::Divergence;
    /// let dual = Divergence::Wasserstein1.dual(&[1.0, 3.0], &[0.5])?;
    /// assert_eq!(dual.value, 1.5);
    /// assert_eq!(dual.d_generated, [0.5, 0.5]);
    /// # Ok::<(), ot_core::divergence::DivergenceError>(())
    /// ```
    pub fn dual(self, generated: &[f64], target: &[f64]) -> Result<DualValue, DivergenceError> {
        self.check(generated, target)?;
        let mean_generated = mean(generated.iter().copied());
        let per_generated = 1.0 / generated.len() as f64;
        let per_target = 1.0 / target.len() as f64;
        let largest = target.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (subtracted, d_target): (f64, Vec<f64>) = if self == Self::DonskerVaradhan {
            // Shifting by the maximum keeps every exponential in [0, 1].
            let exponentials: Vec<f64> = target.iter().map(|value| (value - largest).exp()).collect();
            let total: f64 = exponentials.iter().sum();
            let log_mean = largest + (total * per_target).ln();
            (log_mean, exponentials.iter().map(|exponential| -exponential / total).collect())
        } else {
            (
                mean(target.iter().map(|&value| self.conjugate(value))),
                target.iter().map(|&value| -self.conjugate_derivative(value) * per_target).collect(),
            )
        };
        let value = mean_generated - subtracted;
        if !value.is_finite() || d_target.iter().any(|derivative| !derivative.is_finite()) {
            return Err(DivergenceError::Overflow { divergence: self, largest });
        }
        Ok(DualValue { value, d_generated: vec![per_generated; generated.len()], d_target })
    }

    fn check(self, generated: &[f64], target: &[f64]) -> Result<(), DivergenceError> {
        if let Self::Alpha(alpha) = self
            && !is_valid_order(alpha)
        {
            return Err(DivergenceError::Order(alpha));
        }
        for (sample, values) in [("generated", generated), ("target", target)] {
            if values.is_empty() {
                return Err(DivergenceError::Empty { sample });
            }
            if let Some((index, &value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
                return Err(DivergenceError::NotFinite { sample, index, value });
            }
        }
        let supremum = self.conjugate_domain_supremum();
        match target.iter().enumerate().find(|&(_, &value)| value >= supremum) {
            Some((index, &value)) => {
                Err(DivergenceError::OutsideDomain { index, value, supremum, divergence: self })
            }
            None => Ok(()),
        }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}
