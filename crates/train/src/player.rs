//! One network of the game with its optimiser and its average.

use crate::average;
use crate::config::Optimiser;
use crate::optim::Adam;
use crate::training::StepError;
use flows::FlowError;
use flows::critic::Critic;
use flows::lipschitz::Reparametrisation;
use flows::scalar_field::ScalarField;

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

    /// A critic at its initial parameters, whose slope its method holds to its bound.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when the network is not one for that method.
    pub fn critic<N: ScalarField>(critic: &Critic<N>, mut parameters: Vec<f32>) -> Result<Self, FlowError> {
        let reparametrisation =
            critic.lipschitz.reparametrise(&critic.network, critic.bound, &mut parameters)?;
        let average = reparametrisation.effective(&parameters)?;
        Ok(Self { average, reparametrisation, ..Self::new(parameters) })
    }

    /// The parameters that the network uses.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are not of the network.
    pub fn effective(&self) -> Result<Vec<f32>, FlowError> {
        self.reparametrisation.effective(&self.parameters)
    }

    /// One descent step along `gradient`, taken in the effective parameters; a gradient that is not usable changes
    /// nothing.
    ///
    /// # Errors
    /// [`StepError::Diverged`] for a gradient with a NaN, an infinity or an entry beyond 1e18, [`StepError::Failed`]
    /// for one of another length.
    pub fn descend(
        &mut self,
        settings: &Optimiser,
        rate: f64,
        decay: f64,
        mut gradient: Vec<f32>,
    ) -> Result<(), StepError> {
        self.reparametrisation.pull_back(&self.parameters, &mut gradient)?;
        usable(&gradient)?;
        self.adam.step(settings, rate, &mut self.parameters, &gradient)?;
        self.reparametrisation.settle(&mut self.parameters)?;
        let effective = self.effective()?;
        Ok(average::update(&mut self.average, &effective, decay, self.adam.steps)?)
    }
}

/// Refuses a gradient with a NaN, an infinity or an entry beyond 1e18.
pub(crate) fn usable(gradient: &[f32]) -> Result<(), NotFinite> {
    // A NaN is not below the limit. Whole chunks are looked at without a branch.
    let is_good = |g: &f32| g.abs() < GRADIENT_LIMIT;
    let is_bad = |chunk: &&[f32]| !chunk.iter().fold(true, |good, g| good & is_good(g));
    match gradient.chunks(256).find(is_bad).and_then(|chunk| chunk.iter().find(|g| !is_good(g))) {
        Some(&bad) => Err(NotFinite { what: "gradient", value: bad.into() }),
        None => Ok(()),
    }
}

/// Refuses an objective that is not finite.
pub(crate) fn finite(what: &'static str, value: f64) -> Result<(), NotFinite> {
    if value.is_finite() { Ok(()) } else { Err(NotFinite { what, value }) }
}
