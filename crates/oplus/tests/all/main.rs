//! Tests of the program as a user runs it, in one program of tests: each file has one subject.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod common;
#[cfg(unix)]
mod damage;
mod eval;
mod generators;
#[cfg(unix)]
mod guide;
#[cfg(unix)]
mod interruption;
mod other_programs;
mod own_data;
mod pages;
mod provenance;
mod reproduce;
mod run;
mod sweep;
mod tables;
