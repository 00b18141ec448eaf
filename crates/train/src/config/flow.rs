//! The configuration of a flow.

use super::validate::{require, run_name};
use super::{Condition, ConfigError, Points, Training};
use flows::critic::CriticDescription;
use flows::flow::{FlowObjective, Representation};
use flows::lipschitz::Lipschitz;
use serde::{Deserialize, Serialize};

/// A run of a flow from ρ₀ to π.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowConfig {
    /// Name of the run; the run folder is called after it.
    pub name: String,
    /// Seed of every random stream.
    #[serde(default, with = "super::seed")]
    pub seed: u64,
    /// The target π.
    pub data: Points,
    /// The initial law ρ₀, in the dimension of the data.
    #[serde(default)]
    pub initial: Points,
    /// What the points are conditioned on, of an explicit flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// What the flow minimises beside E φ(x_T), and its horizon and steps; of a flow without a critic the horizon alone
    /// is read.
    #[serde(default)]
    pub flow: FlowObjective,
    /// What the flow is made of.
    pub representation: Representation,
    /// The critic φ; not read of a flow without one.
    #[serde(default)]
    pub critic: CriticDescription,
    /// The loop.
    pub training: Training,
    /// Ends the run early when the indicators stay low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_when: Option<StopWhen>,
    /// How the trained flow is sampled.
    #[serde(default)]
    pub sampling: Sampling,
}

/// The run ends when each given indicator was at or below its value for `records` records in a row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopWhen {
    /// Records in a row.
    pub records: usize,
    /// RMS of the Hamilton–Jacobi residual over RMS of ∂ₜU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hj_residual_relative: Option<f64>,
    /// RMS ‖∇U(x_T, T) − ∇φ(x_T)‖ over RMS ‖∇φ‖.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal_gradient_relative: Option<f64>,
    /// Mean path length over mean displacement, minus 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_ratio: Option<f64>,
}

/// How the trained flow is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Euler steps.
    pub steps: usize,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { steps: 64 }
    }
}

impl FlowConfig {
    /// The bound L on the slope of the critic, where one is imposed.
    pub fn imposed_bound(&self) -> Option<f64> {
        let imposed = match &self.representation {
            Representation::Explicit(explicit) => explicit.is_bounded(),
            Representation::Matching(_) | Representation::OtFlow(_) => false,
            _ => self.critic.lipschitz != Lipschitz::None,
        };
        imposed.then_some(self.critic.bound)
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        run_name(&self.name)?;
        self.data.check_data()?;
        self.initial.check_initial(&self.data)?;
        self.representation.validate(&self.flow, &self.critic)?;
        self.check_images()?;
        if let Representation::OtFlow(_) = self.representation {
            let remedy = "leave it out for the representation ot-flow, whose likelihood is that of standard normal points";
            require(
                self.initial.law() == Points::default().law(),
                "initial",
                self.initial.kind().into(),
                remedy,
            )?;
        }
        self.check_condition()?;
        self.check_stop()?;
        self.training.check()?;
        require(self.sampling.steps >= 1, "sampling.steps", "0".into(), "give at least 1")?;
        let (Some(data), Some(initial)) = (self.data.dim(), self.initial.dim()) else { return Ok(()) };
        // Of an array some columns are the condition.
        let known = !matches!((&self.condition, &self.data), (Some(_), Points::Array { .. }));
        let remedy = format!("give {data}, the dimension of the data, or leave it out");
        require(data == initial || !known, "initial.dim", initial.to_string(), &remedy)
    }

    /// Convolutions are of images of the shape of the data.
    fn check_images(&self) -> Result<(), ConfigError> {
        let Some(shape) = self.data.image_shape() else { return Ok(()) };
        let shape = [shape.height, shape.width, shape.channels];
        let critic = self.critic.convolutions.as_ref();
        for (key, convolutions) in
            [("representation", self.representation.convolutions()), ("critic", critic)]
        {
            let Some(image) = convolutions.map(|convolutions| convolutions.image) else { continue };
            let key = format!("{key}.convolutions.image");
            require(
                image == shape,
                &key,
                format!("{image:?}"),
                &format!("give {shape:?}, the shape of the data"),
            )?;
        }
        Ok(())
    }

    /// A run ends early by indicators that say something of its training.
    fn check_stop(&self) -> Result<(), ConfigError> {
        let Some(stop) = &self.stop_when else { return Ok(()) };
        let straight =
            matches!(self.representation, Representation::Explicit(_) | Representation::HopfLax(_));
        let remedy = format!(
            "leave it out for the representation {}, where these indicators are 0 by construction however far the \
             training has come",
            self.representation.kind()
        );
        require(!straight, "stop_when", "given".into(), &remedy)?;
        require(stop.records >= 1, "stop_when.records", "0".into(), "give at least 1")?;
        let limits = [stop.hj_residual_relative, stop.terminal_gradient_relative, stop.path_ratio];
        let remedy = "give the value of an indicator too, such as path_ratio = 0.01";
        require(limits.iter().any(Option::is_some), "stop_when", "without a limit".into(), remedy)
    }

    fn check_condition(&self) -> Result<(), ConfigError> {
        let Some(condition) = &self.condition else { return Ok(()) };
        let kind = self.representation.kind();
        let remedy = "leave the condition out, or take representation = { kind = \"explicit\" }";
        require(
            matches!(self.representation, Representation::Explicit(_)),
            "representation.kind",
            kind.into(),
            remedy,
        )?;
        require(
            self.representation.convolutions().is_none(),
            "representation.convolutions",
            "given beside a condition".into(),
            "leave them out, or the condition: they see pixels alone",
        )?;
        let paired =
            matches!(&self.representation, Representation::Explicit(flow) if flow.potentials.is_some());
        let remedy = "leave them out, or the condition";
        require(!paired, "representation.potentials", "given beside a condition".into(), remedy)?;
        let own = matches!(self.data, Points::File { .. } | Points::Array { .. });
        let (found, key) =
            (|there: bool| if there { "given" } else { "missing" }.to_owned(), "condition.columns");
        let given = condition.columns().is_some();
        if own {
            let remedy = "say which column of the data has the label, such as columns = 2";
            return require(given, key, found(given), remedy);
        }
        let labelled = matches!(
            self.data,
            Points::Target { noise: None, balanced: false, .. }
                | Points::Digits { .. }
                | Points::Images { .. }
        );
        let remedy = "leave the condition out, or take data with labels: a target without noise and with random counts, digits, images, or a file or \
                      an array whose columns have the condition";
        require(labelled, "data.kind", self.data.kind().into(), remedy)?;
        let remedy = "write condition = { kind = \"label\" }: the data have their labels by themselves";
        require(!given, key, found(given), remedy)?;
        require(matches!(condition, Condition::Label { .. }), "condition.kind", "vector".into(), remedy)
    }
}
