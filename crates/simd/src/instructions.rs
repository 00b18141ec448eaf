//! What differs between instruction sets, and its portable form.

use crate::{Row, Vectorised, Width};

/// The numbers of a row of registers: one of AVX-512, two of AVX2, four of the baseline of x86-64.
pub const LANES: usize = 16;

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// The instructions that a kernel is compiled for; a value is the proof that the processor has them.
///
/// Only this crate implements it.
pub trait Instructions: Copy + sealed::Sealed {
    /// [`LANES`] numbers in registers.
    type Lanes: Copy;

    /// Half as many, for what would leave most of the lanes empty.
    type HalfRow: Row<f32, Self>;

    /// Half of [`LANES`] numbers in double precision.
    type Doubles: Row<f64, Self>;

    /// A quarter of them.
    type HalfDoubles: Row<f64, Self>;

    /// The width of its registers.
    const WIDTH: Width;

    /// Whether a product and a sum are one instruction with one rounding.
    const FUSED: bool;

    /// Sums of [`LANES`] numbers that fit into the registers beside what is added to them.
    const SUMS: usize;

    /// Runs a part of the work of a kernel as a function of its own, compiled for these instructions: registers are
    /// then handed out to it alone, and it is compiled once for all the kernels that share it.
    fn run<W: Vectorised>(self, work: W) -> W::Output;

    /// Zeros.
    fn zero(self) -> Self::Lanes;

    /// The numbers of an array.
    fn load(self, numbers: &[f32; LANES]) -> Self::Lanes;

    /// The numbers of a slice, the first [`LANES`] if there are more, followed by zeros if there are fewer.
    fn load_first(self, numbers: &[f32]) -> Self::Lanes;

    /// An array of the numbers.
    fn store(self, lanes: Self::Lanes) -> [f32; LANES];

    /// Writes as many of the numbers as the slice has room for.
    fn store_first(self, lanes: Self::Lanes, numbers: &mut [f32]);

    /// The sums plus a multiple of other lanes, in one rounding where [`Instructions::FUSED`].
    fn add_multiple(self, sums: Self::Lanes, factor: f32, lanes: Self::Lanes) -> Self::Lanes;

    /// Whether a row has a number below its limit; NaN is below nothing.
    fn any_below<const ROWS: usize>(self, rows: &[Self::Lanes; ROWS], limits: &[f32; ROWS]) -> bool;

    /// a·b + c in double precision, in one rounding where [`Instructions::FUSED`].
    #[inline(always)]
    fn multiply_add(self, a: f64, b: f64, c: f64) -> f64 {
        if Self::FUSED { a.mul_add(b, c) } else { a * b + c }
    }

    /// a·b + c in single precision, in one rounding where [`Instructions::FUSED`].
    #[inline(always)]
    fn multiply_add_single(self, a: f32, b: f32, c: f32) -> f32 {
        if Self::FUSED { a.mul_add(b, c) } else { a * b + c }
    }
}

/// What every processor of the target has.
#[derive(Debug, Clone, Copy)]
pub struct Portable;

impl sealed::Sealed for Portable {}

impl Instructions for Portable {
    type Lanes = [f32; LANES];
    type HalfRow = [f32; LANES / 2];
    type Doubles = [f64; LANES / 2];
    type HalfDoubles = [f64; LANES / 4];

    const WIDTH: Width = Width::Bits128;
    const FUSED: bool = false;
    const SUMS: usize = 2;

    #[inline(always)]
    fn run<W: Vectorised>(self, work: W) -> W::Output {
        #[inline(never)]
        fn compiled<W: Vectorised>(work: W) -> W::Output {
            work.run(Portable)
        }
        compiled(work)
    }

    #[inline(always)]
    fn zero(self) -> Self::Lanes {
        [0.0; LANES]
    }

    #[inline(always)]
    fn load_first(self, numbers: &[f32]) -> Self::Lanes {
        let mut lanes = [0.0; LANES];
        lanes.iter_mut().zip(numbers).for_each(|(lane, number)| *lane = *number);
        lanes
    }

    #[inline(always)]
    fn store_first(self, lanes: Self::Lanes, numbers: &mut [f32]) {
        numbers.iter_mut().zip(lanes).for_each(|(number, lane)| *number = lane);
    }

    #[inline(always)]
    fn load(self, numbers: &[f32; LANES]) -> Self::Lanes {
        *numbers
    }

    #[inline(always)]
    fn store(self, lanes: Self::Lanes) -> [f32; LANES] {
        lanes
    }

    #[inline(always)]
    fn add_multiple(self, mut sums: Self::Lanes, factor: f32, lanes: Self::Lanes) -> Self::Lanes {
        for (sum, number) in sums.iter_mut().zip(lanes) {
            *sum += factor * number;
        }
        sums
    }

    #[inline(always)]
    fn any_below<const ROWS: usize>(self, rows: &[Self::Lanes; ROWS], limits: &[f32; ROWS]) -> bool {
        let mut is_below = false;
        for (row, limit) in rows.iter().zip(limits) {
            for number in row {
                is_below |= number < limit;
            }
        }
        is_below
    }
}
