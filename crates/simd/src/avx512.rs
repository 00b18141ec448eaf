//! AVX-512 with fused multiply-add: thirty-two registers of sixteen numbers.

use crate::doubles::{Eight, Four};
use crate::instructions::{Instructions, LANES, sealed};
use crate::{Row, Vectorised, Width};
use std::arch::x86_64::*;

/// The proof that the processor has these features.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// Nothing on a processor that lacks one of them; the standard library remembers what it found.
    pub(crate) fn of_this_machine() -> Option<Self> {
        let has_all = std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512dq")
            && std::arch::is_x86_feature_detected!("avx512vl")
            && std::arch::is_x86_feature_detected!("fma");
        has_all.then_some(Self(()))
    }
}

impl sealed::Sealed for Avx512 {}

impl Instructions for Avx512 {
    type Lanes = __m512;
    type HalfRow = FirstHalf;
    type Doubles = Eight;
    type HalfDoubles = Four;

    const WIDTH: Width = Width::Bits512;
    const FUSED: bool = true;
    const SUMS: usize = 24;

    #[inline(always)]
    fn run<W: Vectorised>(self, work: W) -> W::Output {
        #[inline(never)]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma")]
        fn compiled<W: Vectorised>(work: W, instructions: Avx512) -> W::Output {
            work.run(instructions)
        }
        // SAFETY: `self` proves the features.
        unsafe { compiled(work, self) }
    }

    #[inline(always)]
    fn zero(self) -> Self::Lanes {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_setzero_ps() }
    }

    #[inline(always)]
    fn load(self, numbers: &[f32; LANES]) -> Self::Lanes {
        // SAFETY: `self` proves the features, sixteen numbers lie in the array, and the load needs no alignment.
        unsafe { _mm512_loadu_ps(numbers.as_ptr()) }
    }

    #[inline(always)]
    fn load_first(self, numbers: &[f32]) -> Self::Lanes {
        // SAFETY: `self` proves the features, and the mask leaves out what does not lie in the slice.
        unsafe { _mm512_maskz_loadu_ps(first(numbers.len()), numbers.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, lanes: Self::Lanes) -> [f32; LANES] {
        let mut numbers = [0.0; LANES];
        // SAFETY: `self` proves the features, sixteen numbers fit, and the store needs no alignment.
        unsafe { _mm512_storeu_ps(numbers.as_mut_ptr(), lanes) };
        numbers
    }

    #[inline(always)]
    fn store_first(self, lanes: Self::Lanes, numbers: &mut [f32]) {
        // SAFETY: `self` proves the features, and the mask leaves out what does not lie in the slice.
        unsafe { _mm512_mask_storeu_ps(numbers.as_mut_ptr(), first(numbers.len()), lanes) }
    }

    #[inline(always)]
    fn add_multiple(self, sums: Self::Lanes, factor: f32, lanes: Self::Lanes) -> Self::Lanes {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_fmadd_ps(_mm512_set1_ps(factor), lanes, sums) }
    }

    #[inline(always)]
    fn any_below<const ROWS: usize>(self, rows: &[Self::Lanes; ROWS], limits: &[f32; ROWS]) -> bool {
        // SAFETY: `self` proves the features.
        unsafe {
            let mut below = 0;
            for (row, limit) in rows.iter().zip(limits) {
                below |= _mm512_cmp_ps_mask::<_CMP_LT_OQ>(*row, _mm512_set1_ps(*limit));
            }
            below != 0
        }
    }
}

/// The first half of a register, beside zeros.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstHalf(__m512);

impl Row<f32, Avx512> for FirstHalf {
    const NUMBERS: usize = LANES / 2;
    const SUMS: usize = Avx512::SUMS;

    #[inline(always)]
    fn zero(instructions: Avx512) -> Self {
        Self(instructions.zero())
    }

    #[inline(always)]
    unsafe fn load(_: Avx512, from: *const f32) -> Self {
        // SAFETY: the instructions prove the features; the caller, that eight numbers can be read.
        unsafe { Self(_mm512_zextps256_ps512(_mm256_loadu_ps(from))) }
    }

    #[inline(always)]
    fn load_first(instructions: Avx512, numbers: &[f32]) -> Self {
        Self(instructions.load_first(numbers.get(..Self::NUMBERS).unwrap_or(numbers)))
    }

    #[inline(always)]
    fn store_first(self, instructions: Avx512, numbers: &mut [f32]) {
        let count = numbers.len().min(Self::NUMBERS);
        instructions.store_first(self.0, numbers.split_at_mut(count).0);
    }

    #[inline(always)]
    fn add_multiple(self, instructions: Avx512, factor: f32, row: Self) -> Self {
        Self(instructions.add_multiple(self.0, factor, row.0))
    }
}

/// The mask of the first `count` lanes, all of them from sixteen on.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    if count < LANES { (1 << count) - 1 } else { !0 }
}
