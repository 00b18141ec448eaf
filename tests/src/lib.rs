//! Tests across crates and of the built binary.
