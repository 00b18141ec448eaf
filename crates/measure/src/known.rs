//! The distance to the optimal flow or its law, where that is known in closed form.

use crate::MeasureError;
use datasets::Target;
use flows::flow::{HamiltonJacobiSign, Interaction};
use mfg::known_answers::{InteractingGaussians, Law, OptimalFlow, ShiftedGaussians, SoftThreshold};
use ndarray::{Array1, Array2, ArrayView2};
use ot_core::divergence::Divergence;
use ot_core::gaussian::{Gaussian, GaussianError};
use train::config::{FlowConfig, Points};

/// What decides whether the game of a configuration is solved, and how.
struct Problem {
    target: Target,
    /// λ and L of the whole objective over the weight of the divergence: the optimum is the same.
    lambda: f64,
    lipschitz: f64,
    horizon: f64,
    noise: f64,
    /// Weight of the quadratic interaction, as λ; none where there is another one.
    attraction: Option<f64>,
    /// Whether the critic has no bound on its slope.
    unbounded: bool,
    /// Whether ρ₀ is N(0, I).
    standard: bool,
    kullback_leibler: bool,
}

impl Problem {
    /// The problem of a configuration; none where its data are no synthetic target, of a flow without a critic, and where
    /// the objective is not that of the game: without the kinetic energy, or with a penalty that moves the optimum.
    fn new(config: &FlowConfig) -> Option<Self> {
        let flow = &config.flow;
        // The residual of the wrong sign moves the optimum; that of the right one is 0 there.
        let moved =
            flow.hamilton_jacobi > 0.0 && flow.hamilton_jacobi_sign == HamiltonJacobiSign::AsPublished;
        if !config.representation.has_critic() || !flow.kinetic || moved {
            return None;
        }
        let weight = config.critic.divergence_weight;
        Some(Self {
            target: config.data.target()?,
            lambda: config.flow.lambda / weight,
            lipschitz: config.imposed_bound().unwrap_or(f64::INFINITY) / weight,
            horizon: config.flow.horizon,
            noise: config.flow.noise,
            attraction: match config.flow.interaction {
                None => Some(0.0),
                Some(Interaction::Quadratic { weight: attraction }) => Some(attraction / weight),
                _ => None,
            },
            unbounded: config.imposed_bound().is_none(),
            standard: matches!(config.initial, Points::Normal { std: 1.0, .. }),
            kullback_leibler: matches!(
                config.critic.divergence,
                Divergence::KullbackLeibler | Divergence::DonskerVaradhan
            ),
        })
    }

    /// Whether nothing but the kinetic energy is paid on the way.
    fn is_free(&self) -> bool {
        self.noise == 0.0 && self.attraction == Some(0.0)
    }

    /// The optimal flow in dimension `dim`, if the problem is solved.
    fn optimal_flow(&self, dim: usize) -> Option<Box<dyn OptimalFlow>> {
        let &Self { lambda, lipschitz, horizon, .. } = self;
        if !self.is_free() {
            return None;
        }
        match self.target {
            // Every divergence from a point is L times the distance, whatever the initial law is.
            Target::Origin => Some(Box::new(SoftThreshold { lambda, horizon, lipschitz, tangent: 0 })),
            Target::Plane if self.standard && dim > 2 => {
                Some(Box::new(SoftThreshold { lambda, horizon, lipschitz, tangent: 2 }))
            }
            _ => {
                let (target_mean, std) = self.gaussian(dim)?;
                (std == 1.0).then(|| -> Box<dyn OptimalFlow> {
                    let initial_mean = Array1::zeros(dim);
                    Box::new(ShiftedGaussians { lambda, horizon, lipschitz, std, initial_mean, target_mean })
                })
            }
        }
    }

    /// The optimal laws in dimension `dim`, if the problem is one of Gaussians with noise or attraction.
    fn optimal_laws(&self, dim: usize) -> Option<InteractingGaussians> {
        let attraction = self.attraction.filter(|&attraction| attraction >= 0.0)?;
        if self.is_free() || !self.unbounded {
            return None;
        }
        let (target_mean, target_std) = self.gaussian(dim)?;
        Some(InteractingGaussians {
            lambda: self.lambda,
            horizon: self.horizon,
            sigma: self.noise,
            attraction,
            initial_mean: Array1::zeros(dim),
            initial_std: 1.0,
            target_mean,
            target_std,
        })
    }

    /// Mean and standard deviation of the target, where the game is one between N(0, I) and a Gaussian.
    fn gaussian(&self, dim: usize) -> Option<(Array1<f64>, f64)> {
        let (mean, std) = self.target.gaussian()?;
        (dim == mean.len() && self.standard && self.kullback_leibler)
            .then(|| (Array1::from(mean.to_vec()), std))
    }
}

/// W2 between the Gaussian with the moments of the particles at their `end` and the optimal law ρ_T*, over W2(ρ₀,
/// ρ_T*); none where that law is not known.
///
/// Shapes: `end` [n, d]. Complexity: O(n·d² + d³).
///
/// # Errors
/// [`MeasureError::Moments`] for fewer than two particles, or numbers that are not finite.
pub fn exact_law_error(config: &FlowConfig, end: ArrayView2<'_, f64>) -> Result<Option<f64>, MeasureError> {
    let laws = Problem::new(config).and_then(|problem| problem.optimal_laws(end.ncols()));
    let Some(flow) = laws else { return Ok(None) };
    let gaussian = |Law { mean, std }: Law| -> Result<Gaussian, GaussianError> {
        let covariance = Array2::eye(mean.len()) * (std * std);
        Gaussian::new(mean, covariance)
    };
    let (start, exact) = (gaussian(flow.law(0.0)?)?, gaussian(flow.law(flow.horizon)?)?);
    let displacement = start.w2_squared(&exact)?;
    let gap = Gaussian::from_samples(end)?.w2_squared(&exact)?;
    Ok((displacement > 0.0).then(|| (gap / displacement).sqrt()))
}

/// RMS ‖x_T − x_T*‖ over RMS ‖x_T* − x₀‖, the asterisk being the optimal flow from the same `start`; none where that is
/// not known or does not move.
///
/// Shapes: `start` and `end` [n, d]. Complexity: O(n·d).
pub fn exact_flow_error(
    config: &FlowConfig,
    start: ArrayView2<'_, f64>,
    end: ArrayView2<'_, f64>,
) -> Option<f64> {
    let flow = Problem::new(config)?.optimal_flow(start.ncols())?;
    let mut exact = Array2::zeros(start.raw_dim());
    for (mut row, start) in exact.rows_mut().into_iter().zip(start.rows()) {
        row.assign(&flow.position(start, flow.horizon()));
    }
    let square = |a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>| (&a - &b).mapv(|gap| gap * gap).sum();
    let displacement = square(exact.view(), start);
    (displacement > 0.0).then(|| (square(end, exact.view()) / displacement).sqrt())
}

#[cfg(test)]
mod tests {
    use super::{exact_flow_error, exact_law_error};
    use flows::flow::HamiltonJacobiSign;
    use ndarray::{Array2, array};
    use train::config::{Configuration, FlowConfig};

    fn config(target: &str, dim: usize) -> FlowConfig {
        let text = include_str!("../../../configs/table1/tuned/pinwheel-7d-w1w2.toml");
        let settings = [
            format!("data.target={target}"),
            format!("data.dim={dim}"),
            "flow.lambda=0.5".into(),
            "critic.bound=1.0".into(),
        ];
        FlowConfig::parse(text, "test", None, &settings).unwrap()
    }

    /// R = 2: (3, 4, …) keeps 3/5 of its length, by hand.
    #[test]
    fn points_are_thresholded_and_gaussians_shifted() {
        let start = array![[3.0, 4.0], [0.0, 1.0]];
        let exact = array![[1.8, 2.4], [0.0, 0.0]];
        let error = exact_flow_error(&config("origin", 2), start.view(), exact.view()).unwrap();
        assert!(error < 1e-15, "{error}");
        // Not moving at all is an error of 1.
        assert_eq!(exact_flow_error(&config("origin", 2), start.view(), start.view()), Some(1.0));
        let flat = array![[3.0, 4.0, 5.0], [1.0, 1.0, -1.0]];
        let exact = array![[3.0, 4.0, 3.0], [1.0, 1.0, 0.0]];
        assert_eq!(exact_flow_error(&config("plane", 3), flat.view(), exact.view()), Some(0.0));
        // (3 + .5·0)/(1 + .5) = 2 is 1 away from the target, as far as L·s² = 1 lets it be.
        let shifted = &start + &array![2.0, 0.0];
        let error = exact_flow_error(&config("shifted-gaussian", 2), start.view(), shifted.view()).unwrap();
        assert!(error < 1e-15, "{error}");
    }

    /// A cloud with exactly the moments of the optimal law, and one that has not moved.
    #[test]
    fn laws_are_compared_by_their_moments() {
        let noisy = |settings: &[&str]| {
            let text = include_str!("../../../configs/table1/tuned/pinwheel-7d-w1w2.toml");
            let all =
                ["data.target=shifted-gaussian", "data.dim=2", "flow.lambda=1.0", "flow.velocity_spread=0.0"];
            let all = all.iter().chain(settings).chain(&["critic.lipschitz={ method = \"none\" }"]);
            let all: Vec<String> = all.map(|s| (*s).to_owned()).collect();
            FlowConfig::parse(text, "test", None, &all).unwrap()
        };
        // With λ = T = 1 and σ = 0 the mean stops half way, at 1.5, and the deviation stays 1; a weak attraction of
        // 1e-12 changes that by no more than itself.
        let config = noisy(&["flow.interaction={ kind = \"quadratic\", weight = 1e-12 }"]);
        let square = (3.0_f64 / 4.0).sqrt();
        let corners = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]];
        // Four corners have an unbiased variance of 4/3·side².
        let at = |x: f64| {
            Array2::from_shape_fn((4, 2), |(i, j)| square * corners[i][j] + if j == 0 { x } else { 0.0 })
        };
        let error = |x: f64| exact_law_error(&config, at(x).view()).unwrap().unwrap();
        assert!(error(1.5) < 1e-6, "{}", error(1.5));
        assert!((error(0.0) - 1.0).abs() < 1e-9);
        // Noise alone, σ = 1: s² = 1/D² + 1/D with D = 2 − 1/s², solved here by itself.
        let config = noisy(&["flow.noise=1.0"]);
        let variance = {
            let gap = |s2: f64| {
                let d = 2.0 - 1.0 / s2;
                1.0 / (d * d) + 1.0 / d - s2
            };
            let (mut low, mut high) = (0.6_f64, 3.0_f64);
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                if gap(middle) > 0.0 { low = middle } else { high = middle }
            }
            low
        };
        let spread = at(0.0) * variance.sqrt() + &array![1.5, 0.0];
        assert!(exact_law_error(&config, spread.view()).unwrap().unwrap() < 1e-6);
        let start = array![[3.0, 4.0], [0.0, 1.0]];
        assert_eq!(exact_flow_error(&config, start.view(), start.view()), None);
    }

    #[test]
    fn other_problems_have_no_known_answer() {
        let start = array![[3.0, 4.0], [0.0, 1.0]];
        for (target, dim) in [("pinwheel", 2), ("plane", 2)] {
            assert_eq!(exact_flow_error(&config(target, dim), start.view(), start.view()), None);
            assert_eq!(exact_law_error(&config(target, dim), start.view()).unwrap(), None);
        }
        // Without the kinetic energy, or with a penalty that is not 0 at the optimum, it is not the game that is solved.
        let mut free = config("origin", 2);
        free.flow.kinetic = false;
        let mut moved = config("origin", 2);
        moved.flow.hamilton_jacobi = 1.0;
        assert!(exact_flow_error(&moved, start.view(), start.view()).is_some());
        moved.flow.hamilton_jacobi_sign = HamiltonJacobiSign::AsPublished;
        for config in [free, moved] {
            assert_eq!(exact_flow_error(&config, start.view(), start.view()), None);
        }
    }
}
