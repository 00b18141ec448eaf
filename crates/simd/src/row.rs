//! Rows of numbers in registers, in either precision.

use crate::{Instructions, LANES};

/// Numbers that lie in registers together, for kernels that are written once for both precisions.
pub trait Row<T, I: Instructions>: Copy {
    /// How many there are.
    const NUMBERS: usize;

    /// Rows that fit into the registers beside what is added to them.
    const SUMS: usize;

    /// Zeros.
    fn zero(instructions: I) -> Self;

    /// The numbers from an address on.
    ///
    /// # Safety
    /// [`Row::NUMBERS`] of them can be read there.
    unsafe fn load(instructions: I, from: *const T) -> Self;

    /// The numbers of a slice, followed by zeros where there are fewer than [`Row::NUMBERS`].
    fn load_first(instructions: I, numbers: &[T]) -> Self;

    /// Writes as many of the numbers as the slice has room for.
    fn store_first(self, instructions: I, numbers: &mut [T]);

    /// These numbers plus a multiple of others, in one rounding where [`Instructions::FUSED`].
    #[must_use]
    fn add_multiple(self, instructions: I, factor: T, row: Self) -> Self;
}

/// [`LANES`] numbers in single precision.
#[derive(Debug, Clone, Copy)]
pub struct Lanes<I: Instructions>(I::Lanes);

impl<I: Instructions> Row<f32, I> for Lanes<I> {
    const NUMBERS: usize = LANES;
    const SUMS: usize = I::SUMS;

    #[inline(always)]
    fn zero(instructions: I) -> Self {
        Self(instructions.zero())
    }

    #[inline(always)]
    unsafe fn load(instructions: I, from: *const f32) -> Self {
        // SAFETY: the caller's, and an array of numbers needs no other alignment than theirs.
        Self(instructions.load(unsafe { &*from.cast::<[f32; LANES]>() }))
    }

    #[inline(always)]
    fn load_first(instructions: I, numbers: &[f32]) -> Self {
        Self(instructions.load_first(numbers))
    }

    #[inline(always)]
    fn store_first(self, instructions: I, numbers: &mut [f32]) {
        match numbers.first_chunk_mut() {
            Some(numbers) => *numbers = instructions.store(self.0),
            None => instructions.store_first(self.0, numbers),
        }
    }

    #[inline(always)]
    fn add_multiple(self, instructions: I, factor: f32, row: Self) -> Self {
        Self(instructions.add_multiple(self.0, factor, row.0))
    }
}

/// Rows that the compiler keeps in registers by itself, where loops over them have constant bounds.
macro_rules! array {
    ($number:ty, $multiply_add:ident) => {
        impl<I: Instructions, const N: usize> Row<$number, I> for [$number; N] {
            const NUMBERS: usize = N;
            const SUMS: usize = if I::SUMS < 6 { I::SUMS } else { 6 };

            #[inline(always)]
            fn zero(_: I) -> Self {
                [0.0; N]
            }

            #[inline(always)]
            unsafe fn load(_: I, from: *const $number) -> Self {
                // SAFETY: the caller's, and an array of numbers needs no other alignment than theirs.
                unsafe { *from.cast::<Self>() }
            }

            #[inline(always)]
            fn load_first(_: I, numbers: &[$number]) -> Self {
                let mut row = [0.0; N];
                row.iter_mut().zip(numbers).for_each(|(entry, number)| *entry = *number);
                row
            }

            #[inline(always)]
            fn store_first(self, _: I, numbers: &mut [$number]) {
                match numbers.first_chunk_mut() {
                    Some(numbers) => *numbers = self,
                    None => numbers.iter_mut().zip(self).for_each(|(number, entry)| *number = entry),
                }
            }

            #[inline(always)]
            fn add_multiple(mut self, instructions: I, factor: $number, row: Self) -> Self {
                for (sum, number) in self.iter_mut().zip(row) {
                    *sum = instructions.$multiply_add(factor, number, *sum);
                }
                self
            }
        }
    };
}

array!(f32, multiply_add_single);
array!(f64, multiply_add);
