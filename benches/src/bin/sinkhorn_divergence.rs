//! Our side of a comparison: `sinkhorn_divergence X.npy Y.npy BLUR FOLDER` computes the divergence once for each line
//! of its input and answers with one line of JSON; it leaves the potentials of (x, y) in FOLDER as f.npy and g.npy,
//! columns, for others to check.

use anyhow::{Context, Result};
use datasets::{read_matrix, write_npy_f64};
use ndarray::Array2;
use ot_core::Measure;
use ot_core::cost::Euclidean;
use ot_core::entropic::{Schedule, SinkhornOptions, SinkhornPower, geomloss_divergence, sinkhorn};
use std::io::{Write, stdin, stdout};
use std::path::Path;
use std::time::Instant;

fn main() -> Result<()> {
    let usage = "usage: sinkhorn_divergence X.npy Y.npy BLUR FOLDER";
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context(usage);
    let (x, y) = (read_matrix(next()?)?, read_matrix(next()?)?);
    let blur: f64 = next()?.parse().context(usage)?;
    let folder = next()?;
    // Tighter than what is timed: the distance between the reference's two bounds is of first order in the marginal
    // error.
    let options = SinkhornOptions { tolerance: 1e-6, ..SinkhornOptions::default() };
    let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
    let potentials = sinkhorn(&source, &target, &Euclidean::HalfSquared, blur * blur, options)?.potentials;
    for (name, potential) in [("f.npy", potentials.f().to_vec()), ("g.npy", potentials.g().to_vec())] {
        write_npy_f64(
            Path::new(&folder).join(name),
            &Array2::from_shape_vec((potential.len(), 1), potential)?,
        )?;
    }
    for line in stdin().lines() {
        line?;
        let start = Instant::now();
        let divergence =
            geomloss_divergence(&source, &target, SinkhornPower::Two, blur, Schedule::CONVERGED)?;
        let answer = serde_json::json!({
            "value": divergence.value,
            "iterations": divergence.iterations,
            "marginal_error": divergence.marginal_error,
            "converged": divergence.converged,
            "seconds": start.elapsed().as_secs_f64(),
        });
        writeln!(stdout(), "{answer}")?;
    }
    Ok(())
}
