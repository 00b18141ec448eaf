//! A Hopf–Lax flow that departs from a Gaussian map, and whose searches follow the critic through its training.

use super::{CriticField, Minimiser, Stop, inverse, log_volume};
use crate::FlowError;
use crate::affine::Affine;
use crate::error::{array2, expect_columns, flat};
use crate::game::{Game, Networks};
use crate::network::Network;
use crate::real::Real;
use crate::record::{self, RecordError, StraightPaths};
use crate::scalar_field::ScalarField;
use mfg::Trajectory;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;

/// The Hopf–Lax flow of a game that is played between the coordinates x′ and y′ of an [`Affine`], at given parameters.
///
/// Transport between x and y is transport between x′ and y′: with the critic φ′ of the game, φ(y) = φ′(y′) − (λ/T)·e(y)
/// is the critic of the points themselves, and the path from x₀ ends at m₁ + Bᵀy′ with y′ the end of the game's path from
/// x₀′. Where the ends lie in a plane of fewer dimensions φ is the critic on that plane.
///
/// A critic in many dimensions has far more valleys than searches find. The particles of a training are in those that
/// they have followed since the critic was flat; a search that begins elsewhere finds others, in which the critic was
/// never taught. With earlier critics y is found by continuation: from x₀ to the minimum of the first one, from there to that of the
/// next, as the particles of the training did.
#[derive(Debug)]
pub struct Based<'a, N: ScalarField = Network> {
    /// The game in R^k.
    pub game: &'a Game<N>,
    /// The coordinates.
    pub affine: &'a Affine,
    /// The parameters.
    pub networks: Networks<'a, f32>,
    /// y′ of remembered ends, [m, k] row-major, which searches consider that follow no earlier critics.
    pub companions: &'a [f32],
    /// The parameters of earlier critics, the earliest first, one after the other.
    pub earlier: &'a [f32],
}

/// Rows that are moved together: they share what they learn of the curvature, so a row's last digits depend on its
/// block, but on no thread.
const BLOCK: usize = 1024;
/// Until the arithmetic resolves no more.
const CONVERGED: Stop = Stop { iterations: 300, tolerance: 1e-5 };

impl<N: ScalarField> Based<'_, N> {
    /// Where the paths that begin at the rows of `x` end, [n, d]: as [`Game::push_forward`] moves them, or by
    /// continuation, for which any number of steps is one; `moved` hears the rows of each block that is done.
    ///
    /// # Errors
    /// As there.
    pub fn ends(
        &self,
        x: ArrayView2<'_, f32>,
        steps: usize,
        moved: &(dyn Fn(usize) + Sync),
    ) -> Result<Array2<f32>, FlowError> {
        expect_columns("the initial points", x, self.affine.dim())?;
        let mut inner = self.inner(self.affine.beginnings(&flat(x))?)?;
        if self.earlier.is_empty() {
            self.game.push_forward(self.networks, self.companions, steps, inner.view_mut(), moved)?;
        } else {
            inner = self.continued(inner.view(), moved)?;
        }
        array2("the ends of the paths", self.affine.points(&flat(inner.view()))?, self.affine.dim())
    }

    /// Where the paths begin that end at the rows of `y`, [n, d], if any does: x₀′ = y′ + (T/λ)·∇φ′(y′); where the ends
    /// lie in a plane of fewer dimensions, the nearest beginning to the mean of the initial points.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn inverse(&self, y: ArrayView2<'_, f64>) -> Result<Array2<f64>, FlowError> {
        expect_columns("the points", y, self.affine.dim())?;
        let found = self.foot(self.inner(self.affine.ends(&flat(y))?)?.view())?;
        array2("the beginnings of the paths", self.affine.origins(&flat(found.view()))?, self.affine.dim())
    }

    /// log |det ∂x₀/∂y| = log |det(I + (T/λ)·∇²φ′(y′))| − log det A at the rows of `y`, [n, d], as [`log_volume`].
    ///
    /// # Errors
    /// As there, and [`FlowError::Specification`] where the ends lie in a plane of fewer dimensions.
    pub fn log_volume(&self, y: ArrayView2<'_, f64>) -> Result<Array1<f64>, FlowError> {
        expect_columns("the points", y, self.affine.dim())?;
        let determinant = self.affine.log_determinant().ok_or_else(|| {
            FlowError::specification(
                "the dimensions in which the flow ends",
                self.affine.rank(),
                "ask for a density of data that extend in all their dimensions",
            )
        })?;
        let inner = self.inner(self.affine.ends(&flat(y))?)?;
        let critic: Vec<f64> = self.networks.critic.iter().map(|x| x.wide()).collect();
        Ok(log_volume(&self.game.critic.network, &critic, 1.0 / self.weight(), inner.view())? - determinant)
    }

    /// ∇φ = (λ/T)·(x₀ − y), [n, d], at the rows of `y`, [n, d], with the [inverse](Self::inverse) x₀ of y.
    ///
    /// # Errors
    /// As there.
    pub fn critic_gradient(&self, y: ArrayView2<'_, f64>) -> Result<Array2<f64>, FlowError> {
        Ok((self.inverse(y)? - y) * self.weight())
    }

    /// The paths from the rows of `start`, [n, d], at `steps` equal steps, with everything that their optimality is
    /// measured by; in double precision, as [`record::trajectory`].
    ///
    /// With other coordinates than those of the points, x₀ is known at x_T: in the plane of the ends ∇φ is that of the
    /// critic, and across it, where any slope is one of φ, that of the path.
    ///
    /// # Errors
    /// [`RecordError`] when a buffer does not fit or a value is not finite.
    pub fn trajectory(&self, start: ArrayView2<'_, f64>, steps: usize) -> Result<Trajectory, RecordError> {
        let Self { game, affine, networks, companions, earlier } = *self;
        if affine.is_identity() && earlier.is_empty() {
            // A Hopf–Lax flow has no noise.
            return record::trajectory(game, networks, companions, start, steps, || 0.0);
        }
        let wide = |numbers: &[f32]| numbers.iter().map(|x| x.wide()).collect::<Vec<f64>>();
        let (flow, critic) = (wide(networks.flow), wide(networks.critic));
        expect_columns("the initial points", start, affine.dim())?;
        let inner = self.inner(affine.beginnings(&flat(start))?)?;
        let ends = if earlier.is_empty() {
            let mut field = game.field(Networks { flow: &flow, critic: &critic }, &wide(companions))?;
            &inner - field.derivatives(inner.view(), 0.0)?.gradient / self.weight()
        } else {
            self.continued(inner.view(), &|_| {})?
        };
        let found = self.foot(ends.view())?;
        let outer = |z: &Array2<f64>| {
            array2("the beginnings of the paths", affine.origins(&flat(z.view()))?, affine.dim())
        };
        let beginnings = &start + &(outer(&found)? - outer(&inner)?);
        let ends = array2("the ends of the paths", affine.points(&flat(ends.view()))?, affine.dim())?;
        let critic_gradient = (beginnings - &ends) * self.weight();
        let paths = StraightPaths {
            start,
            ends: ends.view(),
            energy_of: critic_gradient.view(),
            critic_gradient: critic_gradient.clone(),
        };
        paths.trajectory((game.objective.lambda, game.objective.horizon), steps)
    }

    /// The minima y′ of φ′(y) + λ‖y − x′‖²/(2T), [n, k], that rows x′ come to by way of those of the earlier critics.
    fn continued<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        moved: &(dyn Fn(usize) + Sync),
    ) -> Result<Array2<T>, FlowError> {
        let network = &self.game.critic.network;
        let wide = |critic: &[f32]| critic.iter().map(|&p| T::of(p.into())).collect::<Vec<T>>();
        let on_the_way = self.game.flow.refinement().unwrap_or(CONVERGED);
        let mut critics: Vec<(Vec<T>, Stop)> =
            self.earlier.chunks(network.parameter_count()).map(|critic| (wide(critic), on_the_way)).collect();
        critics.push((wide(self.networks.critic), CONVERGED));
        let mut y = x.to_owned();
        let blocks: Vec<_> =
            x.axis_chunks_iter(Axis(0), BLOCK).zip(y.axis_chunks_iter_mut(Axis(0), BLOCK)).collect();
        blocks.into_par_iter().try_for_each(|(x, mut y)| {
            let (x, mut ends) = (flat(x), flat(y.view()).into_owned());
            let mut minimiser = Minimiser::default();
            for (critic, stop) in &critics {
                let mut field = CriticField::new(network, critic)?;
                minimiser.minimise(&mut field, self.game.objective.pull(), &x, &mut ends, 0..0, *stop)?;
            }
            moved(y.nrows());
            y.iter_mut().zip(ends).for_each(|(y, end)| *y = end);
            Ok::<(), FlowError>(())
        })?;
        Ok(y)
    }

    /// y′ + (T/λ)·∇φ′(y′) of rows y′.
    fn foot(&self, inner: ArrayView2<'_, f64>) -> Result<Array2<f64>, FlowError> {
        let critic: Vec<f64> = self.networks.critic.iter().map(|x| x.wide()).collect();
        inverse(&self.game.critic.network, &critic, 1.0 / self.weight(), inner)
    }

    /// λ/T.
    fn weight(&self) -> f64 {
        self.game.objective.lambda / self.game.objective.horizon
    }

    /// Rows of k numbers.
    fn inner<T: Real>(&self, rows: Vec<T>) -> Result<Array2<T>, FlowError> {
        array2("the coordinates of the points", rows, self.affine.rank())
    }
}
