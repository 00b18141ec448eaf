//! One network of the game with its optimiser and its average.

use crate::average;
use crate::config::Optimiser;
use crate::optim::Adam;
use flows::lipschitz::SpectralState;
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
    /// The shape of the network.
    pub net: Mlp,
    /// What is trained.
    pub parameters: Vec<f32>,
    /// Moving average of what the network uses.
    pub average: Vec<f32>,
    /// The optimiser.
    pub adam: Adam,
    /// Spectral normalisation, where the critic is held that way.
    pub spectral: Option<SpectralState>,
}

/// Gradients larger than this would overflow the optimiser's second moment in f32.
const GRADIENT_LIMIT: f32 = 1e18;

impl Player {
    /// A player at its initial parameters; with a `bound`, spectrally normalised to it.
    pub fn new(net: Mlp, parameters: Vec<f32>, bound: Option<f64>) -> Self {
        let spectral = bound.map(|bound| SpectralState::new(&net, &parameters, bound));
        let mut player =
            Self { adam: Adam::new(parameters.len()), average: Vec::new(), net, parameters, spectral };
        player.average = player.effective();
        player
    }

    /// The parameters that the network uses.
    pub fn effective(&self) -> Vec<f32> {
        match &self.spectral {
            Some(spectral) => spectral.effective(&self.net, &self.parameters),
            None => self.parameters.clone(),
        }
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
        if let Some(spectral) = &self.spectral {
            spectral.pull_back(&self.net, &self.parameters, &mut gradient);
        }
        usable(&gradient)?;
        self.adam.step(settings, rate, &mut self.parameters, &gradient);
        if let Some(spectral) = &mut self.spectral {
            spectral.iterate(&self.net, &self.parameters);
        }
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
