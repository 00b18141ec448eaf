//! The live indicators: the optimality of the current flow on a fixed set of particles.

use crate::TrainError;
use crate::adversarial::Trainer;
use crate::config::FlowConfig;
use crate::source::{Source, name};
use datasets::stream;
use flows::game::{Game, Networks};
use flows::hopf_lax::Based;
use flows::network::Network;
use flows::record::{self, RecordError};
use flows::scalar_field::ScalarField;
use mfg::Indicators;
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};

/// Particles of the monitor in up to [`FEW_DIMENSIONS`]: enough for a few per cent of noise, few enough to cost less
/// than an iteration.
const PARTICLES: usize = 256;
/// Beyond, the coordinates of all particles stay as many: means over coordinates are no noisier, and a reading, whose
/// searches are in double precision and to the end, does not outgrow the iterations.
const FEW_DIMENSIONS: usize = 32;
/// The fewest particles that have a mean.
const FEWEST: usize = 8;

/// How many particles watch a flow on R^`dim`.
pub(crate) fn particles(dim: usize) -> usize {
    (PARTICLES * FEW_DIMENSIONS / dim.max(FEW_DIMENSIONS)).max(FEWEST)
}

/// Measures the averaged networks on the same particles, with the same noise, every time.
#[derive(Debug, Clone)]
pub(crate) struct Monitor<N = Network> {
    game: Game<N>,
    start: Array2<f64>,
    steps: usize,
    seed: u64,
}

impl<N: ScalarField> Monitor<N> {
    /// Draws the particles.
    ///
    /// # Errors
    /// What the law or the networks' description reports.
    pub(crate) fn new(config: &FlowConfig, source: &Source, game: Game<N>) -> Result<Self, TrainError> {
        let (dim, mut rng) = (source.dim(), stream(config.seed, name::MONITOR, 0));
        Ok(Self {
            game,
            start: source.initial.points(particles(dim), &mut rng)?,
            steps: config.flow.steps.most(),
            seed: config.seed,
        })
    }

    /// The indicators now; none where the flow no longer gives finite numbers.
    ///
    /// # Errors
    /// [`TrainError::Record`] for anything but values that are not finite.
    pub(crate) fn measure(&self, trainer: &Trainer) -> Result<Option<Indicators>, TrainError> {
        let networks =
            Networks { flow: &trainer.players.flow.average, critic: &trainer.players.critic.average };
        let mut rng = stream(self.seed, name::MONITOR, 1);
        let normal = || StandardNormal.sample(&mut rng);
        let (start, steps) = (self.start.view(), self.steps);
        let (game, affine, earlier) = (&self.game, trainer.affine(), trainer.earlier());
        let companions = trainer.companions();
        let trajectory = if affine.is_identity() && earlier.is_empty() {
            record::trajectory(game, networks, &companions, start, steps, normal)
        } else {
            Based { game, affine, networks, companions: &companions, earlier }.trajectory(start, steps)
        };
        match trajectory {
            Ok(trajectory) => Ok(Some(Indicators::new(&trajectory, None)?)),
            Err(RecordError::Trajectory(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::particles;

    #[test]
    fn the_coordinates_of_all_particles_do_not_grow_with_the_dimension() {
        assert_eq!([1, 2, 12, 32].map(particles), [256; 4]);
        assert_eq!([64, 784, 5000].map(particles), [128, 10, 8]);
    }
}
