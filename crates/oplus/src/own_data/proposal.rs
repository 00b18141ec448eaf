//! A configuration for a cloud of points, with comments.

use anyhow::Result;
use ndarray::Array2;
use toml::Value;
use train::FlowConfig;
use train::config::Configuration;
use train::reach::Reach;
use train::source::{Inputs, Source};

/// The share of points that shall arrive: the few farthest ones would ask for a slope that is harder to learn for all.
const MOST: f64 = 0.97;
/// What of the reach is to spare beyond their ways.
const SPARE: f64 = 1.1;
/// The least reach, in units of the scale.
const LEAST: f64 = 3.0;
/// The weight of the divergence.
const WEIGHT: f64 = 10.0;
/// The weight of the penalty on slopes beyond the bound, times the bound.
const SLOPE: f64 = 30.0;
/// Iterations that reach the floor of held-out points on the tables of results/own-data.
const ITERATIONS: u64 = 3000;

/// What a configuration says of a cloud.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Proposal {
    name: String,
    file: String,
    columns: usize,
    /// How far most points have to travel, in units of their scale.
    most: f64,
    /// How far the farthest of them has to.
    farthest: f64,
}

impl Proposal {
    /// What fits the points of a file, [n, d], which the configuration is to call `file`.
    ///
    /// # Errors
    /// What a run with these points as data reports.
    pub(crate) fn of(points: &Array2<f64>, name: &str, file: &str) -> Result<Self> {
        // The ways do not depend on what they are compared with.
        let text = "kind = \"flow\"\nname = \"ways\"\ndata = { kind = \"array\" }";
        let config = FlowConfig::parse(text, "the configuration of a first look", None, &[])?;
        let source = Source::new(&config, &Inputs { data: Some(points.clone()), ..Inputs::default() })?;
        let ways = Reach::of(&config, &source)?;
        let (most, farthest) = ways.map_or((0.0, 0.0), |ways| (ways.quantile(MOST), ways.farthest()));
        Ok(Self { name: name_of_run(name), file: file.into(), columns: points.ncols(), most, farthest })
    }

    /// The bound L that lets most points arrive with λ = T = 1.
    fn bound(&self) -> f64 {
        (SPARE * self.most).max(LEAST).ceil()
    }

    /// The configuration as TOML.
    pub(crate) fn to_toml(&self) -> String {
        let Self { name, columns, most, farthest, .. } = self;
        let (bound, file) = (self.bound(), Value::String(self.file.clone()));
        // What a slope above the bound costs, in proportion to φ itself.
        let slope = (SLOPE / bound * 10.0).round() / 10.0;
        format!(
            r#"# A flow to the points of {file}. All keys are in docs/configuration.md.
kind = "flow"
name = "{name}"

# The points are centred and divided by one scale before they are trained on; samples and measures are in your units.
[data]
kind = "file"
file = {file}
dim = {columns}

# A point travels at most critic.bound·horizon/lambda = {bound}. In units of the scale 97 % of 500 points have to travel up
# to {most:.1}, the farthest {farthest:.1}.
[flow]
horizon = 1.0
lambda = 1.0

# A larger bound reaches farther and is harder to learn. A larger weight of the divergence brings the flow nearer to the
# data.
[critic]
bound = {bound:.1}
divergence_weight = {WEIGHT:.1}
lipschitz = {{ method = "penalty", form = "lp", weight = {slope:?}, points = "everywhere" }}

# More iterations make a better flow; the learning rates fall to their end over all of them.
[training]
iterations = {ITERATIONS}

# A first try in a few seconds: --preset quick.
[presets.quick]
"training.iterations" = 600
"training.average" = 0.99
"#,
        )
    }
}

/// A name that a folder may have.
fn name_of_run(stem: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let name: String = stem.chars().map(plain).collect();
    if name.is_empty() { "own-data".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::Proposal;
    use ndarray::Array2;
    use train::config::{Configuration, Points};
    use train::reach::Reach;
    use train::source::{Inputs, Source};
    use train::{FlowConfig, TrainError};

    fn proposed(points: &Array2<f64>, name: &str) -> Result<FlowConfig, TrainError> {
        let proposal = Proposal::of(points, name, "folder with \"quotes\"/é.csv").unwrap();
        Ok(FlowConfig::parse(&proposal.to_toml(), "proposed", None, &[])?)
    }

    #[test]
    fn what_is_proposed_is_a_configuration_for_these_points() {
        let points = Array2::from_shape_fn((300, 3), |(i, j)| 1e5 + 40.0 * ((i * (j + 1)) as f64).sin());
        let config = proposed(&points, "my points (2)").unwrap();
        assert_eq!(config.name, "my-points--2-");
        let Points::File { file, dim, .. } = &config.data else { unreachable!() };
        assert_eq!((file.to_str(), *dim), (Some("folder with \"quotes\"/é.csv"), Some(3)));
        // In units of its scale this cloud is as small as a normal one: the least reach is enough.
        assert_eq!((config.flow.lambda, config.critic.bound), (1.0, 3.0));
    }

    #[test]
    fn the_farthest_point_is_in_reach() {
        // One of 2000 lies 30 deviations out, where a subsample may miss it.
        let points =
            Array2::from_shape_fn(
                (2000, 2),
                |(i, j)| if i == 7 { 30.0 } else { ((i * (j + 1)) as f64).sin() },
            );
        let config = proposed(&points, "far").unwrap();
        let data = Points::Array { shape: None, sha256: None, held_out: None, scaling: None };
        let changed = FlowConfig { data, ..config };
        let source = Source::new(&changed, &Inputs { data: Some(points), ..Inputs::default() }).unwrap();
        assert!(Reach::of(&changed, &source).unwrap().unwrap().suffices());
    }
}
