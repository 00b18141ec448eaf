//! The dual by two potentials, as W2-FE trains them, in the place of searches.

use super::trainer::StepReport;
use crate::TrainError;
use crate::backend;
use crate::checkpoint::{State, Stored};
use crate::config::FlowConfig;
use crate::model::SecondPotential;
use crate::player::{Player, finite};
use crate::remembered::{COMPANIONS, COMPANIONS_OF_A_STATE};
use crate::source::{Source, name};
use crate::training::StepError;
use datasets::stream;
use flows::device::Device;
use flows::explicit::{DualReport, ExplicitFlow};
use flows::generation::Gradients;
use flows::kantorovich::{KantorovichObjective, PairBatch, Potentials};
use flows::network::Network;
use flows::scalar_field::ScalarField;
use rand::{Rng, RngExt};

/// The second potential ψ of a training, beside the network of the flow.
pub(super) struct Paired {
    potentials: Potentials,
    objective: KantorovichObjective,
    psi: Player,
    gradients: Box<dyn Gradients>,
    /// x′ of initial points, which the searches of the trained flow consider.
    companions: Vec<f32>,
}

impl Paired {
    pub(super) fn new(
        config: &FlowConfig,
        (potentials, objective): (Potentials, KantorovichObjective),
        (flow, source): (&ExplicitFlow, &Source),
        device: Device,
    ) -> Result<Self, TrainError> {
        let network = Network::from(potentials.eta.clone());
        let parameters = network.initial(&mut stream(config.seed, name::SECOND_POTENTIAL, 0));
        let start = source.initial.batch(COMPANIONS, &mut stream(config.seed, name::POOL, 0))?;
        Ok(Self {
            companions: flow.affine().beginnings(&start)?,
            psi: Player::new(parameters),
            gradients: backend::of_generator(device)?,
            potentials,
            objective,
        })
    }

    /// One ascent step of ψ on fresh points of both sides; `gradient` becomes that of the network φ of the flow.
    pub(super) fn step(
        &mut self,
        (config, progress): (&FlowConfig, f64),
        (flow, source): (&ExplicitFlow, &Source),
        phi: &[f32],
        gradient: &mut [f32],
        rng: &mut impl Rng,
    ) -> Result<StepReport, StepError> {
        let training = &config.training;
        let start = source.initial.batch(training.batch, rng)?;
        let target = source.data.batch(training.batch, rng)?;
        let mixing: Vec<f32> = (0..2 * training.batch).map(|_| rng.random()).collect();
        let pairs = flow.pairs(&start, &target)?;
        let mut second = vec![0.0; self.psi.parameters.len()];
        let value = self.gradients.potentials_gradient(
            &self.potentials,
            self.objective,
            (phi, &self.psi.parameters),
            PairBatch { generated: &pairs.beginnings, target: &pairs.ends, mixing: &mixing },
            (gradient, &mut second),
        )?;
        finite("objective of the potentials", value.total())?;
        let rate = training.optimiser.rate(progress);
        self.psi.descend(&training.optimiser, rate, training.average, second)?;
        let dual = DualReport { value: pairs.dual(value), largest_weight: 1.0 / training.batch as f64 };
        Ok(StepReport { dual, penalty: Some(pairs.penalty(value)) })
    }

    /// ψ as the trained flow has it.
    pub(super) fn second(&self) -> SecondPotential {
        SecondPotential { potentials: self.potentials.clone(), parameters: self.psi.average.clone() }
    }

    pub(super) fn companions(&self) -> &[f32] {
        &self.companions
    }

    pub(super) fn store(&self, state: &mut State) {
        state.player(name::SECOND_POTENTIAL, &self.psi);
        state.floats(COMPANIONS_OF_A_STATE, &self.companions);
    }

    pub(super) fn restore(&mut self, stored: &Stored) -> Result<(), TrainError> {
        stored.player(name::SECOND_POTENTIAL, &mut self.psi)
    }
}
