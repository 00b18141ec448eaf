//! A trained model, from a run or loaded from its folder: initial points, what becomes of them, and more of a flow.
//!
//! A run folder is enough: neither the data nor a file or a run of initial points is read again, and the folder may be
//! moved.
//! Only initial points from a data set of others are read from there, when they are asked for.

mod critic;
mod explicit;
mod field;
mod flow;
mod game;
mod generator;
mod initial;
mod matching;
mod ot_flow;
mod transport;

pub use critic::CriticModel;
pub use explicit::ExplicitModel;
pub(crate) use explicit::SecondPotential;
pub use flow::FlowModel;
pub(crate) use flow::Trained;
pub(crate) use game::GameModel;
pub use generator::GeneratorModel;
pub use initial::Initial;
pub use ot_flow::OtFlowModel;

use crate::TrainError;
use crate::config::Config;
use crate::run::stored_config;
use crate::source::{Inputs, Units};
use flows::FlowError;
use ndarray::{Array2, ArrayView2};
use std::path::Path;

/// A trained model of any kind.
///
/// ```no_run
/// let model = train::Model::load("runs/mine".as_ref())?;
/// let points = model.sample(1000, 0)?; // [1000, d]
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Debug, Clone)]
pub enum Model {
    /// A flow.
    Flow(Box<FlowModel>),
    /// A generator.
    Generator(Box<GeneratorModel>),
    /// A critic, which moves no points.
    Critic(Box<CriticModel>),
}

impl Model {
    /// Loads the newest checkpoint of a run folder.
    ///
    /// # Errors
    /// [`TrainError::NoRun`] when the folder holds no run or no checkpoint, [`TrainError::OtherVersion`] for a run of
    /// another version, and what reading the files of the folder reports.
    pub fn load(folder: &Path) -> Result<Self, TrainError> {
        Self::load_with(folder, &Inputs::default().data_sets)
    }

    /// [`Model::load`] with the data sets of others in another folder than `datasets/cache`.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_with(folder: &Path, data_sets: &Path) -> Result<Self, TrainError> {
        Ok(match stored_config(folder)? {
            Config::Flow(config) => Self::Flow(Box::new(FlowModel::stored(folder, *config, data_sets)?)),
            Config::Generator(config) => {
                Self::Generator(Box::new(GeneratorModel::stored(folder, *config, data_sets)?))
            }
            Config::Critic(config) => {
                Self::Critic(Box::new(CriticModel::stored(folder, *config, data_sets)?))
            }
        })
    }

    /// The configuration of the run.
    pub fn config(&self) -> Config {
        match self {
            Self::Flow(model) => Config::Flow(Box::new(model.config.clone())),
            Self::Generator(model) => Config::Generator(Box::new(model.config.clone())),
            Self::Critic(model) => Config::Critic(Box::new(model.config.clone())),
        }
    }

    /// The user's units, in which all points are.
    pub fn units(&self) -> &Units {
        match self {
            Self::Flow(model) => &model.units,
            Self::Generator(model) => &model.units,
            Self::Critic(model) => &model.units,
        }
    }

    /// Iterations done.
    pub fn iteration(&self) -> u64 {
        match self {
            Self::Flow(model) => model.iteration,
            Self::Generator(model) => model.iteration,
            Self::Critic(model) => model.iteration,
        }
    }

    /// The coordinates of the points that it moves, of a conditional flow with those of the condition.
    pub fn start_dim(&self) -> usize {
        match self {
            Self::Flow(model) => model.width(),
            Self::Generator(model) => model.generator.input(),
            Self::Critic(model) => model.dim(),
        }
    }

    /// The dimension of the points that it generates.
    pub fn dim(&self) -> usize {
        match self {
            Self::Flow(model) => model.dim(),
            Self::Generator(model) => model.dim(),
            Self::Critic(model) => model.dim(),
        }
    }

    /// `n` initial points from the stream of `seed`, [n, d].
    ///
    /// # Errors
    /// What reading handwritten digits reports, where the run begins with them.
    pub fn initial(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        match self {
            Self::Flow(model) => model.initial(n, seed),
            Self::Generator(model) => model.initial(n, seed),
            Self::Critic(model) => model.initial(n, seed),
        }
    }

    /// What becomes of the rows of `start`, [n, d]: the ends of their paths after the steps that the configuration of a
    /// flow names, with noise from the stream of `seed`; G of them.
    ///
    /// # Errors
    /// [`TrainError::Flow`] or [`TrainError::Config`] for points of another dimension, and for a critic, which moves none.
    pub fn push_forward(&self, start: ArrayView2<'_, f64>, seed: u64) -> Result<Array2<f64>, TrainError> {
        match self {
            Self::Flow(model) => model.push_forward(start, model.steps(), seed),
            Self::Generator(model) => model.generate(start),
            Self::Critic(_) => Err(moves_no_points()),
        }
    }

    /// `n` generated points from the streams of `seed`, [n, d].
    ///
    /// # Errors
    /// As [`Model::initial`].
    pub fn sample(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        self.push_forward(self.initial(n, seed)?.view(), seed)
    }

    /// [`Model::sample`] without the conditions of the points.
    pub(crate) fn unconditional_sample(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        let points = self.sample(n, seed)?;
        Ok(match self {
            Self::Flow(model) => model.coordinates(points.view()).to_owned(),
            Self::Generator(_) | Self::Critic(_) => points,
        })
    }
}

/// The error of a critic that is asked to move points.
fn moves_no_points() -> TrainError {
    FlowError::Specification {
        what: "the map".into(),
        found: "asked of a critic, which moves no points".into(),
        remedy: "take the run of a flow or of a generator".into(),
    }
    .into()
}

/// Points of `dim` coordinates, and of a condition, in the units of a training.
fn fitting(
    points: ArrayView2<'_, f64>,
    (dim, condition): (usize, usize),
    units: &Units,
) -> Result<Array2<f64>, FlowError> {
    if points.ncols() == dim + condition {
        return Ok(units.scaled(points));
    }
    let theirs = if condition == 0 { String::new() } else { format!(", and {condition} of their condition") };
    Err(FlowError::Specification {
        what: "the number of columns of the points".into(),
        found: points.ncols().to_string(),
        remedy: format!("give points of {dim} coordinates{theirs}"),
    })
}
