//! The initial points of a model.

use super::Model;
use crate::TrainError;
use crate::config::Points;
use crate::run::{INITIAL_FILE, INITIAL_RUN};
use crate::source::{Draw, Units, name};
use datasets::stream;
use ndarray::Array2;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The initial points of a model, in the units of its training: at hand, or in a data set of others that is read when
/// they are asked for.
#[derive(Debug, Clone)]
pub enum Initial {
    /// At hand.
    Drawn(Draw),
    /// In a data set of others.
    InDataSet {
        /// What the configuration names.
        points: Points,
        /// The seed of the run.
        seed: u64,
        /// The folder of the data sets.
        data_sets: PathBuf,
        /// The units of the data.
        units: Units,
        /// What was read the first time.
        drawn: Arc<OnceLock<Draw>>,
    },
}

impl Initial {
    /// The initial points in dimension `dim` of a run folder beside the folder of the data sets; `units` are those of the
    /// data.
    pub(super) fn stored(
        (folder, data_sets): (&Path, &Path),
        points: &Points,
        seed: u64,
        (dim, units): (usize, &Units),
    ) -> Result<Self, TrainError> {
        let units = units.of_dimension(dim);
        let draw = match points {
            Points::Digits { .. }
            | Points::Images { .. }
            | Points::KnownMap { .. }
            | Points::Funnels { .. }
            | Points::Cells { .. } => {
                return Ok(Self::InDataSet {
                    points: points.clone(),
                    seed,
                    data_sets: data_sets.into(),
                    units,
                    drawn: Arc::default(),
                });
            }
            Points::File { .. } | Points::Array { .. } => {
                let file = folder.join(INITIAL_FILE);
                let rows = datasets::read_matrix(&file)?;
                datasets::expect_columns(&file, &rows, dim)?;
                Draw::Rows(rows.mapv(|z| z as f32))
            }
            Points::Run { .. } => {
                let model = Model::load_with(&folder.join(INITIAL_RUN), data_sets)?;
                return Ok(Self::Drawn(Draw::Run(Arc::new(model)).scaled(&units)));
            }
            Points::Normal { .. }
            | Points::Uniform { .. }
            | Points::Logistic { .. }
            | Points::Target { .. }
            | Points::StudentT { .. } => Draw::read(points, INITIAL, Some(dim), folder)?.scaled(&units),
        };
        Ok(Self::Drawn(draw.fixed(points, &mut stream(seed, name::INITIAL, 0))?))
    }

    /// What can be drawn from.
    ///
    /// # Errors
    /// What reading the data set reports.
    pub fn draw(&self) -> Result<&Draw, TrainError> {
        match self {
            Self::Drawn(draw) => Ok(draw),
            Self::InDataSet { points, seed, data_sets, units, drawn } => {
                if let Some(draw) = drawn.get() {
                    return Ok(draw);
                }
                let draw = Draw::read(points, INITIAL, None, data_sets)?.scaled(units);
                let draw = draw.fixed(points, &mut stream(*seed, name::INITIAL, 0))?;
                Ok(drawn.get_or_init(|| draw))
            }
        }
    }

    /// The model whose samples the points are.
    pub(super) fn run(&self) -> Option<&Model> {
        match self {
            Self::Drawn(draw) => draw.run().map(Arc::as_ref),
            Self::InDataSet { .. } => None,
        }
    }

    /// `n` points from the stream of `seed`, [n, d].
    pub(super) fn sample(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        self.draw()?.unconditional().points(n, &mut stream(seed, name::SAMPLE, 0))
    }
}

/// The section of the configuration.
const INITIAL: &str = "initial";
