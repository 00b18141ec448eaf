//! Inner loops compiled for the vector instructions of the machine that runs them.
//!
//! A kernel implements [`Vectorised`] and is started by [`run`], which takes the variant that was compiled for the
//! [`Width`] of vectors in use: the widest that the machine has, unless the environment variable [`VARIABLE`] asks for
//! a narrower one. Most kernels need no more than that: their loops over fixed lanes vectorise by themselves. Those
//! that hold registers by hand use the sixteen lanes of [`Instructions`], or a [`Row`] of any number. The exponentials
//! of inner loops are in [`exp`]. [`run_at`] takes a width of the caller's, with which tests compare the variants.
//!
//! A further instruction set is a module beside `avx2` with an implementation of [`Instructions`], and a [`Width`].
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
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod doubles;
pub mod exp;
mod instructions;
mod row;
mod width;

pub use instructions::{Instructions, LANES, Portable};
pub use row::{Lanes, Row};
pub use width::{VARIABLE, Width, WidthError};

use width::Chosen;

/// A pass over numbers that is worth compiling for wide vectors.
pub trait Vectorised {
    /// What the pass returns.
    type Output;

    /// Does the work with these instructions.
    ///
    /// It must be `#[inline(always)]`, and so must be what it calls, to become part of each compiled variant.
    fn run<I: Instructions>(self, instructions: I) -> Self::Output;
}

/// Runs `work` with the instructions of [`Width::in_use`].
#[inline]
pub fn run<W: Vectorised>(work: W) -> W::Output {
    Chosen::of_this_process().run(work)
}

/// Runs `work` with the instructions of a width; nothing where the machine does not have them.
pub fn run_at<W: Vectorised>(width: Width, work: W) -> Option<W::Output> {
    Some(Chosen::new(width)?.run(work))
}

/// The program of the page that the registry shows is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

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
    fn the_instructions_of_every_width_agree_with_the_portable_ones() {
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
        for width in Width::ALL.into_iter().filter(|&width| width <= Width::of_this_machine()) {
            assert_eq!(run_at(width, sums(least)), Some((rows, false)));
            for row in 0..3 {
                let mut limits = least;
                limits[row] = limits[row].next_up();
                assert_eq!(run_at(width, sums(limits)), Some((rows, true)));
                limits[row] = f32::NAN;
                assert_eq!(run_at(width, sums(limits)).map(|(_, is_below)| is_below), Some(false));
            }
        }
    }

    /// A slice of any length comes back, and nothing beyond it is read or written.
    struct Copied<'a>(&'a [f32]);

    impl Vectorised for Copied<'_> {
        type Output = ([f32; LANES], [f32; LANES + 1]);
        #[inline(always)]
        fn run<I: Instructions>(self, instructions: I) -> Self::Output {
            let lanes = instructions.load_first(self.0);
            let mut out = [-1.0; LANES + 1];
            instructions.store_first(lanes, &mut out[..self.0.len()]);
            (instructions.store(lanes), out)
        }
    }

    #[test]
    fn the_first_numbers_are_read_and_written_alone() {
        let numbers: Vec<f32> = (1..=LANES as u8 + 1).map(f32::from).collect();
        for width in Width::ALL.into_iter().filter(|&width| width <= Width::of_this_machine()) {
            for count in 0..=LANES + 1 {
                let (lanes, out) = run_at(width, Copied(&numbers[..count])).unwrap();
                for i in 0..=LANES {
                    let is_there = i < count && i < LANES;
                    assert_eq!(out[i], if is_there { numbers[i] } else { -1.0 }, "{width}, {count} numbers");
                    assert!(i == LANES || lanes[i] == if is_there { numbers[i] } else { 0.0 });
                }
            }
        }
    }
}
