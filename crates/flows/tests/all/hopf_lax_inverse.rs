//! The way back along a Hopf–Lax flow, and its change of volume.

use crate::common::uniform;
use flows::FlowError;
use flows::activation::Activation;
use flows::hopf_lax;
use flows::mlp::{Cotangent, Initialisation, Mlp, Order, Output};
use flows::real::Real;
use flows::scalar_field::{PointTape, ScalarField};
use ndarray::{Array2, array};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// φ(y) = ½·(θ₀y₀² + θ₁y₁²) + θ₂y₀ + θ₃y₁: the flow is affine.
#[derive(Debug, Clone)]
struct Quadratic;

impl ScalarField for Quadratic {
    type Weights<T: Real> = Vec<T>;
    type Tape<T: Real> = PointTape<T>;

    fn input(&self) -> usize {
        2
    }

    fn parameter_count(&self) -> usize {
        4
    }

    fn initial<T: Real>(&self, _: &mut impl Rng) -> Vec<T> {
        vec![T::zero(); 4]
    }

    fn arrange<T: Real>(&self, parameters: &[T], weights: &mut Vec<T>) -> Result<(), FlowError> {
        *weights = parameters.to_vec();
        Ok(())
    }

    fn evaluate<T: Real>(
        &self,
        w: &Vec<T>,
        points: &[T],
        _: Order,
        tape: &mut PointTape<T>,
    ) -> Result<(), FlowError> {
        let half = T::of(0.5);
        let value = |y: &[T]| half * (w[0] * y[0] * y[0] + w[1] * y[1] * y[1]) + w[2] * y[0] + w[3] * y[1];
        *tape = PointTape {
            points: points.to_vec(),
            value: points.chunks(2).map(value).collect(),
            gradient: points.chunks(2).flat_map(|y| [w[0] * y[0] + w[2], w[1] * y[1] + w[3]]).collect(),
        };
        Ok(())
    }

    fn pull_back<T: Real>(
        &self,
        w: &Vec<T>,
        _: &mut PointTape<T>,
        cotangent: Cotangent<'_, T>,
        _: &mut [T],
        inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        let slopes = cotangent.gradient.unwrap();
        let inputs = inputs.unwrap();
        inputs.iter_mut().zip(slopes).enumerate().for_each(|(i, (d, &c))| *d = c * w[i % 2]);
        Ok(())
    }
}

/// N(0, I) moves to the Gaussian with y = (x − rθ₂…)/(1 + rθ₀…), r = T/λ, whose density is that of the textbook.
#[test]
fn the_density_of_an_affine_flow_is_that_of_its_gaussian() {
    let (theta, rate): ([f64; 4], _) = ([1.5, -0.6, 0.8, -2.0], 0.7);
    let y = array![[0.3, -1.0], [0.0, 0.0], [2.0, 5.0]];
    let x = hopf_lax::inverse(&Quadratic, &theta, rate, y.view()).unwrap();
    let volume = hopf_lax::log_volume(&Quadratic, &theta, rate, y.view()).unwrap();
    let normal = |x: f64| -0.5 * x * x - 0.5 * std::f64::consts::TAU.ln();
    for ((y, x), volume) in y.rows().into_iter().zip(x.rows()).zip(&volume) {
        let found = normal(x[0]) + normal(x[1]) + volume;
        let expected: f64 = (0..2)
            .map(|j| {
                let deviation = 1.0 / (1.0 + rate * theta[j]);
                let mean = -rate * theta[j + 2] * deviation;
                normal((y[j] - mean) / deviation) - deviation.ln()
            })
            .sum();
        // A dozen operations in double precision.
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[test]
fn the_volume_is_that_of_a_small_square() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let net = Mlp::new(2, &[7, 5], Activation::SharpSoftplus, Output::Identity).unwrap();
    let theta: Vec<f64> = Initialisation::GlorotUniform.draw(&net, &mut rng);
    let y = Array2::from_shape_vec((300, 2), uniform(&mut rng, 600)).unwrap();
    let rate = 0.9;
    let volume = hopf_lax::log_volume(&net, &theta, rate, y.view()).unwrap();
    let at = |y: Array2<f64>| hopf_lax::inverse(&net, &theta, rate, y.view()).unwrap();
    let h = 1e-5;
    let side = |j: usize| {
        let mut step = Array2::zeros((1, 2));
        step[[0, j]] = h;
        (at(&y + &step) - at(&y - &step)) / (2.0 * h)
    };
    let (first, second) = (side(0), side(1));
    for row in 0..300 {
        let determinant = first[[row, 0]] * second[[row, 1]] - first[[row, 1]] * second[[row, 0]];
        // Third derivatives of order 10² times h², and rounding over h.
        assert!((volume[row] - determinant.abs().ln()).abs() < 1e-6 / determinant.abs().min(1.0));
    }
    assert!(hopf_lax::log_volume(&net, &theta, rate, array![[0.0]].view()).is_err());
}
