//! Data sets and initial laws, seeded streams, and readers and writers that name what is wrong.
//!
//! - [`stream`]: all randomness of the project, addressed by (seed, name, step);
//! - [`Target`] and [`InitialLaw`]: the synthetic targets π and the initial laws ρ0; [`stratified_normal`]: even points
//!   of one;
//! - [`read_matrix`], [`read_vector`], [`read_idx`], [`read_usps`]: files, checked;
//! - [`DigitSet`], [`mnist_digits`], [`usps_digits`], [`usps_resampled_digits`]: handwritten digits on one grid;
//! - [`write_whole`], [`write_npy_f32`], [`write_npy_f64`]: files written whole or not at all;
//! - [`manifest`] and [`fetch`]: the data sets of others, by package name and digest.

mod data_error;
mod digits;
mod fetch;
mod image;
mod law;
pub mod manifest;
pub mod read;
mod sample_error;
mod stratified;
mod stream;
pub mod target;
pub mod write;

pub use data_error::DataError;
pub use digits::{DigitSet, Split, mnist_digits, usps_digits, usps_resampled_digits};
pub use fetch::fetch;
pub use image::resized;
pub use law::InitialLaw;
pub use read::{
    Columns, ReadError, Table, TableOptions, UspsDigits, expect_columns, read_idx, read_matrix, read_table,
    read_usps, read_usps_resampled, read_vector,
};
pub use sample_error::SampleError;
pub use stratified::stratified_normal;
pub use stream::stream;
pub use target::Target;
pub use write::{WriteError, write_npy_f32, write_npy_f64, write_whole};
