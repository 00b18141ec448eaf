//! Data sets and initial laws, seeded streams, and readers and writers that name what is wrong.
//!
//! - [`stream`]: all randomness of the project, addressed by (seed, name, step);
//! - [`Target`] and [`InitialLaw`]: the synthetic targets π and the initial laws ρ0.

mod law;
mod sample_error;
mod stream;
pub mod target;

pub use law::InitialLaw;
pub use sample_error::SampleError;
pub use stream::stream;
pub use target::Target;
