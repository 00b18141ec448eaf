//! Whether the points of a flow can travel as far as they have to.

use crate::TrainError;
use crate::config::FlowConfig;
use crate::source::{Source, name};
use datasets::stream;
use ot_core::cost::Euclidean;
use ot_core::exact::ExactError;
use ot_core::{Measure, exact};
use std::fmt;

/// Points of either side that the distance is measured between: some thirty thousandths of a second.
const POINTS: usize = 500;

/// Points beyond reach that are no reason to say anything: outliers, which a flow need not follow. In many dimensions the
/// plan between few points is also longer than that between their laws.
const FEW: f64 = 0.05;

/// What the suggested reach has to spare: a subsample misses the farthest points.
const SPARE: f64 = 1.25;

/// How far a point of a flow can travel, and how far points have to.
///
/// With the critic's bound L, the horizon T and the weight λ of the kinetic energy, a velocity v = −∇U/λ that minimises
/// E φ(x_T) + λ∫½‖v‖² dt has ‖v‖ ≤ L/λ everywhere, so that a point travels at most R = L·T/λ: where the data lie
/// farther, the flow ends short of them, however long it is trained.
///
/// Source: optimal paths are straight with ∇U constant along them, and U(·, T) = φ (arXiv 2407.11901, section 3).
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// R = L·T/λ, in the units of the training.
    pub reach: f64,
    /// How far points travel under the optimal plan for the squared distance between points of ρ₀ and of the data,
    /// ascending.
    pub distances: Vec<f64>,
    lambda: f64,
    bound: f64,
}

impl Reach {
    /// Measures the way between 500 points of ρ₀ and 500 of the data, from a stream of its own; none for a flow whose
    /// slope is not bounded, or whose velocity is not −∇U/λ. Complexity: that of exact transport of 500 points.
    ///
    /// # Errors
    /// What drawing the points and transport between them report.
    pub fn of(config: &FlowConfig, source: &Source) -> Result<Option<Self>, TrainError> {
        let flow = &config.flow;
        let Some(bound) = config.imposed_bound().filter(|_| flow.kinetic && !flow.bends()) else {
            return Ok(None);
        };
        let mut rng = stream(config.seed, name::REACH, 0);
        let (start, data) = (source.initial.points(POINTS, &mut rng)?, source.data.points(POINTS, &mut rng)?);
        let x = Measure::uniform(start.view()).map_err(ExactError::from)?;
        let y = Measure::uniform(data.view()).map_err(ExactError::from)?;
        let plan = exact::solve(&x, &y, &Euclidean::Squared)?;
        let way = |flow: &exact::Flow| {
            let ends = start.row(flow.source).into_iter().zip(data.row(flow.target));
            ends.map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
        };
        let mut distances: Vec<f64> = plan.coupling.iter().map(way).collect();
        distances.sort_by(f64::total_cmp);
        let reach = bound * flow.horizon / flow.lambda;
        Ok(Some(Self { reach, distances, lambda: flow.lambda, bound }))
    }

    /// How far the farthest point has to travel.
    pub fn farthest(&self) -> f64 {
        self.distances.last().copied().unwrap_or_default()
    }

    /// The share of points that have to travel farther than they can.
    pub fn beyond(&self) -> f64 {
        let beyond = self.distances.iter().filter(|&&distance| distance > self.reach).count();
        beyond as f64 / self.distances.len().max(1) as f64
    }

    /// Whether all but few points, a twentieth of them, can travel as far as they have to.
    pub fn suffices(&self) -> bool {
        self.beyond() <= FEW
    }
}

impl fmt::Display for Reach {
    /// What is said where the reach does not suffice.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longer = SPARE * self.farthest() / self.reach;
        write!(
            formatter,
            "points can travel no farther than critic.bound·flow.horizon/flow.lambda = {}, and {} % of them have to, up to \
             {}, so that the flow will end short of the data: lower flow.lambda to {}, or raise critic.bound to {}, or \
             bring data and initial points closer together by their scale",
            digits(3, self.reach, f64::round),
            digits(2, 100.0 * self.beyond(), f64::ceil),
            digits(3, self.farthest(), f64::round),
            digits(2, self.lambda / longer, f64::floor),
            digits(2, self.bound * longer, f64::ceil),
        )
    }
}

/// A positive number with `count` digits.
fn digits(count: i32, x: f64, round: fn(f64) -> f64) -> f64 {
    let unit = 10_f64.powi(x.log10().floor() as i32 + 1 - count);
    // Through text, so that 0.018000000000000002 is 0.018.
    format!("{:.6e}", round(x / unit) * unit).parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::{Reach, digits};
    use crate::config::{Configuration, FlowConfig};
    use crate::source::{Inputs, Source};

    /// From N(0, 0.01²) to the `shifted` points, which all lie at distance `far` from 0.
    fn reach(far: f64, changes: &[&str]) -> Option<Reach> {
        let mut text = vec![
            "kind = \"flow\"".to_owned(),
            "name = \"far\"".into(),
            "data = { kind = \"array\", scaling = \"none\", held_out = 0.0 }".into(),
            "initial = { kind = \"normal\", std = 0.01 }".into(),
        ];
        text.extend(changes.iter().map(|&change| change.to_owned()));
        let config = FlowConfig::parse(&text.join("\n"), "far.toml", None, &[]).unwrap();
        // Points of a sphere around 0: their mean is far less, so that scaling them would be seen.
        let points = ndarray::Array2::from_shape_fn((200, 3), |(i, j)| {
            let (angle, height) = (i as f64, (i as f64 / 100.0 - 1.0).clamp(-1.0, 1.0));
            let radius = (1.0 - height * height).sqrt();
            far * [radius * angle.cos(), radius * angle.sin(), height][j]
        });
        let source = Source::new(&config, &Inputs { data: Some(points), ..Inputs::default() }).unwrap();
        Reach::of(&config, &source).unwrap()
    }

    #[test]
    fn a_sphere_is_in_reach_where_its_radius_is_less_than_l_t_over_lambda() {
        // R = 0.5·2/0.1 = 10 beside the radius, up to some deviations of 0.01 of the points at its centre.
        let hopf_lax = "representation = { kind = \"hopf-lax\" }";
        let changes = ["flow = { lambda = 0.1, horizon = 2.0 }", "critic = { bound = 0.5 }", hopf_lax];
        for (far, beyond) in [(9.9, 0.0), (10.1, 1.0)] {
            let found = reach(far, &changes).unwrap();
            assert!((found.reach - 10.0).abs() < 1e-12 && (found.farthest() - far).abs() < 0.05, "{far}");
            assert_eq!((found.beyond(), found.suffices()), (beyond, beyond == 0.0));
        }
        let words = reach(41.0, &changes).unwrap().to_string();
        // The reach has to grow by 1.25·41/10 = 5.125: λ = 0.0195 or L = 2.5625, rounded to the safe side.
        for part in ["= 10, and 100 %", "up to 41,", "lower flow.lambda to 0.019", "critic.bound to 2.6"] {
            assert!(words.contains(part), "no {part:?} in {words}");
        }
    }

    #[test]
    fn nothing_is_said_where_the_slope_has_no_bound_or_the_path_another_law() {
        let network = "representation = { kind = \"network\" }\ncritic = { divergence = \"kl\", lipschitz = { method = ";
        let training = "training = { iterations = 1, batch = 2, critic_updates = 1, optimiser = { learning_rate = 1 }, \
                        critic_optimiser = { learning_rate = 1 } }";
        let flow = |more: &str| format!("flow = {{ steps = 1{more} }}");
        let of = |flow: String, method: &str| {
            reach(40.0, &[flow.as_str(), &format!("{network}{method} }} }}"), training]).is_some()
        };
        assert!(of(flow(""), "\"spectral\""));
        assert!(of(flow(""), "\"penalty\", form = \"lp\", weight = 1.0"));
        assert!(!of(flow(""), "\"none\""));
        assert!(!of(flow(", kinetic = false"), "\"spectral\""));
        assert!(!of(flow(", noise = 1.0"), "\"spectral\""));
        assert!(reach(40.0, &["representation = { kind = \"explicit\" }"]).is_none());
        assert!(reach(40.0, &["representation = { kind = \"explicit\", base = \"identity\" }"]).is_some());
    }

    #[test]
    fn suggestions_have_two_digits_and_are_on_the_safe_side() {
        for (x, below, above) in [(0.0187, 0.018, 0.019), (2.51, 2.5, 2.6), (731.0, 730.0, 740.0)] {
            assert_eq!((digits(2, x, f64::floor), digits(2, x, f64::ceil)), (below, above));
        }
    }
}
