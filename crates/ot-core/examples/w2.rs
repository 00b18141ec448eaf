//! The certified W2 distance between the rows of two .npy files: `cargo run --release -p ot-core --example w2 -- A.npy
//! B.npy`; without files, between two small clouds.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use ndarray::{Array2, array};
use ot_core::Measure;
use ot_core::cost::Euclidean;
use ot_core::exact::{certify, solve};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let (x, y): (Array2<f64>, Array2<f64>) = match paths.as_slice() {
        [first, second] => (datasets::read_matrix(first)?, datasets::read_matrix(second)?),
        [] => (array![[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], array![[2.0, 0.0], [2.0, 1.0]]),
        _ => return Err("usage: w2 A.npy B.npy".into()),
    };
    let (source, target) =
        (Measure::named("source", x.view(), None)?, Measure::named("target", y.view(), None)?);
    let plan = solve(&source, &target, &Euclidean::Squared)?;
    println!("w2          {}", plan.primal().sqrt());
    println!("w2 squared  {} = min Σ P‖x−y‖²", plan.primal());
    println!("dual value  {}, gap {:e}", plan.dual(), plan.gap());
    println!("coupling    {} pairs of {} x {}", plan.coupling.len(), x.nrows(), y.nrows());

    // What solve() has checked already, checked again from the outside.
    let (f, g) = (plan.potentials.f(), plan.potentials.g());
    let proof = certify(&source, &target, &Euclidean::Squared, &plan.coupling, f, g)?;
    println!("marginals   off by at most {:e}", proof.marginal_error);
    println!(
        "potentials  exceed no cost by more than {:e}, allowed {:e}",
        proof.infeasibility, proof.tolerance
    );
    println!("coupling    tight to {:e}", proof.slackness);
    Ok(())
}
