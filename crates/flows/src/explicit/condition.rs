//! A condition beside the coordinates that a flow moves: a label or a vector c.
//!
//! A point of a conditional flow is (x, c), and the flow moves x alone: x_T = x₀ − (T/λ)·∇ₓU₀(x₀, c). The critic is
//! φ(y, c) = max_x U₀(x, c) − λ‖x − y‖²/(2T), searched with c fixed, and the game is the mean over c of those of ρ₀ and
//! π(·|c): the optimal transport of the product space in which moving a condition costs infinitely much. So c is the last
//! coordinates of a row, which every derivative leaves out.
//!
//! Sources: Carlier, Chernozhukov and Galichon 2016, Ann. Statist. 44(3) (vector quantile regression); Hosseini, Hsu and
//! Taghvaei 2025, SIAM/ASA J. Uncertain. Quantif. 13(1), arXiv 2311.05672 (conditional optimal transport).
#![allow(clippy::indexing_slicing, reason = "rows are counted before they are cut")]

use super::ExplicitFlow;
use super::dual::Negated;
use crate::FlowError;
use crate::error::expect_rows;
use crate::hopf_lax::{CriticField, Field, Minimiser, Stop};
use crate::network::Network;
use crate::real::Real;
use std::collections::BTreeMap;

/// The fewest rows of a condition that are worth a search of their own, in which they share their ends.
const ALIKE: usize = 8;

/// A field whose last coordinates, the condition, no search changes.
#[derive(Debug)]
pub(super) struct Held<F> {
    field: F,
    /// The number of these coordinates.
    condition: usize,
}

impl<T: Real, F: Field<T>> Field<T> for Held<F> {
    fn dim(&self) -> usize {
        self.field.dim()
    }

    fn jet(&mut self, points: &[T], values: &mut Vec<T>, gradients: &mut Vec<T>) -> Result<(), FlowError> {
        self.field.jet(points, values, gradients)?;
        hold(gradients, self.dim(), self.condition);
        Ok(())
    }
}

/// Sets the last `condition` of each row's `width` numbers to 0.
pub(super) fn hold<T: Real>(slopes: &mut [T], width: usize, condition: usize) {
    if condition > 0 {
        slopes.chunks_exact_mut(width).for_each(|row| row[width - condition..].fill(T::zero()));
    }
}

impl ExplicitFlow {
    /// The same flow with the last `condition` coordinates of every point as what it is conditioned on.
    ///
    /// # Errors
    /// [`FlowError::Specification`] where none is left to move.
    pub fn conditioned(mut self, condition: usize) -> Result<Self, FlowError> {
        if condition >= self.affine().rank() {
            let remedy = "give points of more coordinates than their condition has";
            return Err(FlowError::specification(
                "the number of coordinates of a condition",
                condition,
                remedy,
            ));
        }
        self.condition = condition;
        Ok(self)
    }

    /// The number of coordinates of the condition; 0 of a flow without one.
    pub fn condition(&self) -> usize {
        self.condition
    }

    /// The number of coordinates x′ that are moved.
    pub fn moved(&self) -> usize {
        self.affine().rank() - self.condition
    }

    /// −N at the given parameters as the field that is minimised.
    pub(super) fn hill<'a, T: Real>(
        &'a self,
        parameters: &[T],
    ) -> Result<Negated<Held<CriticField<'a, T, Network>>>, FlowError> {
        let field = CriticField::new(self.network(), parameters)?;
        Ok(Negated(Held { field, condition: self.condition }))
    }

    /// Moves each row x′ of `inner` uphill on N(x′) − h(‖x′ − y′‖), `field` being N; rows of one condition are offered each
    /// other's beginnings, those of several are not: what is a good beginning under one condition is none under another.
    pub(crate) fn climb<T: Real>(
        &self,
        field: impl Field<T>,
        minimiser: &mut Minimiser<T>,
        (targets, inner): (&[T], &mut [T]),
        stop: Stop,
    ) -> Result<(), FlowError> {
        let (width, pull) = (self.affine().rank(), self.pull());
        let rows = expect_rows("the ends of the searches", inner.len(), width)?;
        let mut field = Negated(Held { field, condition: self.condition });
        let alike = self.alike(targets);
        if alike.len() <= 1 {
            return minimiser.minimise(&mut field, pull, targets, inner, 0..rows, stop);
        }
        if alike.len() * ALIKE > rows {
            return minimiser.minimise(&mut field, pull, targets, inner, 0..0, stop);
        }
        for rows in alike {
            let of = |all: &[T]| -> Vec<T> {
                rows.iter().flat_map(|row| &all[row * width..(row + 1) * width]).copied().collect()
            };
            let (those, mut found) = (of(targets), of(inner));
            minimiser.minimise(&mut field, pull, &those, &mut found, 0..rows.len(), stop)?;
            for (row, found) in rows.iter().zip(found.chunks_exact(width)) {
                inner[row * width..(row + 1) * width].copy_from_slice(found);
            }
        }
        Ok(())
    }

    /// The rows of `points` by their condition; all of them without one.
    fn alike<T: Real>(&self, points: &[T]) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<Vec<u64>, Vec<usize>> = BTreeMap::new();
        if self.condition > 0 {
            for (row, point) in points.chunks_exact(self.affine().rank()).enumerate() {
                let condition = point[self.moved()..].iter().map(|c| c.wide().to_bits()).collect();
                groups.entry(condition).or_default().push(row);
            }
        }
        groups.into_values().collect()
    }
}
