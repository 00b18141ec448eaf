//! A seeded synthetic target in a file that NumPy reads: `cargo run -p datasets --example target`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use datasets::{Target, stream, write_npy_f64};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let points = Target::Pinwheel.sample(1000, 2, &mut stream(0, "example", 0))?;
    let path = std::env::temp_dir().join("pinwheel.npy");
    write_npy_f64(&path, &points)?;
    println!("{} points in {}", points.nrows(), path.display());
    Ok(())
}
