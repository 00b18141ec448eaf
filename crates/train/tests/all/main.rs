//! Tests of the crate from outside, in one program: each file has one subject.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

mod chain;
mod common;
mod conditional;
mod cost;
mod critic;
mod explicit;
mod field;
mod hopf_lax;
mod images;
mod interruption;
mod library;
#[cfg(feature = "torch")]
mod libtorch;
mod likelihood;
mod matching;
mod orthonormal;
mod own_critic;
mod own_points;
mod runs;
mod units;
mod w2fe;
