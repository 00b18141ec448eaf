//! Which vector registers the kernels use.

use crate::{Instructions, Portable, Vectorised};
#[cfg(target_arch = "x86_64")]
use crate::{avx2::Avx2, avx512::Avx512};
use std::fmt;
use std::sync::OnceLock;

/// The environment variable that asks for narrower registers than the machine's widest: `128`, `256` or `512`.
///
/// It is read once in a process, here alone. Kernels of another width may round differently, so a width repeats the
/// numbers of a machine that has no wider one.
pub const VARIABLE: &str = "OPLUS_SIMD";

/// The width of vector registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// The baseline of x86-64, and every other processor.
    Bits128,
    /// AVX2 with fused multiply-add.
    Bits256,
    /// AVX-512 (F, BW, DQ, VL).
    Bits512,
}

impl Width {
    /// All of them, the widest first.
    pub const ALL: [Self; 3] = [Self::Bits512, Self::Bits256, Self::Bits128];

    /// The number of bits.
    pub fn bits(self) -> u32 {
        match self {
            Self::Bits128 => 128,
            Self::Bits256 => 256,
            Self::Bits512 => 512,
        }
    }

    /// The widest registers of this machine that kernels are compiled for.
    pub fn of_this_machine() -> Self {
        Self::ALL.into_iter().find(|&width| Chosen::new(width).is_some()).unwrap_or(Self::Bits128)
    }

    /// What the kernels of this process use: what [`VARIABLE`] asks for, or the widest of the machine.
    ///
    /// # Errors
    /// A sentence when the variable is not a width, or one that the machine does not have; then [`crate::run`] takes
    /// the widest.
    ///
    /// ```
    /// assert!(simd::Width::in_use()? <= simd::Width::of_this_machine());
    /// # Ok::<(), simd::WidthError>(())
    /// ```
    pub fn in_use() -> Result<Self, WidthError> {
        match std::env::var_os(VARIABLE) {
            None => Ok(Self::of_this_machine()),
            Some(text) => Self::requested(&text.to_string_lossy(), Self::of_this_machine()),
        }
    }

    fn requested(text: &str, widest: Self) -> Result<Self, WidthError> {
        let width = Self::ALL.into_iter().find(|width| width.bits().to_string() == text);
        width.filter(|&width| width <= widest).ok_or_else(|| WidthError { found: text.to_owned(), widest })
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-bit vectors", self.bits())
    }
}

/// A width of vectors was asked for that there is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WidthError {
    found: String,
    widest: Width,
}

impl fmt::Display for WidthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = Width::ALL.into_iter().filter(|&width| width <= self.widest);
        let widths = widths.map(|width| width.bits().to_string()).collect::<Vec<_>>().join(" or ");
        write!(
            f,
            "the environment variable {VARIABLE} is {:?}, which is no width of this machine's vectors: set it to \
             {widths}, or leave it out",
            self.found
        )
    }
}

impl std::error::Error for WidthError {}

/// The instructions of a width, with the proof that the machine has them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Chosen {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    Portable,
}

impl Chosen {
    pub(crate) fn new(width: Width) -> Option<Self> {
        match width {
            #[cfg(target_arch = "x86_64")]
            Width::Bits512 => Avx512::of_this_machine().map(Self::Avx512),
            #[cfg(target_arch = "x86_64")]
            Width::Bits256 => Avx2::of_this_machine().map(Self::Avx2),
            Width::Bits128 => Some(Self::Portable),
            #[cfg(not(target_arch = "x86_64"))]
            _ => None,
        }
    }

    /// The choice of this process, made once.
    #[inline]
    pub(crate) fn of_this_process() -> Self {
        static CHOSEN: OnceLock<Chosen> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let width = Width::in_use().unwrap_or_else(|_| Width::of_this_machine());
            Self::new(width).unwrap_or(Self::Portable)
        })
    }

    #[inline]
    pub(crate) fn run<W: Vectorised>(self, work: W) -> W::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(instructions) => instructions.run(work),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(instructions) => instructions.run(work),
            Self::Portable => Portable.run(work),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_is_asked_for_by_its_bits_up_to_those_of_the_machine() {
        assert_eq!(Width::requested("256", Width::Bits512), Ok(Width::Bits256));
        assert_eq!(Width::requested("256", Width::Bits256), Ok(Width::Bits256));
        for (text, widest) in [("512", Width::Bits256), ("1024", Width::Bits512), ("", Width::Bits512)] {
            let sentence = Width::requested(text, widest).unwrap_err().to_string();
            assert!(sentence.contains(&format!("{VARIABLE} is {text:?}")), "{sentence}");
        }
        let sentence = Width::requested("512", Width::Bits256).unwrap_err().to_string();
        assert!(sentence.ends_with("set it to 256 or 128, or leave it out"), "{sentence}");
    }
}
