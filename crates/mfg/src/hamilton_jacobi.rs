//! The Hamilton–Jacobi equation of the potential.

use ndarray::{Array1, ArrayView1, ArrayView2};

use crate::{
    MfgError, Trajectory,
    error::{positive, shape},
    statistics::{ratio, root_mean, square_norm},
};

/// The potential's derivatives at N points, and the optional terms of the equation.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// Weight λ > 0 of the kinetic term.
    pub lambda: f64,
    /// ∂ₜU, of length N.
    pub time_derivative: ArrayView1<'a, f64>,
    /// ∇U, [N, d].
    pub gradient: ArrayView2<'a, f64>,
    /// Noise dX = v dt + σ dW of the particles, if there is any.
    pub diffusion: Option<Diffusion<'a>>,
    /// δI/δρ at the points, of length N, where the game has an interaction cost I(ρ).
    pub interaction: Option<ArrayView1<'a, f64>>,
}

/// The second-order term that noise adds.
#[derive(Clone, Copy, Debug)]
pub struct Diffusion<'a> {
    /// Strength σ ≥ 0 of the noise, in length/√time.
    pub sigma: f64,
    /// ΔU, of length N.
    pub laplacian: ArrayView1<'a, f64>,
}

/// The residual of the Hamilton–Jacobi equation at N points, 0 at the optimum.
///
/// ```text
/// r = ∂ₜU − ‖∇U‖²/(2λ) + (σ²/2)ΔU + δI/δρ
/// ```
///
/// The last two terms only where they are given. Of length N. Units: those of ∂ₜU. Complexity: O(N·d).
///
/// Source: the optimality system of J.-M. Lasry and P.-L. Lions, "Mean field games", Jpn. J. Math. 2 (2007), for the
/// running cost (λ/2)‖v‖², with the sign of U for which v = −∇U/λ; without noise and interaction arXiv 2407.11901.
///
/// # Errors
/// [`MfgError`] where shapes differ, λ ≤ 0 or σ < 0.
///
/// ```
/// use mfg::hamilton_jacobi::{residual, Terms};
/// use ndarray::array;
/// // U = x + t/2 with λ = 1.
/// let (time_derivative, gradient) = (array![0.5], array![[1.0]]);
/// let terms = Terms {
///     lambda: 1.0,
///     time_derivative: time_derivative.view(),
///     gradient: gradient.view(),
///     diffusion: None,
///     interaction: None,
/// };
/// assert_eq!(residual(&terms)?, array![0.0]);
/// # Ok::<(), mfg::MfgError>(())
/// ```
pub fn residual(terms: &Terms<'_>) -> Result<Array1<f64>, MfgError> {
    positive("lambda", terms.lambda)?;
    let points = terms.gradient.nrows();
    shape("the time derivative", terms.time_derivative.shape(), &[points])?;
    let kinetic: Array1<f64> = terms.gradient.rows().into_iter().map(|row| square_norm(&row)).collect();
    let mut residual = &terms.time_derivative - &(kinetic / (2.0 * terms.lambda));
    if let Some(Diffusion { sigma, laplacian }) = terms.diffusion {
        if !(sigma.is_finite() && sigma >= 0.0) {
            let remedy = "give a finite number, 0 or above";
            return Err(MfgError::Parameter { parameter: "sigma", value: sigma, remedy });
        }
        shape("the Laplacian", laplacian.shape(), &[points])?;
        residual.scaled_add(0.5 * sigma * sigma, &laplacian);
    }
    if let Some(interaction) = terms.interaction {
        shape("the interaction", interaction.shape(), &[points])?;
        residual += &interaction;
    }
    Ok(residual)
}

/// RMS of the residual over the particles and all times of a trajectory, with its noise and its interaction; none
/// without a potential.
///
/// Units: those of ∂ₜU. Complexity: O(n·N·d).
///
/// # Errors
/// None for a checked trajectory; the type is that of [`residual`].
///
/// ```
/// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
/// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
/// // Two particles go 1 towards the origin at constant speed.
/// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
/// assert_eq!(mfg::hamilton_jacobi::residual_rms(&trajectory)?, Some(0.0));
/// # Ok::<(), mfg::MfgError>(())
/// ```
pub fn residual_rms(trajectory: &Trajectory) -> Result<Option<f64>, MfgError> {
    let parts = trajectory.parts();
    let Some(time_derivatives) = &parts.potential_time_derivative else { return Ok(None) };
    let mut squares = Vec::new();
    for (time, (time_derivative, gradient)) in
        time_derivatives.iter().zip(&parts.potential_gradient).enumerate()
    {
        let diffusion = parts.noise.as_ref().and_then(|noise| {
            let laplacian = noise.laplacian.as_ref()?.get(time)?.view();
            Some(Diffusion { sigma: noise.sigma, laplacian })
        });
        let interaction = parts.interaction.as_ref().and_then(|series| Some(series.get(time)?.view()));
        let residual = residual(&Terms {
            lambda: parts.lambda,
            time_derivative: time_derivative.view(),
            gradient: gradient.view(),
            diffusion,
            interaction,
        })?;
        squares.extend(residual.iter().map(|value| value * value));
    }
    Ok(Some(root_mean(squares)))
}

/// [`residual_rms`] divided by RMS |∂ₜU| over the same points; none without a potential, or where ∂ₜU vanishes.
///
/// No unit. Complexity: O(n·N·d).
///
/// # Errors
/// As [`residual_rms`].
///
/// ```
/// # use mfg::known_answers::{OptimalFlow, SoftThreshold};
/// # let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
/// // Two particles go 1 towards the origin at constant speed.
/// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
/// assert_eq!(mfg::hamilton_jacobi::residual_relative(&trajectory)?, Some(0.0));
/// # Ok::<(), mfg::MfgError>(())
/// ```
pub fn residual_relative(trajectory: &Trajectory) -> Result<Option<f64>, MfgError> {
    let derivatives = trajectory.parts().potential_time_derivative.iter().flatten().flatten();
    let scale = root_mean(derivatives.map(|value| value * value));
    Ok(residual_rms(trajectory)?.and_then(|rms| ratio(rms, scale)))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::{Diffusion, Terms, residual};
    use crate::MfgError;

    /// Linear–quadratic control: with noise σ and the interaction (here external) cost ½κ‖x‖², U = ½a(t)‖x‖² + b(t)
    /// solves the equation iff a' = a²/λ − κ and b' = −½σ²·d·a: the Riccati equation of textbook control theory. Each
    /// term is seen: leaving any out gives a residual far from 0.
    #[test]
    fn the_linear_quadratic_problem_solves_the_full_equation() {
        let (lambda, sigma, kappa, a) = (0.7, 0.4, 1.3, 0.9);
        let points: Array2<f64> = array![[0.3, -1.2, 2.0], [0.0, 0.0, 0.0], [1.5, 0.1, -0.4]];
        let squares = points.rows().into_iter().map(|x| x.dot(&x)).collect::<ndarray::Array1<f64>>();
        let time_derivative = 0.5 * (a * a / lambda - kappa) * &squares - 0.5 * sigma * sigma * 3.0 * a;
        let gradient = a * &points;
        let laplacian = array![3.0 * a, 3.0 * a, 3.0 * a];
        let interaction = 0.5 * kappa * &squares;
        let full = Terms {
            lambda,
            time_derivative: time_derivative.view(),
            gradient: gradient.view(),
            diffusion: Some(Diffusion { sigma, laplacian: laplacian.view() }),
            interaction: Some(interaction.view()),
        };
        // A few roundings of numbers below 10.
        let largest =
            |terms: &Terms<'_>| residual(terms).unwrap().iter().fold(0.0, |m: f64, r| m.max(r.abs()));
        assert!(largest(&full) < 1e-14);
        assert!(largest(&Terms { diffusion: None, ..full.clone() }) > 0.1);
        assert!(largest(&Terms { interaction: None, ..full.clone() }) > 0.1);
        let wrong_sign = -&interaction;
        assert!(largest(&Terms { interaction: Some(wrong_sign.view()), ..full }) > 0.1);
    }

    #[test]
    fn wrong_shapes_and_parameters_are_named() {
        let (time_derivative, gradient) = (array![0.0, 0.0], array![[1.0]]);
        let mut terms = Terms {
            lambda: 1.0,
            time_derivative: time_derivative.view(),
            gradient: gradient.view(),
            diffusion: None,
            interaction: None,
        };
        assert!(matches!(residual(&terms), Err(MfgError::Shape { array: "the time derivative", .. })));
        terms.lambda = 0.0;
        assert!(matches!(residual(&terms), Err(MfgError::Parameter { parameter: "lambda", .. })));
        let one = array![0.0];
        terms.lambda = 1.0;
        terms.time_derivative = one.view();
        for sigma in [-1.0, f64::INFINITY, f64::NAN] {
            terms.diffusion = Some(Diffusion { sigma, laplacian: one.view() });
            assert!(matches!(residual(&terms), Err(MfgError::Parameter { parameter: "sigma", .. })));
        }
        // No noise is a strength like any other.
        terms.diffusion = Some(Diffusion { sigma: 0.0, laplacian: one.view() });
        assert_eq!(residual(&terms).unwrap(), array![-0.5]);
        let two = array![0.0, 0.0];
        terms.interaction = Some(two.view());
        assert!(matches!(residual(&terms), Err(MfgError::Shape { array: "the interaction", .. })));
        terms.diffusion = Some(Diffusion { sigma: 0.0, laplacian: two.view() });
        assert!(matches!(residual(&terms), Err(MfgError::Shape { array: "the Laplacian", .. })));
    }
}
