//! Explicit flows with a second potential, against closed forms.

use crate::explicit::{flow, parameters, points, squares};
use flows::affine::Affine;
use flows::kantorovich::{KantorovichValue, Potentials, Psi};
use ndarray::Array2;
use ot_core::gaussian::Gaussian;

/// Samples whose moments the coordinates are of: with a zero network both potentials are those of the two Gaussians, and the
/// dual is (λ/T)·½W₂² of these, whatever the rows are and however many there are a side.
#[test]
fn pairs_have_the_dual_of_the_gaussians_whose_map_they_begin_with() {
    let (x, y) = (points(40, 3, 31), points(60, 3, 32).mapv(|y| 2.0 * y * y - 1.0));
    let of_rows = |rows: &Array2<f64>| {
        let law = Gaussian::from_samples(rows.view()).unwrap();
        let biased = 1.0 - 1.0 / rows.nrows() as f64;
        Gaussian::new(law.mean().to_owned(), &law.covariance() * biased).unwrap()
    };
    let (source, target) = (of_rows(&x), of_rows(&y));
    let flow = flow(Affine::gaussian(&source, &target).unwrap(), 0.3, 2.0, None);
    let pairs = flow.pairs(x.as_slice().unwrap(), y.as_slice().unwrap()).unwrap();
    // N = 0 leaves φ = 0 and ψ(y′) = min ½‖x′ − y′‖² = 0.
    let expected = 0.15 * 0.5 * source.w2_squared(&target).unwrap();
    let found = pairs.dual(KantorovichValue::default());
    // Roots of 3×3 matrices of order one.
    assert!((found - expected).abs() < 1e-9, "{found} against {expected}");
    let value = KantorovichValue { dual: 2.0, penalty: 0.5, interpolated: 0.25, equality: 0.25 };
    assert!((pairs.dual(value) - expected - 0.3).abs() < 1e-9);
    assert!((pairs.penalty(value) - 0.15).abs() < 1e-12);
    assert!(flow.pairs(&[0.0_f64; 4], y.as_slice().unwrap()).is_err());
}

/// Of points at rest ∇N(x) is what a particle loses on its way, x − x_T: the slope of ψ is that of η, and −∇N where ψ = −φ + η.
#[test]
fn the_second_potential_tells_the_way_back() {
    let flow = flow(Affine::identity(3), 0.7, 2.0, None);
    let (theta, y) = (parameters(&flow, 0.5, 41), points(10, 3, 42));
    let zero = vec![0.0; theta.len()];
    let network = flow.network().head().clone();
    let back = |psi, eta: &[f64]| {
        let potentials = Potentials { phi: network.clone(), eta: network.clone(), psi };
        flow.retraced(&potentials, (&theta, eta), y.view()).unwrap()
    };
    let ends = flow.at(&theta, &[]).unwrap().ends(y.view()).unwrap();
    assert!(squares((&ends - &y).view()).iter().all(|moved| *moved > 1e-6));
    // The same network in the same precision, up to the order of a few additions.
    let agree = |found: Array2<f64>, expected: &Array2<f64>| {
        assert!(squares((&found - expected).view()).iter().all(|off| *off < 1e-24), "{found} {expected}");
    };
    agree(back(Psi::Separate, &theta), &ends);
    agree(back(Psi::Separate, &zero), &y);
    agree(back(Psi::MinusPhi, &zero), &(2.0 * &y - &ends));
    agree(back(Psi::MinusPhi, &theta), &y);
}
