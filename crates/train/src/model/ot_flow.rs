//! A trained OT-Flow.

use crate::TrainError;
use crate::checkpoint::Stored;
use crate::config::FlowConfig;
use crate::likelihood;
use flows::FlowError;
use flows::ot_flow::OtFlow;
use flows::record::RecordError;
use mfg::Trajectory;
use ndarray::{Array1, Array2, ArrayView2};

/// The averaged potential of an OT-Flow.
#[derive(Debug, Clone, PartialEq)]
pub struct OtFlowModel {
    flow: OtFlow,
    parameters: Vec<f32>,
}

impl OtFlowModel {
    /// The model of a stored state.
    pub(super) fn stored(config: &FlowConfig, state: &Stored) -> Result<Self, TrainError> {
        let flow = likelihood::flow(config, state.size("dimension")?)?;
        let parameters = state.fitting("potential.average", flow.potential.parameter_count())?;
        Ok(Self { flow, parameters })
    }

    pub(crate) fn new(flow: OtFlow, parameters: Vec<f32>) -> Self {
        Self { flow, parameters }
    }

    /// The dimension d of the points.
    pub fn dim(&self) -> usize {
        self.flow.potential.dim()
    }

    /// The trained numbers.
    pub(super) fn parameter_count(&self) -> usize {
        self.parameters.len()
    }

    /// The samples that normal points become in `steps` steps, in single precision as in training.
    pub(super) fn push_forward(
        &self,
        start: ArrayView2<'_, f64>,
        steps: usize,
    ) -> Result<Array2<f64>, FlowError> {
        let start = start.mapv(|x| x as f32);
        Ok(self.flow.generate(&self.parameters, start.view(), steps)?.mapv(f64::from))
    }

    /// The paths of samples from the rows of `start` at `steps` equal steps.
    pub(crate) fn trajectory(
        &self,
        start: ArrayView2<'_, f64>,
        steps: usize,
    ) -> Result<Trajectory, RecordError> {
        self.flow.trajectory(&self.parameters, start, steps)
    }

    /// The normal points that the rows of `points` become.
    pub(super) fn inverse(
        &self,
        points: ArrayView2<'_, f64>,
        steps: usize,
    ) -> Result<Array2<f64>, FlowError> {
        Ok(self.flow.normalise(&self.wide(), points, steps)?.ends)
    }

    /// log p at the rows of `points`.
    pub(super) fn log_density(
        &self,
        points: ArrayView2<'_, f64>,
        steps: usize,
    ) -> Result<Vec<f64>, FlowError> {
        self.flow.log_density(&self.wide(), points, steps)
    }

    /// U at the rows of `points` and one time, up to one constant.
    pub(super) fn potential(&self, points: ArrayView2<'_, f64>, t: f64) -> Result<Array1<f64>, FlowError> {
        Ok(self.flow.field(&self.wide())?.potential(points, t)?.into())
    }

    /// ∇U there, and λ.
    pub(super) fn slopes(
        &self,
        points: ArrayView2<'_, f64>,
        t: f64,
    ) -> Result<(Array2<f64>, f64), FlowError> {
        Ok((self.flow.field(&self.wide())?.derivatives(points, t)?.0, self.flow.lambda))
    }

    fn wide(&self) -> Vec<f64> {
        self.parameters.iter().map(|&parameter| f64::from(parameter)).collect()
    }
}
