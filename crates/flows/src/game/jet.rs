//! The potential of the game and its derivatives at a batch of points, as [`Representation`] composes it of the networks.

use super::{Game, Networks, Representation};
use crate::FlowError;
use crate::error::expect_length;
use crate::generator::{Generator, GeneratorTape, Statistics};
use crate::mlp::{Cotangent, Order, Tape, Weights};
use crate::potential::PotentialJet;
use crate::real::Real;

/// The parameters of both networks, arranged for their products.
#[derive(Debug)]
pub(super) struct Arranged<T> {
    potential: Weights<T>,
    velocity: Vec<T>,
    pub(super) critic: Weights<T>,
}

impl<T> Default for Arranged<T> {
    fn default() -> Self {
        Self { potential: Weights::default(), velocity: Vec::new(), critic: Weights::default() }
    }
}

impl<T: Real> Arranged<T> {
    /// Arranges both networks.
    pub(super) fn arrange(&mut self, game: &Game, networks: Networks<'_, T>) -> Result<(), FlowError> {
        self.arrange_velocity(game, networks)?;
        self.critic.arrange(&game.critic, networks.critic)
    }

    /// Arranges what the velocity is made of.
    pub(super) fn arrange_velocity(
        &mut self,
        game: &Game,
        networks: Networks<'_, T>,
    ) -> Result<(), FlowError> {
        if let Some(velocity) = &game.velocity {
            expect_length("the parameter buffer", networks.potential.len(), velocity.parameter_count())?;
            self.velocity.clear();
            self.velocity.extend_from_slice(networks.potential);
        } else {
            self.potential.arrange(game.potential.net(), networks.potential)?;
        }
        if game.representation == Representation::ExactTerminal {
            self.critic.arrange(&game.critic, networks.critic)?;
        }
        Ok(())
    }
}

/// ∇U and ∂ₜU at a batch of points, with what their pullback needs; buffers are reused.
#[derive(Debug, Default)]
pub(super) struct Jet<T: Real> {
    net: PotentialJet<T>,
    blend: Option<Blend<T>>,
    direct: Option<Direct<T>>,
}

/// −λv in the place of ∇U, and zeros in that of ∂ₜU.
#[derive(Debug, Default)]
struct Direct<T> {
    tape: GeneratorTape<T>,
    /// (x, t) of every point.
    input: Vec<T>,
    gradient: Vec<T>,
    time_derivative: Vec<T>,
}

/// The critic's part of U = (t/T)·φ + (1 − t/T)·N, and the sums.
#[derive(Debug, Default)]
struct Blend<T: Real> {
    critic: Tape<T>,
    /// t/T.
    share: T,
    gradient: Vec<T>,
    time_derivative: Vec<T>,
}

impl<T: Real> Jet<T> {
    /// ∇U, batch × d.
    pub(super) fn gradient(&self) -> &[T] {
        match (&self.direct, &self.blend) {
            (Some(direct), _) => &direct.gradient,
            (None, Some(blend)) => &blend.gradient,
            (None, None) => self.net.gradient(),
        }
    }

    /// ∂ₜU at each point.
    pub(super) fn time_derivative(&self) -> &[T] {
        match (&self.direct, &self.blend) {
            (Some(direct), _) => &direct.time_derivative,
            (None, Some(blend)) => &blend.time_derivative,
            (None, None) => self.net.time_derivative(),
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

impl Game {
    /// Evaluates ∇U and ∂ₜU at the rows of `x` and one time.
    ///
    /// With the exact terminal condition ∇U = s∇φ + (1 − s)∇N and ∂ₜU = (φ − N)/T + (1 − s)∂ₜN, s = t/T.
    pub(super) fn jet<T: Real>(
        &self,
        weights: &Arranged<T>,
        x: &[T],
        t: T,
        jet: &mut Jet<T>,
    ) -> Result<(), FlowError> {
        let Jet { net, blend, direct } = jet;
        if let Some(velocity) = &self.velocity {
            return self.direct_jet(velocity, &weights.velocity, x, t, direct.get_or_insert_default());
        }
        *direct = None;
        self.potential.evaluate(&weights.potential, x, t, net)?;
        if self.representation != Representation::ExactTerminal {
            *blend = None;
            return Ok(());
        }
        let Blend { critic, share, gradient, time_derivative } = blend.get_or_insert_default();
        self.critic.evaluate(&weights.critic, x, Order::Jet, critic)?;
        let rate = T::of(1.0 / self.flow_objective.horizon);
        *share = t * rate;
        let (s, rest) = (*share, T::one() - *share);
        gradient.clear();
        gradient.extend(critic.gradient().iter().zip(net.gradient()).map(|(&p, &n)| s * p + rest * n));
        time_derivative.clear();
        let values = critic.value().iter().zip(net.value());
        time_derivative
            .extend(values.zip(net.time_derivative()).map(|((&p, &n), &dn)| rate * (p - n) + rest * dn));
        Ok(())
    }

    /// Evaluates v(x, t).
    fn direct_jet<T: Real>(
        &self,
        velocity: &Generator,
        parameters: &[T],
        x: &[T],
        t: T,
        direct: &mut Direct<T>,
    ) -> Result<(), FlowError> {
        let Direct { tape, input, gradient, time_derivative } = direct;
        input.clear();
        for row in x.chunks_exact(self.potential.dim()) {
            input.extend_from_slice(row);
            input.push(t);
        }
        velocity.evaluate(parameters, input, Statistics::Batch, tape)?;
        scaled(gradient, T::of(-self.flow_objective.lambda), tape.points());
        time_derivative.clear();
        time_derivative.resize(x.len() / self.potential.dim(), T::zero());
        Ok(())
    }

    /// Adds ∂ℓ/∂(parameters of the flow's network) to `parameters` and writes ∂ℓ/∂x, for the cotangents of ∇U and ∂ₜU.
    pub(super) fn pull_back<T: Real>(
        &self,
        weights: &Arranged<T>,
        jet: &mut Jet<T>,
        (gradient, time): (&[T], &[T]),
        scratch: &mut Scratch<T>,
        parameters: &mut [T],
        position: &mut [T],
    ) -> Result<(), FlowError> {
        let Jet { net, blend, direct } = jet;
        if let (Some(velocity), Some(Direct { tape, .. })) = (&self.velocity, direct) {
            // ∂ₜU is not there, so its cotangent is 0.
            let dim = self.potential.dim();
            scaled(&mut scratch.gradient, T::of(-self.flow_objective.lambda), gradient);
            scratch.position.resize(time.len() * (dim + 1), T::zero());
            let input_gradient = Some(scratch.position.as_mut_slice());
            velocity.pull_back(&weights.velocity, tape, &scratch.gradient, parameters, input_gradient)?;
            for (out, row) in position.chunks_exact_mut(dim).zip(scratch.position.chunks_exact(dim + 1)) {
                out.iter_mut().zip(row).for_each(|(out, &d)| *out = d);
            }
            return Ok(());
        }
        scratch.value.clear();
        let Some(Blend { critic, share, .. }) = blend else {
            scratch.value.resize(time.len(), T::zero());
            let cotangent = (scratch.value.as_slice(), gradient, time);
            return self.potential.pull_back(&weights.potential, net, cotangent, parameters, position);
        };
        let (rate, rest) = (T::of(1.0 / self.flow_objective.horizon), T::one() - *share);
        scratch.value.extend(time.iter().map(|&d| -rate * d));
        scaled(&mut scratch.gradient, rest, gradient);
        scaled(&mut scratch.time, rest, time);
        let cotangent = (scratch.value.as_slice(), scratch.gradient.as_slice(), scratch.time.as_slice());
        self.potential.pull_back(&weights.potential, net, cotangent, parameters, position)?;
        scaled(&mut scratch.value, rate, time);
        scaled(&mut scratch.gradient, *share, gradient);
        let Scratch { value, gradient, position: part, discarded, .. } = scratch;
        self.position_gradient(weights, critic, (value, gradient), discarded, part)?;
        position.iter_mut().zip(part).for_each(|(sum, part)| *sum += *part);
        Ok(())
    }

    /// Writes ∂ℓ/∂x for the cotangents of φ and ∇φ of the critic's last evaluation.
    pub(super) fn position_gradient<T: Real>(
        &self,
        weights: &Arranged<T>,
        critic: &mut Tape<T>,
        (value, gradient): (&[T], &[T]),
        discarded: &mut Vec<T>,
        position: &mut Vec<T>,
    ) -> Result<(), FlowError> {
        discarded.resize(self.critic.parameter_count(), T::zero());
        position.resize(gradient.len(), T::zero());
        let cotangent = Cotangent { value, gradient: Some(gradient), common: None };
        self.critic.pull_back(&weights.critic, critic, cotangent, discarded, Some(position))
    }

    /// ΔU at each point of the last evaluation.
    pub(super) fn laplacian<T: Real>(
        &self,
        weights: &Arranged<T>,
        jet: &Jet<T>,
    ) -> Result<Vec<T>, FlowError> {
        if self.velocity.is_some() {
            return Err(FlowError::Specification {
                what: "the Laplacian of the potential".into(),
                found: "a velocity without a potential".into(),
                remedy: "take another representation of the flow".into(),
            });
        }
        let mut laplacian = self.potential.laplacian(&weights.potential, &jet.net)?;
        if let Some(Blend { critic, share, .. }) = &jet.blend {
            let of_critic = self.critic.laplacian(&weights.critic, critic)?;
            for (n, p) in laplacian.iter_mut().zip(of_critic) {
                *n = *share * p + (T::one() - *share) * *n;
            }
        }
        Ok(laplacian)
    }
}

fn scaled<T: Real>(out: &mut Vec<T>, factor: T, from: &[T]) {
    out.clear();
    out.extend(from.iter().map(|&x| factor * x));
}
