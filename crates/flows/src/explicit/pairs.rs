//! The game of an explicit flow as Kantorovich's problem between x′ and y′, for two potentials.

use super::ExplicitFlow;
use crate::FlowError;
use crate::error::{array2, expect_columns, flat};
use crate::kantorovich::{KantorovichValue, Potentials};
use crate::real::Real;
use ndarray::{Array2, ArrayView2};

/// A minibatch in the coordinates of an explicit flow.
///
/// Where the divergence is linear, E U₀ − E φ is λ/T times E N(x′) + E ψ(y′) and terms without parameters, with
/// ψ(y′) = min ½‖x′ − y′‖² − N(x′): N and ψ are Kantorovich potentials between the laws of x′ and y′.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs<T> {
    /// x′ of the initial points, [n, k].
    pub beginnings: Vec<T>,
    /// y′ of the data, [m, k].
    pub ends: Vec<T>,
    /// λ/T.
    weight: f64,
    /// What the terms without parameters add to the dual of x′ and y′.
    constant: f64,
}

impl ExplicitFlow {
    /// The minibatch of initial points `start`, [n, d], and data `target`, [m, d].
    ///
    /// Complexity: (n + m)·d·k.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for rows of another length.
    pub fn pairs<T: Real>(&self, start: &[T], target: &[T]) -> Result<Pairs<T>, FlowError> {
        let (beginnings, ends) = (self.affine().beginnings(start)?, self.affine().ends(target)?);
        let mean = |terms: Vec<f64>| terms.iter().sum::<f64>() / terms.len().max(1) as f64;
        let constant =
            mean(self.affine().beginning_terms(start, &beginnings)) + mean(self.end_terms(target, &ends)?);
        Ok(Pairs { beginnings, ends, weight: self.weight(), constant })
    }

    /// The beginnings of the rows of `y`, [n, d], by the second potential: x′ = y′ − ∇ψ(y′), the inverse of the map as far as
    /// both potentials are exact; `parameters` are those of N and of η.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension and parameters that do not fit.
    pub fn retraced<T: Real>(
        &self,
        potentials: &Potentials,
        parameters: (&[T], &[T]),
        y: ArrayView2<'_, T>,
    ) -> Result<Array2<T>, FlowError> {
        expect_columns("the data", y, self.affine().dim())?;
        let mut inner = self.affine().ends(&flat(y))?;
        let slopes = potentials.psi_slopes(parameters, &inner)?;
        inner.iter_mut().zip(slopes).for_each(|(x, slope)| *x -= slope);
        array2("the beginnings of the paths", self.affine().origins(&inner)?, self.affine().dim())
    }
}

impl<T> Pairs<T> {
    /// The dual value of the game, E U₀ − E φ, of potentials with this value on the minibatch.
    pub fn dual(&self, value: KantorovichValue) -> f64 {
        self.weight * (value.dual + self.constant)
    }

    /// The penalties in the unit of [`Pairs::dual`].
    pub fn penalty(&self, value: KantorovichValue) -> f64 {
        self.weight * (value.dual - value.total())
    }
}
