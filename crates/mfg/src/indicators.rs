//! All indicators of a trajectory together.

use crate::{MfgError, Trajectory, continuity, hamilton_jacobi};
use metrics::Metric;

/// How far a flow is from the optimality system; every indicator but the kinetic energy is 0 at the exact optimum.
///
/// A relative indicator is none where what it is relative to vanishes. Those of straight paths are none where noise or
/// an interaction bends the optimal ones, that of the Hamilton–Jacobi equation where a velocity has no potential, those
/// of the terminal condition and of the characteristics where there is no critic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Indicators {
    /// [`hamilton_jacobi::residual_rms`].
    pub hj_residual_rms: Option<f64>,
    /// [`hamilton_jacobi::residual_relative`].
    pub hj_residual_relative: Option<f64>,
    /// [`Trajectory::terminal_gradient_rms`].
    pub terminal_gradient_rms: Option<f64>,
    /// [`Trajectory::terminal_gradient_relative`].
    pub terminal_gradient_relative: Option<f64>,
    /// [`continuity::residual`].
    pub continuity_residual: f64,
    /// [`Trajectory::characteristic_rms`].
    pub characteristic_rms: Option<f64>,
    /// [`Trajectory::kinetic_energy`].
    pub kinetic_energy: f64,
    /// [`Trajectory::straightness`]; none also where W2² between the ends was not given.
    pub straightness: Option<f64>,
    /// [`Trajectory::path_ratio`].
    pub path_ratio: Option<f64>,
    /// [`Trajectory::velocity_spread`].
    pub velocity_spread: Option<f64>,
}

impl Indicators {
    /// Computes all indicators; `w2_squared` is the exact W2² between the clouds at time 0 and T, if it is known.
    ///
    /// Complexity: O(n·N·d).
    ///
    /// # Errors
    /// [`MfgError::Parameter`] where `w2_squared` is negative or not finite.
    ///
    /// ```
    /// use mfg::{Indicators, known_answers::{OptimalFlow, SoftThreshold}};
    /// let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// let start = ndarray::array![[2.0, 0.0], [0.0, -3.0]];
    /// let indicators = Indicators::new(&flow.trajectory(start.view(), 5)?, None)?;
    /// assert!(indicators.hj_residual_rms.is_some_and(|residual| residual < 1e-12));
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    pub fn new(trajectory: &Trajectory, w2_squared: Option<f64>) -> Result<Self, MfgError> {
        if let Some(value) = w2_squared.filter(|value| !(value.is_finite() && *value >= 0.0)) {
            let remedy = "give a squared distance, 0 or above";
            return Err(MfgError::Parameter { parameter: "w2_squared", value, remedy });
        }
        let straight = trajectory.is_free().then_some(trajectory);
        Ok(Self {
            hj_residual_rms: hamilton_jacobi::residual_rms(trajectory)?,
            hj_residual_relative: hamilton_jacobi::residual_relative(trajectory)?,
            terminal_gradient_rms: trajectory.terminal_gradient_rms(),
            terminal_gradient_relative: trajectory.terminal_gradient_relative(),
            continuity_residual: continuity::residual(trajectory),
            characteristic_rms: straight.and_then(Trajectory::characteristic_rms),
            kinetic_energy: trajectory.kinetic_energy(),
            straightness: straight
                .zip(w2_squared)
                .and_then(|(paths, w2_squared)| paths.straightness(w2_squared)),
            path_ratio: straight.and_then(Trajectory::path_ratio),
            velocity_spread: straight.map(Trajectory::velocity_spread),
        })
    }

    /// Every indicator with its metric, in the order of the fields, for logs and tables.
    ///
    /// ```
    /// # use mfg::{Indicators, known_answers::{OptimalFlow, SoftThreshold}};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// # let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 5)?;
    /// let named = Indicators::new(&trajectory, Some(1.0))?.named();
    /// assert!(named.iter().any(|(metric, value)| *metric == metrics::STRAIGHTNESS && value.is_some()));
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn named(&self) -> [(&'static Metric, Option<f64>); 10] {
        [
            (metrics::HJ_RESIDUAL_RMS, self.hj_residual_rms),
            (metrics::HJ_RESIDUAL_RELATIVE, self.hj_residual_relative),
            (metrics::TERMINAL_GRADIENT_RMS, self.terminal_gradient_rms),
            (metrics::TERMINAL_GRADIENT_RELATIVE, self.terminal_gradient_relative),
            (metrics::CONTINUITY_RESIDUAL, Some(self.continuity_residual)),
            (metrics::CHARACTERISTIC_RMS, self.characteristic_rms),
            (metrics::KINETIC_ENERGY, Some(self.kinetic_energy)),
            (metrics::STRAIGHTNESS, self.straightness),
            (metrics::PATH_RATIO, self.path_ratio),
            (metrics::VELOCITY_SPREAD, self.velocity_spread),
        ]
    }
}
