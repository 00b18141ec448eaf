//! A trained critic between two laws.

use super::{Initial, fitting};
use crate::TrainError;
use crate::checkpoint::Stored;
use crate::config::{CriticConfig, CriticForm};
use crate::run::{newest_state, stored};
use crate::source::{Inputs, Units, name};
use flows::FlowError;
use flows::envelope::Envelope;
use flows::network::Network;
use flows::scalar_field::ScalarField;
use ndarray::{Array1, Array2, ArrayView2};
use std::path::Path;

/// The averaged critic of a run, with its configuration and the points of its first law; all points are in the user's units.
#[derive(Debug, Clone)]
pub struct CriticModel {
    /// The configuration of the run.
    pub config: CriticConfig,
    /// Iterations done.
    pub iteration: u64,
    /// The user's units.
    pub units: Units,
    initial: Initial,
    network: Form,
    parameters: Vec<f64>,
}

#[derive(Debug, Clone)]
enum Form {
    HopfLax(Envelope),
    Perceptron(Box<Network>),
}

impl CriticModel {
    /// Loads the newest checkpoint of a run folder.
    ///
    /// # Errors
    /// As [`super::Model::load`], and [`TrainError::Config`] for a run of another kind.
    pub fn load(folder: &Path) -> Result<Self, TrainError> {
        Self::stored(folder, stored(folder)?, &Inputs::default().data_sets)
    }

    pub(super) fn stored(folder: &Path, config: CriticConfig, data_sets: &Path) -> Result<Self, TrainError> {
        let state: Stored = newest_state(folder)?;
        let dim = state.size("dimension")?;
        let units = Units::stored(&state)?;
        let initial = Initial::stored((folder, data_sets), &config.initial, config.seed, (dim, &units))?;
        let count = match &config.critic {
            CriticForm::HopfLax(envelope) => envelope.build(dim)?.parameter_count(),
            CriticForm::Perceptron(critic) => critic.build(dim)?.network.parameter_count(),
        };
        let average = state.fitting(&format!("{}.average", name::CRITIC), count)?;
        Self::new(config, dim, average, state.counter("iteration")?, (initial, units))
    }

    pub(crate) fn new(
        config: CriticConfig,
        dim: usize,
        average: Vec<f32>,
        iteration: u64,
        (initial, units): (Initial, Units),
    ) -> Result<Self, TrainError> {
        let network = match &config.critic {
            CriticForm::HopfLax(envelope) => Form::HopfLax(envelope.build(dim)?),
            CriticForm::Perceptron(critic) => Form::Perceptron(Box::new(critic.build(dim)?.network)),
        };
        let parameters = average.into_iter().map(f64::from).collect();
        Ok(Self { config, iteration, units, initial, network, parameters })
    }

    /// The dimension d of the points.
    pub fn dim(&self) -> usize {
        match &self.network {
            Form::HopfLax(envelope) => envelope.input(),
            Form::Perceptron(network) => network.input(),
        }
    }

    /// The number of its trained numbers.
    pub fn parameter_count(&self) -> usize {
        self.parameters.len()
    }

    /// `n` points of P from the stream of `seed`, [n, d].
    ///
    /// # Errors
    /// What reading a data set reports, where the run begins with one.
    pub fn initial(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        Ok(self.units.restored(self.initial.sample(n, seed)?.view()))
    }

    /// f, \[n\], and ∇f, [n, d], at the rows of `points`, [n, d]; its slope is at most L in the user's units as in those of
    /// the training.
    ///
    /// # Errors
    /// [`TrainError::Flow`] for points of another dimension.
    pub fn at(&self, points: ArrayView2<'_, f64>) -> Result<(Array1<f64>, Array2<f64>), TrainError> {
        let points = fitting(points, (self.dim(), 0), &self.units)?;
        let found: Result<_, FlowError> = match &self.network {
            Form::HopfLax(envelope) => envelope.at(&self.parameters, points.view()),
            Form::Perceptron(network) => network.at(&self.parameters, points.view()),
        };
        let (values, slopes) = found?;
        Ok((values * self.units.scale(), slopes))
    }
}
