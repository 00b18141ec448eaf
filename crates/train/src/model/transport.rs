//! A trained flow as a map between points: the way back, and the density of where it leads.

use super::FlowModel;
use super::flow::Trained;
use crate::TrainError;
use crate::source::name;
use datasets::stream;
use flows::FlowError;
use flows::flow::Flow;
use flows::scalar_field::ScalarField;
use ndarray::{Array2, ArrayView2};

/// Particles from which those that end at a point are searched.
const PARTICLES: usize = 4096;
/// How near a path has to end to a point to be one that ends there, beside 1 and the size of the point in units of the
/// training: the search for the end of a path in single precision is nearer.
const REACHED: f64 = 1e-3;

impl<N: ScalarField> FlowModel<N> {
    /// The beginnings of the paths that end at the rows of `points`, [n, d]: of an explicit flow each by one search, of a
    /// Hopf–Lax flow x₀ = y + (T/λ)·∇φ(y), of an OT-Flow by as many steps in its other direction as a sample takes.
    ///
    /// It inverts the first two where their map is optimal ([`FlowModel::reached`] tells where), and an OT-Flow up to the
    /// error of the steps.
    ///
    /// # Errors
    /// [`TrainError::Flow`] for points of another dimension and for other representations.
    pub fn inverse(&self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, TrainError> {
        let points = self.scaled(points)?;
        let beginnings = match &self.trained {
            Trained::Explicit(model) => model.inverse(points.view())?,
            Trained::OtFlow(flow) => flow.inverse(points.view(), self.steps())?,
            Trained::Game(players) => match players.game.flow {
                Flow::HopfLax { .. } => players.based(&players.game).inverse(points.view())?,
                _ => return Err(self.without_map("the inverse of the flow")),
            },
            Trained::Matching(_) => return Err(self.without_map("the inverse of the flow")),
        };
        Ok(self.units.restored(beginnings.view()))
    }

    /// Whether the path from each row of `beginnings`, [n, d], ends at that row of `points`, [n, d].
    ///
    /// # Errors
    /// As [`FlowModel::push_forward`].
    pub fn reached(
        &self,
        points: ArrayView2<'_, f64>,
        beginnings: ArrayView2<'_, f64>,
    ) -> Result<Vec<bool>, TrainError> {
        let ends = self.push_forward(beginnings, self.steps(), self.config.seed)?;
        let (ends, points) = (self.units.scaled(ends.view()), self.units.scaled(points));
        let length = |row: ndarray::ArrayView1<'_, f64>| row.dot(&row).sqrt();
        let rows = points.rows().into_iter().zip(ends.rows());
        Ok(rows.map(|(y, end)| length((&end - &y).view()) <= REACHED * (1.0 + length(y))).collect())
    }

    /// log ρ_T, \[n\], at the rows of `points`, [n, d], of a flow that begins with a law.
    ///
    /// Of an explicit flow log Σ ρ₀(x)/|det ∂x_T/∂x| over the particles x that end there, with the exact Hessian of the
    /// potential. Where the map is optimal there is one, the [inverse](Self::inverse); where it folds the others are searched
    /// from 4096 particles of one stream, in up to 10 dimensions. Of a Hopf–Lax flow log ρ₀(x₀) + log|det(I + (T/λ)·∇²φ(y))|
    /// with x₀ the inverse of y; where [no path ends](Self::reached) the density is 0 and the number says nothing. Of an
    /// OT-Flow by the exact trace along the path to its one beginning.
    ///
    /// Complexity: that of [`Explicit::sources`](flows::explicit::Explicit::sources) and [`log_volume`](flows::hopf_lax::log_volume).
    ///
    /// # Errors
    /// [`TrainError::Flow`] for points of another dimension, other representations, initial points without a density,
    /// and an explicit flow onto a plane of fewer dimensions.
    pub fn log_density(&self, points: ArrayView2<'_, f64>) -> Result<Vec<f64>, TrainError> {
        let scaled = self.scaled(points)?;
        let volume = self.dim() as f64 * self.units.scale().ln();
        if let Trained::OtFlow(flow) = &self.trained {
            let densities = flow.log_density(scaled.view(), self.steps())?;
            return Ok(densities.into_iter().map(|density| density - volume).collect());
        }
        let (beginnings, determinants, of) = match &self.trained {
            Trained::Explicit(model) => {
                let mut rng = stream(self.config.seed, name::DENSITY, 0);
                let particles = self.initial.draw()?.points(PARTICLES, &mut rng)?;
                let sources = model.sources(scaled.view(), particles.view())?;
                (sources.beginnings, -sources.log_determinants, sources.of)
            }
            Trained::Game(players) if matches!(players.game.flow, Flow::HopfLax { .. }) => {
                let flow = players.based(&players.game);
                let (beginnings, volumes) = (flow.inverse(scaled.view())?, flow.log_volume(scaled.view())?);
                (beginnings, volumes, (0..scaled.nrows()).collect())
            }
            _ => return Err(self.without_map("the density of the flow")),
        };
        let Some(law) = self.config.initial.law() else {
            let remedy = "begin with a normal, uniform or logistic law";
            let what = "the density of the initial points".into();
            return Err(
                FlowError::Specification { what, found: "not known".into(), remedy: remedy.into() }.into()
            );
        };
        let mut densities = vec![f64::NEG_INFINITY; points.nrows()];
        for ((x, determinant), row) in beginnings.rows().into_iter().zip(determinants).zip(of) {
            if let Some(sum) = densities.get_mut(row) {
                *sum = log_sum(*sum, law.log_density(x.iter().copied()) + determinant - volume);
            }
        }
        Ok(densities)
    }

    /// The error of a flow that has no map in closed form.
    fn without_map(&self, what: &str) -> TrainError {
        FlowError::Specification {
            what: what.into(),
            found: format!("asked of the representation {}", self.config.representation.kind()),
            remedy: "train a flow with representation = { kind = \"explicit\" } or { kind = \"hopf-lax\" }"
                .into(),
        }
        .into()
    }
}

/// log(eᵃ + eᵇ).
fn log_sum(a: f64, b: f64) -> f64 {
    let (less, more) = (a.min(b), a.max(b));
    if more == f64::NEG_INFINITY { more } else { more + (less - more).exp().ln_1p() }
}
