//! The Lipschitz envelope against its formula, tip by tip, and against central differences.

use crate::common::{assert_gradient, uniform};
use flows::envelope::{Envelope, Side};
use flows::mlp::{Cotangent, Order};
use flows::scalar_field::{Evaluation, ScalarField};
use ndarray::ArrayView2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const SIDES: [Side; 2] = [Side::Lower, Side::Upper];

/// f(x), and the tip that it is taken at, by hand.
fn by_hand(side: Side, parameters: &[f64], x: &[f64], bound: f64) -> (f64, usize) {
    let (dim, count) = (x.len(), parameters.len() / (x.len() + 1));
    let (tips, heights) = parameters.split_at(count * dim);
    let length = |a: &[f64]| x.iter().zip(a).map(|(x, a)| (x - a).powi(2)).sum::<f64>().sqrt();
    let cones = tips.chunks(dim).zip(heights).map(|(a, b)| match side {
        Side::Lower => b - bound * length(a),
        Side::Upper => -(b + bound * length(a)),
    });
    let (tip, most) = cones.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    (if side == Side::Lower { most } else { -most }, tip)
}

/// Tips that fill panels and tips that do not, an odd number of points.
#[test]
fn values_are_those_of_the_highest_or_the_lowest_cone() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (dim, tips) in [(1, 1), (3, 32), (2, 70), (9, 33)] {
        for side in SIDES {
            let envelope = Envelope::new(dim, tips, 0.7, side).unwrap();
            let (parameters, points) = (uniform(&mut rng, tips * (dim + 1)), uniform(&mut rng, 131 * dim));
            let rows = ArrayView2::from_shape((131, dim), &points).unwrap();
            let (values, slopes) = envelope.at(&parameters, rows).unwrap();
            for (row, (x, value)) in points.chunks(dim).zip(&values).enumerate() {
                let (expected, tip) = by_hand(side, &parameters, x, 0.7);
                // Rounding of sums of nine numbers.
                assert!((value - expected).abs() < 1e-14, "{side:?} {dim} {tips}");
                let sign = if side == Side::Lower { -1.0 } else { 1.0 };
                let away = |j: usize| x[j] - parameters[tip * dim + j];
                let length = (0..dim).map(|j| away(j).powi(2)).sum::<f64>().sqrt();
                assert!((0..dim).all(|j| (slopes[[row, j]] - sign * 0.7 * away(j) / length).abs() < 1e-14));
            }
        }
    }
}

/// ℓ = Σ c·f + Σ g·∇f over the points that are kept, differentiated in tips, heights and points.
#[test]
fn the_pull_back_is_the_derivative_of_value_and_gradient() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let (dim, tips, rows) = (3, 5, 8);
    let keep: Vec<bool> = (0..rows).map(|row| row % 3 != 1).collect();
    let kept = keep.iter().filter(|keep| **keep).count();
    for side in SIDES {
        let envelope = Envelope::new(dim, tips, 1.3, side).unwrap();
        let parameters = uniform(&mut rng, tips * (dim + 1));
        let points: Vec<f64> = uniform(&mut rng, rows * dim).iter().map(|x| 3.0 * x).collect();
        let (c, g) = (uniform(&mut rng, kept), uniform(&mut rng, kept * dim));
        let rows_of = |all: &[f64], width: usize| -> Vec<f64> {
            let rows = all.chunks(width).zip(&keep).filter(|(_, keep)| **keep);
            rows.flat_map(|(row, _)| row.to_vec()).collect()
        };
        let loss = |parameters: &[f64], points: &[f64]| {
            let rows = ArrayView2::from_shape((rows, dim), points).unwrap();
            let (values, slopes) = envelope.at(parameters, rows).unwrap();
            let (values, slopes) = (values.to_vec(), slopes.iter().copied().collect::<Vec<_>>());
            let values = rows_of(&values, 1).into_iter().zip(&c).map(|(f, c)| f * c).sum::<f64>();
            values + rows_of(&slopes, dim).into_iter().zip(&g).map(|(f, g)| f * g).sum::<f64>()
        };
        let (mut packed, mut tape) = Default::default();
        envelope.arrange(&parameters, &mut packed).unwrap();
        envelope.evaluate(&packed, &points, Order::Jet, &mut tape).unwrap();
        tape.retain(&keep).unwrap();
        let (mut d_parameters, mut d_points) = (vec![0.0; parameters.len()], vec![0.0; kept * dim]);
        let cotangent = Cotangent { value: &c, gradient: Some(&g), common: None };
        envelope.pull_back(&packed, &mut tape, cotangent, &mut d_parameters, Some(&mut d_points)).unwrap();
        // Third derivatives of lengths above .3 are below 100.
        assert_gradient(&parameters, &d_parameters, 1e-7, |parameters| loss(parameters, &points));
        let mut all = vec![0.0; points.len()];
        let places = all.chunks_mut(dim).zip(&keep).filter(|(_, keep)| **keep);
        places.zip(d_points.chunks(dim)).for_each(|((place, _), d)| place.copy_from_slice(d));
        assert_gradient(&points, &all, 1e-7, |points| loss(&parameters, points));
    }
}
