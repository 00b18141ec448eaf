//! What an evaluation keeps for its pullback.

use super::Mlp;
use crate::real::Real;

/// How much of the field is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// u alone.
    Value,
    /// u and ∇_z u.
    Jet,
}

/// The result of one evaluation at a batch of points and all that its pullback needs, reused from call to call.
///
/// Memory: about 4·batch·Σ widths numbers for a jet, half of it for a value.
#[derive(Debug, Clone)]
pub struct Tape<T> {
    pub(super) batch: usize,
    pub(super) order: Order,
    /// a_0 … a_m, each batch × width.
    pub(super) activations: Vec<Vec<T>>,
    /// σ′(s_1) … σ′(s_m).
    pub(super) slopes: Vec<Vec<T>>,
    /// q_1 … q_m of the gradient chain (Jet only); the rows of q_m are m′(r)·w.
    pub(super) chain: Vec<Vec<T>>,
    /// r, the value before the output map.
    pub(super) raw: Vec<T>,
    pub(super) value: Vec<T>,
    pub(super) gradient: Vec<T>,
    pub(super) scratch: [Vec<T>; 3],
}

impl<T: Real> Tape<T> {
    /// An empty tape; the first evaluation sizes it.
    pub fn new() -> Self {
        Self {
            batch: 0,
            order: Order::Value,
            activations: Vec::new(),
            slopes: Vec::new(),
            chain: Vec::new(),
            raw: Vec::new(),
            value: Vec::new(),
            gradient: Vec::new(),
            scratch: [Vec::new(), Vec::new(), Vec::new()],
        }
    }

    /// u at each point of the last evaluation.
    pub fn value(&self) -> &[T] {
        &self.value
    }

    /// ∇_z u, row-major batch × input, of the last evaluation; empty when only the value was asked for.
    pub fn gradient(&self) -> &[T] {
        &self.gradient
    }

    /// Number of points of the last evaluation.
    pub fn batch(&self) -> usize {
        self.batch
    }

    pub(super) fn fit(&mut self, net: &Mlp, batch: usize, order: Order) {
        self.batch = batch;
        self.order = order;
        let depth = net.hidden.len();
        self.activations.resize_with(depth + 1, Vec::new);
        self.slopes.resize_with(depth, Vec::new);
        self.chain.resize_with(if order == Order::Jet { depth } else { 0 }, Vec::new);
        let widths = std::iter::once(&net.input).chain(&net.hidden);
        for (buffer, width) in self.activations.iter_mut().zip(widths) {
            buffer.resize(batch * width, T::zero());
        }
        for (buffer, width) in self.slopes.iter_mut().zip(&net.hidden) {
            buffer.resize(batch * width, T::zero());
        }
        for (buffer, width) in self.chain.iter_mut().zip(&net.hidden) {
            buffer.resize(batch * width, T::zero());
        }
        self.raw.resize(batch, T::zero());
        self.value.resize(batch, T::zero());
        self.gradient.resize(if order == Order::Jet { batch * net.input } else { 0 }, T::zero());
        let widest = net.hidden.iter().copied().max().unwrap_or(0).max(net.input);
        for buffer in &mut self.scratch {
            buffer.resize(batch * widest, T::zero());
        }
    }
}

impl<T: Real> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}
