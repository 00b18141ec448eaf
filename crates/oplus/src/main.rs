//! The oplus binary: train, resume, sample, eval, reproduce, report.

fn main() {}
