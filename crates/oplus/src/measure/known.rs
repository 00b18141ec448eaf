//! The distance to the optimal flow or its law, where that is known in closed form.

use anyhow::Result;
use datasets::Target;
use flows::flow::Interaction;
use flows::lipschitz::Lipschitz;
use mfg::known_answers::{InteractingGaussians, Law, OptimalFlow, ShiftedGaussians, SoftThreshold};
use ndarray::{Array1, Array2, ArrayView2};
use ot_core::divergence::Divergence;
use ot_core::gaussian::{Gaussian, GaussianError};
use train::config::{FlowConfig as Config, Points};

/// Mean of [`Target::ShiftedGaussian`].
const SHIFTED_MEAN: [f64; 2] = [3.0, 0.0];

/// The optimal flow of a configuration in dimension `dim`, if its problem is solved.
fn optimal_flow(config: &Config, dim: usize) -> Option<Box<dyn OptimalFlow>> {
    // The whole objective over the weight of the divergence: the same optimum.
    let weight = config.critic.divergence_weight;
    let (lambda, horizon, lipschitz) =
        (config.flow.lambda / weight, config.flow.horizon, config.critic.bound / weight);
    let (standard, kullback_leibler) = (is_standard(config), is_kullback_leibler(config));
    if config.flow.noise > 0.0 || config.flow.interaction.is_some() {
        return None;
    }
    match config.data.target()? {
        // Every divergence from a point is L times the distance, whatever the initial law is.
        Target::Origin => Some(Box::new(SoftThreshold { lambda, horizon, lipschitz, tangent: 0 })),
        Target::Plane if standard && dim > 2 => {
            Some(Box::new(SoftThreshold { lambda, horizon, lipschitz, tangent: 2 }))
        }
        Target::ShiftedGaussian if standard && dim == 2 && kullback_leibler => {
            Some(Box::new(ShiftedGaussians {
                lambda,
                horizon,
                lipschitz,
                std: 1.0,
                initial_mean: Array1::zeros(dim),
                target_mean: Array1::from(SHIFTED_MEAN.to_vec()),
            }))
        }
        _ => None,
    }
}

/// The optimal laws of a configuration in dimension `dim`, if its problem is one of Gaussians with noise or attraction.
fn optimal_laws(config: &Config, dim: usize) -> Option<InteractingGaussians> {
    let attraction = match config.flow.interaction {
        None if config.flow.noise > 0.0 => 0.0,
        Some(Interaction::Quadratic { weight }) if weight >= 0.0 => weight,
        _ => return None,
    };
    let solved = config.data.target() == Some(Target::ShiftedGaussian)
        && dim == SHIFTED_MEAN.len()
        && is_standard(config)
        && is_kullback_leibler(config)
        && config.critic.lipschitz == Lipschitz::None;
    let weight = config.critic.divergence_weight;
    solved.then(|| InteractingGaussians {
        lambda: config.flow.lambda / weight,
        horizon: config.flow.horizon,
        sigma: config.flow.noise,
        attraction: attraction / weight,
        initial_mean: Array1::zeros(dim),
        initial_std: 1.0,
        target_mean: Array1::from(SHIFTED_MEAN.to_vec()),
        target_std: 1.0,
    })
}

fn is_standard(config: &Config) -> bool {
    matches!(config.initial, Points::Normal { std: 1.0, .. })
}

fn is_kullback_leibler(config: &Config) -> bool {
    matches!(config.critic.divergence, Divergence::KullbackLeibler | Divergence::DonskerVaradhan)
}

/// W2 between the Gaussian with the moments of the particles at their `end` and the optimal law ρ_T*, over W2(ρ₀, ρ_T*); none
/// where that law is not known.
///
/// # Errors
/// For fewer than two particles, or numbers that are not finite.
pub fn exact_law_error(config: &Config, end: ArrayView2<'_, f64>) -> Result<Option<f64>> {
    let Some(flow) = optimal_laws(config, end.ncols()) else { return Ok(None) };
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
pub fn exact_flow_error(
    config: &Config,
    start: ArrayView2<'_, f64>,
    end: ArrayView2<'_, f64>,
) -> Option<f64> {
    let flow = optimal_flow(config, start.ncols())?;
    let mut exact = Array2::zeros(start.raw_dim());
    for (mut row, start) in exact.rows_mut().into_iter().zip(start.rows()) {
        row.assign(&flow.position(&start, flow.horizon()));
    }
    let square = |a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>| (&a - &b).mapv(|gap| gap * gap).sum();
    let displacement = square(exact.view(), start);
    (displacement > 0.0).then(|| (square(end, exact.view()) / displacement).sqrt())
}

#[cfg(test)]
mod tests {
    use super::{exact_flow_error, exact_law_error};
    use ndarray::{Array2, array};
    use train::config::{Configuration, FlowConfig as Config};

    fn config(target: &str, dim: usize) -> Config {
        let text = include_str!("../../../../configs/table1/tuned/pinwheel-7d-w1w2.toml");
        let settings = [
            format!("data.target={target}"),
            format!("data.dim={dim}"),
            "flow.lambda=0.5".into(),
            "critic.bound=1.0".into(),
        ];
        Config::parse(text, "test", None, &settings).unwrap()
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
            let text = include_str!("../../../../configs/table1/tuned/pinwheel-7d-w1w2.toml");
            let all =
                ["data.target=shifted-gaussian", "data.dim=2", "flow.lambda=1.0", "flow.velocity_spread=0.0"];
            let all = all.iter().chain(settings).chain(&["critic.lipschitz={ method = \"none\" }"]);
            let all: Vec<String> = all.map(|s| (*s).to_owned()).collect();
            Config::parse(text, "test", None, &all).unwrap()
        };
        // With λ = T = 1 and σ = 0 the mean stops half way, at 1.5, and the deviation stays 1; a weak attraction of 1e-12
        // changes that by no more than itself.
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
    }
}
