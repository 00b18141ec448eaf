//! AVX2 with fused multiply-add: sixteen registers of eight numbers.

use crate::doubles::{Four, TwoFours};
use crate::instructions::{Instructions, LANES, sealed};
use crate::{Portable, Vectorised, Width};
use std::arch::x86_64::*;

/// The proof that the processor has both features.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Nothing on a processor that lacks one of them; the standard library remembers what it found.
    pub(crate) fn of_this_machine() -> Option<Self> {
        let has_both =
            std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
        has_both.then_some(Self(()))
    }
}

impl sealed::Sealed for Avx2 {}

impl Instructions for Avx2 {
    type Lanes = (__m256, __m256);
    type HalfRow = [f32; LANES / 2];
    type Doubles = TwoFours;
    type HalfDoubles = Four;

    const WIDTH: Width = Width::Bits256;
    const FUSED: bool = true;
    const SUMS: usize = 6;

    #[inline(always)]
    fn run<W: Vectorised>(self, work: W) -> W::Output {
        #[inline(never)]
        #[target_feature(enable = "avx2,fma")]
        fn compiled<W: Vectorised>(work: W, instructions: Avx2) -> W::Output {
            work.run(instructions)
        }
        // SAFETY: `self` proves the features.
        unsafe { compiled(work, self) }
    }

    #[inline(always)]
    fn zero(self) -> Self::Lanes {
        // SAFETY: `self` proves the features.
        unsafe { (_mm256_setzero_ps(), _mm256_setzero_ps()) }
    }

    #[inline(always)]
    fn load(self, numbers: &[f32; LANES]) -> Self::Lanes {
        // SAFETY: `self` proves the features, two groups of eight numbers lie in the array, and the loads need no
        // alignment.
        unsafe { (_mm256_loadu_ps(numbers.as_ptr()), _mm256_loadu_ps(numbers.as_ptr().add(LANES / 2))) }
    }

    #[inline(always)]
    fn load_first(self, numbers: &[f32]) -> Self::Lanes {
        self.load(&Portable.load_first(numbers))
    }

    #[inline(always)]
    fn store_first(self, lanes: Self::Lanes, numbers: &mut [f32]) {
        Portable.store_first(self.store(lanes), numbers);
    }

    #[inline(always)]
    fn store(self, lanes: Self::Lanes) -> [f32; LANES] {
        let mut numbers = [0.0; LANES];
        // SAFETY: `self` proves the features, two groups of eight numbers fit, and the stores need no alignment.
        unsafe {
            _mm256_storeu_ps(numbers.as_mut_ptr(), lanes.0);
            _mm256_storeu_ps(numbers.as_mut_ptr().add(LANES / 2), lanes.1);
        }
        numbers
    }

    #[inline(always)]
    fn add_multiple(self, sums: Self::Lanes, factor: f32, lanes: Self::Lanes) -> Self::Lanes {
        // SAFETY: `self` proves the features.
        unsafe {
            let factor = _mm256_set1_ps(factor);
            (_mm256_fmadd_ps(factor, lanes.0, sums.0), _mm256_fmadd_ps(factor, lanes.1, sums.1))
        }
    }

    #[inline(always)]
    fn any_below<const ROWS: usize>(self, rows: &[Self::Lanes; ROWS], limits: &[f32; ROWS]) -> bool {
        // SAFETY: `self` proves the features.
        unsafe {
            let mut below = _mm256_setzero_ps();
            for (row, limit) in rows.iter().zip(limits) {
                let limit = _mm256_set1_ps(*limit);
                below = _mm256_or_ps(below, _mm256_cmp_ps::<_CMP_LT_OQ>(row.0, limit));
                below = _mm256_or_ps(below, _mm256_cmp_ps::<_CMP_LT_OQ>(row.1, limit));
            }
            _mm256_movemask_ps(below) != 0
        }
    }
}
