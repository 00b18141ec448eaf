//! Exact and entropic transport between two arrays with a cost of one's own, and where new points go.

use ndarray::array;
use ot_core::Measure;
use ot_core::cost::Cost;
use ot_core::entropic::{SinkhornOptions, sinkhorn};
use ot_core::exact::solve;
use std::error::Error;

/// √‖x − y‖, a concave cost.
struct Root;

impl Cost for Root {
    fn between(&self, x: &[f64], y: &[f64]) -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().powf(0.25)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let x = array![[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]];
    let y = array![[4.0, 1.0], [0.0, 4.0], [1.0, 0.0]];
    let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);

    let plan = solve(&source, &target, &Root)?;
    // Each point moves by 1: every other assignment pairs points that are more than 4 apart.
    assert!((plan.primal() - 1.0).abs() < 1e-12, "the cost is {}", plan.primal());
    assert!(plan.gap() < 1e-12, "the gap is {}", plan.gap());
    assert_eq!(plan.barycentric_map(), array![[1.0, 0.0], [4.0, 1.0], [0.0, 4.0]]);

    let blurred = sinkhorn(&source, &target, &Root, 0.01, SinkhornOptions::default())?;
    // The blur of three points is worth at most ε·log 3.
    assert!((blurred.value - plan.primal()).abs() < 0.011, "the entropic cost is {}", blurred.value);

    // New points beside the old ones go where those go.
    let new = array![[0.1, 0.1], [3.9, -0.2], [0.0, 2.8]];
    let image = blurred.potentials.map(new.view())?;
    assert!((&image - &plan.barycentric_map()).iter().all(|gap| gap.abs() < 1e-3), "the map is {image}");
    Ok(())
}
