//! What is set once for the whole process: libtorch's threads; and which devices there are.

use crate::FlowError;
use crate::device::Device;
use std::sync::Once;

/// Sets libtorch to one thread, within and between operations; calls after the first one change nothing.
///
/// The networks here are small: their operations are too short to share out, and threads that spin while they wait for
/// each other slow a busy machine down many times. Independent runs go side by side as processes instead.
pub fn use_one_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tch::set_num_threads(1);
        // libtorch refuses to set this number twice, so a process that has already set it to one is left alone.
        if tch::get_num_interop_threads() != 1 {
            tch::set_num_interop_threads(1);
        }
    });
}

/// The libtorch device of this name; the first call of a process also sets libtorch to one thread
/// ([`use_one_thread`]).
///
/// # Errors
/// [`FlowError::Device`] for a CUDA device that this libtorch does not have, and for [`Device::Cpu`], where native
/// code runs.
///
/// ```
/// use flows::{device::Device, torch::runtime};
/// assert_eq!(runtime::open(Device::Libtorch)?, tch::Device::Cpu);
/// assert!(runtime::open(Device::Cuda(1_000_000)).is_err());
/// # Ok::<(), flows::FlowError>(())
/// ```
pub fn open(device: Device) -> Result<tch::Device, FlowError> {
    use_one_thread();
    let refuse = |reason| Err(FlowError::Device { device: device.to_string(), reason });
    let index = match device {
        Device::Cpu => {
            return refuse("native code runs there; take `libtorch` for libtorch on the CPU".into());
        }
        Device::Libtorch => return Ok(tch::Device::Cpu),
        Device::Cuda(index) => index,
    };
    let count = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
    if index < count {
        return Ok(tch::Device::Cuda(index));
    }
    refuse(match count {
        0 => "libtorch finds no CUDA device; take `cpu` or `libtorch`, or install a libtorch that is built for CUDA \
              on a machine with an NVIDIA GPU"
            .into(),
        1 => "libtorch finds one CUDA device; take `cuda:0`".into(),
        _ => format!("libtorch finds {count} CUDA devices; take one of `cuda:0` to `cuda:{}`", count - 1),
    })
}
