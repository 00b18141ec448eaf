//! Tests of the crate from outside, in one program: each file has one subject.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

mod agreement;
mod certificate;
mod closed_forms;
mod common;
mod divergence;
mod entropic;
mod entropic_scales;
mod exact;
mod own_cost;
mod potentials;
mod tiny_weights;
