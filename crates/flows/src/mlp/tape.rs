//! What an evaluation keeps for its pullback.

#![allow(clippy::indexing_slicing, reason = "rows are counted where the buffers are sized")]

use super::Mlp;
use crate::FlowError;
use crate::error::expect_length;
use crate::matrix::Buffer;
use crate::real::Real;

/// How much of the field is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// u alone.
    Value,
    /// u and ∇_z u.
    Jet,
}

/// Most points of one tile: enough for the matrix products to run at full speed, few enough for the tile to stay near
/// the core.
const LARGEST_TILE: usize = 256;

/// The result of one evaluation at a batch of points and all that its pullback needs, reused from call to call.
///
/// The batch is cut into tiles whose number depends on its size alone; tiles are worked on in parallel where the pool
/// has threads to spare, and what they add up is added in their order, so that no result depends on the thread count.
///
/// Memory: about 2·batch·Σ widths numbers for a jet, half of it for a value.
#[derive(Debug, Clone)]
pub struct Tape<T> {
    pub(super) batch: usize,
    pub(super) order: Order,
    pub(super) tiles: Vec<Tile<T>>,
    /// What each tile but the first adds to the parameter gradient.
    pub(super) tile_gradients: Vec<Vec<T>>,
    pub(super) value: Vec<T>,
    pub(super) gradient: Vec<T>,
    /// ∂u/∂(last input), where that is common to all points.
    pub(super) common_derivative: Vec<T>,
    /// The last input itself, where it is.
    pub(super) common: Option<T>,
}

/// The part of a [`Tape`] that belongs to some consecutive points.
#[derive(Debug, Clone)]
pub(super) struct Tile<T> {
    /// Points; after a choice of them the buffers are longer, so that the next evaluation need not fill them again.
    pub(super) rows: usize,
    /// a_0 … a_m, each rows × width.
    pub(super) activations: Vec<Buffer<T>>,
    /// g_1 … g_m of the gradient chain (Jet only).
    pub(super) chain: Vec<Buffer<T>>,
    /// r, the value before the output map.
    pub(super) raw: Vec<T>,
    /// ∂ℓ/∂r of the pullback.
    pub(super) raw_cotangent: Vec<T>,
    pub(super) scratch: [Buffer<T>; 2],
    /// One column of a weight gradient.
    pub(super) column: Vec<T>,
    pub(super) ones: Vec<T>,
}

impl<T: Real> Tape<T> {
    /// An empty tape; the first evaluation sizes it.
    pub fn new() -> Self {
        Self {
            batch: 0,
            order: Order::Value,
            tiles: Vec::new(),
            tile_gradients: Vec::new(),
            value: Vec::new(),
            gradient: Vec::new(),
            common_derivative: Vec::new(),
            common: None,
        }
    }

    /// u at each point of the last evaluation.
    pub fn value(&self) -> &[T] {
        &self.value
    }

    /// ∇_z u, row-major [n, input], of the last evaluation, less the column of a common input; empty when only the
    /// value was asked for.
    pub fn gradient(&self) -> &[T] {
        &self.gradient
    }

    /// ∂u/∂(common input) at each point of the last evaluation; empty without one.
    pub fn common_derivative(&self) -> &[T] {
        &self.common_derivative
    }

    /// Number of points of the last evaluation.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Keeps those points of the last evaluation for which `keep` is true, in their order: a pullback then takes the
    /// cotangents of these alone. Points whose cotangents all vanish add nothing to it but work.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when there is not one answer for each point.
    pub fn retain(&mut self, keep: &[bool]) -> Result<(), FlowError> {
        expect_length("the choice of points", keep.len(), self.batch)?;
        let mut rest = keep;
        for tile in &mut self.tiles {
            let (own, others) = rest.split_at(tile.rows);
            tile.retain(own);
            rest = others;
        }
        for buffer in [&mut self.value, &mut self.gradient, &mut self.common_derivative] {
            let width = buffer.len() / keep.len().max(1);
            let kept = retain_rows(buffer, width, keep);
            buffer.truncate(kept);
        }
        self.batch = self.tiles.iter().map(|tile| tile.rows).sum();
        Ok(())
    }

    pub(super) fn fit(&mut self, net: &Mlp, batch: usize, order: Order, common: Option<T>) {
        self.batch = batch;
        self.order = order;
        self.common = common;
        let columns = self.columns(net);
        let rows = rows_of_a_tile(batch);
        self.tiles.resize_with(batch.div_ceil(rows), Tile::new);
        self.tile_gradients.resize_with(self.tiles.len().saturating_sub(1), Vec::new);
        let mut left = batch;
        for tile in &mut self.tiles {
            tile.fit(net, columns, rows.min(left), order);
            left -= tile.rows;
        }
        self.value.resize(batch, T::zero());
        let jets = if order == Order::Jet { batch } else { 0 };
        self.gradient.resize(jets * columns, T::zero());
        self.common_derivative.resize(jets * (net.input - columns), T::zero());
    }

    /// Inputs that differ from point to point.
    pub(super) fn columns(&self, net: &Mlp) -> usize {
        net.input - usize::from(self.common.is_some())
    }
}

/// The batch in as few tiles as [`LARGEST_TILE`] allows, all of one size but the last.
pub(super) fn rows_of_a_tile(batch: usize) -> usize {
    batch.div_ceil(batch.div_ceil(LARGEST_TILE).max(1)).max(1)
}

impl<T: Real> Tile<T> {
    fn new() -> Self {
        Self {
            rows: 0,
            activations: Vec::new(),
            chain: Vec::new(),
            raw: Vec::new(),
            raw_cotangent: Vec::new(),
            scratch: [Buffer::new(), Buffer::new()],
            column: Vec::new(),
            ones: Vec::new(),
        }
    }

    fn fit(&mut self, net: &Mlp, columns: usize, rows: usize, order: Order) {
        self.rows = rows;
        let depth = net.hidden.len();
        self.activations.resize_with(depth + 1, Buffer::new);
        self.chain.resize_with(if order == Order::Jet { depth } else { 0 }, Buffer::new);
        let widths = std::iter::once(&columns).chain(&net.hidden);
        for (buffer, width) in self.activations.iter_mut().zip(widths) {
            buffer.resize(rows * width, T::zero());
        }
        for (buffer, width) in self.chain.iter_mut().zip(&net.hidden) {
            buffer.resize(rows * width, T::zero());
        }
        self.raw.resize(rows, T::zero());
        self.raw_cotangent.resize(rows, T::zero());
        self.ones.resize(rows, T::one());
        let widest = net.hidden.iter().copied().max().unwrap_or(0);
        for buffer in &mut self.scratch {
            buffer.resize(rows * widest, T::zero());
        }
    }

    fn retain(&mut self, keep: &[bool]) {
        let evaluated = self.raw.len().max(1);
        let buffers = self.activations.iter_mut().chain(&mut self.chain).map(|buffer| &mut **buffer);
        for buffer in buffers.chain([self.raw.as_mut_slice()]) {
            let width = buffer.len() / evaluated;
            retain_rows(buffer, width, keep);
        }
        self.rows = keep.iter().filter(|&&keep| keep).count();
    }
}

/// Moves the kept rows of a row-major buffer to its front; gives the length of what they fill.
fn retain_rows<T: Real>(buffer: &mut [T], width: usize, keep: &[bool]) -> usize {
    let mut kept = 0;
    for row in (0..keep.len()).filter(|&row| keep[row]) {
        buffer.copy_within(row * width..(row + 1) * width, kept * width);
        kept += 1;
    }
    kept * width
}

impl<T: Real> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}
