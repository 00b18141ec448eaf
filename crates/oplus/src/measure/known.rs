//! The distance to the optimal flow, where that is known in closed form.

use datasets::{InitialLaw, Target};
use mfg::known_answers::{OptimalFlow, ShiftedGaussians, SoftThreshold};
use ndarray::{Array1, Array2, ArrayView2};
use ot_core::divergence::Divergence;
use train::config::Config;

/// Mean of [`Target::ShiftedGaussian`].
const SHIFTED_MEAN: [f64; 2] = [3.0, 0.0];

/// The optimal flow of a configuration in dimension `dim`, if its problem is solved.
fn optimal_flow(config: &Config, dim: usize) -> Option<Box<dyn OptimalFlow>> {
    let (lambda, horizon, lipschitz) = (config.flow.lambda, config.flow.horizon, config.critic.bound);
    let standard = config.initial == InitialLaw::Normal { std: 1.0 };
    let kullback_leibler =
        matches!(config.critic.divergence, Divergence::KullbackLeibler | Divergence::DonskerVaradhan);
    match config.data.target? {
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
    use super::exact_flow_error;
    use ndarray::array;
    use train::config::{Config, Configuration};

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

    #[test]
    fn other_problems_have_no_known_answer() {
        let start = array![[3.0, 4.0], [0.0, 1.0]];
        for (target, dim) in [("pinwheel", 2), ("plane", 2)] {
            assert_eq!(exact_flow_error(&config(target, dim), start.view(), start.view()), None);
        }
    }
}
