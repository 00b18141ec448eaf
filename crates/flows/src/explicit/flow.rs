//! An explicit flow at given parameters: where its particles go, and the searches that look back.

#![allow(clippy::indexing_slicing, reason = "rows are counted where the buffers are sized")]

use super::condition::hold;
use crate::FlowError;
use crate::activation::Activation;
use crate::affine::Affine;
use crate::error::{array2, expect_columns, expect_length, expect_rows, flat};
use crate::flow::FlowObjective;
use crate::hopf_lax::{Field, Minimiser, Pull, Stop};
use crate::integrate::VelocityField;
use crate::mlp::Order;
use crate::network::{Network, Tape, Weights};
use crate::potential::Derivatives;
use crate::real::Real;
use crate::scalar_field::{Evaluation, ScalarField};
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2};

/// The shape of an explicit flow: U₀(x) = (λ/T)·(s(x) + N(x′)) with a network N on the coordinates x′ of [`Affine`].
#[derive(Debug, Clone, PartialEq)]
pub struct ExplicitFlow {
    affine: Affine,
    network: Network,
    lambda: f64,
    horizon: f64,
    bound: Option<f64>,
    /// The last coordinates of a point that are its condition.
    pub(super) condition: usize,
}

impl ExplicitFlow {
    /// A flow with this network N of the coordinates x′; `bound` is L, which needs those of [`Affine::identity`] and a network
    /// without a quadratic part.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for a network of another number of coordinates; [`FlowError::Specification`] for a ReLU, whose slope
    /// jumps, and for a bound on a potential that is quadratic far away.
    pub fn new(
        affine: Affine,
        network: impl Into<Network>,
        objective: &FlowObjective,
        bound: Option<f64>,
    ) -> Result<Self, FlowError> {
        let network = network.into();
        expect_length(
            "the coordinates that the network of the potential sees",
            network.input(),
            affine.rank(),
        )?;
        let activation = network.head().activation();
        if activation == Activation::Relu {
            let remedy = "take sharp-softplus, since the ends x − (T/λ)∇U₀ of a ReLU network jump";
            return Err(FlowError::specification("the activation of the potential", activation, remedy));
        }
        if bound.is_some() && affine != Affine::identity(affine.dim()) {
            let remedy = "take the identity for a flow with a bound, whose potential cannot be quadratic";
            return Err(FlowError::specification("the base of the potential", "gaussian", remedy));
        }
        if bound.is_some() && network.has_quadratic() {
            let remedy = "leave one of them out: a quadratic form exceeds every slope";
            return Err(FlowError::specification(
                "the bound of the potential",
                "given with a quadratic part",
                remedy,
            ));
        }
        let &FlowObjective { lambda, horizon, .. } = objective;
        Ok(Self { affine, network, lambda, horizon, bound, condition: 0 })
    }

    /// The coordinates of the network.
    pub fn affine(&self) -> &Affine {
        &self.affine
    }

    /// N.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// λ/T.
    pub fn weight(&self) -> f64 {
        self.lambda / self.horizon
    }

    /// λ.
    pub fn lambda(&self) -> f64 {
        self.lambda
    }

    /// T.
    pub fn horizon(&self) -> f64 {
        self.horizon
    }

    /// e at the rows of `y`, [n, d], with their y′, [n, k]; where the ends lie in a plane at the foot of y, since what a point
    /// has beside the plane must not weigh it.
    pub(super) fn end_terms<T: Real>(&self, y: &[T], inner: &[T]) -> Result<Vec<f64>, FlowError> {
        Ok(self.affine.end_terms(&self.affine.feet(y.to_vec())?, inner))
    }

    /// h over λ/T, in the coordinates x′ and y′.
    pub fn pull(&self) -> Pull {
        Pull { weight: 1.0, reach: self.bound.map_or(f64::INFINITY, |bound| bound / self.weight()) }
    }

    /// The flow at the given parameters. The companions, x′ in rows of k numbers, are beginnings that every search also
    /// considers, such as the remembered ones of the training.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters or the companions do not fit.
    pub fn at<'a, T: Real>(
        &'a self,
        parameters: &[T],
        companions: &[T],
    ) -> Result<Explicit<'a, T>, FlowError> {
        expect_rows("the companions", companions.len(), self.affine.rank())?;
        let mut flow = Explicit {
            flow: self,
            parameters: parameters.to_vec(),
            weights: Weights::new(&self.network, parameters)?,
            companions: companions.to_vec(),
            heights: Vec::new(),
            tape: Tape::default(),
        };
        flow.heights = flow.network(companions, Order::Value)?.0;
        Ok(flow)
    }
}

/// An [`ExplicitFlow`] at given parameters.
#[derive(Debug)]
pub struct Explicit<'a, T: Real> {
    pub(super) flow: &'a ExplicitFlow,
    parameters: Vec<T>,
    pub(super) weights: Weights<T>,
    companions: Vec<T>,
    /// N at the companions.
    heights: Vec<T>,
    tape: Tape<T>,
}

/// What the search from the end of each path finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Returns<T> {
    /// ∇φ(x_T), [n, d].
    pub critic_gradient: Array2<T>,
    /// Whether the particle is itself the beginning that is found: the map is optimal there.
    pub returned: Vec<bool>,
}

/// Until the arithmetic resolves no more.
const CONVERGED: Stop = Stop { iterations: 300, tolerance: 1e-7 };
/// Points that are evaluated at once: their tapes stay near the core.
const CHUNK: usize = 1024;
/// How far towards its best rival a particle is pushed before it has to find back.
const PUSH: f64 = 0.05;
/// By how much another beginning must be better than the particle's own, against the size of the values: rounding and
/// the end of a search are far below.
const BETTER: f64 = 1e-7;

impl<T: Real> Explicit<'_, T> {
    /// N, \[n\], and for a jet ∇N, [n, k], at rows x′, in the coordinates that move.
    fn network(&mut self, inner: &[T], order: Order) -> Result<(Vec<T>, Vec<T>), FlowError> {
        let rank = self.flow.affine.rank();
        let (mut values, mut slopes) = (Vec::new(), Vec::new());
        for chunk in inner.chunks(CHUNK * rank) {
            self.flow.network.evaluate(&self.weights, chunk, order, &mut self.tape)?;
            values.extend_from_slice(self.tape.value());
            if order == Order::Jet {
                slopes.extend_from_slice(self.tape.gradient());
            }
        }
        hold(&mut slopes, rank, self.flow.condition);
        Ok((values, slopes))
    }

    /// Where the particles that begin at the rows of `x` end, [n, d]: x_T = x − (T/λ)·∇U₀(x) = m₁ + Bᵀ(x′ − ∇N(x′)).
    ///
    /// Complexity: one gradient of the network a particle.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn ends(&mut self, x: ArrayView2<'_, T>) -> Result<Array2<T>, FlowError> {
        let affine = &self.flow.affine;
        expect_columns("the initial points", x, affine.dim())?;
        let mut ends = Vec::with_capacity(x.len());
        for chunk in flat(x).chunks(CHUNK * affine.dim()) {
            let inner = affine.beginnings(chunk)?;
            ends.extend(affine.points(&self.images(&inner)?)?);
        }
        array2("the ends of the paths", ends, affine.dim())
    }

    /// y′ = x′ − ∇N(x′) of rows x′.
    pub(super) fn images(&mut self, inner: &[T]) -> Result<Vec<T>, FlowError> {
        let (_, slopes) = self.network(inner, Order::Jet)?;
        Ok(inner.iter().zip(&slopes).map(|(&x, &s)| x - s).collect())
    }

    /// U₀, \[n\], at the rows of `x`, [n, d], up to a constant.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn potential(&mut self, x: ArrayView2<'_, T>) -> Result<Array1<f64>, FlowError> {
        let affine = &self.flow.affine;
        expect_columns("the initial points", x, affine.dim())?;
        let x = flat(x);
        let inner = affine.beginnings(&x)?;
        let (values, _) = self.network(&inner, Order::Value)?;
        let terms = affine.beginning_terms(&x, &inner);
        Ok(values.iter().zip(terms).map(|(u, s)| self.flow.weight() * (u.wide() + s)).collect())
    }

    /// φ, \[n\], up to the same constant, and ∇φ, [n, d], at the rows of `y`, [n, d], each by one search.
    ///
    /// Where the ends lie in a plane of fewer dimensions φ is that on the plane, at the foot of y.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn critic(&mut self, y: ArrayView2<'_, T>) -> Result<(Array1<f64>, Array2<T>), FlowError> {
        let (affine, pull) = (&self.flow.affine, self.flow.pull());
        expect_columns("the data", y, affine.dim())?;
        let y = flat(y);
        let targets = affine.ends(&y)?;
        let inner = self.search(&targets)?;
        let (heights, _) = self.network(&inner, Order::Value)?;
        let rows = inner.chunks_exact(affine.rank()).zip(targets.chunks_exact(affine.rank()));
        let terms = self.flow.end_terms(&y, &targets)?;
        let values = rows
            .zip(&heights)
            .zip(terms)
            .map(|(((x, y), u), e)| self.flow.weight() * (u.wide() - pull.cost(square(x, y)) - e))
            .collect();
        let x = affine.origins(&inner)?;
        Ok((values, array2("the gradient of the critic", self.slopes(&x, &y), affine.dim())?))
    }

    /// ∇φ(y) = (λ/T)·(x − y), of length L at most, for rows of beginnings and ends.
    fn slopes(&self, x: &[T], y: &[T]) -> Vec<T> {
        let dim = self.flow.affine.dim();
        let mut slopes = Vec::with_capacity(x.len());
        for (x, y) in x.chunks_exact(dim).zip(y.chunks_exact(dim)) {
            let rate = T::of(self.flow.weight() * self.flow.pull().rate(square(x, y)));
            slopes.extend(x.iter().zip(y).map(|(&x, &y)| rate * (x - y)));
        }
        slopes
    }

    /// x₀ of the rows of `y`, [n, d]: the beginning of the path that ends there, by one search.
    ///
    /// It is the inverse of [`Explicit::ends`] where the map is optimal; where the ends lie in a plane of fewer
    /// dimensions, the nearest beginning to the mean of the initial points.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn inverse(&mut self, y: ArrayView2<'_, T>) -> Result<Array2<T>, FlowError> {
        let affine = &self.flow.affine;
        expect_columns("the data", y, affine.dim())?;
        let targets = affine.ends(&flat(y))?;
        let inner = self.search(&targets)?;
        array2("the beginnings of the paths", affine.origins(&inner)?, affine.dim())
    }

    /// x′ that maximise N(x′) − h(‖x′ − y′‖) for rows y′: from y′ itself, or from a companion that is better.
    pub(super) fn search(&mut self, targets: &[T]) -> Result<Vec<T>, FlowError> {
        let (heights, _) = self.network(targets, Order::Value)?;
        let mut inner = targets.to_vec();
        let (companions, candidates) = (self.companions.clone(), self.heights.clone());
        self.begin_at_best((&companions, &candidates), targets, (&mut inner, &heights), |_, _| true);
        self.ascend(targets, &mut inner)?;
        Ok(inner)
    }

    /// Replaces each of `inner`, whose N are `heights`, by the best of the candidates of its condition that it may take, if
    /// that is better.
    fn begin_at_best(
        &self,
        (candidates, candidate_heights): (&[T], &[T]),
        targets: &[T],
        (inner, heights): (&mut [T], &[T]),
        may_take: impl Fn(usize, usize) -> bool,
    ) {
        let (rank, moved, pull) = (self.flow.affine.rank(), self.flow.moved(), self.flow.pull());
        let rows = inner.chunks_exact_mut(rank).zip(targets.chunks_exact(rank)).zip(heights);
        for (row, ((inner, target), height)) in rows.enumerate() {
            let mut largest = height.wide() - pull.cost(square(inner, target));
            let mut best = None;
            for (at, (x, u)) in candidates.chunks_exact(rank).zip(candidate_heights).enumerate() {
                let value = u.wide() - pull.cost(square(x, target));
                if value > largest && x[moved..] == target[moved..] && may_take(row, at) {
                    (largest, best) = (value, Some(x));
                }
            }
            if let Some(x) = best {
                inner.copy_from_slice(x);
            }
        }
    }

    /// Moves each of `inner` uphill.
    fn ascend(&self, targets: &[T], inner: &mut [T]) -> Result<(), FlowError> {
        let rank = self.flow.affine.rank();
        let mut field = self.flow.hill(&self.parameters)?;
        let mut minimiser = Minimiser::default();
        for (targets, inner) in targets.chunks(CHUNK * rank).zip(inner.chunks_mut(CHUNK * rank)) {
            minimiser.minimise(&mut field, self.flow.pull(), targets, inner, 0..0, CONVERGED)?;
        }
        Ok(())
    }

    /// What the search finds from the end of the path of each row of `x`, [n, d], when it begins at the best of all
    /// other particles and companions, and near the particle itself.
    ///
    /// Complexity: two searches a particle, and O(k) for every pair of particles.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn returns(&mut self, x: ArrayView2<'_, T>) -> Result<Returns<T>, FlowError> {
        let (affine, pull) = (&self.flow.affine, self.flow.pull());
        let (dim, rank) = (affine.dim(), affine.rank());
        expect_columns("the initial points", x, dim)?;
        let x = flat(x);
        let own = affine.beginnings(&x)?;
        let (heights, slopes) = self.network(&own, Order::Jet)?;
        let targets: Vec<T> = own.iter().zip(&slopes).map(|(&x, &s)| x - s).collect();
        let count = own.len() / rank;
        let candidates: Vec<T> = own.iter().chain(&self.companions).copied().collect();
        let candidate_heights: Vec<T> = heights.iter().chain(&self.heights).copied().collect();
        // Of no height at all, so that every particle takes a rival.
        let mut rivals = own.clone();
        self.begin_at_best(
            (&candidates, &candidate_heights),
            &targets,
            (&mut rivals, &vec![T::neg_infinity(); count]),
            |row, at| row != at,
        );
        let push = T::of(PUSH);
        let mut pushed: Vec<T> = own.iter().zip(&rivals).map(|(&x, &r)| x + push * (r - x)).collect();
        self.ascend(&targets, &mut rivals)?;
        self.ascend(&targets, &mut pushed)?;
        let row = |i: usize| i * rank..(i + 1) * rank;
        let mut found = own.clone();
        let mut largest: Vec<f64> = (0..count)
            .map(|i| heights[i].wide() - pull.cost(square(&own[row(i)], &targets[row(i)])))
            .collect();
        let mut returned = vec![true; count];
        for other in [rivals, pushed] {
            let (others, _) = self.network(&other, Order::Value)?;
            for i in 0..count {
                let value = others[i].wide() - pull.cost(square(&other[row(i)], &targets[row(i)]));
                if value > largest[i] + BETTER * (1.0 + largest[i].abs()) {
                    largest[i] = value;
                    found[row(i)].copy_from_slice(&other[row(i)]);
                    returned[i] = false;
                }
            }
        }
        // What is found differs from the particle in the coordinates x′ alone.
        let (from, to) = (affine.origins(&own)?, affine.origins(&found)?);
        let beginnings: Vec<T> =
            x.iter().zip(from.iter().zip(&to)).map(|(&x, (&from, &to))| x + (to - from)).collect();
        let gradient = self.slopes(&beginnings, &affine.points(&targets)?);
        Ok(Returns { critic_gradient: array2("the gradient of the critic", gradient, dim)?, returned })
    }

    /// x₀ of the particles that are at the rows of `x`, [n, d], at time t: the inverse of x₀ ↦ x₀ − (t/λ)·∇U₀(x₀).
    fn beginnings(&mut self, x: ArrayView2<'_, T>, t: T) -> Result<Array2<T>, FlowError> {
        let (t, horizon) = (t.wide(), self.flow.horizon);
        if t <= 0.0 {
            return Ok(x.to_owned());
        }
        let dim = self.flow.affine.dim();
        expect_columns("the points", x, dim)?;
        let x = flat(x);
        let mut beginnings = x.to_vec();
        let mut field = Hill { flow: self.flow, inner: self.flow.hill(&self.parameters)? };
        let (weight, mut minimiser) = (horizon / t, Minimiser::default());
        // Rows of several conditions are offered no others.
        let count = if self.flow.condition == 0 { expect_rows("the points", x.len(), dim)? } else { 0 };
        minimiser.minimise(&mut field, weight, &x, &mut beginnings, 0..count, CONVERGED)?;
        array2("the beginnings of the paths", beginnings, dim)
    }

    /// ∇U = ∇U₀(x₀) and ∂ₜU = ‖∇U₀(x₀)‖²/(2λ) at the rows of `x`, [n, d], and one time t < T, x₀ being where the
    /// particle that is there began.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn derivatives(&mut self, x: ArrayView2<'_, T>, t: T) -> Result<Derivatives<T>, FlowError> {
        let beginnings = self.beginnings(x, t)?;
        let ends = self.ends(beginnings.view())?;
        let weight = T::of(self.flow.weight());
        let gradient = (&beginnings - &ends).mapv(|step| weight * step);
        let energy = |g: ndarray::ArrayView1<'_, T>| {
            T::of(g.iter().map(|g| g.wide() * g.wide()).sum::<f64>() / (2.0 * self.flow.lambda))
        };
        let time = gradient.rows().into_iter().map(energy).collect();
        Ok(Derivatives { gradient, time })
    }
}

/// −U₀·T/λ as a field of R^d.
struct Hill<'a, F> {
    flow: &'a ExplicitFlow,
    inner: F,
}

impl<T: Real, F: Field<T>> Field<T> for Hill<'_, F> {
    fn dim(&self) -> usize {
        self.flow.affine.dim()
    }

    fn jet(&mut self, points: &[T], values: &mut Vec<T>, gradients: &mut Vec<T>) -> Result<(), FlowError> {
        let affine = &self.flow.affine;
        let inner = affine.beginnings(points)?;
        let mut slopes = Vec::new();
        self.inner.jet(&inner, values, &mut slopes)?;
        let terms = affine.beginning_terms(points, &inner);
        expect_length("the terms of the potential", terms.len(), values.len())?;
        values.iter_mut().zip(terms).for_each(|(value, term)| *value -= T::of(term));
        // ∇(s + N) = x − x_T.
        let images: Vec<T> = inner.iter().zip(&slopes).map(|(&x, &s)| x + s).collect();
        let ends = affine.points(&images)?;
        gradients.clear();
        gradients.extend(ends.iter().zip(points).map(|(&end, &x)| end - x));
        Ok(())
    }
}

impl<T: Real> VelocityField<T> for Explicit<'_, T> {
    fn velocity(&mut self, x: ArrayView2<'_, T>, t: T, mut v: ArrayViewMut2<'_, T>) -> Result<(), FlowError> {
        let Derivatives { gradient, .. } = self.derivatives(x, t)?;
        let rate = T::of(-1.0 / self.flow.lambda);
        v.iter_mut().zip(&gradient).for_each(|(v, &g)| *v = g * rate);
        Ok(())
    }
}

/// ‖x − y‖².
fn square<T: Real>(x: &[T], y: &[T]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x.wide() - y.wide()).powi(2)).sum()
}
