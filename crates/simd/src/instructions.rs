//! What differs between instruction sets, and its portable form.

/// The numbers of a row of registers: two of AVX2, four of the baseline of x86-64.
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

    /// Whether a product and a sum are one instruction with one rounding.
    const FUSED: bool;

    /// The numbers of an array.
    fn load(self, numbers: &[f32; LANES]) -> Self::Lanes;

    /// An array of the numbers.
    fn store(self, lanes: Self::Lanes) -> [f32; LANES];

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

    const FUSED: bool = false;

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
