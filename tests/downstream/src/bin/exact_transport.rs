//! Exact transport between two arrays.

use ndarray::array;
use ot_core::cost::Cost;
use ot_core::exact::solve;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let x = array![[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]];
    let y = array![[4.0, 1.0], [0.0, 4.0], [1.0, 0.0]];
    let plan = solve(x.view(), y.view(), None, None, Cost::SquaredEuclidean)?;
    // Each point moves by 1: every other assignment pairs points that are more than 4 apart.
    assert!((plan.primal() - 1.0).abs() < 1e-12, "the cost is {}", plan.primal());
    assert!(plan.gap() < 1e-12, "the gap is {}", plan.gap());
    Ok(())
}
