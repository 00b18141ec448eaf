//! Every distance between two arrays: `cargo run -p eval --example two_clouds`.
#![allow(clippy::print_stdout, reason = "an example shows its numbers")]

use eval::distances::{DistanceError, DistanceOptions, distances};
use ndarray::Array2;

fn main() -> Result<(), DistanceError> {
    let x = Array2::from_shape_fn((200, 2), |(i, j)| (0.1 * i as f64 + j as f64).sin());
    let y = &x + 0.5;
    let mut directions = datasets::stream(0, "directions", 0);
    let found = distances(x.view(), y.view(), None, None, &DistanceOptions::default(), &mut directions)?;
    // A shift by (½, ½): W2 = √½.
    println!("W1 {:.4}, W2 {:.4}, sliced W2 {:.4}", found.exact.w1, found.exact.w2, found.sliced_w2);
    println!(
        "Sinkhorn divergence {:.4} ({})",
        found.sinkhorn_divergence.value, found.sinkhorn_divergence.cost
    );
    Ok(())
}
