//! A trained flow as a map between points: the way back, and the density of where it leads.

use super::flow::Trained;
use super::{FlowModel, Model};
use crate::TrainError;
use crate::source::{Conditions, name};
use datasets::stream;
use flows::FlowError;
use flows::euler_map::{self, Retraced};
use flows::flow::Flow;
use flows::scalar_field::ScalarField;
use ndarray::{Array1, Array2, ArrayView2, s};

/// Particles from which those that end at a point are searched.
const PARTICLES: usize = 4096;
/// How near a path has to end to a point to be one that ends there, beside 1 and the size of the point in units of the
/// training: the search for the end of a path in single precision is nearer.
const REACHED: f64 = 1e-3;

impl<N: ScalarField> FlowModel<N> {
    /// The beginnings of the paths that end at the rows of `points`, [n, d]: of an explicit flow each by one search, or
    /// x′ = y′ − ∇ψ(y′) of two potentials ([`flows::explicit::ExplicitFlow::retraced`]), of a Hopf–Lax flow
    /// x₀ = y + (T/λ)·∇φ(y), of an OT-Flow by as many steps in its other direction as a sample takes, of a velocity or a
    /// potential that is a network by inverting each Euler step of a sample ([`flows::euler_map`]).
    ///
    /// It inverts explicit and Hopf–Lax flows where their map is optimal ([`FlowModel::reached`] tells where), an OT-Flow up
    /// to the error of the steps, and Euler steps up to rounding, where they do not fold.
    ///
    /// # Errors
    /// [`TrainError::Flow`] for points of another dimension and for a flow with noise.
    pub fn inverse(&self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, TrainError> {
        let points = self.scaled(points)?;
        let beginnings = match &self.trained {
            Trained::Explicit(model) => model.inverse(points.view())?,
            Trained::OtFlow(flow) => flow.inverse(points.view(), self.steps())?,
            Trained::Game(players) => match players.game.flow {
                Flow::HopfLax { .. } => players.based(&players.game).inverse(points.view())?,
                _ => {
                    self.expect_no_noise("the inverse of the flow")?;
                    let (networks, along) = (players.wide(), self.along());
                    euler_map::inverse(|| players.wide_field(&networks), along, points.view())?
                }
            },
            Trained::Matching(flow) => flow.inverse(points.view(), self.steps())?,
        };
        Ok(self.units.restored(beginnings.view()))
    }

    /// Whether the path from each row of `beginnings`, [n, d], ends at that row of `points`, [n, d], and, of a flow that begins with
    /// the samples of another, a path of that one at the beginning.
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
        let here = rows.map(|(y, end)| length((&end - &y).view()) <= REACHED * (1.0 + length(y)));
        match self.initial_run() {
            Some(Model::Flow(first)) if first.condition.is_none() => {
                let before = first.reaches(beginnings.slice(s![.., ..self.dim()]))?;
                Ok(here.zip(before).map(|(here, before)| here && before).collect())
            }
            _ => Ok(here.collect()),
        }
    }

    /// Whether the path from the inverse of each row of `points`, [n, d], ends there.
    fn reaches(&self, points: ArrayView2<'_, f64>) -> Result<Vec<bool>, TrainError> {
        self.reached(points, self.inverse(points)?.view())
    }

    /// log ρ_T, \[n\], at the rows of `points`, [n, d], of a flow that begins with a law, or with the samples of a flow that
    /// does.
    ///
    /// Of an explicit flow log Σ ρ₀(x)/|det ∂x_T/∂x| over the particles x that end there, with the exact Hessian of the
    /// potential. Where the map is optimal there is one, the [inverse](Self::inverse); where it folds the others are searched
    /// from 4096 particles of one stream, in up to 10 dimensions. Of a Hopf–Lax flow log ρ₀(x₀) + log|det(I + (T/λ)·∇²φ(y))|
    /// with x₀ the inverse of y; where [no path ends](Self::reached) the density is 0 and the number says nothing. Of an
    /// OT-Flow by the exact trace along the path to its one beginning. Of a velocity or a potential that is a network the density
    /// of its samples, log ρ₀(x₀) − Σ log|det(I + h·∇v)| over the Euler steps that a sample takes: the more steps, the nearer to
    /// that of the differential equation. Where steps fold it counts the one path that the inverse finds.
    ///
    /// Complexity: that of [`Explicit::sources`](flows::explicit::Explicit::sources), [`log_volume`](flows::hopf_lax::log_volume)
    /// and [`euler_map::retrace`].
    ///
    /// # Errors
    /// [`TrainError::Flow`] for points of another dimension, a flow with noise, initial points without a density,
    /// and an explicit flow onto a plane of fewer dimensions.
    pub fn log_density(&self, points: ArrayView2<'_, f64>) -> Result<Vec<f64>, TrainError> {
        let scaled = self.scaled(points)?;
        let volume = self.dim() as f64 * self.units.scale().ln();
        let (beginnings, determinants, of) = match &self.trained {
            Trained::Explicit(model) => {
                let mut rng = stream(self.config.seed, name::DENSITY, 0);
                let mut particles = self.initial.draw()?.unconditional().points(PARTICLES, &mut rng)?;
                if let Some(condition) = &self.condition {
                    particles = Conditions::beside(&particles, &condition.draw(PARTICLES, &mut rng));
                }
                let sources = model.sources(scaled.view(), particles.view())?;
                (sources.beginnings, -sources.log_determinants, sources.of)
            }
            Trained::Game(players) if matches!(players.game.flow, Flow::HopfLax { .. }) => {
                let flow = players.based(&players.game);
                let (beginnings, volumes) = (flow.inverse(scaled.view())?, flow.log_volume(scaled.view())?);
                (beginnings, volumes, (0..scaled.nrows()).collect())
            }
            Trained::Game(players) => {
                self.expect_no_noise("the density of the flow")?;
                let (networks, along) = (players.wide(), self.along());
                once(euler_map::retrace(|| players.wide_field(&networks), along, scaled.view())?)
            }
            Trained::Matching(flow) => once(flow.retrace(scaled.view(), self.steps())?),
            Trained::OtFlow(flow) => {
                let densities = flow.log_density(scaled.view(), self.steps())?;
                return Ok(densities.into_iter().map(|density| density - volume).collect());
            }
        };
        let initial = self.log_initial_density(beginnings.slice(s![.., ..self.dim()]))?;
        let mut densities = vec![f64::NEG_INFINITY; points.nrows()];
        for ((initial, determinant), row) in initial.into_iter().zip(determinants).zip(of) {
            if let Some(sum) = densities.get_mut(row) {
                *sum = log_sum(*sum, initial + determinant - volume);
            }
        }
        Ok(densities)
    }

    /// log ρ₀, \[n\], at the rows of `points`, [n, d], both in the units of the training: that of the law, or of the flow
    /// whose samples the initial points are.
    fn log_initial_density(&self, points: ArrayView2<'_, f64>) -> Result<Vec<f64>, TrainError> {
        if let Some(law) = self.config.initial.law() {
            return Ok(points.rows().into_iter().map(|x| law.log_density(x.iter().copied())).collect());
        }
        if let Some(Model::Flow(first)) = self.initial_run()
            && first.condition.is_none()
        {
            first.expect_no_noise("the density of the run that the flow begins with")?;
            let points = self.units.restored(points);
            let volume = self.dim() as f64 * self.units.scale().ln();
            let mut densities = first.log_density(points.view())?;
            if first.config.representation.kind() == "hopf-lax" {
                // Where no path ends its formula has a number all the same.
                let missed =
                    densities.iter_mut().zip(first.reaches(points.view())?).filter(|(_, reached)| !reached);
                missed.for_each(|(density, _)| *density = f64::NEG_INFINITY);
            }
            return Ok(densities.into_iter().map(|density| density + volume).collect());
        }
        let remedy = "begin with a normal, uniform or logistic law, or with the run of a flow without a condition that does".into();
        let what = "the density of the initial points".into();
        Err(FlowError::Specification { what, found: "not known".into(), remedy }.into())
    }

    /// The horizon and the steps of a sample.
    fn along(&self) -> (f64, usize) {
        (self.config.flow.horizon, self.steps())
    }

    fn expect_no_noise(&self, what: &str) -> Result<(), FlowError> {
        let noise = self.config.flow.noise;
        if noise == 0.0 {
            return Ok(());
        }
        Err(FlowError::Specification {
            what: what.into(),
            found: format!("asked of a flow with noise {noise}"),
            remedy: "train a flow without noise, whose ends have one beginning".into(),
        })
    }
}

/// Every point has one beginning.
fn once(retraced: Retraced) -> (Array2<f64>, Array1<f64>, Vec<usize>) {
    let Retraced { beginnings, log_determinants } = retraced;
    let rows = (0..beginnings.nrows()).collect();
    (beginnings, -log_determinants, rows)
}

/// log(eᵃ + eᵇ).
fn log_sum(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    let (less, more) = (a.min(b), a.max(b));
    if more == f64::NEG_INFINITY { more } else { more + (less - more).exp().ln_1p() }
}
