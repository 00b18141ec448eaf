//! A flow on an array in memory, with an observer of its own: `cargo run -p train --example own_data`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use ndarray::Array2;
use train::observe::{Observer, Record};
use train::{Configuration, FlowConfig, Run, TrainError};

/// Keeps the kinetic energy of every record.
#[derive(Default)]
struct Energies(Vec<f64>);

impl Observer for Energies {
    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        self.0.extend(record.value(metrics::KINETIC_ENERGY));
        Ok(())
    }
}

fn main() -> Result<(), TrainError> {
    let circle = Array2::from_shape_fn((500, 2), |(i, j)| (i as f64 * 0.1 + j as f64 * 1.57).sin());
    let config = FlowConfig::parse(include_str!("small.toml"), "small.toml", None, &[])?;
    let mut energies = Energies::default();
    let trained = Run::new(config).data(circle).observer(&mut energies).train()?;
    println!("{}; kinetic energies {:.3?}", trained.outcome.status, energies.0);
    println!("{:.3}", trained.model.sample(5, 64, 0)?);
    Ok(())
}
