//! Which point of the data an initial point is paired with.

use crate::FlowError;
use crate::error::{array2, expect_length};
use crate::real::Real;
use ot_core::cost::Euclidean;
use ot_core::exact::{ExactError, solve};
use ot_core::{Measure, MeasureError};
use serde::{Deserialize, Serialize};

/// Which point of the data an initial point of a minibatch is paired with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coupling {
    /// Any one.
    #[default]
    Independent,
    /// That of the exact plan for the squared distance between the two minibatches.
    Optimal,
}

impl Coupling {
    /// Arranges the rows of `end` so that row i belongs to row i of `start`; both are [n, d], row-major.
    ///
    /// The plan of equal weights is a permutation, which uses every point once. Complexity: that of
    /// [exact transport](ot_core::exact) of n points.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for clouds of different sizes; [`FlowError::Coupling`] where their plan is not found, as for
    /// numbers that are not finite.
    ///
    /// ```
    /// use flows::matching::Coupling;
    /// let mut end = vec![4.0_f32, 1.0, 9.0];
    /// Coupling::Optimal.arrange(1, &[8.0, 3.0, 2.0], &mut end)?;
    /// assert_eq!(end, [9.0, 4.0, 1.0]);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn arrange<T: Real>(self, dim: usize, start: &[T], end: &mut [T]) -> Result<(), FlowError> {
        expect_length("the data of a minibatch", end.len(), start.len())?;
        if self == Self::Independent || start.is_empty() {
            return Ok(());
        }
        let wide = |what, points: &[T]| array2(what, points.iter().map(|x| x.wide()).collect(), dim);
        let (x, y) =
            (wide("the initial points of a minibatch", start)?, wide("the data of a minibatch", end)?);
        let measure = |points| Measure::uniform(points).map_err(|e: MeasureError| ExactError::from(e));
        let plan = solve(&measure(x.view())?, &measure(y.view())?, &Euclidean::Squared)?;
        // All masses are 1/n: half of that is above any rounding.
        let least = 0.5 / x.nrows() as f64;
        for flow in plan.coupling.iter().filter(|flow| flow.mass > least) {
            let target = y.row(flow.target);
            end.iter_mut().skip(dim * flow.source).zip(target).for_each(|(end, &y)| *end = T::of(y));
        }
        Ok(())
    }
}
