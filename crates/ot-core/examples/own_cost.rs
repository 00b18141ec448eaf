//! A cost of one's own in exact and entropic transport, and where new points go: `cargo run -p ot-core --example
//! own_cost`.
//!
//! The points are angles on a circle; the cost is the square of the way around it, which no Euclidean cost of the
//! angles is.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use ndarray::{Array2, array};
use ot_core::Measure;
use ot_core::cost::Cost;
use ot_core::entropic::{SinkhornOptions, sinkhorn};
use ot_core::exact::solve;
use std::error::Error;
use std::f64::consts::TAU;

/// ½(length of the shorter arc)² between angles.
struct SquaredArc;

impl Cost for SquaredArc {
    fn between(&self, x: &[f64], y: &[f64]) -> f64 {
        let arc = |x: f64, y: f64| {
            let turn = (x - y).rem_euclid(TAU);
            turn.min(TAU - turn)
        };
        x.iter().zip(y).map(|(&x, &y)| 0.5 * arc(x, y).powi(2)).sum()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Sixty angles on an arc across zero, and the same turned by .7.
    let x = Array2::from_shape_fn((60, 1), |(i, _)| (0.02 * i as f64 - 0.6).rem_euclid(TAU));
    let y = x.mapv(|angle| (angle + 0.7).rem_euclid(TAU));
    let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);

    let plan = solve(&source, &target, &SquaredArc)?;
    println!("exact cost     {:.6}, proved to {:e}", plan.primal(), plan.gap().abs());

    let blurred = sinkhorn(&source, &target, &SquaredArc, 0.01, SinkhornOptions::default())?;
    println!("entropic cost  {:.6}, marginal error {:e}", blurred.value, blurred.marginal_error);

    let new = array![[6.0], [0.055], [0.255]];
    let (nearest, mean) = (plan.potentials.map(new.view())?, blurred.potentials.map(new.view())?);
    for ((angle, nearest), mean) in new.iter().zip(&nearest).zip(&mean) {
        println!("{angle:.3} goes to {nearest:.3} by the nearest atom, {mean:.3} by the barycentric map");
    }
    Ok(())
}
