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
/// [`FlowError::Device`] when it is a CUDA device that this libtorch does not have.
///
/// ```
/// use flows::{device::Device, torch::runtime};
/// assert_eq!(runtime::open(Device::Cpu)?, tch::Device::Cpu);
/// assert!(runtime::open(Device::Cuda(1_000_000)).is_err());
/// # Ok::<(), flows::FlowError>(())
/// ```
pub fn open(device: Device) -> Result<tch::Device, FlowError> {
    use_one_thread();
    let Device::Cuda(index) = device else { return Ok(tch::Device::Cpu) };
    let count = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
    if index < count {
        return Ok(tch::Device::Cuda(index));
    }
    let reason = match count {
        0 => "libtorch finds no CUDA device; take `cpu`, or a libtorch with CUDA on a machine with an NVIDIA GPU".into(),
        1 => "libtorch finds one CUDA device; take `cuda:0`".into(),
        _ => format!("libtorch finds {count} CUDA devices; take one of `cuda:0` to `cuda:{}`", count - 1),
    };
    Err(FlowError::Device { device: device.to_string(), reason })
}
