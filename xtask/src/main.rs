//! The one command of the project: setup, doctor, data, test, ci, bench, tidy, and everything that oplus does.

fn main() {}
