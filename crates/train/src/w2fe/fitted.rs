//! The numbers of a generator, and what it makes of points.

use crate::TrainError;
use crate::average;
use crate::checkpoint::{State, Stored};
use crate::config::ConfigError;
use flows::error::{FlowError, array2};
use flows::generator::{Generator, GeneratorTape, RunningStatistics, Statistics};
use ndarray::{Array2, ArrayView2};

/// Parameters of a generator with the running averages of its normalisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The parameters.
    pub parameters: Vec<f32>,
    /// The running averages of the normalisation.
    pub statistics: RunningStatistics<f32>,
}

impl Fitted {
    /// Zeros for a generator.
    pub(crate) fn new(generator: &Generator) -> Self {
        let statistics = RunningStatistics::new(generator);
        Self { parameters: vec![0.0; generator.parameter_count()], statistics }
    }

    /// Moves a moving average of all numbers towards `current`; see [`average::update`].
    pub(super) fn follow(&mut self, current: &Self, decay: f64, step: u64) -> Result<(), FlowError> {
        average::update(&mut self.parameters, &current.parameters, decay, step)?;
        average::update(&mut self.statistics.mean, &current.statistics.mean, decay, step)?;
        average::update(&mut self.statistics.variance, &current.statistics.variance, decay, step)
    }

    /// G at the rows of `z`, with the running averages: each point by itself.
    ///
    /// Shapes: [n, p] → [n, d]. Complexity: n evaluations of the network.
    ///
    /// # Errors
    /// [`TrainError::Config`] when `z` has another dimension than the start of the run.
    pub fn generate(&self, generator: &Generator, z: ArrayView2<'_, f64>) -> Result<Array2<f64>, TrainError> {
        if z.ncols() != generator.input() {
            return Err(TrainError::Config(ConfigError::Value {
                key: "the columns of the starting points".into(),
                found: z.ncols().to_string(),
                remedy: format!("give points of {} coordinates", generator.input()),
            }));
        }
        let z: Vec<f32> = z.iter().map(|&x| x as f32).collect();
        let mut tape = GeneratorTape::new();
        generator.evaluate(&self.parameters, &z, Statistics::Running(&self.statistics), &mut tape)?;
        let points: Vec<f64> = tape.points().iter().map(|&y| f64::from(y)).collect();
        Ok(array2("the generated points", points, generator.output())?)
    }

    pub(super) fn store(&self, name: &str, state: &mut State) {
        state.floats(&format!("{name}.parameters"), &self.parameters);
        state.floats(&format!("{name}.means"), &self.statistics.mean);
        state.floats(&format!("{name}.variances"), &self.statistics.variance);
    }

    /// The numbers in a checkpoint, as many as there are here.
    pub(crate) fn stored(&self, name: &str, stored: &Stored) -> Result<Self, TrainError> {
        Ok(Self {
            parameters: stored.fitting(&format!("{name}.parameters"), self.parameters.len())?,
            statistics: RunningStatistics {
                mean: stored.fitting(&format!("{name}.means"), self.statistics.mean.len())?,
                variance: stored.fitting(&format!("{name}.variances"), self.statistics.variance.len())?,
            },
        })
    }
}
