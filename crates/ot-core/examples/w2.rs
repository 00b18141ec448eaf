//! The certified W2 distance between the rows of two .npy files: `cargo run --release -p ot-core --example w2 -- A.npy B.npy`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use ot_core::cost::{CloudCost, Cost};
use ot_core::exact::{certify, solve};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [first, second] = paths.as_slice() else { return Err("usage: w2 A.npy B.npy".into()) };
    let (x, y) = (datasets::read_matrix(first)?, datasets::read_matrix(second)?);
    let plan = solve(x.view(), y.view(), None, None, Cost::SquaredEuclidean)?;
    println!("w2          {}", plan.primal().sqrt());
    println!("w2 squared  {} = min Σ P‖x−y‖²", plan.primal());
    println!("dual value  {}, gap {:e}", plan.dual(), plan.gap());
    println!("coupling    {} pairs of {} x {}", plan.coupling.len(), x.nrows(), y.nrows());

    // What solve() has checked already, checked again from the outside.
    let pairs = CloudCost::new(x.view(), y.view(), Cost::SquaredEuclidean)?;
    let equal = |count: usize| vec![1.0 / count as f64; count];
    let proof = certify(&pairs, &equal(x.nrows()), &equal(y.nrows()), &plan.coupling, &plan.f, &plan.g)?;
    println!("marginals   off by at most {:e}", proof.marginal_error);
    println!(
        "potentials  exceed no cost by more than {:e}, allowed {:e}",
        proof.infeasibility, proof.tolerance
    );
    println!("coupling    tight to {:e}", proof.slackness);
    Ok(())
}
