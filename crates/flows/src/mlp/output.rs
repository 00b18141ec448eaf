//! The map from the last affine layer to the value of the field.

use crate::real::Real;
use ot_core::divergence::Divergence;

/// u = m(r): how the last affine layer's value r becomes the value of the field.
///
/// The conjugate f* of some divergences is finite only below a bound b. There the critic is parametrised as
/// m(r) = b − softplus(−r), increasing, 1-Lipschitz and below b for every r, so that no loss has to be clamped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Output {
    /// m(r) = r.
    Identity,
    /// m(r) = b − softplus(−r) < b.
    Below(f64),
}

/// m, m′ and m″ at a point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mapped<T> {
    pub(super) value: T,
    pub(super) slope: T,
    pub(super) curvature: T,
}

impl Output {
    /// The output that keeps φ/`weight` inside the domain of f*.
    pub fn for_divergence(divergence: Divergence, weight: f64) -> Self {
        let supremum = divergence.conjugate_domain_supremum();
        // The domain is open: a hair's breadth keeps rounding from touching its end.
        if supremum.is_finite() { Self::Below(weight * (supremum - 1e-6)) } else { Self::Identity }
    }

    pub(super) fn apply<T: Real>(self, r: T) -> Mapped<T> {
        match self {
            Self::Identity => Mapped { value: r, slope: T::one(), curvature: T::zero() },
            Self::Below(bound) => {
                let e = (-r.abs()).exp();
                let tail = T::one() / (T::one() + e);
                // sigmoid(−r), computed on the side where the exponential is small.
                let slope = if r >= T::zero() { e * tail } else { tail };
                let softplus = (-r).max(T::zero()) + e.ln_1p();
                Mapped { value: T::of(bound) - softplus, slope, curvature: -slope * (T::one() - slope) }
            }
        }
    }
}
