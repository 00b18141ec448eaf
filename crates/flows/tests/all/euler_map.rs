//! Euler steps as a change of variables, against affine maps and central differences.

use crate::common::uniform;
use flows::FlowError;
use flows::activation::Activation;
use flows::critic::{Critic, CriticObjective};
use flows::euler_map::{Differentiable, inverse, retrace};
use flows::flow::{Flow, FlowObjective, Steps};
use flows::game::{Game, Networks};
use flows::integrate::{Scheme, VelocityField, integrate};
use flows::lipschitz::Lipschitz;
use flows::mlp::{Mlp, Output};
use flows::potential::Potential;
use flows::scalar_field::ScalarField;
use flows::velocity::Velocity;
use ndarray::{Array2, Array3, ArrayView2, ArrayViewMut2, array};
use ot_core::divergence::Divergence;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// v(x, t) = (1 + t)·Ax + b with a matrix that is not symmetric.
struct Affine(f64);

impl Affine {
    fn matrix(&self, t: f64) -> Array2<f64> {
        array![[0.5, -2.0], [0.3, 1.0]] * (self.0 * (1.0 + t))
    }
}

impl VelocityField<f64> for Affine {
    fn velocity(
        &mut self,
        x: ArrayView2<'_, f64>,
        t: f64,
        mut v: ArrayViewMut2<'_, f64>,
    ) -> Result<(), FlowError> {
        v.assign(&(x.dot(&self.matrix(t).t()) + array![0.7, -0.2]));
        Ok(())
    }
}

impl Differentiable for Affine {
    fn jacobians(&mut self, x: ArrayView2<'_, f64>, t: f64) -> Result<Array3<f64>, FlowError> {
        Ok(Array3::from_shape_fn((x.nrows(), 2, 2), |(_, i, j)| self.matrix(t)[[i, j]]))
    }
}

fn points(seed: u64, count: usize) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_vec((count, 2), uniform(&mut rng, 2 * count)).unwrap() * 3.0
}

/// det(I + h(1 + t)A) = 1 + 1.5h(1 + t) + 1.1h²(1 + t)² in closed form. The fixed point contracts with a factor of 0.1 alone;
/// the other two are left to Newton's method.
#[test]
fn an_affine_velocity_changes_volumes_by_its_determinants() {
    for (factor, steps) in [(0.1, 4), (1.0, 1), (-2.0, 3)] {
        let (horizon, x) = (1.5, points(1, 700));
        let mut y = x.clone();
        integrate(&mut Affine(factor), Scheme::Euler, horizon, steps, y.view_mut(), |_, _, _| {}).unwrap();
        let found = retrace(|| Ok(Affine(factor)), (horizon, steps), y.view()).unwrap();
        let h = horizon / steps as f64;
        let expected: f64 = (0..steps)
            .map(|i| {
                let s = factor * h * (1.0 + i as f64 * h);
                (1.0 + 1.5 * s + 1.1 * s * s).abs().ln()
            })
            .sum();
        // Steps end at 1e-12 of points that the steps of the factor −2 stretch from a tenth of their length.
        assert!((&found.beginnings - &x).iter().all(|gap| gap.abs() < 1e-9));
        assert!(found.log_determinants.iter().all(|log| (log - expected).abs() < 1e-12), "{factor}");
        assert_eq!(inverse(|| Ok(Affine(factor)), (horizon, steps), y.view()).unwrap(), found.beginnings);
    }
}

/// With ever more steps Σ log det(I + h·∇v) is ∫ tr ∇v dt = 1.5·0.4·∫ (1 + t) dt of the differential equation.
#[test]
fn in_many_steps_the_volume_is_the_integral_of_the_trace() {
    let off = |steps: usize| {
        let found = retrace(|| Ok(Affine(0.4)), (1.0, steps), array![[0.3, 0.1]].view()).unwrap();
        (found.log_determinants[0] - 1.5 * 0.4 * 1.5).abs()
    };
    // First order: the error of 400 steps is a tenth of that of 40, up to terms of the second order.
    assert!(off(40) < 0.05 && (off(40) / off(400) - 10.0).abs() < 1.0, "{} {}", off(40), off(400));
}

fn game(flow: Flow) -> Game {
    let critic = Critic {
        network: Mlp::new(2, &[5, 4], Activation::Softplus, Output::Identity).unwrap().into(),
        objective: CriticObjective { divergence: Divergence::KullbackLeibler, weight: 0.8 },
        bound: 1.0,
        lipschitz: Lipschitz::None,
    };
    let objective =
        FlowObjective { lambda: 0.7, horizon: 1.5, steps: Steps::Fixed(3), ..FlowObjective::default() };
    Game { critic, flow, objective }
}

#[test]
fn every_network_knows_the_derivative_of_its_velocity_and_the_way_back() {
    let potential = || Potential::new(2, &[6, 5], Activation::Tanh).unwrap();
    for flow in [
        Flow::Network(potential()),
        Flow::ExactTerminal(potential()),
        Flow::Velocity(Velocity::new(2, &[6, 5], Activation::Tanh).unwrap()),
    ] {
        let game = game(flow);
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let flow = uniform(&mut rng, game.flow.parameter_count());
        let critic = uniform(&mut rng, game.critic.network.parameter_count());
        let field = || game.field(Networks { flow: &flow, critic: &critic }, &[]);
        let (x, t, h) = (points(2, 40), 0.6, 1e-5);
        let at = |x: &Array2<f64>| {
            let mut v = Array2::zeros(x.dim());
            field().unwrap().velocity(x.view(), t, v.view_mut()).unwrap();
            v
        };
        let jacobians = field().unwrap().jacobians(x.view(), t).unwrap();
        for j in 0..2 {
            let mut step = Array2::zeros((1, 2));
            step[[0, j]] = h;
            let column = (at(&(&x + &step)) - at(&(&x - &step))) / (2.0 * h);
            for ((row, i), expected) in column.indexed_iter() {
                // h² of third derivatives of order 1, and rounding over h.
                assert!((jacobians[[row, i, j]] - expected).abs() < 1e-8, "∂v{i}/∂x{j}");
            }
        }
        for steps in [30, 60] {
            let mut y = x.clone();
            integrate(&mut field().unwrap(), Scheme::Euler, 1.5, steps, y.view_mut(), |_, _, _| {}).unwrap();
            assert!((&y - &x).iter().any(|way| way.abs() > 0.3), "the points move");
            let back = inverse(field, (1.5, steps), y.view()).unwrap();
            // 1e-12 a step, which the others can stretch a thousandfold.
            assert!((&back - &x).iter().all(|gap| gap.abs() < 1e-8), "{steps} steps");
        }
    }
}

/// v(x) = x³, so that a step of 1 is x + x³: it does not fold, but its fixed point flies off beyond |x| = 0.6.
struct Cubic;

impl VelocityField<f64> for Cubic {
    fn velocity(
        &mut self,
        x: ArrayView2<'_, f64>,
        _: f64,
        mut v: ArrayViewMut2<'_, f64>,
    ) -> Result<(), FlowError> {
        v.assign(&x.mapv(|x| x * x * x));
        Ok(())
    }
}

impl Differentiable for Cubic {
    fn jacobians(&mut self, x: ArrayView2<'_, f64>, _: f64) -> Result<Array3<f64>, FlowError> {
        Ok(Array3::from_shape_fn((x.nrows(), 1, 1), |(row, _, _)| 3.0 * x[[row, 0]] * x[[row, 0]]))
    }
}

#[test]
fn a_steep_step_is_inverted_where_its_fixed_point_flies_off() {
    let x = Array2::from_shape_fn((61, 1), |(row, _)| -3.0 + 0.1 * row as f64);
    let found = retrace(|| Ok(Cubic), (1.0, 1), (&x + &x.mapv(|x| x * x * x)).view()).unwrap();
    for ((back, log), x) in found.beginnings.iter().zip(&found.log_determinants).zip(&x) {
        // 1e-12 of y, up to 30.
        assert!((back - x).abs() < 1e-10 && (log - (1.0 + 3.0 * x * x).ln()).abs() < 1e-9, "{back} {x}");
    }
}

/// v(x) = (x₁³, −x₂): a step of 1 ends on the line x₂ = 0.
struct OntoALine;

impl VelocityField<f64> for OntoALine {
    fn velocity(
        &mut self,
        x: ArrayView2<'_, f64>,
        _: f64,
        mut v: ArrayViewMut2<'_, f64>,
    ) -> Result<(), FlowError> {
        v.column_mut(0).assign(&x.column(0).mapv(|x| x * x * x));
        v.column_mut(1).assign(&x.column(1).mapv(|x| -x));
        Ok(())
    }
}

impl Differentiable for OntoALine {
    fn jacobians(&mut self, x: ArrayView2<'_, f64>, _: f64) -> Result<Array3<f64>, FlowError> {
        let slope = |row| [[3.0 * x[[row, 0]] * x[[row, 0]], 0.0], [0.0, -1.0]];
        Ok(Array3::from_shape_fn((x.nrows(), 2, 2), |(row, i, j)| slope(row)[i][j]))
    }
}

#[test]
fn a_point_that_no_step_reaches_leaves_the_others_as_they_are() {
    let y = array![[0.4 + 0.064, 0.0], [0.2 + 0.008, 0.0], [0.3, 0.5]];
    let found = inverse(|| Ok(OntoALine), (1.0, 1), y.view()).unwrap();
    // 1e-12 of y.
    assert!((found[[0, 0]] - 0.4).abs() < 1e-10 && (found[[1, 0]] - 0.2).abs() < 1e-10, "{found}");
    assert!(found.iter().all(|x| x.abs() < 10.0), "{found}");
    let alone = inverse(|| Ok(OntoALine), (1.0, 1), y.slice(ndarray::s![..2, ..])).unwrap();
    let gap = &alone - &found.slice(ndarray::s![..2, ..]);
    assert!(gap.iter().all(|gap| gap.abs() < 1e-10), "{gap}");
}

#[test]
fn no_steps_and_points_of_another_dimension_are_refused() {
    assert!(inverse(|| Ok(Affine(1.0)), (1.0, 0), array![[0.0, 0.0]].view()).is_err());
    let velocity = Velocity::new(2, &[3], Activation::Tanh).unwrap();
    let parameters = vec![0.1; velocity.net().parameter_count()];
    let flow = flows::matching::VelocityFlow { velocity, horizon: 1.0, parameters };
    assert!(flow.retrace(array![[0.0]].view(), 2).is_err());
    assert_eq!(flow.inverse(Array2::zeros((0, 2)).view(), 2).unwrap().dim(), (0, 2));
    assert!(flow.retrace(array![[f64::NAN, 0.0]].view(), 2).is_err());
}
