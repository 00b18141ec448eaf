//! One network of the game with its optimiser and its average.

use crate::average;
use crate::config::{Lipschitz, Optimiser};
use crate::optim::Adam;
use flows::FlowError;
use flows::lipschitz::{Orthonormal, Reparametrisation, SpectralState};
use flows::mlp::Mlp;

/// Why an update was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the {what} is {value}")]
pub struct NotFinite {
    /// What stopped being a usable number.
    pub what: &'static str,
    /// Its value.
    pub value: f64,
}

/// Parameters, their optimiser, their average, and the reparametrisation between them and the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Player {
    /// What is trained.
    pub parameters: Vec<f32>,
    /// Moving average of what the network uses.
    pub average: Vec<f32>,
    /// The optimiser.
    pub adam: Adam,
    /// What stands between the parameters and the network.
    pub reparametrisation: Reparametrisation,
}

/// Gradients larger than this would overflow the optimiser's second moment in f32.
const GRADIENT_LIMIT: f32 = 1e18;

impl Player {
    /// A player at its initial parameters, which its network uses as they are.
    pub fn new(parameters: Vec<f32>) -> Self {
        Self {
            adam: Adam::new(parameters.len()),
            average: parameters.clone(),
            parameters,
            reparametrisation: Reparametrisation::None,
        }
    }

    /// A critic at its initial parameters, whose slope `device` holds to `bound`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when the network is not one for that device.
    pub fn critic(
        net: &Mlp,
        mut parameters: Vec<f32>,
        device: Lipschitz,
        bound: f64,
    ) -> Result<Self, FlowError> {
        let reparametrisation = match device {
            Lipschitz::None | Lipschitz::Penalty { .. } => Reparametrisation::None,
            Lipschitz::Spectral => Reparametrisation::Spectral(SpectralState::new(net, &parameters, bound)),
            Lipschitz::Orthonormal => {
                let layers = Orthonormal::new(net, bound)?;
                layers.orthonormalise(&mut parameters);
                Reparametrisation::Orthonormal(layers)
            }
        };
        let average = reparametrisation.effective(&parameters);
        Ok(Self { average, reparametrisation, ..Self::new(parameters) })
    }

    /// The parameters that the network uses.
    pub fn effective(&self) -> Vec<f32> {
        self.reparametrisation.effective(&self.parameters)
    }

    /// One descent step along `gradient`, taken in the effective parameters; a gradient that is not usable changes
    /// nothing.
    ///
    /// # Errors
    /// [`NotFinite`] for a gradient with a NaN, an infinity or an entry beyond 1e18.
    pub fn descend(
        &mut self,
        settings: &Optimiser,
        rate: f64,
        decay: f64,
        mut gradient: Vec<f32>,
    ) -> Result<(), NotFinite> {
        self.reparametrisation.pull_back(&self.parameters, &mut gradient);
        usable(&gradient)?;
        self.adam.step(settings, rate, &mut self.parameters, &gradient);
        self.reparametrisation.settle(&mut self.parameters);
        let effective = self.effective();
        average::update(&mut self.average, &effective, decay, self.adam.steps);
        Ok(())
    }
}

/// Refuses a gradient with a NaN, an infinity or an entry beyond 1e18.
pub(crate) fn usable(gradient: &[f32]) -> Result<(), NotFinite> {
    match gradient.iter().find(|g| g.is_nan() || g.abs() >= GRADIENT_LIMIT) {
        Some(&bad) => Err(NotFinite { what: "gradient", value: bad.into() }),
        None => Ok(()),
    }
}

/// Refuses an objective that is not finite.
pub(crate) fn finite(what: &'static str, value: f64) -> Result<(), NotFinite> {
    if value.is_finite() { Ok(()) } else { Err(NotFinite { what, value }) }
}
