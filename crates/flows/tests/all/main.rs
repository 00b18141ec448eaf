//! Tests of the crate from outside, in one program: each file has one subject.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

mod common;
mod conditional;
mod convolution;
mod critic_objective;
mod derivatives;
mod descriptions;
mod envelope;
mod euler_map;
mod explicit;
mod explicit_potentials;
mod flow_objective;
mod gradient_flow;
mod hopf_lax;
mod hopf_lax_based;
mod hopf_lax_inverse;
mod hopf_lax_search;
mod matching;
mod minimiser;
mod native;
mod orthonormal;
mod own_network;
mod quadratic;
mod tiles;
