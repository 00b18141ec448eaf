//! Who computes on a device: native code on the CPU, libtorch elsewhere.

use flows::FlowError;
use flows::device::Device;
use flows::explicit::{self, DualGame};
use flows::game::{Backend, Game, Native};
use flows::generation::{Gradients, NativeGradients};

/// The gradients of a game on `device`.
///
/// # Errors
/// [`FlowError::Device`] when the device is not there, or this program was built without libtorch.
pub(crate) fn of_game(game: Game, device: Device) -> Result<Box<dyn Backend>, FlowError> {
    match device {
        Device::Cpu => Ok(Box::new(Native::new(game))),
        #[cfg(feature = "torch")]
        Device::Libtorch | Device::Cuda(_) => Ok(Box::new(flows::torch::Torch::new(game, device)?)),
        #[cfg(not(feature = "torch"))]
        Device::Libtorch | Device::Cuda(_) => Err(without_libtorch(device)),
    }
}

/// The gradient of the dual of an explicit flow on `device`.
///
/// # Errors
/// As [`of_game`].
pub(crate) fn of_dual(game: DualGame, device: Device) -> Result<Box<dyn explicit::Backend>, FlowError> {
    match device {
        Device::Cpu => Ok(Box::new(explicit::Native::new(game))),
        #[cfg(feature = "torch")]
        Device::Libtorch | Device::Cuda(_) => Ok(Box::new(flows::torch::TorchDual::new(game, device)?)),
        #[cfg(not(feature = "torch"))]
        Device::Libtorch | Device::Cuda(_) => Err(without_libtorch(device)),
    }
}

/// The gradients of a generator and its critics on `device`.
///
/// # Errors
/// As [`of_game`].
pub(crate) fn of_generator(device: Device) -> Result<Box<dyn Gradients>, FlowError> {
    match device {
        Device::Cpu => Ok(Box::new(NativeGradients::default())),
        #[cfg(feature = "torch")]
        Device::Libtorch | Device::Cuda(_) => Ok(Box::new(flows::torch::TorchGradients::new(device)?)),
        #[cfg(not(feature = "torch"))]
        Device::Libtorch | Device::Cuda(_) => Err(without_libtorch(device)),
    }
}

#[cfg(not(feature = "torch"))]
fn without_libtorch(device: Device) -> FlowError {
    let reason = "this program was built without libtorch: build it with the feature `torch`, or take `cpu`";
    FlowError::Device { device: device.to_string(), reason: reason.into() }
}
