//! The Hopf–Lax potential against closed forms and brute force.

#[path = "../../examples/hopf_lax.rs"]
mod example;

use flows::FlowError;
use flows::activation::Activation;
use flows::hopf_lax::{CriticField, Field, HopfLaxFlow, Minimiser, Stop};
use flows::integrate::{Scheme, VelocityField, integrate};
use flows::mlp::{Initialisation, Mlp, Order, Output, Tape, Weights};
use flows::scalar_field::ScalarField;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, array};
use proptest::prelude::*;
use rand_chacha::rand_core::SeedableRng;

const EXACT: Stop = Stop { iterations: 500, tolerance: 1e-9 };

/// φ(y) = Σ ½·kⱼ·yⱼ², whose minimiser with μ/2·‖x − y‖² is yⱼ = μxⱼ/(kⱼ + μ).
struct Quadratic(Vec<f64>);

impl Field<f64> for Quadratic {
    fn dim(&self) -> usize {
        self.0.len()
    }

    fn jet(
        &mut self,
        points: &[f64],
        values: &mut Vec<f64>,
        gradients: &mut Vec<f64>,
    ) -> Result<(), FlowError> {
        let rows = || points.chunks_exact(self.0.len());
        *values = rows().map(|y| y.iter().zip(&self.0).map(|(y, k)| 0.5 * k * y * y).sum()).collect();
        *gradients = rows().flat_map(|y| y.iter().zip(&self.0).map(|(y, k)| k * y)).collect();
        Ok(())
    }
}

/// A field that does not move what rests in it.
struct Rest;

impl VelocityField<f64> for Rest {
    fn velocity(
        &mut self,
        _: ArrayView2<'_, f64>,
        _: f64,
        mut v: ArrayViewMut2<'_, f64>,
    ) -> Result<(), FlowError> {
        v.fill(0.0);
        Ok(())
    }
}

#[test]
fn the_examples_own_check_passes() {
    example::main().unwrap();
}

proptest! {
    /// Curvatures over four decades, as those of a critic across and along its manifold.
    #[test]
    fn quadratic_critics_have_their_closed_form_minimiser(
        curvatures in prop::collection::vec(-4.0..0.0_f64, 3),
        x in prop::collection::vec(-3.0..3.0_f64, 12),
        start in prop::collection::vec(-3.0..3.0_f64, 12),
    ) {
        let curvatures: Vec<f64> = curvatures.iter().map(|k| 100.0 * 10.0_f64.powf(*k)).collect();
        let weight = 0.1;
        let mut y = start;
        Minimiser::default().minimise(&mut Quadratic(curvatures.clone()), weight, &x, &mut y, 0..0, EXACT).unwrap();
        for (y, x) in y.chunks_exact(3).zip(x.chunks_exact(3)) {
            for ((y, x), k) in y.iter().zip(x).zip(&curvatures) {
                // The gradient vanishes to 1e-9 of its two parts, which are below 1000; it moves y by 1/(k + μ) < 10 of
                // that.
                prop_assert!((y - weight * x / (k + weight)).abs() < 1e-5, "{y} at curvature {k}");
            }
        }
    }

    #[test]
    fn the_objective_never_rises(
        x in prop::collection::vec(-2.0..2.0_f64, 4),
        iterations in 0..6_usize,
    ) {
        let (net, parameters) = critic(2);
        let mut y = x.clone();
        y.reverse();
        let before = objective(&net, &parameters, &x, &y, 0.3);
        let mut field = CriticField::new(&net, &parameters).unwrap();
        let stop = Stop { iterations, tolerance: 0.0 };
        Minimiser::default().minimise(&mut field, 0.3, &x, &mut y, 0..0, stop).unwrap();
        for (after, before) in objective(&net, &parameters, &x, &y, 0.3).iter().zip(before) {
            // Values are of order one.
            prop_assert!(*after <= before + 1e-14);
        }
    }
}

fn critic(dim: usize) -> (Mlp, Vec<f64>) {
    let net = Mlp::new(dim, &[16, 16], Activation::Tanh, Output::Identity).unwrap();
    let parameters = Initialisation::GlorotUniform.draw(&net, &mut rand_chacha::ChaCha8Rng::seed_from_u64(3));
    (net, parameters)
}

/// φ(y) + `weight`/2·‖x − y‖² of each row.
fn objective(net: &Mlp, parameters: &[f64], x: &[f64], y: &[f64], weight: f64) -> Vec<f64> {
    let mut tape = Tape::new();
    net.evaluate(&Weights::new(net, parameters).unwrap(), y, Order::Value, &mut tape).unwrap();
    let squares = x.chunks_exact(net.input()).zip(y.chunks_exact(net.input()));
    let squares = squares.map(|(x, y)| x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>());
    tape.value().iter().zip(squares).map(|(v, s)| v + 0.5 * weight * s).collect()
}

/// U(x, t) on the line by trying every y of a fine grid.
fn brute_force(net: &Mlp, parameters: &[f64], lambda: f64, horizon: f64, x: f64, t: f64) -> f64 {
    let grid: Vec<f64> = (-40_000..=40_000).map(|i| f64::from(i) * 1e-4).collect();
    let values = objective(net, parameters, &vec![x; grid.len()], &grid, lambda / (horizon - t));
    values.into_iter().fold(f64::INFINITY, f64::min)
}

#[test]
fn derivatives_are_those_of_the_minimum() {
    let (net, parameters) = critic(1);
    let (lambda, horizon) = (0.7, 1.5);
    let field = CriticField::new(&net, &parameters).unwrap();
    let mut flow = HopfLaxFlow::new(field, Rest, lambda, horizon, Vec::new());
    for (x, t) in [(0.3, 0.0), (-1.2, 0.4), (0.9, 1.0), (1.4, 1.3)] {
        let u = |x: f64, t: f64| brute_force(&net, &parameters, lambda, horizon, x, t);
        let found = flow.derivatives(array![[x]].view(), t).unwrap();
        let (gradient, time) = (found.gradient.row(0).to_owned(), found.time);
        // The grid's minimum is above the true one by at most ½·(curvature < 5)·(0.5e-4)², which differences over
        // 2h = 0.02 raise to 7e-7; their own error h²/6·|U‴| is below 1e-4.
        let h = 1e-2;
        assert!(((u(x + h, t) - u(x - h, t)) / (2.0 * h) - gradient[0]).abs() < 1e-4, "∇U at {x}, {t}");
        assert!(((u(x, t + h) - u(x, t - h)) / (2.0 * h) - time[0]).abs() < 1e-4, "∂ₜU at {x}, {t}");
    }
}

#[test]
fn at_the_horizon_the_potential_is_the_critic() {
    let (net, parameters) = critic(2);
    let x = array![[0.4, -0.8], [1.1, 0.2]];
    let mut flow = HopfLaxFlow::new(CriticField::new(&net, &parameters).unwrap(), Rest, 0.5, 2.0, Vec::new());
    let found = flow.derivatives(x.view(), 2.0).unwrap();
    let (_, gradient) = net.at(&parameters, x.view()).unwrap();
    assert_eq!(found.gradient, gradient);
    // ‖∇φ‖²/(2λ) with λ = ½.
    assert_eq!(found.time[0], gradient[[0, 0]].powi(2) + gradient[[0, 1]].powi(2));
}

#[test]
fn any_number_of_steps_leads_to_the_same_end() {
    let (net, parameters) = critic(2);
    let start = array![[0.4, -0.8], [1.1, 0.2], [-2.0, 0.5]];
    let end = |steps: usize| {
        let field = CriticField::new(&net, &parameters).unwrap();
        let mut flow = HopfLaxFlow::new(field, Rest, 0.3, 1.0, Vec::new());
        let mut x = start.clone();
        integrate(&mut flow, Scheme::Euler, 1.0, steps, x.view_mut(), |_, _, _| {}).unwrap();
        x
    };
    let one = end(1);
    assert!(one.iter().zip(&start).any(|(a, b)| (a - b).abs() > 0.1), "the critic moves points");
    for steps in [2, 7, 64] {
        for (many, one) in end(steps).iter().zip(&one) {
            // Each search ends within 1e-9 of relative slope.
            assert!((many - one).abs() < 1e-6, "{steps} steps: {many} instead of {one}");
        }
    }
}

#[test]
fn time_that_goes_back_begins_a_new_search() {
    let (net, parameters) = critic(2);
    let field = || CriticField::new(&net, &parameters).unwrap();
    let mut flow = HopfLaxFlow::new(field(), Rest, 0.3, 1.0, Vec::new());
    let (other, x) = (array![[2.0, 2.0]], array![[0.1, 0.2]]);
    flow.ends(other.view(), 0.5).unwrap();
    let again: Array2<f64> = flow.ends(x.view(), 0.0).unwrap();
    let fresh = HopfLaxFlow::new(field(), Rest, 0.3, 1.0, Vec::new()).ends(x.view(), 0.0).unwrap();
    assert_eq!(again, fresh);
}
