//! Where the arithmetic of a training runs: `cpu`, or `libtorch` or `cuda:N` when it is asked for by name.

use crate::FlowError;
use std::fmt;
use std::str::FromStr;

/// A device chosen by the user; nothing is ever moved to a GPU by itself.
///
/// | name | what computes |
/// | --- | --- |
/// | `cpu` | native code |
/// | `libtorch` | libtorch on the CPU: what runs on CUDA, where there is none |
/// | `cuda:N` | libtorch on the CUDA device N |
///
/// The last two need the feature `torch`. They train the same runs, from the same random numbers, up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// Native code on the CPU.
    #[default]
    Cpu,
    /// libtorch on the CPU.
    Libtorch,
    /// libtorch on the CUDA device of this index.
    Cuda(usize),
}

impl FromStr for Device {
    type Err = FlowError;

    /// The inverse of the display.
    ///
    /// ```
    /// use flows::device::Device;
    /// for device in [Device::Cpu, Device::Libtorch, Device::Cuda(1)] {
    ///     assert_eq!(device.to_string().parse::<Device>()?, device);
    /// }
    /// assert!("gpu".parse::<Device>().is_err());
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, FlowError> {
        match text {
            "cpu" => return Ok(Self::Cpu),
            "libtorch" => return Ok(Self::Libtorch),
            _ => {}
        }
        text.strip_prefix("cuda:").and_then(|index| index.parse().ok()).map(Self::Cuda).ok_or_else(|| {
            FlowError::Device {
                device: text.into(),
                reason: "write cpu, libtorch, or cuda:0, cuda:1, …".into(),
            }
        })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Libtorch => f.write_str("libtorch"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}
