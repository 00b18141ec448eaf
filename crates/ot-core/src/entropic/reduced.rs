//! Two measures without what their divergence does not depend on, or depends on in closed form.

use crate::cost::{Cost, Euclidean, Sealed};
use crate::exact::Places;
use crate::measure::Measure;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// Two measures whose points on one place are one point, each centred at its own mean if the cost is a squared distance.
///
/// Since ‖x − y‖² = ‖x̄ − ȳ‖² + 2(x̄ − ȳ)·Δ + ‖Δ‖² for x̄ = x − mean μ, ȳ = y − mean ν and Δ = mean μ − mean ν, every
/// coupling costs ‖Δ‖² more than between the centred measures, and so does the divergence.
pub(super) struct Reduced {
    pub x: Array2<f64>,
    pub y: Array2<f64>,
    pub a: Vec<f64>,
    pub b: Vec<f64>,
    /// What the divergence of the measures has more than that of these, with its rounding.
    pub shift: f64,
    pub shift_rounding: f64,
    /// The gradient of a unit of mass in it; nothing without centring.
    pull: Option<Array1<f64>>,
    /// Whether both measures are the same one.
    pub is_null: bool,
    /// Which points of μ became one, and their weights.
    places: Places,
    weights: Vec<f64>,
}

impl Reduced {
    pub(super) fn new(source: &Measure<'_>, target: &Measure<'_>, cost: &dyn Cost) -> Self {
        let (places, at_targets) = (Places::of(source.points()), Places::of(target.points()));
        let (weights, of_targets) = (source.probabilities().all, target.probabilities().all);
        let (mut x, mut y) = (places.points(source.points()), at_targets.points(target.points()));
        let (a, b) = (places.sums(&weights), at_targets.sums(&of_targets));
        // Sums of weights in another order differ by their rounding.
        let is_null = x == y && a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= 4.0 * f64::EPSILON * a);
        let factor = match cost.euclidean(Sealed) {
            Some(Euclidean::HalfSquared) => 1.0,
            Some(Euclidean::Squared) => 2.0,
            Some(Euclidean::Distance) | None => 0.0,
        };
        let (mut shift, mut shift_rounding, mut pull) = (0.0, 0.0, None);
        if factor > 0.0 {
            let (first_x, first_y) = (x.row(0).to_owned(), y.row(0).to_owned());
            let (mean_x, mean_y) = (centre(&mut x, &a, first_x.view()), centre(&mut y, &b, first_y.view()));
            let offset = (&first_x - &first_y) + (&mean_x - &mean_y);
            let size = |vector: &Array1<f64>| vector.dot(vector).sqrt();
            shift = 0.5 * factor * offset.dot(&offset);
            let rounded = size(&offset) + size(&mean_x) + size(&mean_y) + radius(x.view()) + radius(y.view());
            shift_rounding = 4.0 * f64::EPSILON * factor * size(&offset) * rounded;
            pull = Some(factor * offset);
        }
        Self { x, y, a, b, shift, shift_rounding, pull, is_null, places, weights }
    }

    /// The gradient at the points of μ, [n, d], from that at the places.
    pub(super) fn restored(&self, gradient: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut slopes = gradient.to_owned();
        for (mut slope, &mass) in slopes.outer_iter_mut().zip(&self.a) {
            // Of a unit of mass; what has no mass pulls nothing.
            slope *= if mass > 0.0 { mass.recip() } else { 0.0 };
            if let Some(pull) = &self.pull {
                slope += pull;
            }
        }
        let mut restored = Array2::zeros((self.weights.len(), gradient.ncols()));
        for (from, mut to) in slopes.columns().into_iter().zip(restored.columns_mut()) {
            to.assign(&Array1::from(self.places.spread(&from.to_vec(), self.weights.len())));
        }
        restored * ArrayView1::from(self.weights.as_slice()).insert_axis(Axis(1))
    }
}

/// Moves the origin of the points to their mean, and returns the mean as seen from `reference`.
fn centre(points: &mut Array2<f64>, weights: &[f64], reference: ArrayView1<'_, f64>) -> Array1<f64> {
    *points -= &reference;
    let mean = ArrayView1::from(weights).dot(&*points);
    *points -= &mean;
    mean
}

/// The largest distance from the origin.
fn radius(points: ArrayView2<'_, f64>) -> f64 {
    points.outer_iter().map(|point| point.dot(&point)).fold(0.0, f64::max).sqrt()
}
