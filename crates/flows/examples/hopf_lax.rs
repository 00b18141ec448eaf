//! The flow of the Hopf–Lax potential of a critic written by hand.
//!
//! For φ(y) = ½‖y − a‖² the minimiser of φ(y) + λ‖x − y‖²/(2T) is y = (a + (λ/T)·x)/(1 + λ/T): the flow contracts to a.

use flows::FlowError;
use flows::hopf_lax::{Field, HopfLaxFlow};
use flows::integrate::{Scheme, VelocityField, integrate};
use ndarray::{ArrayView2, ArrayViewMut2, array};

/// φ(y) = ½‖y − a‖².
struct Bowl([f64; 2]);

impl Field<f64> for Bowl {
    fn dim(&self) -> usize {
        2
    }

    fn jet(
        &mut self,
        points: &[f64],
        values: &mut Vec<f64>,
        gradients: &mut Vec<f64>,
    ) -> Result<(), FlowError> {
        *gradients = points.chunks_exact(2).flat_map(|y| y.iter().zip(&self.0).map(|(y, a)| y - a)).collect();
        *values = gradients.chunks_exact(2).map(|g| 0.5 * g.iter().map(|g| g * g).sum::<f64>()).collect();
        Ok(())
    }
}

/// Each search begins where its point is.
struct Rest;

impl VelocityField<f64> for Rest {
    fn velocity(&mut self, _: ArrayView2<f64>, _: f64, mut v: ArrayViewMut2<f64>) -> Result<(), FlowError> {
        v.fill(0.0);
        Ok(())
    }
}

/// The check; an error or a panic when it fails.
pub(crate) fn main() -> Result<(), FlowError> {
    let (centre, lambda, horizon) = ([1.0, -1.0], 0.5, 1.0);
    let mut flow = HopfLaxFlow::new(Bowl(centre), Rest, lambda, horizon, Vec::new());
    let start = array![[3.0, 0.0], [-2.0, 4.0], [1.0, 1.0]];
    // Paths are straight, so three steps end where one would.
    let mut x = start.clone();
    integrate(&mut flow, Scheme::Euler, horizon, 3, x.view_mut(), |_, _, _| {})?;
    for (end, start) in x.rows().into_iter().zip(start.rows()) {
        for ((end, start), centre) in end.iter().zip(start).zip(centre) {
            let exact = (centre + lambda * start) / (1.0 + lambda);
            // Each search ends within 1e-5 of relative slope.
            assert!((end - exact).abs() < 1e-4, "{end} instead of {exact}");
        }
    }
    Ok(())
}
