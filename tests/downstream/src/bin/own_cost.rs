//! A cost of one's own in exact and entropic transport, and where new points go.

use ndarray::{Array2, array};
use ot_core::Measure;
use ot_core::cost::Cost;
use ot_core::entropic::{SinkhornOptions, sinkhorn};
use ot_core::exact::solve;
use std::error::Error;

/// Σ_k |x_k − y_k|^1.5.
struct Power;

impl Cost for Power {
    fn between(&self, x: &[f64], y: &[f64]) -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - y).abs().powf(1.5)).sum()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // A grid on the unit square, and the same moved by (.5, .25): for a strictly convex cost of the difference, moving
    // every point alike is the one optimal plan (Jensen's inequality).
    let step = 1.0 / 14.0;
    let x = Array2::from_shape_fn((225, 2), |(i, k)| step * (if k == 0 { i % 15 } else { i / 15 }) as f64);
    let y = &x + &array![0.5, 0.25];
    let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
    let value = 0.5_f64.powf(1.5) + 0.25_f64.powf(1.5);

    let plan = solve(&source, &target, &Power)?;
    assert!((plan.primal() - value).abs() < 1e-12, "the cost is {}, not {value}", plan.primal());
    let off = (&plan.barycentric_map() - &y).mapv(f64::abs).fold(0.0, |most: f64, &off| most.max(off));
    assert!(off < 1e-12, "a point of the sample misses its end by {off}");

    let blurred = sinkhorn(&source, &target, &Power, 0.002, SinkhornOptions::default())?;
    let new = array![[0.5, 0.5], [0.3, 0.6], [0.62, 0.41]];
    for (name, ends, tolerance) in [
        // The atom that the potentials choose is one of the four around the end.
        ("exact", plan.potentials.map(new.view())?, 1.01 * step),
        // A mean over atoms that the blur reaches, which is less than a cell.
        ("entropic", blurred.potentials.map(new.view())?, step),
    ] {
        let expected = &new + &array![0.5, 0.25];
        let off = (&ends - &expected).mapv(f64::abs).fold(0.0, |most: f64, &off| most.max(off));
        assert!(off < tolerance, "{name}: a new point misses its end by {off}");
    }
    Ok(())
}
