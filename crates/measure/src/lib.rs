//! Measures of what was trained.
//!
//! | home | what |
//! | --- | --- |
//! | [`model`] | a trained model of any kind |
//! | [`flow()`] | a trained flow: distances to fresh points of its target, indicators of the optimality system |
//! | [`generator()`] | a trained generator: distances, modes, accuracies of moved digits |
//! | [`critic()`] | a critic that was trained alone: its dual value, and its error where the optimal one is known |
//! | [`floor()`] | the same between two independent samples of the target: no model can be expected to score less |
//! | [`cost()`] | what a trained flow costs: parameters, evaluations of networks and time of its samples |
//! | [`known`] | the distance to the optimum of a flow, where that is known in closed form |
//! | [`image_scores`] | images that were made in any way, against the test images of a set |
//! | [`image_references`] | images without a training: real ones, and those of a Gaussian |
//! | [`simple_maps`] | maps without a training, where the optimal map is known for every point |
//! | [`simple_critics`] | what a critic has to beat, where the optimal one is known |
//! | [`snapshots_around`] | what a flow between two snapshots has to beat at the one between them |
//! | [`Monitor`], [`Quality`] | what is measured of a generator and of a flow while they are trained |
//! | [`target`] | points of a target to look at |
//! | [`Records`] | the records of a run, and the milestones in them |
//!
//! Every number is named by a constant of [`metrics`]. What is measured, and on how many points, the
//! [`Protocol`] says. All randomness comes from the seed of the run, so that a run has one measurement.
//!
//! ```no_run
//! let model = train::Model::load("runs/pinwheel".as_ref())?;
//! let inputs = train::source::Inputs::default();
//! let measurement = measure::model(&model, &inputs, eval::Protocol::QUICK, &|stage| eprintln!("{stage}"))?;
//! println!("{:?}", measurement.metrics.get(metrics::W2_SQUARED));
//! # Ok::<(), measure::MeasureError>(())
//! ```
#![deny(
    clippy::disallowed_methods,
    reason = "this crate changes no file and draws from streams that it is given"
)]

mod between;
mod closeness;
mod conditional;
mod cost;
mod critic;
mod digits;
mod error;
mod floor;
mod flow;
mod generator;
mod images;
mod indicators;
pub mod known;
mod known_map;
mod likelihood;
mod monitor;
mod quality;
mod records;
mod subject;

pub use between::snapshots_around;
pub use cost::cost;
pub use critic::{critic, simple_critics};
pub use digits::{Accuracy, Digits};
pub use error::MeasureError;
pub use floor::floor;
pub use flow::flow;
pub use generator::generator;
pub use images::{ImageScores, image_references, image_scores};
pub use known_map::simple_maps;
pub use monitor::{Monitor, Watched};
pub use quality::{QUALITY, Quality, seconds_to_near_floor};
pub use records::{Abscissa, Records};
pub use subject::target;

use eval::results::Layout;
use eval::summary::significant;
use eval::{Metrics, Protocol};
use metrics::{TAIL_L1, W2_SQUARED, W2_SQUARED_START};
use ndarray::Array2;
use train::Model;
use train::source::{Inputs, Units};

/// Points a side for exact transport between clouds of the ring, as in its literature.
pub const RING_POINTS: usize = 512;

/// Hears what is measured next, in a few words.
pub type Tell<'a> = &'a dyn Fn(&str);

/// What was measured of a trained flow or generator.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The numbers.
    pub metrics: Metrics,
    /// How the clouds were laid out.
    pub layout: Layout,
    /// The starting points of the generated clouds, [n, d₀]; of generators only.
    pub start: Option<Array2<f64>>,
    /// The generated clouds of all pairs, one after the other, [n, d].
    pub generated: Array2<f64>,
    /// The label that each of them was generated under, \[n\]; empty without labels.
    pub labels: Vec<f64>,
    /// The target clouds of all pairs, one after the other, [n, d].
    pub target: Array2<f64>,
}

/// How many times as far from the target as the initial points, in W2², a flow leads that has diverged with finite numbers.
const STRAYED: f64 = 100.0;
/// `tail_l1` of a flow that has diverged to a target with heavy tails. A cloud that stays at one point has at most 1.2, one
/// whose far half is e⁴ = 55 times as far out as it should be has 2.
const STRAYED_TAIL: f64 = 2.0;

impl Measurement {
    /// Why a flow whose numbers are all finite has diverged none the less: it leads its points away from the target, more than
    /// 100 times as far in W2² as they are at its beginning. None of others.
    ///
    /// An unstable integration ends so, in numbers that would pass for a result in a table. To a target with heavy tails, whose
    /// own samples may be as far from each other, it has a `tail_l1` of more than 2.
    #[must_use]
    pub fn divergence(&self) -> Option<String> {
        if let Some(tail) = self.metrics.get(TAIL_L1) {
            return (tail > STRAYED_TAIL).then(|| {
                format!(
                    "tail_l1 is {tail:.3}: points are some {:.1e} times as far out as those of the target",
                    (2.0 * tail).exp()
                )
            });
        }
        let start = self.metrics.get(W2_SQUARED_START)?;
        // A distance that is beyond the range of numbers is left out where rows are compared.
        let end = self.metrics.get(W2_SQUARED).map_or("out of the range of numbers".into(), significant);
        self.metrics.get(W2_SQUARED).is_none_or(|end| end > STRAYED * start).then(|| {
            let start = significant(start);
            format!("w2_squared is {end}, more than {STRAYED} times the {start} of the points that the flow begins with")
        })
    }

    /// A measurement in the units of a training, in the user's: `initial` are those of the starting points.
    fn in_units(self, units: &Units, initial: &Units) -> Self {
        Self {
            metrics: self.metrics.map(|metric, value| units.value(metric, value)),
            layout: self.layout,
            start: self.start.map(|points| initial.restored(points.view())),
            generated: units.restored(self.generated.view()),
            labels: self.labels,
            target: units.restored(self.target.view()),
        }
    }
}

/// Measures a trained model: [`flow()`], [`generator()`] or [`critic()`].
///
/// Everything is measured in the units of the training, and told in the user's.
///
/// # Errors
/// As those.
pub fn model(
    model: &Model,
    inputs: &Inputs,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Measurement, MeasureError> {
    match model {
        Model::Flow(model) => flow(model.as_ref(), inputs, protocol, tell),
        Model::Generator(model) => generator(model, inputs, protocol, tell),
        Model::Critic(model) => critic(model, inputs, protocol, tell),
    }
}

/// The streams of the measurements; with the seed of the run and the number of a pair they address all their
/// randomness.
mod stream_name {
    /// Clouds that generated ones are measured against.
    pub(crate) const REFERENCE: &str = "measured-target";
    /// Clouds that take the place of generated ones for the floor.
    pub(crate) const FLOOR: &str = "measured-floor";
    /// Points that stand for all of a target.
    pub(crate) const ALL: &str = "measured-all";
    /// Directions of sliced distances to rows.
    pub(crate) const DIRECTIONS: &str = "measured-directions";
    /// Points to look at.
    pub(crate) const LOOK: &str = "looked-at";
    /// Even starting points.
    pub(crate) const EVEN: &str = "measured-even-start";
    /// Points that the optimal map is known at.
    pub(crate) const KNOWN_MAP: &str = "measured-known-map";
    /// Pairs of the optimal plan between two laws, and minibatches of these.
    pub(crate) const FUNNELS: &str = "measured-funnels";
    /// Images without a training.
    pub(crate) const IMAGES: &str = "measured-images";
    /// The choice of source digits.
    pub(crate) const SOURCE: &str = "measured-source-digits";
    /// The choice of the test digits of the smaller accuracy.
    pub(crate) const TEST: &str = "measured-test-digits";
    /// Weights of the interpolates between generated and target points.
    pub(crate) const INTERPOLATES: &str = "measured-interpolates";
    /// The fixed starting points of a training.
    pub(crate) const MONITORED_START: &str = "monitored-start";
    /// The fixed batch of the target of a training.
    pub(crate) const MONITORED_TARGET: &str = "monitored-target";
}

/// The programs of the guide and of both READMEs are tests of this crate, which knows all that they use.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../README.md")]
    struct OfThisCrate;
    #[doc = include_str!("../../../README.md")]
    struct OfTheProject;
    #[doc = include_str!("../../../docs/first-flow.md")]
    struct FirstFlow;
    #[doc = include_str!("../../../docs/symbols.md")]
    struct Symbols;
    #[doc = include_str!("../../../docs/indicators.md")]
    struct Indicators;
    #[doc = include_str!("../../../docs/transport.md")]
    struct Transport;
    #[doc = include_str!("../../../docs/measures.md")]
    struct Measures;
}

#[cfg(test)]
mod tests {
    use super::Measurement;
    use eval::results::{Layout, Reference};
    use metrics::{TAIL_L1, W2_SQUARED, W2_SQUARED_START};
    use ndarray::Array2;

    #[test]
    fn a_flow_that_leads_far_away_has_diverged() {
        let found = |end: f64| Measurement {
            metrics: [(W2_SQUARED, end), (W2_SQUARED_START, 2.0)].into_iter().collect(),
            layout: Layout { pairs: 1, points: 2, reference: Reference::FreshPoints },
            start: None,
            generated: Array2::zeros((2, 1)),
            labels: Vec::new(),
            target: Array2::zeros((2, 1)),
        };
        assert_eq!(found(199.0).divergence(), None);
        assert!(found(2e8).divergence().unwrap().contains("2.00e8, more than 100 times the 2.00 of"));
        let mut lost = found(1.0);
        lost.metrics = [(W2_SQUARED_START, 2.0)].into_iter().collect();
        assert!(lost.divergence().unwrap().contains("out of the range of numbers"));
        // Of a target with heavy tails one far point of a good sample has as large a square.
        let heavy = |tail: f64| {
            let mut measurement = found(2e8);
            measurement.metrics.insert(TAIL_L1, tail);
            measurement
        };
        assert_eq!(heavy(0.1).divergence(), None);
        assert!(heavy(3.0).divergence().unwrap().contains("4.0e2"));
    }
}
