//! Maps with affine pieces.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::mixture::Mixture;
use super::orthogonal::Symmetric;

/// ψ(x) = maxᵢ qᵢ(x) of the quadratics qᵢ(x) = ½⟨x, Mᵢx⟩ + ⟨bᵢ, x⟩ + cᵢ with positive definite Mᵢ, which is convex: where
/// qᵢ is the largest, T(x) = Mᵢx + bᵢ, and T jumps from piece to piece.
#[derive(Debug, Clone)]
pub(super) struct PiecewiseAffine {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
struct Piece {
    matrix: Array2<f64>,
    inverse: Array2<f64>,
    shift: Array1<f64>,
    constant: f64,
}

impl Piece {
    fn value(&self, x: ArrayView1<'_, f64>) -> f64 {
        0.5 * x.dot(&self.matrix.dot(&x)) + self.shift.dot(&x) + self.constant
    }
}

/// ‖bᵢ‖.
const SHIFT: f64 = 2.0;

impl PiecewiseAffine {
    /// Random pieces with eigenvalues of Mᵢ between .4 and 2, the means of qᵢ under N(0, I) being equal.
    pub(super) fn draw(dim: usize, pieces: usize, rng: &mut impl Rng) -> Self {
        let mut piece = || {
            let matrix = Symmetric::draw(dim, 0.4..2.0, rng);
            let shift: Array1<f64> = Array1::from_shape_fn(dim, |_| StandardNormal.sample(rng));
            let length = shift.dot(&shift).sqrt();
            Piece {
                constant: -0.5 * matrix.trace(),
                inverse: matrix.inverse(),
                matrix: matrix.matrix(),
                shift: shift * (SHIFT / length),
            }
        };
        Self { pieces: (0..pieces).map(|_| piece()).collect() }
    }

    /// The piece that is the largest at x, with its value.
    fn largest(&self, x: ArrayView1<'_, f64>) -> (&Piece, f64) {
        let values = self.pieces.iter().map(|piece| (piece, piece.value(x)));
        let largest = values.max_by(|a, b| a.1.total_cmp(&b.1));
        largest.unwrap_or_else(|| unreachable!("there is a piece"))
    }

    pub(super) fn potential(&self, x: ArrayView2<'_, f64>) -> Array1<f64> {
        x.rows().into_iter().map(|x| self.largest(x).1).collect()
    }

    pub(super) fn gradient(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut moved = Array2::zeros(x.raw_dim());
        for (mut y, x) in moved.rows_mut().into_iter().zip(x.rows()) {
            let (piece, _) = self.largest(x);
            y.assign(&(piece.matrix.dot(&x) + &piece.shift));
        }
        moved
    }

    /// x = Mᵢ⁻¹(y − bᵢ) of the piece that is the largest there.
    ///
    /// ψ*(y) = maxₓ ⟨x, y⟩ − maxᵢ qᵢ(x) is at most each qᵢ*(y): where y is an image, the piece of its x has the least.
    pub(super) fn inverse(&self, y: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut back = Array2::zeros(y.raw_dim());
        for (mut x, y) in back.rows_mut().into_iter().zip(y.rows()) {
            let begin = |piece: &Piece| {
                let x = piece.inverse.dot(&(&y - &piece.shift));
                let conjugate = x.dot(&y) - piece.value(x.view());
                (x, conjugate)
            };
            let least = self.pieces.iter().map(begin).min_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((least, _)) = least {
                x.assign(&least);
            }
        }
        back
    }

    /// ½E‖Mx + b − x‖² of the only piece under N(0, A²): ½(‖b‖² + tr((M − I)A²(M − I))).
    pub(super) fn cost(&self, source: &Mixture) -> Option<f64> {
        let ([piece], 1) = (self.pieces.as_slice(), source.centres.nrows()) else { return None };
        let step = &piece.matrix - &Array2::<f64>::eye(source.dim());
        let spread = step.dot(&source.maps.index_axis(Axis(0), 0));
        let centre = source.centres.row(0);
        let shift = step.dot(&centre) + &piece.shift;
        Some(0.5 * (shift.dot(&shift) + spread.iter().map(|a| a * a).sum::<f64>()))
    }
}
