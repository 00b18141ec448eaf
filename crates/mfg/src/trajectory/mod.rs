//! What a flow did: positions, potential and critic along the particles' paths.

#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod tests;

use ndarray::{Array1, Array2, ArrayView2};

use crate::{
    MfgError,
    error::{positive, shape},
    statistics::{mean, mean_distance, mean_square_norm, ratio, root_mean, square_distances},
};

/// The arrays of a [`Trajectory`], before they are checked: n steps, N particles in R^d.
#[derive(Clone, Debug, PartialEq)]
pub struct TrajectoryParts {
    /// Weight λ > 0 of the kinetic term, so that the velocity is v = −∇U/λ.
    pub lambda: f64,
    /// Times 0 = t_0 < … < t_n = T.
    pub times: Vec<f64>,
    /// Positions x_i at each time, each [N, d].
    pub positions: Vec<Array2<f64>>,
    /// ∇U(x_i, t_i) at each time, the last included, each [N, d].
    pub potential_gradient: Vec<Array2<f64>>,
    /// ∂ₜU(x_i, t_i) at each time, the last included, each of length N; none for a velocity v without a potential,
    /// where −λv stands in the place of ∇U.
    pub potential_time_derivative: Option<Vec<Array1<f64>>>,
    /// ∇φ(x_n), [N, d]; none for a flow without a critic.
    pub critic_gradient: Option<Array2<f64>>,
    /// Noise dX = v dt + σ dW of the particles, if there is any.
    pub noise: Option<Noise>,
    /// δI/δρ(x_i) at each time, the last included, each of length N, where the game has an interaction cost I(ρ).
    pub interaction: Option<Vec<Array1<f64>>>,
}

/// The noise of the particles and what it adds to the Hamilton–Jacobi equation.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// Its strength σ > 0, in length/√time.
    pub sigma: f64,
    /// ΔU(x_i, t_i) at each time, the last included, each of length N, where there is a potential.
    pub laplacian: Option<Vec<Array1<f64>>>,
}

/// The paths of N ≥ 2 particles in R^d over n ≥ 1 steps, with the potential and the critic along them.
///
/// Expectations are means over the particles.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory(TrajectoryParts);

impl Trajectory {
    /// Checks the arrays.
    ///
    /// # Errors
    /// [`MfgError`] where a shape does not fit, a value is not finite, λ ≤ 0, σ ≤ 0, the times do not increase from 0,
    /// or there is no step, no coordinate or only one particle.
    ///
    /// Complexity: O(n·N·d).
    ///
    /// ```
    /// use mfg::{Trajectory, TrajectoryParts};
    /// use ndarray::{array, Array1};
    /// // Two particles move by −1 in one step of size 1: ∇U = 1, ∂ₜU = ½, φ(x) = x.
    /// let slope = array![[1.0], [1.0]];
    /// let trajectory = Trajectory::new(TrajectoryParts {
    ///     lambda: 1.0,
    ///     times: vec![0.0, 1.0],
    ///     positions: vec![array![[0.0], [2.0]], array![[-1.0], [1.0]]],
    ///     potential_gradient: vec![slope.clone(), slope.clone()],
    ///     potential_time_derivative: Some(vec![Array1::from_elem(2, 0.5); 2]),
    ///     critic_gradient: Some(slope),
    ///     noise: None,
    ///     interaction: None,
    /// })?;
    /// assert_eq!(trajectory.kinetic_energy(), 0.5);
    /// assert_eq!(trajectory.path_ratio(), Some(0.0));
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    pub fn new(parts: TrajectoryParts) -> Result<Self, MfgError> {
        positive("lambda", parts.lambda)?;
        check_times(&parts.times)?;
        let count = parts.times.len();
        let sized = parts.critic_gradient.as_ref().or(parts.positions.first());
        let (particles, dimension) = sized.map_or((0, 0), Array2::dim);
        for (what, found, least) in [("particles", particles, 2), ("coordinates", dimension, 1)] {
            if found < least {
                return Err(MfgError::TooFew { what, found, least });
            }
        }
        check_series("positions", &parts.positions, count, [particles, dimension])?;
        check_series("potential_gradient", &parts.potential_gradient, count, [particles, dimension])?;
        if let Some(derivatives) = &parts.potential_time_derivative {
            check_series("potential_time_derivative", derivatives, count, [particles])?;
        }
        check_finite("critic_gradient", count - 1, parts.critic_gradient.iter().flatten())?;
        if let Some(Noise { sigma, laplacian }) = &parts.noise {
            positive("sigma", *sigma)?;
            if let Some(laplacian) = laplacian {
                check_series("laplacian", laplacian, count, [particles])?;
            }
        }
        if let Some(interaction) = &parts.interaction {
            check_series("interaction", interaction, count, [particles])?;
        }
        Ok(Self(parts))
    }

    /// Whether nothing but the velocity moves the particles and they do not feel each other: then the optimal paths are
    /// straight.
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert!(trajectory.is_free());
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.0.noise.is_none() && self.0.interaction.is_none()
    }

    /// The arrays as they were given.
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.parts().times, [0.0, 0.25, 0.5, 0.75, 1.0]);
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn parts(&self) -> &TrajectoryParts {
        &self.0
    }

    /// T, the last time.
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.horizon(), 1.0);
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn horizon(&self) -> f64 {
        self.0.times.last().copied().unwrap_or_default()
    }

    /// x_0, [N, d].
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.start(), ndarray::array![[2.0], [-3.0]]);
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn start(&self) -> ArrayView2<'_, f64> {
        end_view(self.0.positions.first())
    }

    /// x_n, [N, d].
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.end(), ndarray::array![[1.0], [-2.0]]);
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn end(&self) -> ArrayView2<'_, f64> {
        end_view(self.0.positions.last())
    }

    /// The step sizes t_{i+1} − t_i, n of them.
    pub(crate) fn step_sizes(&self) -> impl Iterator<Item = f64> + '_ {
        self.0.times.iter().zip(self.0.times.iter().skip(1)).map(|(now, next)| next - now)
    }

    /// Kinetic energy by the left-point sum of the Euler scheme.
    ///
    /// ```text
    /// Σ_{i<n} h_i · ½ E‖∇U(x_i, t_i)/λ‖²  ≈  ∫₀ᵀ ½ E‖v‖² dt
    /// ```
    ///
    /// Units: length²/time. Complexity: O(n·N·d).
    ///
    /// Source: arXiv 2407.11901, the W2 term of the objective.
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.kinetic_energy(), 0.5);
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn kinetic_energy(&self) -> f64 {
        let scale = 0.5 / (self.0.lambda * self.0.lambda);
        self.step_sizes()
            .zip(&self.0.potential_gradient)
            .map(|(step, gradient)| step * scale * mean_square_norm(gradient))
            .sum()
    }

    /// Excess of the kinetic energy over optimal transport between the end clouds, 0 at the optimum.
    ///
    /// ```text
    /// T · ∫₀ᵀ ½ E‖v‖² dt / (½ W2²(ρ₀, ρ_T)) − 1  ≥  0
    /// ```
    ///
    /// for the Euler scheme. `w2_squared` is the exact squared distance W2² between the two particle clouds. No unit;
    /// none where `w2_squared` is 0.
    ///
    /// Source: J.-D. Benamou and Y. Brenier, Numer. Math. 84 (2000), Proposition 1.1.
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.straightness(1.0), Some(0.0)); // W2² between the ends is 1
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn straightness(&self, w2_squared: f64) -> Option<f64> {
        ratio(self.kinetic_energy() * self.horizon(), 0.5 * w2_squared).map(|ratio| ratio - 1.0)
    }

    /// Excess of the paths' length over the displacement, 0 for straight paths.
    ///
    /// ```text
    /// E Σ_i ‖x_{i+1} − x_i‖ / E‖x_n − x_0‖ − 1  ≥  0
    /// ```
    ///
    /// No unit; none where nothing moves. Complexity: O(n·N·d).
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.path_ratio(), Some(0.0));
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn path_ratio(&self) -> Option<f64> {
        let positions = &self.0.positions;
        let length: f64 =
            positions.iter().zip(positions.iter().skip(1)).map(|(now, next)| mean_distance(next, now)).sum();
        let displacement = mean_distance(&self.end(), &self.start());
        // Rounding alone can make the sum of collinear steps shorter than the whole.
        ratio(length, displacement).map(|ratio| (ratio - 1.0).max(0.0))
    }

    /// Distance of the paths from the characteristics that the critic implies, relative to the displacement.
    ///
    /// ```text
    /// RMS_{i<n} ‖x_i − x_n − ((T − t_i)/λ)·∇φ(x_n)‖ / RMS ‖x_n − x_0‖
    /// ```
    ///
    /// over particles and the steps' left ends. No unit; none where nothing moves and without a critic. Complexity:
    /// O(n·N·d).
    ///
    /// Source: ∇U is constant along the paths of the optimality system of arXiv 2407.11901, where it ends as ∇φ(x_n).
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.characteristic_rms(), Some(0.0));
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn characteristic_rms(&self) -> Option<f64> {
        let parts = &self.0;
        let critic_gradient = parts.critic_gradient.as_ref()?;
        let horizon = self.horizon();
        let left_ends = parts.times.len() - 1;
        let gap =
            root_mean(parts.times.iter().zip(&parts.positions).take(left_ends).map(|(time, positions)| {
                let lever = (horizon - time) / parts.lambda;
                mean(square_distances(positions, &(&self.end() + &(lever * critic_gradient))))
            }));
        ratio(gap, root_mean(square_distances(&self.end(), &self.start())))
    }

    /// Spread of the velocity along the paths, 0 where each particle keeps its velocity.
    ///
    /// ```text
    /// Σ_{i<n} h_i · E‖v(x_i, t_i) − (x_n − x_0)/T‖²
    /// ```
    ///
    /// Units: length²/time. Complexity: O(n·N·d).
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.velocity_spread(), 0.0);
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn velocity_spread(&self) -> f64 {
        let mean_velocity = (&self.end() - &self.start()) / self.horizon();
        self.step_sizes()
            .zip(&self.0.potential_gradient)
            .map(|(step, gradient)| {
                let velocity = gradient / -self.0.lambda;
                step * mean(square_distances(&velocity, &mean_velocity))
            })
            .sum()
    }

    /// Gap between the potential's gradient and the critic's at the horizon; none without a critic.
    ///
    /// ```text
    /// RMS ‖∇U(x_n, T) − ∇φ(x_n)‖
    /// ```
    ///
    /// Units: those of ∇φ. Complexity: O(N·d).
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.terminal_gradient_rms(), Some(0.0));
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn terminal_gradient_rms(&self) -> Option<f64> {
        let critic = self.0.critic_gradient.as_ref()?;
        Some(root_mean(square_distances(&end_view(self.0.potential_gradient.last()), critic)))
    }

    /// [`Trajectory::terminal_gradient_rms`] divided by RMS ‖∇φ(x_n)‖; none where ∇φ vanishes and without a
    /// critic.
    ///
    /// ```
    /// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// // Two particles go 1 towards the origin at constant speed.
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.terminal_gradient_relative(), Some(0.0));
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    #[must_use]
    pub fn terminal_gradient_relative(&self) -> Option<f64> {
        let critic = mean_square_norm(self.0.critic_gradient.as_ref()?).sqrt();
        ratio(self.terminal_gradient_rms()?, critic)
    }
}

/// How much the end points depend on the step size, in units of the displacement; 0 at the optimum.
///
/// ```text
/// E‖x_h − x_fine‖ / E‖x_fine − x_0‖
/// ```
///
/// the three clouds, each [N, d], from the same starting points. No unit; none where nothing moves. Complexity: O(N·d).
///
/// # Errors
/// [`MfgError::Shape`] where the clouds do not have the same shape.
///
/// ```
/// use ndarray::array;
/// let (start, fine, coarse) = (array![[0.0]], array![[2.0]], array![[2.5]]);
/// assert_eq!(mfg::step_invariance(coarse.view(), fine.view(), start.view())?, Some(0.25));
/// # Ok::<(), mfg::MfgError>(())
/// ```
pub fn step_invariance(
    coarse: ArrayView2<'_, f64>,
    fine: ArrayView2<'_, f64>,
    start: ArrayView2<'_, f64>,
) -> Result<Option<f64>, MfgError> {
    shape("the coarse end points", coarse.shape(), start.shape())?;
    shape("the fine end points", fine.shape(), start.shape())?;
    Ok(ratio(mean_distance(&coarse, &fine), mean_distance(&fine, &start)))
}

/// How far apart the end points of two step sizes are, E‖x_h − x_fine‖, in the unit of x, for two clouds, each [N, d], from
/// the same starting points.
///
/// # Errors
/// [`MfgError::Shape`] where the clouds do not have the same shape. Complexity: O(N·d).
///
/// ```
/// use ndarray::array;
/// assert_eq!(mfg::step_distance(array![[0.0, 3.0]].view(), array![[4.0, 0.0]].view())?, 5.0);
/// # Ok::<(), mfg::MfgError>(())
/// ```
pub fn step_distance(coarse: ArrayView2<'_, f64>, fine: ArrayView2<'_, f64>) -> Result<f64, MfgError> {
    shape("the coarse end points", coarse.shape(), fine.shape())?;
    Ok(mean_distance(&coarse, &fine))
}

fn end_view(array: Option<&Array2<f64>>) -> ArrayView2<'_, f64> {
    // A checked trajectory has at least two times, so the empty view is never seen.
    const EMPTY: &[[f64; 0]] = &[];
    array.map_or(ArrayView2::from(EMPTY), |array| array.view())
}

fn check_times(times: &[f64]) -> Result<(), MfgError> {
    if times.len() < 2 {
        return Err(MfgError::TooFew { what: "times", found: times.len(), least: 2 });
    }
    let mut before = f64::NEG_INFINITY;
    for (index, &time) in times.iter().enumerate() {
        if !time.is_finite() || time <= before || (index == 0 && time != 0.0) {
            return Err(MfgError::Times { index, time });
        }
        before = time;
    }
    Ok(())
}

fn check_series<D: ndarray::Dimension, const AXES: usize>(
    name: &'static str,
    series: &[ndarray::Array<f64, D>],
    count: usize,
    expected: [usize; AXES],
) -> Result<(), MfgError> {
    shape(name, &[series.len()], &[count])?;
    for (time, array) in series.iter().enumerate() {
        shape(name, array.shape(), &expected)?;
        check_finite(name, time, array.iter())?;
    }
    Ok(())
}

fn check_finite<'a>(
    array: &'static str,
    time: usize,
    values: impl IntoIterator<Item = &'a f64>,
) -> Result<(), MfgError> {
    match values.into_iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(MfgError::NonFinite { array, time, value }),
        None => Ok(()),
    }
}
