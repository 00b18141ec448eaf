//! A trained generator, loaded from its run folder.

use super::config::Config;
use super::draw::Draw;
use super::fitted::Fitted;
use super::trainer::Trainer;
use crate::TrainError;
use crate::checkpoint::Stored;
use crate::config::Configuration;
use crate::run::{CONFIG_FILE, newest_checkpoint};
use crate::source::name;
use datasets::stream;
use flows::device::Device;
use flows::generator::Generator;
use ndarray::{Array2, ArrayView2};
use std::path::Path;

/// The averaged generator of a run, with its configuration and its starting law.
#[derive(Debug, Clone)]
pub struct Model {
    /// The configuration of the run.
    pub config: Config,
    /// Iterations done.
    pub iteration: u64,
    start: Draw,
    generator: Generator,
    fitted: Fitted,
}

impl Model {
    /// Loads the newest checkpoint of a run folder.
    ///
    /// # Errors
    /// [`TrainError::NoRun`] when the folder holds no run or no checkpoint, and what reading them reports.
    pub fn load(folder: &Path) -> Result<Self, TrainError> {
        let missing = |reason: String| TrainError::NoRun { path: folder.into(), reason };
        let config_file = folder.join(CONFIG_FILE);
        if !config_file.is_file() {
            return Err(missing(format!("no {CONFIG_FILE}")));
        }
        let config = Config::load(&config_file, None, &[])?;
        let path = newest_checkpoint(folder)?.ok_or_else(|| missing("no checkpoint yet".into()))?;
        let stored = Stored::open(&path)?;
        let trainer = Trainer::new(&config, Device::Cpu)?;
        let fitted = trainer.average.stored("average", &stored)?;
        let (start, generator) = trainer.into_start();
        Ok(Self { config, iteration: stored.counter("iteration")?, start, generator, fitted })
    }

    /// Draws `n` starting points from the stream of `seed`.
    ///
    /// # Errors
    /// What the law reports; a checked configuration has none.
    pub fn initial(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        self.start.points(n, &mut stream(seed, name::SAMPLE, 0))
    }

    /// G at the rows of `z`.
    ///
    /// # Errors
    /// As [`Fitted::generate`].
    pub fn generate(&self, z: ArrayView2<'_, f64>) -> Result<Array2<f64>, TrainError> {
        self.fitted.generate(&self.generator, z)
    }
}
