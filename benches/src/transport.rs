//! The transport problems that are timed, by name, and their exact solution.

use anyhow::{Context, Result, ensure};
use datasets::{InitialLaw, Target, read_matrix, read_vector, stream, write_npy_f64};
use ndarray::{Array1, Array2, Axis};
use ot_core::Measure;
use ot_core::cost::Euclidean;
use ot_core::exact::{Transport, solve};
use std::path::Path;

/// Weighted points of both sides.
#[derive(Debug)]
pub struct Problem {
    x: Array2<f64>,
    y: Array2<f64>,
    weights: Option<(Array1<f64>, Array1<f64>)>,
}

impl Problem {
    /// The problem of that name, drawn anew from its seeded streams.
    ///
    /// | name | points |
    /// | --- | --- |
    /// | `pinwheel-N-D` | N against N samples of the pinwheel in R^D |
    /// | `normal-N-D` | N against N standard normal samples in R^D |
    /// | `mixture-N-D` | N against N samples of ten standard normal modes in R^D, with means drawn from the same law |
    /// | `weighted-N-M` | N against M standard normal samples of the plane with uniform random weights |
    ///
    /// # Errors
    /// When there is no such problem.
    pub fn named(name: &str) -> Result<Self> {
        let usage = || format!("no problem {name}: pinwheel-N-D, normal-N-D, mixture-N-D or weighted-N-M");
        let mut parts = name.split('-');
        let kind = parts.next().with_context(usage)?;
        let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok()).with_context(usage);
        let (n, second) = (number()?, number()?);
        let random = |side| stream(0, name, side);
        let normal = |n, dim, side| InitialLaw::default().sample(n, dim, &mut random(side));
        let mixture = |side| -> Result<Array2<f64>> {
            let modes = normal(10, second, 2)?;
            let mut points = normal(n, second, side)?;
            for (mut point, mode) in points.outer_iter_mut().zip(modes.axis_iter(Axis(0)).cycle()) {
                point += &mode;
            }
            Ok(points)
        };
        let weights = |n, side| -> Result<Array1<f64>> {
            let law = InitialLaw::Uniform { low: 0.0, high: 1.0 };
            Ok(law.sample(n, 1, &mut random(side))?.column(0).to_owned())
        };
        Ok(match kind {
            "pinwheel" => Self {
                x: Target::Pinwheel.sample(n, second, &mut random(0))?,
                y: Target::Pinwheel.sample(n, second, &mut random(1))?,
                weights: None,
            },
            "normal" => Self { x: normal(n, second, 0)?, y: normal(n, second, 1)?, weights: None },
            "mixture" => Self { x: mixture(0)?, y: mixture(1)?, weights: None },
            "weighted" => Self {
                x: normal(n, 2, 0)?,
                y: normal(second, 2, 1)?,
                weights: Some((weights(n, 3)?, weights(second, 4)?)),
            },
            _ => anyhow::bail!(usage()),
        })
    }

    /// Writes `x.npy`, `y.npy` and, with weights, `a.npy` and `b.npy`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        write_npy_f64(folder.join("x.npy"), self.x.view())?;
        write_npy_f64(folder.join("y.npy"), self.y.view())?;
        if let Some((a, b)) = &self.weights {
            write_npy_f64(folder.join("a.npy"), a.view().insert_axis(Axis(1)))?;
            write_npy_f64(folder.join("b.npy"), b.view().insert_axis(Axis(1)))?;
        }
        Ok(())
    }

    /// The problem that [`Problem::write`] wrote.
    ///
    /// # Errors
    /// When a file is missing or does not fit the others.
    pub fn read(folder: &Path) -> Result<Self> {
        let (x, y) = (read_matrix(folder.join("x.npy"))?, read_matrix(folder.join("y.npy"))?);
        ensure!(x.ncols() == y.ncols(), "x.npy has {} columns, y.npy {}", x.ncols(), y.ncols());
        let weights = if folder.join("a.npy").exists() {
            Some((read_vector(folder.join("a.npy"))?, read_vector(folder.join("b.npy"))?))
        } else {
            None
        };
        Ok(Self { x, y, weights })
    }

    /// The certified plan for the cost ‖x − y‖².
    ///
    /// # Errors
    /// When there is none.
    pub fn solve(&self) -> Result<Transport<'_>> {
        let (a, b) = match &self.weights {
            Some((a, b)) => (a.as_slice(), b.as_slice()),
            None => (None, None),
        };
        let (source, target) = (Measure::new(self.x.view(), a)?, Measure::new(self.y.view(), b)?);
        Ok(solve(&source, &target, &Euclidean::Squared)?)
    }
}

/// The largest resident memory of this process so far, in bytes; 0 where the system does not tell.
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes =
        line.and_then(|line| line.split_whitespace().nth(1)).and_then(|size| size.parse::<u64>().ok());
    1024 * kilobytes.unwrap_or(0)
}
