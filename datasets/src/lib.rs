//! Data sets and initial laws, seeded streams, and readers and writers that name what is wrong.
//!
//! - [`stream`]: all randomness of the project, addressed by (seed, name, step);
//! - [`Target`] and [`InitialLaw`]: the synthetic targets π and the initial laws ρ0;
//! - [`read_matrix`], [`read_vector`]: `.npy` and `.csv` files, checked;
//! - [`write_whole`], [`write_npy_f32`], [`write_npy_f64`]: files written whole or not at all.

mod law;
pub mod read;
mod sample_error;
mod stream;
pub mod target;
pub mod write;

pub use law::InitialLaw;
pub use read::{ReadError, expect_columns, read_matrix, read_vector};
pub use sample_error::SampleError;
pub use stream::stream;
pub use target::Target;
pub use write::{WriteError, write_npy_f32, write_npy_f64, write_whole};
