//! Every distance between two arrays: `cargo run -p eval --example two_clouds`.
#![allow(clippy::print_stdout, reason = "an example shows its numbers")]

use eval::distances::{Distance, DistanceError, DistanceOptions, distances};
use ndarray::Array2;

fn main() -> Result<(), DistanceError> {
    let x = Array2::from_shape_fn((200, 2), |(i, j)| (0.1 * i as f64 + j as f64).sin());
    let y = &x + 0.5;
    let mut directions = datasets::stream(0, "directions", 0);
    let found = distances(x.view(), y.view(), None, None, &DistanceOptions::default(), &mut directions)?;
    // A shift by (½, ½): W2 = √½.
    for distance in Distance::ALL {
        if let Some(value) = found.get(distance) {
            println!("{distance} {value:.4}");
        }
    }
    Ok(())
}
