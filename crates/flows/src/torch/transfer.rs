//! Slices to tensors and back; on CUDA each of these is a copy between the machine's memory and the device's.

use crate::FlowError;
use crate::real::Real;
use tch::{Device, Kind, Tensor};

/// A number type that the networks and libtorch share: `f32` or `f64`.
pub trait Scalar: Real + tch::kind::Element {}

impl<T: Real + tch::kind::Element> Scalar for T {}

/// A slice as a vector.
pub(super) fn vector<T: Scalar>(values: &[T], device: Device) -> Result<Tensor, FlowError> {
    Ok(Tensor::f_from_slice(values)?.f_to(device)?)
}

/// A row-major slice as a matrix of this many columns.
pub(super) fn matrix<T: Scalar>(values: &[T], columns: usize, device: Device) -> Result<Tensor, FlowError> {
    Ok(vector(values, device)?.f_view([-1, size(columns)])?)
}

/// The first `count` numbers of a tensor, in row-major order.
pub(super) fn download<T: Scalar>(tensor: &Tensor, count: usize) -> Result<Vec<T>, FlowError> {
    let mut values = vec![T::zero(); count];
    tensor.f_copy_data(&mut values, count)?;
    Ok(values)
}

/// In double precision, exactly.
pub(super) fn wide(tensor: &Tensor) -> Result<Tensor, FlowError> {
    Ok(tensor.f_totype(Kind::Double)?)
}

/// A length as libtorch counts it.
pub(super) fn size(length: usize) -> i64 {
    // No slice is longer than isize::MAX bytes.
    i64::try_from(length).unwrap_or(i64::MAX)
}
