//! One convolution with its pooling, at one image: patches, and the choice of the largest values.
#![allow(clippy::indexing_slicing, reason = "buffers are sized from the block that reads them")]

use crate::real::Real;
use std::ops::Range;

/// Numbers that are copied at a time.
const LANES: usize = 8;

/// A convolution and the pooling after it, with the images that they see.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Numbers of a pixel.
    pub pixel: usize,
    /// Channels out.
    pub channels: usize,
    /// Pixels of a side of the kernel.
    pub kernel: usize,
    /// Pixels of a side of the squares of which the largest value is kept.
    pub pooling: usize,
    /// K in the parameter buffer, [channels, kernel, kernel, pixel].
    pub weight: Range<usize>,
}

/// Buffers for one image.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch<T> {
    /// The image with zeros around it.
    padded: Vec<T>,
    /// Its patches, [pixels, depth].
    pub(super) patches: Vec<T>,
    /// A number of each channel for each pixel, [pixels, channels].
    pub(super) plane: Vec<T>,
}

impl Block {
    /// Numbers of an image.
    pub fn inputs(&self) -> usize {
        self.pixels() * self.pixel
    }

    /// Numbers that are left of it.
    pub fn outputs(&self) -> usize {
        (self.height / self.pooling) * (self.width / self.pooling) * self.channels
    }

    /// Pixels of an image.
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Numbers of a patch.
    pub fn depth(&self) -> usize {
        self.kernel * self.kernel * self.pixel
    }

    /// Products of two numbers for one image.
    pub fn products(&self) -> usize {
        self.pixels() * self.depth() * self.channels
    }

    /// Numbers of a row of pixels with the zeros around it, and of all of them.
    fn padded(&self) -> (usize, usize) {
        let line = (self.width + self.kernel - 1) * self.pixel;
        (line, line * (self.height + self.kernel - 1))
    }

    /// Visits each row of each patch: where it lies in the image with zeros around it, and where among the patches.
    #[inline(always)]
    fn rows_of_patches(&self, mut visit: impl FnMut(usize, usize)) {
        let Self { height, width, pixel, kernel, .. } = *self;
        let (line, row) = (self.padded().0, kernel * pixel);
        let mut patch = 0;
        for y in 0..height {
            for x in 0..width {
                for dy in 0..kernel {
                    visit((y + dy) * line + x * pixel, patch);
                    patch += row;
                }
            }
        }
    }

    /// Where each row of pixels lies in the image with zeros around it.
    fn rows(&self) -> impl Iterator<Item = usize> + use<> {
        let (line, margin) = (self.padded().0, self.kernel / 2);
        let first = margin * line + margin * self.pixel;
        (0..self.height).map(move |y| first + y * line)
    }

    /// Writes the patches of an image.
    #[inline(always)]
    pub(super) fn gather<T: Real>(&self, image: &[T], scratch: &mut Scratch<T>) {
        let (line, row) = (self.width * self.pixel, self.kernel * self.pixel);
        let Scratch { padded, patches, .. } = scratch;
        padded.clear();
        padded.resize(self.padded().1 + LANES, T::zero());
        for (start, pixels) in self.rows().zip(image.chunks_exact(line)) {
            padded[start..start + line].copy_from_slice(pixels);
        }
        let count = self.pixels() * self.depth();
        patches.resize(count + LANES, T::zero());
        self.rows_of_patches(|from, to| {
            // A copy of a fixed length is an instruction, one of seven numbers a call: what is written too much after a
            // row is overwritten by the next one.
            for lanes in (0..row).step_by(LANES) {
                let (from, to) = (from + lanes, to + lanes);
                patches[to..to + LANES].copy_from_slice(&padded[from..from + LANES]);
            }
        });
        patches.truncate(count);
    }

    /// The reverse of [`Block::gather`]: adds the patches up to an image.
    #[inline(always)]
    pub(super) fn spread<T: Real>(&self, scratch: &mut Scratch<T>, image: &mut [T]) {
        let (line, row) = (self.width * self.pixel, self.kernel * self.pixel);
        let Scratch { padded, patches, .. } = scratch;
        padded.clear();
        padded.resize(self.padded().1, T::zero());
        self.rows_of_patches(|start, patch| {
            for (sum, &part) in padded[start..start + row].iter_mut().zip(&patches[patch..patch + row]) {
                *sum += part;
            }
        });
        for (start, pixels) in self.rows().zip(image.chunks_exact_mut(line)) {
            pixels.copy_from_slice(&padded[start..start + line]);
        }
    }

    /// The largest number of each channel in each square of a plane, and where it was.
    pub(super) fn pool<T: Real>(&self, plane: &[T], values: &mut [T], chosen: &mut [usize]) {
        let Self { width, pooling, channels, .. } = *self;
        let across = width / pooling;
        for (square, (values, chosen)) in
            values.chunks_exact_mut(channels).zip(chosen.chunks_exact_mut(channels)).enumerate()
        {
            let corner = (square / across * width + square % across) * pooling;
            for (channel, (value, chosen)) in values.iter_mut().zip(chosen).enumerate() {
                (*value, *chosen) = (T::neg_infinity(), corner * channels + channel);
                for pixel in (0..pooling).flat_map(|dy| (0..pooling).map(move |dx| corner + dy * width + dx))
                {
                    let place = pixel * channels + channel;
                    // A NaN must stay visible: it is larger than all, and nothing is larger than it.
                    if plane[place] > *value || plane[place].is_nan() {
                        (*value, *chosen) = (plane[place], place);
                    }
                }
            }
        }
    }

    /// The reverse of the choice: a plane that is 0 but at the chosen places.
    pub(super) fn unpool<T: Real>(
        &self,
        values: impl Iterator<Item = T>,
        chosen: &[usize],
        plane: &mut Vec<T>,
    ) {
        plane.clear();
        plane.resize(self.pixels() * self.channels, T::zero());
        for (value, &place) in values.zip(chosen) {
            plane[place] = value;
        }
    }
}
