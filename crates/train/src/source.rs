//! Minibatches by seeded stream: the same (seed, name, step) gives the same numbers whatever ran before.

use crate::TrainError;
use crate::config::{Config, Configuration};
use datasets::{InitialLaw, stream};
use ndarray::{Array2, ArrayView2};
use rand::RngExt;

/// The names of the streams of a training run; together with the seed and a step they address all its randomness.
pub mod name {
    /// The training set of a synthetic target.
    pub const TARGET: &str = "target";
    /// Initial parameters of the potential.
    pub const POTENTIAL: &str = "potential";
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
    /// Companions of the search for the ends of paths.
    pub const COMPANIONS: &str = "companions";
    /// Initial points of a sampled model.
    pub const SAMPLE: &str = "sample";
    /// Noise along the paths of a sampled model.
    pub const NOISE: &str = "noise";
}

/// Enough to have one in every part of a law in few dimensions, few enough to be searched beside any batch.
const COMPANIONS: usize = 512;

/// The target's points and the initial law.
#[derive(Debug, Clone)]
pub struct Source {
    points: Array2<f32>,
    initial: InitialLaw,
}

impl Source {
    /// Reads or draws the training set that the configuration names.
    ///
    /// # Errors
    /// What the reader or the sampler reports, and a column count other than `data.dim`.
    pub fn new(config: &Config) -> Result<Self, TrainError> {
        let data = &config.data;
        let points = match (&data.target, &data.file, data.dim) {
            (Some(target), _, Some(dim)) => {
                target.sample(data.samples, dim, &mut stream(config.seed, name::TARGET, 0))?
            }
            (_, Some(file), dim) => {
                let points = datasets::read_matrix(file)?;
                if let Some(dim) = dim {
                    datasets::expect_columns(file, &points, dim)?;
                }
                points
            }
            _ => {
                config.validate()?;
                Array2::zeros((0, 0))
            }
        };
        Ok(Self { points: points.mapv(|x| x as f32), initial: config.initial })
    }

    /// The ambient dimension d.
    pub fn dim(&self) -> usize {
        self.points.ncols()
    }

    /// The training set, one point a row.
    pub fn points(&self) -> ArrayView2<'_, f32> {
        self.points.view()
    }

    /// `batch` fresh points of ρ₀, row-major.
    ///
    /// # Errors
    /// What the law reports; a checked configuration has none.
    pub fn initial(&self, batch: usize, rng: &mut impl rand::Rng) -> Result<Vec<f32>, TrainError> {
        let points = self.initial.sample(batch, self.dim(), rng)?;
        Ok(points.iter().map(|&x| x as f32).collect())
    }

    /// The fixed points of ρ₀ whose paths' ends are offered to all others, row-major
    /// ([`flows::hopf_lax::HopfLaxFlow`]).
    ///
    /// # Errors
    /// As [`Source::initial`].
    pub fn companions(&self, seed: u64) -> Result<Vec<f32>, TrainError> {
        self.initial(COMPANIONS, &mut stream(seed, name::COMPANIONS, 0))
    }

    /// `batch` points of the training set, drawn with replacement, row-major.
    pub fn target(&self, batch: usize, rng: &mut impl rand::Rng) -> Vec<f32> {
        let mut out = Vec::with_capacity(batch * self.dim());
        for _ in 0..batch {
            out.extend(self.points.row(rng.random_range(0..self.points.nrows())));
        }
        out
    }
}
