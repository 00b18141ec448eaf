//! Benchmarks, and the scripts that time other programs beside them.

pub mod images;
pub mod iteration;
pub mod peak;
pub mod transport;
