//! Rows of numbers in double precision, in the registers of AVX2 and AVX-512.
//!
//! Arrays would do where the compiler keeps them in registers; in large tiles it takes them apart into single numbers.

use crate::avx2::Avx2;
use crate::avx512::Avx512;
use crate::{Instructions, Row};
use std::arch::x86_64::*;

/// Eight numbers, a register of AVX-512.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Eight(__m512d);

/// Four numbers, a register of AVX2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Four(__m256d);

/// Eight numbers, two registers of AVX2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TwoFours(Four, Four);

/// A register as a row.
macro_rules! register {
    ($row:ident, $instructions:ty, $numbers:literal, $sums:expr, $zero:ident, $load:ident, $store:ident, $set:ident, $fused:ident) => {
        impl Row<f64, $instructions> for $row {
            const NUMBERS: usize = $numbers;
            const SUMS: usize = $sums;

            #[inline(always)]
            fn zero(_: $instructions) -> Self {
                // SAFETY: the instructions prove the features.
                Self(unsafe { $zero() })
            }

            #[inline(always)]
            unsafe fn load(_: $instructions, from: *const f64) -> Self {
                // SAFETY: the instructions prove the features; the caller, that the numbers can be read, and the load
                // needs no alignment.
                Self(unsafe { $load(from) })
            }

            #[inline(always)]
            fn load_first(instructions: $instructions, numbers: &[f64]) -> Self {
                let mut first = [0.0; $numbers];
                first.iter_mut().zip(numbers).for_each(|(entry, number)| *entry = *number);
                // SAFETY: the array has as many numbers as a row.
                unsafe { <Self as Row<f64, $instructions>>::load(instructions, first.as_ptr()) }
            }

            #[inline(always)]
            fn store_first(self, _: $instructions, numbers: &mut [f64]) {
                let mut all = [0.0; $numbers];
                let to = numbers.first_chunk_mut().unwrap_or(&mut all);
                // SAFETY: the instructions prove the features, the numbers fit, and the store needs no alignment.
                unsafe { $store(to.as_mut_ptr(), self.0) };
                if numbers.len() < $numbers {
                    numbers.iter_mut().zip(all).for_each(|(number, entry)| *number = entry);
                }
            }

            #[inline(always)]
            fn add_multiple(self, _: $instructions, factor: f64, row: Self) -> Self {
                // SAFETY: the instructions prove the features.
                Self(unsafe { $fused($set(factor), row.0, self.0) })
            }
        }
    };
}

register!(
    Eight,
    Avx512,
    8,
    Avx512::SUMS,
    _mm512_setzero_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_set1_pd,
    _mm512_fmadd_pd
);
register!(
    Four,
    Avx512,
    4,
    Avx512::SUMS,
    _mm256_setzero_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_set1_pd,
    _mm256_fmadd_pd
);
register!(
    Four,
    Avx2,
    4,
    2 * Avx2::SUMS,
    _mm256_setzero_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_set1_pd,
    _mm256_fmadd_pd
);

impl Row<f64, Avx2> for TwoFours {
    const NUMBERS: usize = 8;
    const SUMS: usize = Avx2::SUMS;

    #[inline(always)]
    fn zero(instructions: Avx2) -> Self {
        Self(Four::zero(instructions), Four::zero(instructions))
    }

    #[inline(always)]
    unsafe fn load(instructions: Avx2, from: *const f64) -> Self {
        // SAFETY: the caller's.
        unsafe { Self(Four::load(instructions, from), Four::load(instructions, from.add(4))) }
    }

    #[inline(always)]
    fn load_first(instructions: Avx2, numbers: &[f64]) -> Self {
        let (low, high) = numbers.split_at(numbers.len().min(4));
        Self(Four::load_first(instructions, low), Four::load_first(instructions, high))
    }

    #[inline(always)]
    fn store_first(self, instructions: Avx2, numbers: &mut [f64]) {
        let (low, high) = numbers.split_at_mut(numbers.len().min(4));
        self.0.store_first(instructions, low);
        self.1.store_first(instructions, high);
    }

    #[inline(always)]
    fn add_multiple(self, instructions: Avx2, factor: f64, row: Self) -> Self {
        Self(
            self.0.add_multiple(instructions, factor, row.0),
            self.1.add_multiple(instructions, factor, row.1),
        )
    }
}
