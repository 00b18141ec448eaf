//! Where the arithmetic runs: `cpu`, or `cuda:N` when it is asked for by name.

use crate::FlowError;
use std::fmt;
use std::str::FromStr;

/// A device chosen by the user; nothing is ever moved to a GPU by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// The CPU.
    #[default]
    Cpu,
    /// The CUDA device of this index.
    Cuda(usize),
}

impl FromStr for Device {
    type Err = FlowError;

    /// ```
    /// use flows::device::Device;
    /// assert_eq!("cuda:1".parse::<Device>()?, Device::Cuda(1));
    /// assert!("gpu".parse::<Device>().is_err());
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, FlowError> {
        if text == "cpu" {
            return Ok(Self::Cpu);
        }
        text.strip_prefix("cuda:").and_then(|index| index.parse().ok()).map(Self::Cuda).ok_or_else(|| {
            FlowError::Device { device: text.into(), reason: "write cpu, or cuda:0, cuda:1, …".into() }
        })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}
