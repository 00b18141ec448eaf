//! Convolutions with pooling as tensors: features and closed-form input gradient as forward operations.
//!
//! Outside, images lie pixel by pixel as in [`crate::convolution`]; inside, channel by channel, as libtorch has them.

use super::network::{Hidden, activate, times_slope};
use super::transfer::size;
use crate::FlowError;
use crate::activation::Activation;
use crate::convolution::{self, Block};
use tch::Tensor;

/// Blocks of a convolution, a pooling and an activation, with their kernels on a device.
pub(super) struct Convolutions {
    activation: Activation,
    /// Each with K, [channels out, channels in, k, k], a view of the parameters.
    blocks: Vec<(Block, Tensor)>,
    inputs: i64,
    outputs: i64,
}

/// Images that have passed through all blocks.
pub(super) struct Passed {
    /// m_l and a_l of each block, [batch, channels, rows, columns], and where the pooling has found m_l.
    blocks: Vec<(Hidden, Tensor)>,
    /// The features, and what stood beside the images.
    pub(super) features: Tensor,
}

impl Convolutions {
    /// The next pieces of the parameters as kernels.
    pub(super) fn new(
        net: &convolution::Convolutions,
        pieces: &mut impl Iterator<Item = Tensor>,
    ) -> Result<Self, FlowError> {
        let mut blocks = Vec::with_capacity(net.blocks().len());
        for (block, piece) in net.blocks().iter().zip(pieces) {
            let shape = [block.channels, block.kernel, block.kernel, block.pixel].map(size);
            blocks.push((block.clone(), piece.f_view(shape)?.f_permute([0, 3, 1, 2])?));
        }
        let (inputs, outputs) = (size(net.inputs()), size(net.outputs()));
        Ok(Self { activation: net.activation(), blocks, inputs, outputs })
    }

    /// The features of the images in the first columns of `z`, [batch, input], before its other columns.
    pub(super) fn at(&self, z: &Tensor) -> Result<Passed, FlowError> {
        let beside = z.f_narrow(1, self.inputs, z.size2()?.1 - self.inputs)?;
        let mut passed: Vec<(Hidden, Tensor)> = Vec::with_capacity(self.blocks.len());
        for (block, kernel) in &self.blocks {
            let plane = match passed.last() {
                Some((below, _)) => below.after.shallow_clone(),
                None => planes(&z.f_narrow(1, 0, self.inputs)?, [block.height, block.width, block.pixel])?,
            };
            let (margin, square) = (size(block.kernel / 2), size(block.pooling));
            let sums = plane.f_conv2d(kernel, None::<Tensor>, [1, 1], [margin, margin], [1, 1], 1)?;
            let (before, chosen) =
                sums.f_max_pool2d_with_indices([square, square], [square, square], [0, 0], [1, 1], false)?;
            let after = activate(self.activation, &before)?;
            passed.push((Hidden { before, after }, chosen));
        }
        let features = match passed.last() {
            Some((top, _)) => pixels(&top.after, self.outputs)?,
            None => z.f_narrow(1, 0, self.inputs)?,
        };
        Ok(Passed { blocks: passed, features: Tensor::f_cat(&[features, beside], 1)? })
    }

    /// ∇_z u, [batch, input], of the slopes of u in [`Passed::features`].
    pub(super) fn gradient(&self, passed: &Passed, slopes: &Tensor) -> Result<Tensor, FlowError> {
        let beside = slopes.f_narrow(1, self.outputs, slopes.size2()?.1 - self.outputs)?;
        let mut q = slopes.f_narrow(1, 0, self.outputs)?;
        if let Some((block, _)) = self.blocks.last() {
            let (rows, columns) = (block.height / block.pooling, block.width / block.pooling);
            q = planes(&q, [rows, columns, block.channels])?;
        }
        for ((block, kernel), (hidden, chosen)) in self.blocks.iter().zip(&passed.blocks).rev() {
            let g = times_slope(self.activation, &q, hidden)?;
            let (margin, image) = (size(block.kernel / 2), [size(block.height), size(block.width)]);
            q = g.f_max_unpool2d(chosen, image)?.f_conv_transpose2d(
                kernel,
                None::<Tensor>,
                [1, 1],
                [margin, margin],
                [0, 0],
                1,
                [1, 1],
            )?;
        }
        Ok(Tensor::f_cat(&[pixels(&q, self.inputs)?, beside], 1)?)
    }
}

/// Rows of images, pixel by pixel, as [batch, channels, rows, columns].
fn planes(images: &Tensor, [height, width, channels]: [usize; 3]) -> Result<Tensor, FlowError> {
    Ok(images
        .f_reshape([-1, size(height), size(width), size(channels)])?
        .f_permute([0, 3, 1, 2])?
        .f_contiguous()?)
}

/// The inverse of [`planes`].
fn pixels(planes: &Tensor, numbers: i64) -> Result<Tensor, FlowError> {
    Ok(planes.f_permute([0, 2, 3, 1])?.f_reshape([-1, numbers])?)
}
