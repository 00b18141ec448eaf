//! Minibatches by seeded stream: the same (seed, name, step) gives the same numbers whatever ran before.

mod condition;
mod data;
mod draw;
mod files;
mod inputs;
mod outlier;
mod own;
mod units;

pub use condition::Conditions;
pub use data::Data;
pub use draw::{Draw, Side};
pub use files::DataFile;
pub(crate) use files::data_files;
pub use inputs::Inputs;
pub(crate) use inputs::identified;
pub use units::Units;

use crate::TrainError;
use crate::config::{ConfigError, Configuration};
use datasets::stream;
use ndarray::Array2;

/// The names of the streams of a training run; together with the seed and a step they address all its randomness.
pub mod name {
    /// The training set of a synthetic target.
    pub const TARGET: &str = "target";
    /// Conditions of the points that a sampled model begins with.
    pub const CONDITION: &str = "condition";
    /// The choice of the rows of the user's own data that a training never sees.
    pub const HELD_OUT: &str = "held-out";
    /// The points of a synthetic target that a run begins with.
    pub const INITIAL: &str = "initial";
    /// Initial parameters of the potential.
    pub const POTENTIAL: &str = "potential";
    /// Initial parameters of a velocity without a potential.
    pub const VELOCITY: &str = "velocity";
    /// Initial parameters of the critic.
    pub const CRITIC: &str = "critic";
    /// Initial parameters of a generator.
    pub const GENERATOR: &str = "generator";
    /// Initial parameters of the second Kantorovich potential.
    pub const SECOND_POTENTIAL: &str = "second-potential";
    /// Everything that one iteration draws.
    pub const ITERATION: &str = "iteration";
    /// Particles of the logged indicators.
    pub const MONITOR: &str = "monitor";
    /// The order in which data points come that remember an end.
    pub const DECK: &str = "deck";
    /// Points that are drawn once of an endless law.
    pub const POOL: &str = "pool";
    /// Initial points of a sampled model.
    pub const SAMPLE: &str = "sample";
    /// Points of either side of the way that a flow has to go.
    pub const REACH: &str = "reach";
    /// Particles from which those that end at a point are searched, for the density there.
    pub const DENSITY: &str = "density";
    /// Noise along the paths of a sampled model.
    pub const NOISE: &str = "noise";
}

/// The data and the initial points of a run.
#[derive(Debug, Clone)]
pub struct Source {
    /// The target π, in the units of the training.
    pub data: Draw,
    /// The initial law ρ₀, in the units of the training.
    pub initial: Draw,
    /// Rows of the data that the training never sees, in the user's units, [k, d]; none but of data of the user's own.
    pub held_out: Option<Array2<f64>>,
    /// What the points are conditioned on; then all rows have their condition in the last coordinates.
    pub condition: Option<Conditions>,
    /// The user's units.
    pub units: Units,
    /// What the user should know of the data, one sentence each.
    pub warnings: Vec<String>,
}

impl Source {
    /// Reads or draws what the configuration names.
    ///
    /// # Errors
    /// What the reader or the sampler reports, a number of columns other than the one asked for, and points in memory
    /// that are not given.
    pub fn new(config: &impl Configuration, inputs: &Inputs) -> Result<Self, TrainError> {
        let seed = config.seed();
        let data = inputs.data(config)?;
        let initial = inputs.initial(config, &data)?;
        let initial = initial.fixed(config.initial(), &mut stream(seed, name::INITIAL, 0))?;
        let Data { draw, held_out, condition, units, mut warnings } = data;
        for (section, points) in
            [("initial", inputs.beginning(config.initial()).as_ref()), ("data", config.data())]
        {
            warnings.extend(points.diverged().map(|how| format!("{section} is a run that {how}")));
        }
        let data = draw.fixed(config.data(), &mut stream(seed, name::TARGET, 0))?;
        let condition = condition.map(|found| data.rows().map_or(found.clone(), |rows| found.of_rows(rows)));
        let initial = initial.beside(condition.clone());
        Ok(Self { data, initial, held_out, condition, units, warnings })
    }

    /// The dimension d of the data.
    pub fn dim(&self) -> usize {
        self.data.dim()
    }

    /// Checks that the initial points have the dimension of the data, as those of a flow must.
    ///
    /// # Errors
    /// [`ConfigError::Value`] where they do not.
    pub fn square(self) -> Result<Self, ConfigError> {
        let (found, expected) = (self.initial.dim(), self.data.dim());
        if found == expected {
            return Ok(self);
        }
        Err(ConfigError::Value {
            key: "initial.dim".into(),
            found: found.to_string(),
            remedy: format!("give initial points of {expected} coordinates, as the data have"),
        })
    }
}
