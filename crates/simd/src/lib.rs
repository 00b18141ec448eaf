//! Inner loops compiled for the vector instructions of the machine that runs them.
//!
//! A kernel implements [`Vectorised`] and is started by [`run`], which looks once at the processor and takes the
//! variant that was compiled for it. Most kernels need no more than that: their loops over fixed lanes vectorise by
//! themselves. Those that hold registers by hand use the sixteen lanes of [`Instructions`]. The exponentials of inner
//! loops are in [`exp`].
//!
//! A further instruction set is a module beside `avx2` with an implementation of [`Instructions`], and a branch of
//! [`run`].
//!
//! ```
//! use simd::{Instructions, Vectorised};
//!
//! struct Sum<'a>(&'a [f64]);
//!
//! impl Vectorised for Sum<'_> {
//!     type Output = f64;
//!     #[inline(always)]
//!     fn run<I: Instructions>(self, _: I) -> f64 {
//!         self.0.iter().sum()
//!     }
//! }
//!
//! assert_eq!(simd::run(Sum(&[1.0, 2.0])), 3.0);
//! ```
#![deny(clippy::disallowed_methods, reason = "this crate changes no file and draws no random numbers")]

#[cfg(target_arch = "x86_64")]
mod avx2;
pub mod exp;
mod instructions;

pub use instructions::{Instructions, LANES, Portable};

/// A pass over numbers that is worth compiling for wide vectors.
pub trait Vectorised {
    /// What the pass returns.
    type Output;

    /// Does the work with these instructions.
    ///
    /// It must be `#[inline(always)]`, and so must be what it calls, to become part of each compiled variant.
    fn run<I: Instructions>(self, instructions: I) -> Self::Output;
}

/// Runs `work` with AVX2 and fused multiply-add where the machine has them, and as the target's baseline otherwise.
pub fn run<W: Vectorised>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(instructions) = avx2::Avx2::of_this_machine() {
        // Not to be inlined: what runs here is tuned for its own registers.
        #[inline(never)]
        #[target_feature(enable = "avx2,fma")]
        fn wide<W: Vectorised>(work: W, instructions: avx2::Avx2) -> W::Output {
            work.run(instructions)
        }
        // SAFETY: `instructions` exists only where the processor has both features.
        return unsafe { wide(work, instructions) };
    }
    work.run(Portable)
}

/// The width of the machine's vector registers, which bounds what any program can do on it: 512, 256 or 128 bits.
///
/// The kernels of this crate use up to 256 of them.
pub fn vector_bits() -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return 512;
        }
        if std::arch::is_x86_feature_detected!("avx") {
            return 256;
        }
    }
    128
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each row, the sum of multiples of sixteen numbers, and whether one is below its limit.
    struct Sums<'a> {
        numbers: &'a [[f32; LANES]],
        limits: [f32; 3],
    }

    impl Vectorised for Sums<'_> {
        type Output = ([[f32; LANES]; 3], bool);
        #[inline(always)]
        fn run<I: Instructions>(self, instructions: I) -> Self::Output {
            let mut rows = [instructions.load(&[1.0; LANES]); 3];
            for numbers in self.numbers {
                let lanes = instructions.load(numbers);
                for (row, factor) in rows.iter_mut().zip([1.0, -2.0, 3.0]) {
                    *row = instructions.add_multiple(*row, factor, lanes);
                }
            }
            let is_below = instructions.any_below(&rows, &self.limits);
            (rows.map(|row| instructions.store(row)), is_below)
        }
    }

    /// Sums of integers below 2²⁴ are exact in any order, fused or not.
    #[test]
    fn the_instructions_of_this_machine_agree_with_the_portable_ones() {
        let numbers: Vec<[f32; LANES]> =
            (0..9).map(|i| std::array::from_fn(|lane| ((i * 37 + lane * 11) % 101) as f32 - 50.0)).collect();
        let sums = |limits| Sums { numbers: &numbers, limits };
        let (rows, _) = sums([0.0; 3]).run(Portable);
        let column = |lane: usize| numbers.iter().map(|row| row[lane]).sum::<f32>();
        for lane in 0..LANES {
            let sum = column(lane);
            assert_eq!(rows.map(|row| row[lane]), [1.0 + sum, 1.0 - 2.0 * sum, 1.0 + 3.0 * sum]);
        }
        let least = rows.map(|row| row.into_iter().fold(f32::INFINITY, f32::min));
        assert_eq!(run(sums(least)), (rows, false));
        for row in 0..3 {
            let mut limits = least;
            limits[row] = limits[row].next_up();
            assert_eq!(run(sums(limits)), (rows, true));
            assert_eq!(sums(limits).run(Portable), (rows, true));
            limits[row] = f32::NAN;
            assert_eq!((run(sums(limits)).1, sums(limits).run(Portable).1), (false, false));
        }
    }
}
