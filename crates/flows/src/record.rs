//! Records a flow's trajectory with everything that its optimality is measured by.

use crate::FlowError;
use crate::critic::Critic;
use crate::error::{array2, flat};
use crate::flow::Flow;
use crate::game::{Game, Networks};
use crate::integrate::step_count;
use crate::potential::Derivatives;
use crate::real::Real;
use crate::scalar_field::ScalarField;
use mfg::{MfgError, Noise, Trajectory, TrajectoryParts};
use ndarray::{Array1, Array2, ArrayView2};

/// A trajectory that cannot be recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The networks do not fit the points.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// What was recorded is not finite, or too little.
    #[error(transparent)]
    Trajectory(#[from] MfgError),
}

/// Runs `steps` Euler steps of the game's flow from the rows of `start` and records xᵢ, ∇U(xᵢ, tᵢ), ∂ₜU(xᵢ, tᵢ) for i =
/// 0…n and ∇φ(x_n); with noise also ΔU, with an interaction also δI/δρ. Of a velocity without a potential −λv takes the
/// place of ∇U.
///
/// The companions, [m, d] row-major, are those of [`Game::field`], `normal` gives the standard normal numbers of the noise and is not
/// asked without one. The networks are evaluated in double precision, so that a residual is that of the trained
/// functions and not of their rounding.
///
/// # Errors
/// [`RecordError`] when a buffer does not fit or a value is not finite.
pub fn trajectory<N: ScalarField>(
    game: &Game<N>,
    networks: Networks<'_, f32>,
    companions: &[f32],
    start: ArrayView2<'_, f64>,
    steps: usize,
    mut normal: impl FnMut() -> f64,
) -> Result<Trajectory, RecordError> {
    let (flow, critic) = (widen(networks.flow), widen(networks.critic));
    let objective = &game.objective;
    let networks = Networks { flow: &flow, critic: &critic };
    let mut field = game.field(networks, &widen(companions))?;
    let h = objective.horizon / step_count(steps)?;
    let mut times = Vec::with_capacity(steps + 1);
    let mut positions = Vec::with_capacity(steps + 1);
    let mut potential_gradient = Vec::with_capacity(steps + 1);
    let mut potential_time_derivative = Vec::with_capacity(steps + 1);
    let (mut laplacian, mut interaction) = (Vec::new(), Vec::new());
    let has_potential = !matches!(game.flow, Flow::Velocity(_));
    let mut x = start.to_owned();
    for i in 0..=steps {
        let t = if i == steps { objective.horizon } else { i as f64 * h };
        let Derivatives { gradient, time } = field.derivatives(x.view(), t)?;
        times.push(t);
        positions.push(x.clone());
        if objective.noise > 0.0 && has_potential {
            laplacian.push(field.laplacian(x.view(), t)?);
        }
        if let Some(cost) = objective.interaction {
            interaction.push(Array1::from(cost.first_variation(&flat(x.view()), start.ncols())?));
        }
        if i < steps {
            x.zip_mut_with(&gradient, |x, g| *x -= h / objective.lambda * g);
            if objective.noise > 0.0 {
                x.iter_mut().for_each(|x| *x += objective.noise * h.sqrt() * normal());
            }
        }
        potential_gradient.push(gradient);
        potential_time_derivative.push(time);
    }
    let critic_gradient = slopes_at(&game.critic, &critic, x.view())?;
    Ok(Trajectory::new(TrajectoryParts {
        lambda: objective.lambda,
        times,
        positions,
        potential_gradient,
        potential_time_derivative: has_potential.then_some(potential_time_derivative),
        critic_gradient: Some(critic_gradient),
        noise: (objective.noise > 0.0)
            .then_some(Noise { sigma: objective.noise, laplacian: has_potential.then_some(laplacian) }),
        interaction: objective.interaction.map(|_| interaction),
    })?)
}

/// Paths that are straight whatever the steps, as those of an optimal map are.
pub(crate) struct StraightPaths<'a> {
    /// x₀, [n, d].
    pub(crate) start: ArrayView2<'a, f64>,
    /// x_T, [n, d].
    pub(crate) ends: ArrayView2<'a, f64>,
    /// The slopes p of ∂ₜU = ‖p‖²/(2λ), [n, d].
    pub(crate) energy_of: ArrayView2<'a, f64>,
    /// ∇φ(x_T), [n, d].
    pub(crate) critic_gradient: Array2<f64>,
}

impl StraightPaths<'_> {
    /// x₀ + (t/T)·(x_T − x₀) at `steps` equal steps, with ∇U = (λ/T)·(x₀ − x_T), which does not change along them.
    pub(crate) fn trajectory(
        self,
        (lambda, horizon): (f64, f64),
        steps: usize,
    ) -> Result<Trajectory, RecordError> {
        let Self { start, ends, energy_of, critic_gradient } = self;
        let gradient = (&start - &ends) * (lambda / horizon);
        let energy: Array1<f64> = energy_of.rows().into_iter().map(|p| p.dot(&p) / (2.0 * lambda)).collect();
        let h = horizon / step_count(steps)?;
        let times: Vec<f64> = (0..=steps).map(|i| if i == steps { horizon } else { i as f64 * h }).collect();
        let position = |&t: &f64| {
            let on_the_way = start.iter().zip(&ends).map(|(x, y)| x + t / horizon * (y - x)).collect();
            array2("the positions of the particles", on_the_way, start.ncols())
        };
        Ok(Trajectory::new(TrajectoryParts {
            lambda,
            positions: times.iter().map(position).collect::<Result<_, _>>()?,
            potential_gradient: vec![gradient; times.len()],
            potential_time_derivative: Some(vec![energy; times.len()]),
            times,
            critic_gradient: Some(critic_gradient),
            noise: None,
            interaction: None,
        })?)
    }
}

/// ‖∇φ‖ at each row of `points`.
///
/// # Errors
/// [`FlowError::Shape`] when the points do not fit the critic.
pub fn critic_slopes<N: ScalarField>(
    critic: &Critic<N>,
    parameters: &[f32],
    points: ArrayView2<'_, f64>,
) -> Result<Vec<f64>, FlowError> {
    let slopes = slopes_at(critic, &widen(parameters), points)?;
    Ok(slopes.rows().into_iter().map(|g| g.iter().map(|g| g * g).sum::<f64>().sqrt()).collect())
}

/// ∇φ, [n, d], at the rows of `points`.
fn slopes_at<N: ScalarField>(
    critic: &Critic<N>,
    parameters: &[f64],
    points: ArrayView2<'_, f64>,
) -> Result<Array2<f64>, FlowError> {
    Ok(critic.network.at(parameters, points)?.1)
}

fn widen(parameters: &[f32]) -> Vec<f64> {
    parameters.iter().map(|p| p.wide()).collect()
}
