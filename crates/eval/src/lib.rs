//! Measures of clouds: distances, off-manifold error, modes, accuracies; results with their floors; tables, figures
//! and the report.
#![deny(
    clippy::disallowed_methods,
    reason = "this crate changes no file and draws from streams that it is given"
)]

mod closeness;
pub mod cloud;
mod coordinates;
pub mod distances;
mod features;
mod modes;
mod nearest;
pub mod planar;
pub mod report;
pub mod results;
mod rows;
pub mod sampling;
pub mod summary;
mod tails;

pub use closeness::{ClosenessError, closeness, closeness_of_modes, w1, w2, w2_squared};
pub use cloud::off_manifold_rms;
pub use coordinates::{CoordinateW1, WorstColumn, coordinate_w1};
pub use features::{
    background_noise, class_entropy, frechet_distance, kernel_distance, precision_and_recall,
};
pub use modes::{ModeCoverage, mode_coverage};
pub use nearest::{AccuracyError, nearest_neighbour_accuracy, stray_share};
pub use results::{Metrics, Protocol, Results};
pub use rows::{closeness_to_rows, median_nearest_distance};
pub use summary::Summary;
pub use tails::{closeness_of_tails, tail_index, tail_l1};

/// The program of the page that the registry shows is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
