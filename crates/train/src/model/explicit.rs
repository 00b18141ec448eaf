//! A trained explicit flow.

use crate::TrainError;
use crate::checkpoint::Stored;
use crate::config::FlowConfig;
use crate::coordinates::AFFINE;
use crate::explicit;
use crate::remembered::COMPANIONS_OF_A_STATE;
use crate::source::{Conditions, name};
use flows::FlowError;
use flows::explicit::{Explicit, ExplicitFlow, Sources, trajectory};
use flows::integrate::step_count;
use flows::kantorovich::Potentials;
use flows::potential::Derivatives;
use flows::record::RecordError;
use flows::scalar_field::ScalarField;
use mfg::Trajectory;
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// The averaged potential of an explicit flow.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplicitModel {
    flow: ExplicitFlow,
    parameters: Vec<f32>,
    /// x′ of remembered ends, which searches consider.
    companions: Vec<f32>,
    second: Option<SecondPotential>,
}

/// The second Kantorovich potential, where one was trained: it tells the way back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SecondPotential {
    /// Both potentials.
    pub(crate) potentials: Potentials,
    /// The averaged parameters of the second network.
    pub(crate) parameters: Vec<f32>,
}

impl ExplicitModel {
    /// The model of a stored state.
    pub(super) fn stored(config: &FlowConfig, state: &Stored) -> Result<Self, TrainError> {
        let dim = state.size("dimension")?;
        let condition = Conditions::stored(state)?.map_or(0, |conditions| conditions.width());
        let flow = explicit::flow(config, (dim, condition), &state.doubles(AFFINE)?)?;
        let parameters = state.fitting("potential.average", flow.network().parameter_count())?;
        let companions = state.floats(COMPANIONS_OF_A_STATE)?;
        let second = match explicit::description(config)?.potentials(&flow)? {
            Some((potentials, _)) => {
                let average = format!("{}.average", name::SECOND_POTENTIAL);
                let parameters = state.fitting(&average, potentials.eta.parameter_count())?;
                Some(SecondPotential { potentials, parameters })
            }
            None => None,
        };
        Ok(Self { flow, parameters, companions, second })
    }

    pub(crate) fn new(
        flow: ExplicitFlow,
        parameters: Vec<f32>,
        companions: Vec<f32>,
        second: Option<SecondPotential>,
    ) -> Self {
        Self { flow, parameters, companions, second }
    }

    /// The numbers of its network, of the second potential too where there is one.
    pub(super) fn parameter_count(&self) -> usize {
        self.parameters.len() + self.second.as_ref().map_or(0, |second| second.parameters.len())
    }

    /// The flow whose network it is.
    pub(crate) fn flow(&self) -> &ExplicitFlow {
        &self.flow
    }

    /// The parameters of its network.
    pub(crate) fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// The coordinates of a point, its condition included.
    pub fn width(&self) -> usize {
        self.flow.affine().dim()
    }

    /// The ends of the paths from the rows of `start`, in single precision as in training; any number of steps is
    /// exact.
    pub(super) fn push_forward(
        &self,
        start: ArrayView2<'_, f64>,
        steps: usize,
    ) -> Result<Array2<f64>, FlowError> {
        step_count(steps)?;
        let mut flow = self.flow.at(&self.parameters, &[])?;
        Ok(flow.ends(start.mapv(|x| x as f32).view())?.mapv(f64::from))
    }

    /// The paths from the rows of `start` at `steps` equal steps.
    pub(crate) fn trajectory(
        &self,
        start: ArrayView2<'_, f64>,
        steps: usize,
    ) -> Result<Trajectory, RecordError> {
        trajectory(&self.flow, (&self.parameters, &self.companions), start, steps)
    }

    /// The rows of `start` at which the map is optimal, and their share.
    ///
    /// Which rival a particle is tried by depends on the others: the particles that return are tried among themselves
    /// again, until all of them do.
    pub(crate) fn optimal(&self, start: ArrayView2<'_, f64>) -> Result<(Array2<f64>, f64), FlowError> {
        let mut kept = start.to_owned();
        loop {
            let returned = self.wide(|flow| flow.returns(kept.view()))?.returned;
            if returned.iter().all(|back| *back) {
                let share = kept.nrows() as f64 / start.nrows().max(1) as f64;
                return Ok((kept, share));
            }
            let rows: Vec<usize> =
                returned.iter().enumerate().filter_map(|(row, &back)| back.then_some(row)).collect();
            kept = kept.select(Axis(0), &rows);
        }
    }

    /// ‖∇φ‖ at each row of `points`.
    pub(super) fn critic_slopes(&self, points: ArrayView2<'_, f64>) -> Result<Vec<f64>, FlowError> {
        let (_, slopes) = self.wide(|flow| flow.critic(points))?;
        Ok(slopes.rows().into_iter().map(|slope| slope.dot(&slope).sqrt()).collect())
    }

    /// The beginnings of the paths that end at the rows of `points`, by a search or by the second potential.
    pub(super) fn inverse(&self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, FlowError> {
        match &self.second {
            Some(SecondPotential { potentials, parameters }) => {
                self.flow.retraced(potentials, (&wide(&self.parameters), &wide(parameters)), points)
            }
            None => self.wide(|flow| flow.inverse(points)),
        }
    }

    /// The particles that end at the rows of `points`, searched from those that end nearest of `particles`.
    pub(super) fn sources(
        &self,
        points: ArrayView2<'_, f64>,
        particles: ArrayView2<'_, f64>,
    ) -> Result<Sources<f64>, FlowError> {
        self.wide(|flow| flow.sources(points, particles))
    }

    /// φ at the rows of `points`, up to the constant of [`ExplicitModel::potential`].
    pub(super) fn critic(&self, points: ArrayView2<'_, f64>) -> Result<Array1<f64>, FlowError> {
        Ok(self.wide(|flow| flow.critic(points))?.0)
    }

    /// U₀ at the rows of `points`, up to a constant.
    pub(super) fn potential(&self, points: ArrayView2<'_, f64>) -> Result<Array1<f64>, FlowError> {
        self.wide(|flow| flow.potential(points))
    }

    /// ∇U and ∂ₜU at the rows of `points` and one time.
    pub(super) fn derivatives(
        &self,
        points: ArrayView2<'_, f64>,
        t: f64,
    ) -> Result<Derivatives<f64>, FlowError> {
        self.wide(|flow| flow.derivatives(points, t))
    }

    /// The flow in double precision.
    fn wide<R>(
        &self,
        ask: impl FnOnce(&mut Explicit<'_, f64>) -> Result<R, FlowError>,
    ) -> Result<R, FlowError> {
        ask(&mut self.flow.at(&wide(&self.parameters), &wide(&self.companions))?)
    }
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&x| f64::from(x)).collect()
}
