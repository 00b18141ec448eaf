//! Convolutions as a configuration describes them.

use super::{Block, Convolutions};
use crate::FlowError;
use crate::activation::Activation;
use crate::error::require;
use serde::{Deserialize, Serialize};

/// The convolutions before a perceptron.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvolutionDescription {
    /// Rows of pixels of an image, pixels of a row, and numbers of a pixel.
    pub image: [usize; 3],
    /// Channels of each block.
    pub channels: Vec<usize>,
    /// Pixels of a side of a kernel, an odd number.
    #[serde(default = "seven")]
    pub kernel: usize,
    /// Pixels of a side of the squares of which each channel keeps its largest value; 1 keeps all.
    #[serde(default = "two")]
    pub pooling: usize,
}

impl ConvolutionDescription {
    /// The numbers of an image.
    pub fn inputs(&self) -> usize {
        self.image.iter().fold(1, |product, &side| product.saturating_mul(side))
    }

    /// Checks every value against its domain; errors name the field.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for the first value outside its domain, and for images that have no pixel left.
    pub fn validate(&self) -> Result<(), FlowError> {
        let Self { image, channels, kernel, pooling } = self;
        require(
            !image.contains(&0),
            "convolutions.image",
            format_args!("{image:?}"),
            "give rows of pixels, pixels of a row and numbers of a pixel, such as [28, 28, 1]",
        )?;
        require(
            !channels.is_empty() && !channels.contains(&0),
            "convolutions.channels",
            format_args!("{channels:?}"),
            "give the channels of at least one block, each at least 1, such as [8, 8]",
        )?;
        require(kernel % 2 == 1, "convolutions.kernel", kernel, "give an odd number of pixels, such as 7")?;
        require(*pooling >= 1, "convolutions.pooling", pooling, "give at least 1, such as 2")?;
        let [height, width, _] = *image;
        let left = |side: usize| channels.iter().fold(side, |side, _| side / pooling);
        require(
            left(height.min(width)) >= 1,
            "convolutions.pooling",
            pooling,
            "give a smaller one or fewer blocks: no pixel of the image is left",
        )
    }

    /// The convolutions of images of `dim` numbers.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a value outside its domain, and for images of another number of values.
    ///
    /// ```
    /// use flows::{activation::Activation, convolution::ConvolutionDescription};
    /// let image = ConvolutionDescription { image: [28, 28, 1], channels: vec![8, 8], kernel: 7, pooling: 2 };
    /// assert_eq!(image.build(784, Activation::Relu)?.outputs(), 7 * 7 * 8);
    /// assert!(image.build(3072, Activation::Relu).is_err());
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn build(&self, dim: usize, activation: Activation) -> Result<Convolutions, FlowError> {
        self.validate()?;
        require(
            self.inputs() == dim,
            "convolutions.image",
            format_args!("{:?}", self.image),
            &format!(
                "give the shape of the data, whose points have {dim} numbers, or leave convolutions out"
            ),
        )?;
        let mut blocks: Vec<Block> = Vec::with_capacity(self.channels.len());
        let ([mut height, mut width, mut pixel], mut offset) = (self.image, 0);
        for &channels in &self.channels {
            let weight = offset..offset + channels * self.kernel * self.kernel * pixel;
            offset = weight.end;
            let (kernel, pooling) = (self.kernel, self.pooling);
            blocks.push(Block { height, width, pixel, channels, kernel, pooling, weight });
            (height, width, pixel) = (height / pooling, width / pooling, channels);
        }
        Ok(Convolutions { blocks, activation })
    }
}

fn seven() -> usize {
    7
}

fn two() -> usize {
    2
}
