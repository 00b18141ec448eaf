//! Where the search for the ends of paths begins, and what it is told by the companions.

use flows::FlowError;
use flows::activation::Activation;
use flows::hopf_lax::{CriticField, Field, HopfLaxFlow};
use flows::integrate::VelocityField;
use flows::mlp::{Mlp, Output};
use flows::scalar_field::ScalarField;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, array};
use std::cell::RefCell;

const LAMBDA: f64 = 0.7;
const HORIZON: f64 = 2.0;

/// φ and φ′ on each coordinate of the points, and the batches that it was asked for.
struct Separable<'a> {
    dim: usize,
    jet: fn(f64) -> (f64, f64),
    asked: &'a RefCell<Vec<Vec<f64>>>,
}

impl Field<f64> for Separable<'_> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn jet(
        &mut self,
        points: &[f64],
        values: &mut Vec<f64>,
        gradients: &mut Vec<f64>,
    ) -> Result<(), FlowError> {
        self.asked.borrow_mut().push(points.to_vec());
        *values = points.chunks_exact(self.dim).map(|y| y.iter().map(|&y| (self.jet)(y).0).sum()).collect();
        *gradients = points.iter().map(|&y| (self.jet)(y).1).collect();
        Ok(())
    }
}

/// The constant velocity (1, −3), and the times and points at which it was asked.
struct Wind<'a>(&'a RefCell<Vec<(f64, Array2<f64>)>>);

impl VelocityField<f64> for Wind<'_> {
    fn velocity(
        &mut self,
        x: ArrayView2<'_, f64>,
        t: f64,
        mut v: ArrayViewMut2<'_, f64>,
    ) -> Result<(), FlowError> {
        self.0.borrow_mut().push((t, x.to_owned()));
        v.column_mut(0).fill(1.0);
        v.column_mut(1).fill(-3.0);
        Ok(())
    }
}

/// ½y².
fn bowl(y: f64) -> (f64, f64) {
    (0.5 * y * y, y)
}

#[test]
fn the_search_begins_where_the_proposal_leads_and_then_where_it_ended() {
    let (batches, proposals) = (RefCell::default(), RefCell::default());
    let critic = Separable { dim: 2, jet: bowl, asked: &batches };
    let mut flow = HopfLaxFlow::new(critic, Wind(&proposals), LAMBDA, HORIZON, vec![0.5, 0.25]);
    // Of U(x, t) = min_y ½‖y‖² + μ/2·‖x − y‖², μ = λ/(T − t): y = μx/(1 + μ).
    let mut last = Vec::new();
    let mut check = |x: &Array2<f64>, t: f64, asks: bool| {
        batches.borrow_mut().clear();
        proposals.borrow_mut().clear();
        let ends = flow.ends(x.view(), t).unwrap();
        let weight = LAMBDA / (HORIZON - t);
        for (y, x) in ends.iter().zip(x) {
            // The search ends at 1e-5 of slopes below 3.
            assert!((y - weight * x / (1.0 + weight)).abs() < 1e-4, "{y} from {x} at {t}");
        }
        assert_eq!(proposals.borrow().len(), usize::from(asks), "at {t}");
        if asks {
            assert_eq!(proposals.borrow()[0], (t, x.clone()));
            let expected: Vec<f64> = (x + &(array![[1.0, -3.0]] * (HORIZON - t))).into_iter().collect();
            assert_eq!(batches.borrow()[0], expected);
        } else {
            assert_eq!(batches.borrow()[0], last);
        }
        last = ends.iter().copied().collect();
        ends
    };
    let x = array![[1.0, -2.0], [0.5, 3.0], [-1.5, 0.25]];
    check(&x, 0.5, true);
    let before = check(&x, 0.5, false);
    check(&x, 1.0, false);
    // The batch begins at the last ends of as many points, however they have moved.
    assert_eq!(check(&(&x + 0.5), 1.25, false).dim(), before.dim());
    check(&x, 0.75, true);
    check(&x.slice(ndarray::s![..2, ..]).to_owned(), 1.0, true);
}

/// 50y² with a slope of two decimals, as roundings make it: the gradient vanishes nowhere.
fn rounded_bowl(y: f64) -> (f64, f64) {
    (50.0 * y * y, (1e4 * y).round() * 1e-2)
}

/// Along a path y and the gradient that is left stay the same: what could not be resolved is not searched again.
#[test]
fn what_one_search_leaves_the_next_one_on_the_path_leaves_too() {
    let (batches, proposals) = (RefCell::default(), RefCell::default());
    let critic = Separable { dim: 2, jet: rounded_bowl, asked: &batches };
    let mut flow = HopfLaxFlow::new(critic, Wind(&proposals), LAMBDA, HORIZON, Vec::new());
    let x = array![[1.0, -2.0], [0.537, 3.123], [-1.5, 0.2531]];
    let ends = flow.ends(x.view(), 0.0).unwrap();
    // A slope that is known to 0.01 over a curvature of 100.
    let weight = LAMBDA / HORIZON;
    assert!(ends.iter().zip(&x).all(|(y, x)| (y - weight * x / (100.0 + weight)).abs() < 2e-4), "{ends}");
    assert!(batches.borrow().len() > 8, "{}", batches.borrow().len());
    for t in [0.5, 1.0, 1.9] {
        batches.borrow_mut().clear();
        let on_the_way = &x + &((&ends - &x) * (t / HORIZON));
        assert_eq!(flow.ends(on_the_way.view(), t).unwrap(), ends);
        assert_eq!(batches.borrow().len(), 1, "at {t}");
    }
    // Elsewhere there is something to gain.
    flow.ends((&x + 1.0).view(), 1.9).unwrap();
    assert!(batches.borrow().len() > 2);
}

#[test]
fn points_or_companions_of_another_dimension_are_errors() {
    let (batches, proposals) = (RefCell::default(), RefCell::default());
    let critic = || Separable { dim: 2, jet: bowl, asked: &batches };
    let mut flow = HopfLaxFlow::new(critic(), Wind(&proposals), LAMBDA, HORIZON, vec![0.5]);
    assert!(matches!(flow.ends(array![[1.0, 2.0]].view(), 0.0), Err(FlowError::Shape { .. })));
    let mut flow = HopfLaxFlow::new(critic(), Wind(&proposals), LAMBDA, HORIZON, Vec::new());
    assert!(matches!(flow.ends(array![[1.0]].view(), 0.0), Err(FlowError::Shape { .. })));
    assert!(matches!(flow.derivatives(array![[1.0]].view(), 0.0), Err(FlowError::Shape { .. })));
}

/// A field at rest.
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

/// Valleys at ±1, the right one deeper by about 2: (y² − 1)² − y.
fn two_valleys(y: f64) -> (f64, f64) {
    ((y * y - 1.0).powi(2) - y, 4.0 * y * (y * y - 1.0) - 1.0)
}

/// From −1 the deeper valley is not seen; a companion in it shows it, but not one that costs more than the valley found.
#[test]
fn companions_lead_to_valleys_that_a_points_own_search_does_not_find() {
    let batches = RefCell::default();
    let critic = || Separable { dim: 1, jet: two_valleys, asked: &batches };
    let cost = |y: f64, x: f64| two_valleys(y).0 + 0.5 * LAMBDA / HORIZON * (y - x).powi(2);
    let x = array![[-1.0], [-0.9]];
    let valley = |from: f64, to: f64, x: f64| {
        let grid = (0..=100_000).map(|i| from + (to - from) * f64::from(i) * 1e-5);
        grid.fold(from, |best, y| if cost(y, x) < cost(best, x) { y } else { best })
    };
    for (companions, from, to) in
        [(vec![], -2.0, 0.0), (vec![2.0], -2.0, 0.0), (vec![1.2], 0.0, 2.0), (vec![-2.0, 1.2], 0.0, 2.0)]
    {
        let mut flow = HopfLaxFlow::new(critic(), Rest, LAMBDA, HORIZON, companions.clone());
        let ends = flow.ends(x.view(), 0.0).unwrap();
        let found = flow.derivatives(x.view(), 0.0).unwrap();
        assert_eq!((ends.dim(), found.time.len()), ((2, 1), 2));
        for ((&y, &x), (gradient, time)) in ends.iter().zip(&x).zip(found.gradient.iter().zip(&found.time)) {
            // The grid is 2e-5 wide; the search ends at 1e-5 of slopes of order one.
            assert!((y - valley(from, to, x)).abs() < 1e-4, "{y} for {x} with {companions:?}");
            let slope = two_valleys(y).1;
            assert!((gradient - LAMBDA * (x - y) / HORIZON).abs() < 1e-4, "{gradient}");
            assert!((time - slope * slope / (2.0 * LAMBDA)).abs() < 1e-4, "{time}");
        }
        let mut v = Array2::zeros((2, 1));
        flow.velocity(x.view(), 0.0, v.view_mut()).unwrap();
        for ((v, y), x) in v.iter().zip(&ends).zip(&x) {
            assert!((v - (y - x) / HORIZON).abs() < 1e-4, "{v}");
        }
    }
}

/// Companions lead their own coordinates' way only where they are rows of the same width; points do not lead each other.
#[test]
fn companions_lead_and_other_points_do_not() {
    let batches = RefCell::default();
    let critic = || Separable { dim: 2, jet: two_valleys, asked: &batches };
    // Left and right valleys of both coordinates.
    let x = array![[-1.0, 1.1], [1.0, -0.9], [-1.1, -1.0]];
    for (companions, leads) in [(vec![], false), (vec![-1.0, -1.0, 1.2, 1.2], true)] {
        let mut flow = HopfLaxFlow::new(critic(), Rest, LAMBDA, HORIZON, companions);
        for (y, x) in flow.ends(x.view(), 0.0).unwrap().iter().zip(&x) {
            assert_eq!(*y > 0.0, leads || *x > 0.0, "{y} from {x}");
        }
    }
}

/// What is left of the horizon must be more than its rounding in single precision for λ/(T − t) to be of use.
#[test]
fn within_rounding_of_the_horizon_the_potential_is_the_critic() {
    let net = Mlp::new(1, &[3], Activation::Tanh, Output::Identity).unwrap();
    let parameters: Vec<f64> = (0..net.parameter_count()).map(|k| (k as f64).cos()).collect();
    let (x, rounding) = (array![[0.4]], f64::from(f32::EPSILON));
    let (_, slope) = net.at(&parameters, x.view()).unwrap();
    let gradient = |shares: f64| {
        let field = CriticField::new(&net, &parameters).unwrap();
        let mut flow = HopfLaxFlow::new(field, Rest, LAMBDA, HORIZON, Vec::new());
        flow.derivatives(x.view(), HORIZON * (1.0 - shares * rounding)).unwrap().gradient
    };
    assert_eq!(gradient(0.5), slope);
    assert_eq!(gradient(1.0), slope);
    let searched = gradient(2.0);
    assert_ne!(searched, slope);
    // The search ends at 1e-5 of slopes of order one.
    assert!((&searched - &slope)[[0, 0]].abs() < 1e-4, "{searched} instead of {slope}");
}
