//! Work compiled for the vector instructions of the machine that runs it.

/// A pass over numbers that is worth compiling for wide vectors.
///
/// `run` must be `#[inline(always)]`, and so must be what it calls, for it to become part of each compiled variant.
pub(crate) trait Vectorised {
    /// Does the work.
    fn run(self);
}

/// Runs `work` with AVX2 and fused multiply-add where the machine has them, as the target's baseline otherwise.
pub(crate) fn run(work: impl Vectorised) {
    #[cfg(target_arch = "x86_64")]
    {
        // Not to be inlined: what runs here is tuned for its own registers.
        #[inline(never)]
        #[target_feature(enable = "avx2,fma")]
        fn wide(work: impl Vectorised) {
            work.run();
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: both features were just detected.
            return unsafe { wide(work) };
        }
    }
    work.run();
}
