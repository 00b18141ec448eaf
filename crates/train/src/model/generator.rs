//! A trained generator, loaded from its run folder.

use super::{Initial, Model, fitting};
use crate::TrainError;
use crate::config::GeneratorConfig;
use crate::run::{newest_state, stored};
use crate::source::{Inputs, Units};
use crate::w2fe::Fitted;
use flows::generator::Generator;
use ndarray::{Array2, ArrayView2};
use std::path::Path;

/// The averaged generator of a run, with its configuration and its initial points; generated points are in the user's
/// units, and so are initial ones of the same dimension.
#[derive(Debug, Clone)]
pub struct GeneratorModel {
    /// The configuration of the run.
    pub config: GeneratorConfig,
    /// Iterations done.
    pub iteration: u64,
    /// The user's units.
    pub units: Units,
    /// What it moves.
    pub(crate) initial: Initial,
    pub(crate) generator: Generator,
    pub(crate) fitted: Fitted,
}

impl GeneratorModel {
    /// Loads the newest checkpoint of a run folder.
    ///
    /// # Errors
    /// As [`super::Model::load`], and [`TrainError::Config`] for a run of another kind.
    pub fn load(folder: &Path) -> Result<Self, TrainError> {
        Self::stored(folder, stored(folder)?, &Inputs::default().data_sets)
    }

    pub(super) fn stored(
        folder: &Path,
        config: GeneratorConfig,
        data_sets: &Path,
    ) -> Result<Self, TrainError> {
        let state = newest_state(folder)?;
        let [input, output] = [state.size("input")?, state.size("output")?];
        let generator = config.generator.build(input, output)?;
        let fitted = Fitted::new(&generator).stored("average", &state)?;
        let units = Units::stored(&state)?;
        let initial = Initial::stored((folder, data_sets), &config.initial, config.seed, (input, &units))?;
        Ok(Self { config, iteration: state.counter("iteration")?, units, initial, generator, fitted })
    }

    /// The same model for points in the units of its training.
    #[must_use]
    pub fn in_training_units(&self) -> Self {
        Self { units: Units::Same, ..self.clone() }
    }

    /// The units of the initial points.
    pub fn initial_units(&self) -> Units {
        self.units.of_dimension(self.generator.input())
    }

    /// The model whose samples the initial points are, where they are of a run.
    pub fn initial_run(&self) -> Option<&Model> {
        self.initial.run()
    }

    /// The trained numbers of its network.
    pub fn parameter_count(&self) -> usize {
        self.generator.parameter_count()
    }

    /// The dimension of the generated points.
    pub fn dim(&self) -> usize {
        self.generator.output()
    }

    /// `n` initial points from the stream of `seed`, [n, p].
    ///
    /// # Errors
    /// What reading handwritten digits reports, where the run begins with them.
    pub fn initial(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        Ok(self.initial_units().restored(self.initial.sample(n, seed)?.view()))
    }

    /// `n` generated points from the stream of `seed`, [n, d].
    ///
    /// # Errors
    /// As [`GeneratorModel::initial`].
    pub fn sample(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        self.generate(self.initial(n, seed)?.view())
    }

    /// G at the rows of `z`.
    ///
    /// # Errors
    /// As [`Fitted::generate`].
    pub fn generate(&self, z: ArrayView2<'_, f64>) -> Result<Array2<f64>, TrainError> {
        let z = fitting(z, (self.generator.input(), 0), &self.initial_units())?;
        Ok(self.units.restored(self.fitted.generate(&self.generator, z.view())?.view()))
    }
}
