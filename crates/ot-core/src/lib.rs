//! Optimal transport with certificates: exact, entropic, one-dimensional, sliced, Gaussian; f-divergences and their duals.

pub mod divergence;
