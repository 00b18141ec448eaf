//! The flow onto a point or a flat manifold: soft thresholding.

use ndarray::{Array1, ArrayView1, s};

use super::{OptimalFlow, reach};
use crate::{MfgError, error::positive, statistics::square_norm};

/// The flow onto the flat manifold {x : x_k = … = x_{d−1} = 0}, k = `tangent`; onto the origin for k = 0.
///
/// For π = δ₀ every divergence gives D_f^L(ρ‖δ₀) = L·E‖x‖, so φ*(x) = L‖x‖ and the potential is its Hopf–Lax
/// (Moreau) envelope. With r = ‖x_⊥‖ the norm of the normal coordinates and s = (T − t)/λ,
///
/// ```text
/// U(x, t) = L·r − L²s/2   if r ≥ L·s,        x_T = max(0, 1 − R/‖x₀‖)·x₀,   R = L·T/λ
///           r²/(2s)       otherwise,
/// ```
///
/// and likewise for the normal coordinates of a flat manifold, where the tangential ones do not move. The paths are
/// straight. A particle that reaches the manifold ends on the kink of φ*, with the subgradient λx₀/T.
///
/// Source: L. C. Evans, "Partial Differential Equations", section 3.3.2 (Hopf–Lax formula).
///
/// ```
/// use mfg::known_answers::{OptimalFlow, SoftThreshold};
/// let flow = SoftThreshold { lambda: 0.5, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
/// let end = flow.position(ndarray::array![3.0, 4.0].view(), 1.0);
/// assert!((end - ndarray::array![1.8, 2.4]).iter().all(|gap: &f64| gap.abs() < 1e-15));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftThreshold {
    /// λ > 0, the weight of the kinetic term.
    pub lambda: f64,
    /// T > 0, the horizon.
    pub horizon: f64,
    /// L > 0, the Lipschitz bound of the critic.
    pub lipschitz: f64,
    /// The dimension of the manifold, below that of the space.
    pub tangent: usize,
}

impl SoftThreshold {
    /// ‖x_⊥‖.
    fn distance(&self, point: ArrayView1<'_, f64>) -> f64 {
        square_norm(&point.slice(s![self.tangent.min(point.len())..])).sqrt()
    }

    /// The vector `factor`·x_⊥, with tangential coordinates 0.
    fn normal(&self, point: ArrayView1<'_, f64>, factor: f64) -> Array1<f64> {
        point.iter().enumerate().map(|(j, x)| if j < self.tangent { 0.0 } else { factor * x }).collect()
    }

    /// How far a particle can still move: L(T − t)/λ.
    fn reach_from(&self, time: f64) -> f64 {
        reach(self.lipschitz, self.horizon - time, self.lambda)
    }
}

impl OptimalFlow for SoftThreshold {
    fn lambda(&self) -> f64 {
        self.lambda
    }

    fn horizon(&self) -> f64 {
        self.horizon
    }

    fn validate(&self, dimension: usize) -> Result<(), MfgError> {
        positive("lambda", self.lambda)?;
        positive("horizon", self.horizon)?;
        positive("lipschitz", self.lipschitz)?;
        if self.tangent < dimension {
            return Ok(());
        }
        let remedy = "give a manifold of lower dimension than the points";
        Err(MfgError::Parameter { parameter: "tangent", value: self.tangent as f64, remedy })
    }

    fn potential(&self, point: ArrayView1<'_, f64>, time: f64) -> f64 {
        let (distance, reach) = (self.distance(point), self.reach_from(time));
        if distance >= reach {
            self.lipschitz * (distance - 0.5 * reach)
        } else {
            0.5 * self.lambda * distance * distance / (self.horizon - time)
        }
    }

    fn potential_gradient(&self, point: ArrayView1<'_, f64>, time: f64) -> Array1<f64> {
        let distance = self.distance(point);
        if distance < self.reach_from(time) {
            self.normal(point, self.lambda / (self.horizon - time))
        } else if distance > 0.0 {
            self.normal(point, self.lipschitz / distance)
        } else {
            // On the kink at time T: 0 is one of the subgradients.
            Array1::zeros(point.len())
        }
    }

    fn potential_time_derivative(&self, point: ArrayView1<'_, f64>, time: f64) -> f64 {
        let distance = self.distance(point);
        if distance < self.reach_from(time) {
            0.5 * self.lambda * (distance / (self.horizon - time)).powi(2)
        } else if distance > 0.0 {
            0.5 * self.lipschitz * self.lipschitz / self.lambda
        } else {
            0.0
        }
    }

    fn position(&self, start: ArrayView1<'_, f64>, time: f64) -> Array1<f64> {
        let distance = self.distance(start);
        if distance == 0.0 {
            return start.to_owned();
        }
        // The whole displacement min(R, ‖x_⊥‖), of which the share t/T is done at time t.
        let displacement = reach(self.lipschitz, self.horizon, self.lambda).min(distance);
        start.to_owned() - self.normal(start, (time / self.horizon) * (displacement / distance))
    }

    fn arrival(&self, start: ArrayView1<'_, f64>) -> (Array1<f64>, f64) {
        let end = self.position(start, self.horizon);
        // On the kink: x(t) = (1 − t/T)·x_0 in the formulas for r < L·s leaves no t, so time 0 gives the limit.
        let (point, time) =
            if self.distance(end.view()) == 0.0 { (start, 0.0) } else { (end.view(), self.horizon) };
        (self.potential_gradient(point, time), self.potential_time_derivative(point, time))
    }
}
