//! The velocity and the potential of a trained flow at any points and time.

use super::FlowModel;
use super::flow::Trained;
use super::game::GameModel;
use super::matching::without_critic;
use crate::TrainError;
use flows::FlowError;
use flows::flow::{Flow, FlowField};
use flows::game::Networks;
use flows::matching::VelocityFlow;
use flows::scalar_field::ScalarField;
use flows::velocity::VelocityTape;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

/// The derivatives of a potential in double precision, as for a trajectory.
struct Field {
    /// ∇U, or −λv of a velocity without a potential, [n, d].
    gradient: Array2<f64>,
    /// λ.
    lambda: f64,
}

impl<N: ScalarField> FlowModel<N> {
    /// v(x, t), [n, d], at the rows of `points`, [n, d], and one time 0 ≤ t ≤ T: −∇U/λ, without the noise of a flow that has
    /// some.
    ///
    /// Where U is given by a search (Hopf–Lax at t < T, explicit at t > 0) each row is one.
    ///
    /// # Errors
    /// [`TrainError::Flow`] for points of another dimension and times outside of the flow.
    pub fn velocity(&self, points: ArrayView2<'_, f64>, t: f64) -> Result<Array2<f64>, TrainError> {
        let z = self.scaled(points)?;
        let Field { gradient, lambda } = self.field(z.view(), t)?;
        Ok(gradient * (-self.units.scale() / lambda))
    }

    /// U(x, t), \[n\], at the rows of `points`, [n, d], and one time 0 ≤ t ≤ T, up to one constant.
    ///
    /// With g = ∇U(x, t), which is constant along a straight path, U is U₀(x + t·g/λ) − t‖g‖²/(2λ) of an explicit flow (at T its
    /// critic), and φ(x − (T − t)·g/λ) + (T − t)‖g‖²/(2λ) of a Hopf–Lax flow.
    ///
    /// # Errors
    /// As [`FlowModel::velocity`], and for a velocity without a potential.
    pub fn potential(&self, points: ArrayView2<'_, f64>, t: f64) -> Result<Vec<f64>, TrainError> {
        let z = self.scaled(points)?;
        self.expect_time(t)?;
        let values: Array1<f64> = match &self.trained {
            Trained::Matching(_) => return Err(without_potential()),
            Trained::OtFlow(flow) => flow.potential(z.view(), t)?,
            // A search in the coordinates of the flow, within its bound.
            Trained::Explicit(model) if t == self.config.flow.horizon => model.critic(z.view())?,
            Trained::Explicit(model) => {
                let Field { gradient, lambda } = self.field(z.view(), t)?;
                let beginnings = &z + &(&gradient * (t / lambda));
                model.potential(beginnings.view())? - squares(&gradient) * (t / (2.0 * lambda))
            }
            Trained::Game(players) => {
                players.expect_own_coordinates("the potential")?;
                let (flow, critic) = players.wide();
                let critic = |points: ArrayView2<'_, f64>| players.game.critic.network.at(&critic, points);
                match &players.game.flow {
                    Flow::Velocity(_) => return Err(without_potential()),
                    Flow::Network(potential) => potential.at(&flow, z.view(), t)?.0,
                    Flow::ExactTerminal(potential) => {
                        let s = t / players.game.objective.horizon;
                        critic(z.view())?.0 * s + potential.at(&flow, z.view(), t)?.0 * (1.0 - s)
                    }
                    Flow::HopfLax { .. } => {
                        let Field { gradient, lambda } = self.field(z.view(), t)?;
                        let left = players.game.objective.horizon - t;
                        let ends = &z - &(&gradient * (left / lambda));
                        critic(ends.view())?.0 + squares(&gradient) * (left / (2.0 * lambda))
                    }
                }
            }
        };
        Ok((values * self.units.scale().powi(2)).to_vec())
    }

    /// φ(x), \[n\], at the rows of `points`, [n, d]; up to one constant where it is found by a search, of an explicit flow.
    ///
    /// # Errors
    /// [`TrainError::Flow`] for points of another dimension, and for a flow without a critic.
    pub fn critic(&self, points: ArrayView2<'_, f64>) -> Result<Vec<f64>, TrainError> {
        match &self.trained {
            Trained::Explicit(_) => self.potential(points, self.config.flow.horizon),
            Trained::Game(players) => {
                players.expect_own_coordinates("the critic")?;
                let (_, critic) = players.wide();
                let (values, _) = players.game.critic.network.at(&critic, self.scaled(points)?.view())?;
                Ok((values * self.units.scale().powi(2)).to_vec())
            }
            Trained::Matching(_) | Trained::OtFlow(_) => Err(without_critic()),
        }
    }

    /// Whether velocity, potential and critic can be asked for: not of a Hopf–Lax flow with a Gaussian base or snapshots.
    pub fn has_field(&self) -> bool {
        match &self.trained {
            Trained::Game(players) => players.is_plain(),
            Trained::Explicit(_) | Trained::Matching(_) | Trained::OtFlow(_) => true,
        }
    }

    /// The field at the rows of `z`, in the units of the training.
    fn field(&self, z: ArrayView2<'_, f64>, t: f64) -> Result<Field, TrainError> {
        self.expect_time(t)?;
        Ok(match &self.trained {
            Trained::Explicit(model) => {
                Field { gradient: model.derivatives(z, t)?.gradient, lambda: self.config.flow.lambda }
            }
            Trained::OtFlow(flow) => {
                let (gradient, lambda) = flow.slopes(z, t)?;
                Field { gradient, lambda }
            }
            Trained::Matching(flow) => Field { gradient: -matched(flow, z, t)?, lambda: 1.0 },
            Trained::Game(players) => {
                players.expect_own_coordinates("the velocity")?;
                let (flow, critic) = players.wide();
                let companions: Vec<f64> = players.companions.iter().map(|&y| y.into()).collect();
                let networks = Networks { flow: &flow, critic: &critic };
                let mut field = players.game.field(networks, &companions)?;
                Field { gradient: field.derivatives(z, t)?.gradient, lambda: players.game.objective.lambda }
            }
        })
    }

    fn expect_time(&self, t: f64) -> Result<(), FlowError> {
        let horizon = self.config.flow.horizon;
        if (0.0..=horizon).contains(&t) {
            return Ok(());
        }
        Err(FlowError::Specification {
            what: "the time".into(),
            found: t.to_string(),
            remedy: format!("give one between 0 and the horizon {horizon}"),
        })
    }
}

impl<N> GameModel<N> {
    /// The fields of a game are those of its own coordinates.
    fn expect_own_coordinates(&self, what: &str) -> Result<(), FlowError> {
        if self.is_plain() {
            return Ok(());
        }
        Err(FlowError::Specification {
            what: what.into(),
            found: "asked of a Hopf–Lax flow with base = \"gaussian\" or snapshots".into(),
            remedy: "ask for its paths (trajectory), or train with base = \"identity\" and without snapshots"
                .into(),
        })
    }

    /// The parameters of the flow and of the critic in double precision.
    pub(super) fn wide(&self) -> (Vec<f64>, Vec<f64>) {
        let wide = |numbers: &[f32]| numbers.iter().map(|&x| x.into()).collect();
        (wide(&self.flow), wide(&self.critic))
    }
}

impl<N: ScalarField> GameModel<N> {
    /// The field at [these](Self::wide) parameters, of a flow that needs no search.
    pub(super) fn wide_field<'a>(
        &'a self,
        (flow, critic): &(Vec<f64>, Vec<f64>),
    ) -> Result<FlowField<'a, f64, N>, FlowError> {
        self.game.field(Networks { flow, critic }, &[])
    }
}

/// The velocity of a network that has learnt it directly.
fn matched(flow: &VelocityFlow, z: ArrayView2<'_, f64>, t: f64) -> Result<Array2<f64>, FlowError> {
    let parameters: Vec<f64> = flow.parameters.iter().map(|&p| p.into()).collect();
    let (x, mut tape): (Vec<f64>, _) = (z.iter().copied().collect(), VelocityTape::default());
    flow.velocity.evaluate(&parameters, &x, t, &mut tape)?;
    let mut velocity = Array2::zeros(z.dim());
    velocity.iter_mut().zip(tape.velocity()).for_each(|(v, &value)| *v = value);
    Ok(velocity)
}

/// ‖gᵢ‖² of each row.
fn squares(gradient: &Array2<f64>) -> Array1<f64> {
    gradient.rows().into_iter().map(|g: ArrayView1<'_, f64>| g.dot(&g)).collect()
}

fn without_potential() -> TrainError {
    FlowError::Specification {
        what: "the potential".into(),
        found: "asked of a velocity without one".into(),
        remedy: "take another representation of the flow".into(),
    }
    .into()
}
