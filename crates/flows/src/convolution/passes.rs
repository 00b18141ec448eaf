//! The passes over the images of a tile, compiled for the vector instructions of the machine.
#![allow(clippy::indexing_slicing, reason = "every buffer is sized from the blocks by what comes before it")]

use super::block::Scratch;
use super::{Convolutions, Kernels, Pooled, Tile};
use crate::matrix::{AddProducts, Multiply};
use crate::real::Real;
use simd::{Instructions, Vectorised};

/// a_L of each image.
pub(super) struct Evaluate<'a, T> {
    pub(super) net: &'a Convolutions,
    pub(super) kernels: &'a Kernels<T>,
    pub(super) tile: &'a mut Tile<T>,
    pub(super) features: &'a mut [T],
}

impl<T: Real> Vectorised for Evaluate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { net, kernels, tile, features } = self;
        let Tile { count, images, blocks, .. } = tile;
        let (count, mut scratch) = (*count, Scratch::default());
        blocks.resize_with(net.blocks.len(), Pooled::default);
        for (l, block) in net.blocks.iter().enumerate() {
            let (below, above) = blocks.split_at_mut(l);
            let inputs = below.last().map_or(&*images, |below| &below.values);
            let Pooled { values, chosen, chain } = &mut above[0];
            values.resize(count * block.outputs(), T::zero());
            chosen.resize(count * block.outputs(), 0);
            chain.clear();
            let outputs =
                values.chunks_exact_mut(block.outputs()).zip(chosen.chunks_exact_mut(block.outputs()));
            for (image, (values, chosen)) in inputs.chunks_exact(block.inputs()).zip(outputs) {
                block.gather(image, &mut scratch);
                scratch.plane.resize(block.pixels() * block.channels, T::zero());
                let (out, a) = ((&mut *scratch.plane, block.channels), (&*scratch.patches, block.depth()));
                instructions.run(Multiply { out, a, b: &kernels.up[l], finish: () });
                block.pool(&scratch.plane, values, chosen);
            }
            net.activation.apply(values);
        }
        features.copy_from_slice(blocks.last().map_or(&*images, |top| &top.values));
    }
}

/// q₀ of each image; leaves g_l in the chain.
pub(super) struct Descend<'a, T> {
    pub(super) net: &'a Convolutions,
    pub(super) kernels: &'a Kernels<T>,
    pub(super) tile: &'a mut Tile<T>,
    pub(super) slopes: &'a [T],
    pub(super) gradient: &'a mut [T],
}

impl<T: Real> Vectorised for Descend<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { net, kernels, tile, slopes, gradient } = self;
        let (Tile { blocks, .. }, mut scratch) = (tile, Scratch::default());
        for pooled in &mut *blocks {
            pooled.chain.resize(pooled.values.len(), T::zero());
        }
        let images = slopes.chunks_exact(net.outputs()).zip(gradient.chunks_exact_mut(net.inputs()));
        let mut q = Vec::new();
        for (i, (slopes, gradient)) in images.enumerate() {
            q.clear();
            q.extend_from_slice(slopes);
            for (l, (block, pooled)) in net.blocks.iter().zip(&mut *blocks).enumerate().rev() {
                let own = i * block.outputs()..(i + 1) * block.outputs();
                net.activation.pull_back(&mut q, &pooled.values[own.clone()]);
                pooled.chain[own.clone()].copy_from_slice(&q);
                block.unpool(q.iter().copied(), &pooled.chosen[own], &mut scratch.plane);
                scratch.patches.resize(block.pixels() * block.depth(), T::zero());
                let (out, a) = ((&mut *scratch.patches, block.depth()), (&*scratch.plane, block.channels));
                instructions.run(Multiply { out, a, b: &kernels.down[l], finish: () });
                q.resize(block.inputs(), T::zero());
                block.spread(&mut scratch, &mut q);
            }
            gradient.copy_from_slice(&q);
        }
    }
}

/// p_L of each image, and what p_l gives the kernels; leaves m̄_l in the chain.
pub(super) struct Ascend<'a, T> {
    pub(super) net: &'a Convolutions,
    pub(super) kernels: &'a Kernels<T>,
    pub(super) tile: &'a mut Tile<T>,
    pub(super) cotangent: &'a [T],
    pub(super) slopes: &'a mut [T],
}

impl<T: Real> Vectorised for Ascend<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { net, kernels, tile, cotangent, slopes } = self;
        let (Tile { blocks, sum, .. }, mut scratch) = (tile, Scratch::default());
        sum.clear();
        sum.resize(net.parameter_count(), T::zero());
        let images = cotangent.chunks_exact(net.inputs()).zip(slopes.chunks_exact_mut(net.outputs()));
        let mut p = Vec::new();
        for (i, (cotangent, slopes)) in images.enumerate() {
            p.clear();
            p.extend_from_slice(cotangent);
            for (l, (block, pooled)) in net.blocks.iter().zip(&mut *blocks).enumerate() {
                let own = i * block.outputs()..(i + 1) * block.outputs();
                let Pooled { values, chosen, chain } = pooled;
                let (values, chosen, chain) = (&values[own.clone()], &chosen[own.clone()], &mut chain[own]);
                block.gather(&p, &mut scratch);
                block.unpool(chain.iter().copied(), chosen, &mut scratch.plane);
                instructions.run(AddProducts {
                    out: (&mut sum[block.weight.clone()], block.depth()),
                    a: (&scratch.plane, block.channels),
                    b: (&scratch.patches, block.depth()),
                });
                let (out, a) = ((&mut *scratch.plane, block.channels), (&*scratch.patches, block.depth()));
                instructions.run(Multiply { out, a, b: &kernels.up[l], finish: () });
                p.clear();
                for ((&value, &place), g) in values.iter().zip(chosen).zip(chain) {
                    let (t, slope) = (scratch.plane[place], net.activation.slope(value));
                    *g = t * *g * net.activation.relative_curvature(value, slope);
                    p.push(t * slope);
                }
            }
            slopes.copy_from_slice(&p);
        }
    }
}

/// What the cotangents of the features give the kernels, and the images where they are asked for.
pub(super) struct Reverse<'a, T> {
    pub(super) net: &'a Convolutions,
    pub(super) kernels: &'a Kernels<T>,
    pub(super) tile: &'a mut Tile<T>,
    pub(super) cotangent: &'a [T],
    pub(super) curved: bool,
    pub(super) gradient: Option<&'a mut [T]>,
}

impl<T: Real> Vectorised for Reverse<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { net, kernels, tile, cotangent, curved, mut gradient } = self;
        let (Tile { images, blocks, sum, .. }, mut scratch) = (tile, Scratch::default());
        sum.clear();
        sum.resize(net.parameter_count(), T::zero());
        let mut s = Vec::new();
        for (i, cotangent) in cotangent.chunks_exact(net.outputs()).enumerate() {
            s.clear();
            s.extend_from_slice(cotangent);
            for (l, block) in net.blocks.iter().enumerate().rev() {
                let (below, above) = blocks.split_at(l);
                let inputs = below.last().map_or(&*images, |below| &below.values);
                let own = i * block.outputs()..(i + 1) * block.outputs();
                let Pooled { values, chosen, chain } = &above[0];
                net.activation.pull_back(&mut s, &values[own.clone()]);
                if curved {
                    s.iter_mut().zip(&chain[own.clone()]).for_each(|(s, &extra)| *s += extra);
                }
                block.unpool(s.iter().copied(), &chosen[own], &mut scratch.plane);
                block.gather(&inputs[i * block.inputs()..(i + 1) * block.inputs()], &mut scratch);
                instructions.run(AddProducts {
                    out: (&mut sum[block.weight.clone()], block.depth()),
                    a: (&scratch.plane, block.channels),
                    b: (&scratch.patches, block.depth()),
                });
                if l == 0 && gradient.is_none() {
                    break;
                }
                let (out, a) = ((&mut *scratch.patches, block.depth()), (&*scratch.plane, block.channels));
                instructions.run(Multiply { out, a, b: &kernels.down[l], finish: () });
                s.resize(block.inputs(), T::zero());
                block.spread(&mut scratch, &mut s);
            }
            if let Some(gradient) = &mut gradient {
                gradient[i * net.inputs()..(i + 1) * net.inputs()].copy_from_slice(&s);
            }
        }
    }
}
