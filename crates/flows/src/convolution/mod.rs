//! What a perceptron sees of an image: convolutions with pooling, with closed-form derivatives.
//!
//! An image a₀ passes through blocks l = 1…L of a convolution without a bias, K_l, with zeros around the image; of the
//! choice S_l of the largest value of each channel in each square of pixels; and of the activation:
//! a_l = σ(m_l) with m_l = S_l·K_l·a_{l−1}. The features are a_L. (σ rises, so a_l is the largest σ of its square too.)
//!
//! - `Convolutions::features` computes them;
//! - `Convolutions::input_gradient` runs a slope q_L = ∂u/∂a_L down to the image: g_l = q_l ⊙ σ′(m_l),
//!   q_{l−1} = K_lᵀ·S_lᵀ·g_l;
//! - `Convolutions::reverse_slopes` and `Convolutions::reverse_features` are the reverse of both. The choice S_l does
//!   not move almost everywhere, so the second derivative appears only through σ″, as in [`crate::mlp`].
//!
//! A kernel of side k over c channels is a matrix of k·k·c columns, rows by rows of pixels, and each convolution a product
//! with the patches of an image (`block`). Parameters lie in one buffer, block by block:
//! [channels out, k, k, channels in]. Images lie row by row, pixel by pixel, those of a pixel side by side.
//!
//! Source: the published networks of arXiv 2407.11901 (two blocks of eight channels, k = 7, squares of 2 × 2).

mod block;
mod description;
mod passes;

pub use block::Block;
pub use description::ConvolutionDescription;

use crate::FlowError;
use crate::activation::Activation;
use crate::error::expect_length;
use crate::matrix::Panels;
use crate::mlp::Initialisation;
use crate::parallel;
use crate::real::Real;
use passes::{Ascend, Descend, Evaluate, Reverse};
use rand::Rng;

/// Images that one thread takes at a time.
const TILE: usize = 16;

/// Blocks of a convolution, a pooling and an activation.
#[derive(Debug, Clone, PartialEq)]
pub struct Convolutions {
    blocks: Vec<Block>,
    activation: Activation,
}

/// The kernels, arranged for products: Kᵀ, which patches are multiplied with on their way up, and K for the way down.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kernels<T> {
    up: Vec<Panels<T>>,
    down: Vec<Panels<T>>,
}

/// What an evaluation keeps for its reverse.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tape<T> {
    tiles: Vec<Tile<T>>,
}

/// Some images.
#[derive(Debug, Clone, Default)]
struct Tile<T> {
    count: usize,
    /// a₀, [count, values].
    images: Vec<T>,
    blocks: Vec<Pooled<T>>,
    /// ∂ℓ/∂kernels of these images.
    sum: Vec<T>,
}

/// A block at the images of a tile, [count, outputs] each.
#[derive(Debug, Clone, Default)]
struct Pooled<T> {
    /// a_l.
    values: Vec<T>,
    /// Where S_l has found each of them in K_l·a_{l−1}.
    chosen: Vec<usize>,
    /// g_l; after its reverse what it adds to the cotangent of m_l.
    chain: Vec<T>,
}

impl Convolutions {
    /// The numbers of an image.
    pub fn inputs(&self) -> usize {
        self.blocks.first().map_or(0, Block::inputs)
    }

    /// The features of an image.
    pub fn outputs(&self) -> usize {
        self.blocks.last().map_or(0, Block::outputs)
    }

    /// Length of the parameter buffer.
    pub fn parameter_count(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.weight.end)
    }

    /// The blocks, lowest first.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The activation.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// Products of two numbers of one evaluation at one image.
    pub fn products(&self) -> usize {
        self.blocks.iter().map(Block::products).sum()
    }

    /// Initial kernels, \[parameter count\].
    pub(crate) fn initial<T: Real>(&self, initialisation: Initialisation, rng: &mut impl Rng) -> Vec<T> {
        let mut parameters = Vec::with_capacity(self.parameter_count());
        for block in &self.blocks {
            // A number feeds as many outputs as the kernel has pixels, in each channel.
            let fans = (block.depth(), block.kernel * block.kernel * block.channels);
            parameters.extend(block.weight.clone().map(|_| T::of(initialisation.weight(fans, rng))));
        }
        parameters
    }

    pub(crate) fn arrange<T: Real>(
        &self,
        parameters: &[T],
        kernels: &mut Kernels<T>,
    ) -> Result<(), FlowError> {
        expect_length("the kernels", parameters.len(), self.parameter_count())?;
        kernels.up.resize_with(self.blocks.len(), Panels::new);
        kernels.down.resize_with(self.blocks.len(), Panels::new);
        let mut rest = parameters;
        for (block, (up, down)) in self.blocks.iter().zip(kernels.up.iter_mut().zip(&mut kernels.down)) {
            let (weight, others) = rest.split_at(block.weight.len());
            up.pack_transposed(weight, block.depth(), block.channels);
            down.pack(weight, block.channels, block.depth());
            rest = others;
        }
        Ok(())
    }

    /// Writes a_L, [n, features], at the images in the rows of `images`, [n, values].
    pub(crate) fn features<T: Real>(
        &self,
        kernels: &Kernels<T>,
        images: &[T],
        tape: &mut Tape<T>,
        features: &mut Vec<T>,
    ) -> Result<(), FlowError> {
        let count = images.len() / self.inputs();
        expect_length("the batch of images", images.len(), count * self.inputs())?;
        features.resize(count * self.outputs(), T::zero());
        tape.tiles.resize_with(count.div_ceil(TILE), Tile::default);
        let tiles = tape.tiles.iter_mut().zip(images.chunks(TILE * self.inputs()));
        let works =
            tiles.zip(features.chunks_mut(TILE * self.outputs())).map(|((tile, images), features)| {
                tile.count = images.len() / self.inputs();
                tile.images.clear();
                tile.images.extend_from_slice(images);
                Evaluate { net: self, kernels, tile, features }
            });
        parallel::run(count * self.products(), works.collect());
        Ok(())
    }

    /// Writes q₀, [n, values], of the slopes q_L, [n, features], at the images of the last evaluation.
    pub(crate) fn input_gradient<T: Real>(
        &self,
        kernels: &Kernels<T>,
        tape: &mut Tape<T>,
        slopes: &[T],
        gradient: &mut Vec<T>,
    ) -> Result<(), FlowError> {
        let count = tape.count();
        expect_length("the slopes of the features", slopes.len(), count * self.outputs())?;
        gradient.resize(count * self.inputs(), T::zero());
        let mut gradients = Rows(gradient);
        let mut slopes = slopes;
        let works = tape.tiles.iter_mut().map(|tile| {
            let count = tile.count;
            let slopes = slopes.split_off(..count * self.outputs()).unwrap_or_default();
            Descend { net: self, kernels, tile, slopes, gradient: gradients.next(count * self.inputs()) }
        });
        parallel::run(count * self.products(), works.collect());
        Ok(())
    }

    /// Adds ∂ℓ/∂kernels and writes ∂ℓ/∂q_L, [n, features], for the cotangents ∂ℓ/∂q₀, [n, values], at fixed m_l; keeps what
    /// moving m_l adds for [`Convolutions::reverse_features`].
    ///
    /// With p₀ = ∂ℓ/∂q₀: t_l = S_l·K_l·p_{l−1}, p_l = t_l ⊙ σ′(m_l), K̄_l += (S_lᵀ·g_l) ⊗ p_{l−1}, and m̄_l = t_l ⊙ q_l ⊙ σ″(m_l).
    pub(crate) fn reverse_slopes<T: Real>(
        &self,
        kernels: &Kernels<T>,
        tape: &mut Tape<T>,
        cotangent: &[T],
        parameters: &mut [T],
        slopes: &mut Vec<T>,
    ) -> Result<(), FlowError> {
        let count = tape.count();
        expect_length("the cotangent of the input gradient", cotangent.len(), count * self.inputs())?;
        expect_length("the gradient of the kernels", parameters.len(), self.parameter_count())?;
        slopes.resize(count * self.outputs(), T::zero());
        let mut outputs = Rows(slopes);
        let mut cotangents = cotangent;
        let works = tape.tiles.iter_mut().map(|tile| {
            let count = tile.count;
            let cotangent = cotangents.split_off(..count * self.inputs()).unwrap_or_default();
            Ascend { net: self, kernels, tile, cotangent, slopes: outputs.next(count * self.outputs()) }
        });
        parallel::run(2 * count * self.products(), works.collect());
        tape.add_sums(parameters);
        Ok(())
    }

    /// Adds ∂ℓ/∂kernels and writes ∂ℓ/∂a₀, [n, values], where it is asked for, for the cotangents ∂ℓ/∂a_L, [n, features];
    /// after [`Convolutions::reverse_slopes`] with what that has left of `curved` networks.
    pub(crate) fn reverse_features<T: Real>(
        &self,
        kernels: &Kernels<T>,
        tape: &mut Tape<T>,
        (cotangent, curved): (&[T], bool),
        parameters: &mut [T],
        inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        let count = tape.count();
        expect_length("the cotangent of the features", cotangent.len(), count * self.outputs())?;
        expect_length("the gradient of the kernels", parameters.len(), self.parameter_count())?;
        if let Some(inputs) = &inputs {
            expect_length("the gradient of the images", inputs.len(), count * self.inputs())?;
        }
        if !curved && cotangent.iter().all(|&c| c == T::zero()) {
            // Nothing runs down: the slope penalty of a piecewise linear network.
            inputs.into_iter().for_each(|out| out.fill(T::zero()));
            return Ok(());
        }
        let mut outputs = inputs.map(Rows);
        let mut cotangents = cotangent;
        let works = tape.tiles.iter_mut().map(|tile| {
            let count = tile.count;
            let cotangent = cotangents.split_off(..count * self.outputs()).unwrap_or_default();
            let gradient = outputs.as_mut().map(|rows| rows.next(count * self.inputs()));
            Reverse { net: self, kernels, tile, cotangent, curved, gradient }
        });
        parallel::run(2 * count * self.products(), works.collect());
        tape.add_sums(parameters);
        Ok(())
    }
}

/// Numbers that are given away in pieces.
struct Rows<'a, T>(&'a mut [T]);

impl<'a, T> Rows<'a, T> {
    /// The next `length` numbers, fewer where there are no more.
    fn next(&mut self, length: usize) -> &'a mut [T] {
        self.0.split_off_mut(..length.min(self.0.len())).unwrap_or_default()
    }
}

impl<T: Real> Tape<T> {
    /// Keeps the images for which `keep` is true, in their order.
    pub(crate) fn retain(&mut self, keep: &[bool]) -> Result<(), FlowError> {
        expect_length("the choice of images", keep.len(), self.count())?;
        let mut rest = keep;
        for tile in &mut self.tiles {
            let own = rest.split_off(..tile.count).unwrap_or_default();
            tile.count = own.iter().filter(|&&keep| keep).count();
            retain(&mut tile.images, own);
            for block in &mut tile.blocks {
                retain(&mut block.values, own);
                retain(&mut block.chosen, own);
                retain(&mut block.chain, own);
            }
        }
        Ok(())
    }

    fn count(&self) -> usize {
        self.tiles.iter().map(|tile| tile.count).sum()
    }

    /// Adds the gradients of the tiles, in their order.
    fn add_sums(&self, totals: &mut [T]) {
        for tile in &self.tiles {
            totals.iter_mut().zip(&tile.sum).for_each(|(total, &part)| *total += part);
        }
    }
}

/// Keeps the rows of a buffer for which `keep` is true; an empty buffer stays empty.
pub(crate) fn retain<T: Copy>(buffer: &mut Vec<T>, keep: &[bool]) {
    let width = (buffer.len() / keep.len().max(1)).max(1);
    let rows = buffer.chunks_exact(width).zip(keep).filter(|(_, keep)| **keep);
    *buffer = rows.flat_map(|(row, _)| row).copied().collect();
}
