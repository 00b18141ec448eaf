//! One iteration: the objective is descended on a minibatch of data.

use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::FlowConfig;
use crate::player::{Player, finite};
use crate::source::{Source, name};
use crate::training::StepError;
use datasets::stream;
use flows::FlowError;
use flows::device::Device;
use flows::flow::Representation;
use flows::ot_flow::{OtFlow, OtFlowDescription, OtFlowValue, Workspace};

/// The state of a training in memory.
pub struct Trainer {
    config: FlowConfig,
    source: Source,
    flow: OtFlow,
    steps: usize,
    workspace: Workspace<f32>,
    /// The potential.
    pub player: Player,
    /// Iterations done.
    pub iteration: u64,
}

impl Trainer {
    /// Draws initial parameters.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for values outside their domains, [`FlowError::Device`] for another device than the
    /// CPU.
    pub fn new(config: &FlowConfig, source: Source, device: Device) -> Result<Self, TrainError> {
        if device != Device::Cpu {
            let reason = "the representation ot-flow is native code: take `cpu`".into();
            return Err(FlowError::Device { device: device.to_string(), reason }.into());
        }
        let (flow, steps) = (flow(config, source.dim())?, description(config)?.steps);
        let parameters = flow.potential.initial(&mut stream(config.seed, name::POTENTIAL, 0));
        Ok(Self {
            config: config.clone(),
            source,
            flow,
            steps,
            workspace: Workspace::default(),
            player: Player::new(parameters),
            iteration: 0,
        })
    }

    /// The training data and the initial points.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The shape of the flow.
    pub fn flow(&self) -> &OtFlow {
        &self.flow
    }

    /// One iteration.
    ///
    /// # Errors
    /// [`StepError::Diverged`] when the objective or its gradient is not finite.
    pub fn step(&mut self) -> Result<OtFlowValue, StepError> {
        let training = &self.config.training;
        let mut rng = stream(self.config.seed, name::ITERATION, self.iteration);
        let points = self.source.data.batch(training.batch, &mut rng)?;
        let mut gradient = vec![0.0; self.player.parameters.len()];
        let value = self.workspace.gradient(
            &self.flow,
            &self.player.parameters,
            &points,
            self.steps,
            &mut gradient,
        )?;
        finite("objective of the flow", value.total)?;
        let rate = training.optimiser.rate(training.progress(self.iteration));
        self.player.descend(&training.optimiser, rate, training.average, gradient)?;
        self.iteration += 1;
        Ok(value)
    }

    /// Writes the whole state into `state`, the number of iterations aside.
    pub fn store(&self, state: &mut State) {
        state.counter("dimension", self.source.dim() as u64);
        self.source.units.store(state);
        state.player("potential", &self.player);
    }

    /// Takes the state of a training of the same configuration, `iteration` iterations old.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when it is of another training.
    pub fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        stored.player("potential", &mut self.player)?;
        self.iteration = iteration;
        Ok(())
    }
}

/// What a configuration of this representation says of it.
fn description(config: &FlowConfig) -> Result<&OtFlowDescription, FlowError> {
    match &config.representation {
        Representation::OtFlow(description) => Ok(description),
        other => Err(FlowError::Specification {
            what: "representation.kind".into(),
            found: other.kind().into(),
            remedy: "take ot-flow for a training by likelihood".into(),
        }),
    }
}

/// The flow of a configuration in dimension `dim`.
pub(crate) fn flow(config: &FlowConfig, dim: usize) -> Result<OtFlow, FlowError> {
    OtFlow::new(description(config)?, config.flow.horizon, dim)
}
