//! The dual side of transport: c-transforms and the semi-dual of discrete measures.

pub mod c_transform;
pub mod semi_dual;
