//! ∇U and ∂ₜU of the flow at a batch of points, as [`Flow`] composes them of the networks.

use super::{Flow, scaled, without_potential};
use crate::FlowError;
use crate::error::expect_length;
use crate::game::{Game, Networks};
use crate::mlp::{Cotangent, Order};
use crate::network::Weights;
use crate::potential::PotentialJet;
use crate::real::Real;
use crate::scalar_field::{Evaluation, ScalarField};
use crate::velocity::VelocityTape;

/// The parameters of both networks, arranged for their products.
#[derive(Debug)]
pub(super) struct Arranged<T: Real, N: ScalarField> {
    flow: FlowWeights<T>,
    pub(super) critic: N::Weights<T>,
}

/// Those of the flow's network.
#[derive(Debug)]
enum FlowWeights<T> {
    Potential(Weights<T>),
    Velocity(Vec<T>),
}

impl<T: Real, N: ScalarField> Default for Arranged<T, N> {
    fn default() -> Self {
        Self { flow: FlowWeights::Potential(Weights::default()), critic: N::Weights::default() }
    }
}

impl<T: Real, N: ScalarField> Arranged<T, N> {
    /// Arranges both networks.
    pub(super) fn arrange(&mut self, game: &Game<N>, networks: Networks<'_, T>) -> Result<(), FlowError> {
        self.arrange_flow(&game.flow, networks.flow)?;
        game.critic.network.arrange(networks.critic, &mut self.critic)
    }

    /// Arranges what the velocity is made of.
    pub(super) fn arrange_velocity(
        &mut self,
        game: &Game<N>,
        networks: Networks<'_, T>,
    ) -> Result<(), FlowError> {
        self.arrange_flow(&game.flow, networks.flow)?;
        match game.flow {
            Flow::ExactTerminal(_) => game.critic.network.arrange(networks.critic, &mut self.critic),
            Flow::Network(_) | Flow::Velocity(_) | Flow::HopfLax { .. } => Ok(()),
        }
    }

    fn arrange_flow(&mut self, flow: &Flow, parameters: &[T]) -> Result<(), FlowError> {
        let potential = match flow {
            Flow::Network(potential) | Flow::ExactTerminal(potential) => potential,
            Flow::HopfLax { proposal, .. } => proposal,
            Flow::Velocity(velocity) => {
                expect_length("the parameter buffer", parameters.len(), velocity.net().parameter_count())?;
                self.flow = FlowWeights::Velocity(parameters.to_vec());
                return Ok(());
            }
        };
        if let FlowWeights::Velocity(_) = self.flow {
            self.flow = FlowWeights::Potential(Weights::default());
        }
        match &mut self.flow {
            FlowWeights::Potential(weights) => potential.net().arrange(parameters, weights),
            FlowWeights::Velocity(_) => Ok(()),
        }
    }

    fn potential(&self) -> Result<&Weights<T>, FlowError> {
        match &self.flow {
            FlowWeights::Potential(weights) => Ok(weights),
            FlowWeights::Velocity(_) => Err(without_potential("the weights of the potential")),
        }
    }

    fn velocity(&self) -> &[T] {
        match &self.flow {
            FlowWeights::Velocity(parameters) => parameters,
            FlowWeights::Potential(_) => &[],
        }
    }
}

/// ∇U and ∂ₜU at a batch of points, with what their pullback needs; buffers are reused.
#[derive(Debug)]
pub(super) enum Jet<T: Real, N: ScalarField> {
    /// Of a network U.
    Potential(PotentialJet<T>),
    /// Of U = (t/T)·φ + (1 − t/T)·N.
    Blend(Box<Blend<T, N>>),
    /// −λv in the place of ∇U, and zeros in that of ∂ₜU.
    Velocity { tape: VelocityTape<T>, gradient: Vec<T>, time_derivative: Vec<T> },
}

/// N, φ, and their sums.
#[derive(Debug)]
pub(super) struct Blend<T: Real, N: ScalarField> {
    net: PotentialJet<T>,
    critic: N::Tape<T>,
    /// t/T.
    share: T,
    gradient: Vec<T>,
    time_derivative: Vec<T>,
}

impl<T: Real, N: ScalarField> Default for Jet<T, N> {
    fn default() -> Self {
        Self::Potential(PotentialJet::default())
    }
}

impl<T: Real, N: ScalarField> Jet<T, N> {
    /// The buffers of a jet of this flow, those that are there if they are of its kind.
    fn fit(&mut self, flow: &Flow) {
        match (&*self, flow) {
            (Self::Potential(_), Flow::Network(_) | Flow::HopfLax { .. })
            | (Self::Blend(_), Flow::ExactTerminal(_))
            | (Self::Velocity { .. }, Flow::Velocity(_)) => {}
            (_, Flow::Network(_) | Flow::HopfLax { .. }) => *self = Self::default(),
            (_, Flow::ExactTerminal(_)) => {
                *self = Self::Blend(Box::new(Blend {
                    net: PotentialJet::default(),
                    critic: N::Tape::default(),
                    share: T::zero(),
                    gradient: Vec::new(),
                    time_derivative: Vec::new(),
                }));
            }
            (_, Flow::Velocity(_)) => {
                *self = Self::Velocity {
                    tape: VelocityTape::default(),
                    gradient: Vec::new(),
                    time_derivative: Vec::new(),
                };
            }
        }
    }

    /// ∇U, [n, d].
    pub(super) fn gradient(&self) -> &[T] {
        match self {
            Self::Potential(jet) => jet.gradient(),
            Self::Blend(blend) => &blend.gradient,
            Self::Velocity { gradient, .. } => gradient,
        }
    }

    /// ∂ₜU at each point.
    pub(super) fn time_derivative(&self) -> &[T] {
        match self {
            Self::Potential(jet) => jet.time_derivative(),
            Self::Blend(blend) => &blend.time_derivative,
            Self::Velocity { time_derivative, .. } => time_derivative,
        }
    }
}

/// Buffers of the pullback.
#[derive(Debug, Default)]
pub(super) struct Scratch<T> {
    value: Vec<T>,
    gradient: Vec<T>,
    time: Vec<T>,
    position: Vec<T>,
    /// The critic's own parameters are the other player's.
    discarded: Vec<T>,
}

impl<N: ScalarField> Game<N> {
    /// Evaluates ∇U and ∂ₜU at the rows of `x` and one time.
    ///
    /// With the exact terminal condition ∇U = s∇φ + (1 − s)∇N and ∂ₜU = (φ − N)/T + (1 − s)∂ₜN, s = t/T.
    pub(super) fn jet<T: Real>(
        &self,
        weights: &Arranged<T, N>,
        x: &[T],
        t: T,
        jet: &mut Jet<T, N>,
    ) -> Result<(), FlowError> {
        jet.fit(&self.flow);
        match (&self.flow, jet) {
            (Flow::Velocity(velocity), Jet::Velocity { tape, gradient, time_derivative }) => {
                velocity.evaluate(weights.velocity(), x, t, tape)?;
                scaled(gradient, T::of(-self.objective.lambda), tape.velocity());
                time_derivative.clear();
                time_derivative.resize(x.len() / velocity.dim(), T::zero());
            }
            (Flow::ExactTerminal(potential), Jet::Blend(blend)) => {
                let Blend { net, critic, share, gradient, time_derivative } = &mut **blend;
                potential.evaluate(weights.potential()?, x, t, net)?;
                self.critic.network.evaluate(&weights.critic, x, Order::Jet, critic)?;
                let rate = T::of(1.0 / self.objective.horizon);
                *share = t * rate;
                let (s, rest) = (*share, T::one() - *share);
                gradient.clear();
                gradient
                    .extend(critic.gradient().iter().zip(net.gradient()).map(|(&p, &n)| s * p + rest * n));
                time_derivative.clear();
                let values = critic.value().iter().zip(net.value());
                time_derivative.extend(
                    values.zip(net.time_derivative()).map(|((&p, &n), &dn)| rate * (p - n) + rest * dn),
                );
            }
            (Flow::Network(potential) | Flow::HopfLax { proposal: potential, .. }, Jet::Potential(net)) => {
                potential.evaluate(weights.potential()?, x, t, net)?;
            }
            // `fit` has made them of one kind.
            _ => {}
        }
        Ok(())
    }

    /// Adds ∂ℓ/∂(parameters of the flow's network) to `parameters` and writes ∂ℓ/∂x, for the cotangents of ∇U and ∂ₜU.
    pub(super) fn pull_back<T: Real>(
        &self,
        weights: &Arranged<T, N>,
        jet: &mut Jet<T, N>,
        (gradient, time): (&[T], &[T]),
        scratch: &mut Scratch<T>,
        parameters: &mut [T],
        position: &mut [T],
    ) -> Result<(), FlowError> {
        match (&self.flow, jet) {
            // ∂ₜU is not there, so its cotangent is 0.
            (Flow::Velocity(velocity), Jet::Velocity { tape, .. }) => {
                scaled(&mut scratch.gradient, T::of(-self.objective.lambda), gradient);
                let cotangent = &scratch.gradient;
                velocity.pull_back(weights.velocity(), tape, cotangent, parameters, Some(position))?;
            }
            (Flow::ExactTerminal(potential), Jet::Blend(blend)) => {
                let Blend { net, critic, share, .. } = &mut **blend;
                let (rate, rest) = (T::of(1.0 / self.objective.horizon), T::one() - *share);
                scaled(&mut scratch.value, -rate, time);
                scaled(&mut scratch.gradient, rest, gradient);
                scaled(&mut scratch.time, rest, time);
                let cotangent =
                    (scratch.value.as_slice(), scratch.gradient.as_slice(), scratch.time.as_slice());
                potential.pull_back(weights.potential()?, net, cotangent, parameters, position)?;
                scaled(&mut scratch.value, rate, time);
                scaled(&mut scratch.gradient, *share, gradient);
                let Scratch { value, gradient, position: part, discarded, .. } = scratch;
                self.position_gradient(weights, critic, (value, gradient), discarded, part)?;
                position.iter_mut().zip(part).for_each(|(sum, part)| *sum += *part);
            }
            (Flow::Network(potential) | Flow::HopfLax { proposal: potential, .. }, Jet::Potential(net)) => {
                scratch.value.clear();
                scratch.value.resize(time.len(), T::zero());
                let cotangent = (scratch.value.as_slice(), gradient, time);
                potential.pull_back(weights.potential()?, net, cotangent, parameters, position)?;
            }
            // The jet is of this flow's evaluation.
            _ => {}
        }
        Ok(())
    }

    /// Writes ∂ℓ/∂x for the cotangents of φ and ∇φ of the critic's last evaluation.
    pub(super) fn position_gradient<T: Real>(
        &self,
        weights: &Arranged<T, N>,
        critic: &mut N::Tape<T>,
        (value, gradient): (&[T], &[T]),
        discarded: &mut Vec<T>,
        position: &mut Vec<T>,
    ) -> Result<(), FlowError> {
        discarded.resize(self.critic.network.parameter_count(), T::zero());
        position.resize(gradient.len(), T::zero());
        let cotangent = Cotangent { value, gradient: Some(gradient), common: None };
        self.critic.network.pull_back(&weights.critic, critic, cotangent, discarded, Some(position))
    }

    /// ΔU at each point of the last evaluation.
    pub(super) fn laplacian<T: Real>(
        &self,
        weights: &Arranged<T, N>,
        jet: &Jet<T, N>,
    ) -> Result<Vec<T>, FlowError> {
        match (&self.flow, jet) {
            (Flow::ExactTerminal(potential), Jet::Blend(blend)) => {
                let Blend { net, critic, share, .. } = &**blend;
                let mut laplacian = potential.laplacian(weights.potential()?, net)?;
                let of_critic = self.critic.network.laplacian(&weights.critic, critic)?;
                for (n, p) in laplacian.iter_mut().zip(of_critic) {
                    *n = *share * p + (T::one() - *share) * *n;
                }
                Ok(laplacian)
            }
            (Flow::Network(potential) | Flow::HopfLax { proposal: potential, .. }, Jet::Potential(net)) => {
                potential.laplacian(weights.potential()?, net)
            }
            _ => Err(without_potential("the Laplacian of the potential")),
        }
    }
}
