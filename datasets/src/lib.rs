//! Data sets and initial laws, seeded streams, and readers and writers that name what is wrong.
//!
//! - [`stream`]: all randomness of the project, addressed by (seed, name, step);
//! - [`Target`] and [`InitialLaw`]: the synthetic targets π and the initial laws ρ0; [`stratified_normal`]: even points
//!   of one;
//! - [`StudentT`]: a target with heavy tails;
//! - [`KnownMap`]: pairs of laws whose optimal map is known;
//! - [`FunnelSet`]: pairs of laws whose optimal critic for W1 is known;
//! - [`cells`]: snapshots of cells on five days;
//! - [`read_matrix`], [`read_vector`], [`read_idx`], [`read_usps`]: files, checked;
//! - [`DigitSet`], [`mnist_digits`], [`usps_digits`], [`usps_resampled_digits`]: handwritten digits on one grid;
//! - [`ImageSet`]: labelled images on their own grid, and [`write_png`] for pictures;
//! - [`write_whole`], [`write_npy_f32`], [`write_npy_f64`]: files written whole or not at all; [`remove_partial`] tidies
//!   up after writes that were cut off;
//! - [`manifest`] and [`fetch`]: the data sets of others, by package name and digest.
//!
//! Without the feature `arrays`, which is on by default, only the last two are there: fetching and writing whole.

mod bytes;
#[cfg(feature = "arrays")]
mod cells;
mod data_error;
#[cfg(feature = "arrays")]
mod digits;
mod fetch;
#[cfg(feature = "arrays")]
mod funnels;
#[cfg(feature = "arrays")]
mod image;
#[cfg(feature = "arrays")]
mod images;
#[cfg(feature = "arrays")]
mod known_map;
#[cfg(feature = "arrays")]
mod law;
pub mod manifest;
#[cfg(feature = "arrays")]
pub mod read;
mod read_error;
#[cfg(feature = "arrays")]
mod sample_error;
#[cfg(feature = "arrays")]
mod stratified;
#[cfg(feature = "arrays")]
mod stream;
#[cfg(feature = "arrays")]
mod student_t;
#[cfg(feature = "arrays")]
pub mod target;
pub mod write;

pub use data_error::DataError;
pub use fetch::fetch;
pub use read_error::ReadError;
pub use write::{PartialFolder, WriteError, is_partial, remove_partial, write_whole};
#[cfg(feature = "arrays")]
pub use {
    cells::{cells, cells_files},
    digits::{DigitSet, Split, mnist_digits, usps_digits, usps_resampled_digits},
    funnels::{FunnelSet, Funnels},
    image::resized,
    images::{ImageSet, ImageShape, Images},
    known_map::{KnownMap, KnownPair},
    law::InitialLaw,
    read::{
        Columns, Table, TableOptions, UspsDigits, expect_columns, read_idx, read_matrix, read_table,
        read_usps, read_usps_resampled, read_vector,
    },
    sample_error::SampleError,
    stratified::stratified_normal,
    stream::stream,
    student_t::StudentT,
    target::Target,
    write::{Picture, write_npy_f32, write_npy_f64, write_png},
};

/// The program of the page that the registry shows is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
