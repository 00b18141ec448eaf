//! Benchmarks, and the scripts that time other programs beside them.
