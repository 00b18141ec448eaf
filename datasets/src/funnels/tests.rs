use std::path::Path;

use ndarray::{Axis, array};

use super::{FunnelSet, Funnels};
use crate::{DataError, stream};

fn random(count: usize, dim: usize) -> Funnels {
    FunnelSet::Random.funnels(count, dim, Path::new("nowhere")).unwrap()
}

/// E‖x − y‖ of n pairs and its standard error.
fn cost(funnels: &Funnels, n: usize) -> (f64, f64) {
    let (x, y) = funnels.pairs(n, &mut stream(5, "funnels-test", 0));
    let ways = (x - y).map_axis(Axis(1), |way| way.dot(&way).sqrt());
    (ways.mean().unwrap(), (ways.var(1.0) / n as f64).sqrt())
}

#[test]
fn slopes_are_those_of_the_values() {
    for (count, dim) in [(1, 1), (5, 2), (40, 12)] {
        let funnels = random(count, dim);
        let x = funnels.image(300, &mut stream(4, "funnels-test", 0));
        let slopes = funnels.critic(x.view()).1;
        let (h, mut off) = (1e-5, 0);
        for j in 0..dim {
            let moved = |h: f64| {
                let mut x = x.clone();
                x.column_mut(j).iter_mut().for_each(|x| *x += h);
                funnels.critic(x.view()).0
            };
            let gaps = (moved(h) - moved(-h)) / (2.0 * h) - slopes.column(j);
            off += gaps.iter().filter(|gap| gap.abs() > 1e-6).count();
        }
        // A difference across a border between funnels, 1e-5 wide, or beside a centre.
        assert!(off * 200 <= x.len(), "{count} in {dim}: {off} of {}", x.len());
    }
}

/// u is 1-Lipschitz, and falls with slope 1 from y to x: by duality no plan is cheaper. Rays end inside the cube.
#[test]
fn pairs_are_an_optimal_plan_in_the_cube() {
    for (count, dim) in [(1, 3), (4, 2), (30, 20)] {
        let funnels = random(count, dim);
        let (x, y) = funnels.pairs(500, &mut stream(6, "funnels-test", 0));
        let falls = funnels.critic(x.view()).0 - funnels.critic(y.view()).0;
        let ways = (&x - &y).map_axis(Axis(1), |way| way.dot(&way).sqrt());
        // Rounding of squares up to 100.
        assert!((&falls - &ways).iter().all(|gap| gap.abs() < 1e-7), "{count} in {dim}");
        assert!(x.iter().all(|x| x.abs() <= 2.5));
    }
}

/// One funnel in the middle of the line: t = |y|/2.5 is uniform, and W1 = 2.5·E(t − t⁸) = 2.5·(1/2 − 1/9).
#[test]
fn one_funnel_on_the_line_has_a_known_cost() {
    let funnels = Funnels::new(array![[0.0]], array![0.3]);
    let (mean, error) = cost(&funnels, 40_000);
    assert!((mean - 2.5 * (0.5 - 1.0 / 9.0)).abs() < 5.0 * error, "{mean} ± {error}");
}

/// The border between two funnels bounds the rays: on the line, with the centres ±1 and no bias, the rays towards 0 have
/// length 1, those away from it 1.5, each with its share of the mass.
#[test]
fn rays_end_at_the_border_of_their_funnel() {
    let funnels = Funnels::new(array![[-1.0], [1.0]], array![0.0, 0.0]);
    let (mean, error) = cost(&funnels, 40_000);
    let exact = (0.4 * 1.0 + 0.6 * 1.5) * (0.5 - 1.0 / 9.0);
    assert!((mean - exact).abs() < 5.0 * error, "{mean} ± {error}, {exact}");
}

/// On the line W1 is the mean distance of sorted points, whatever the plan.
#[test]
fn on_the_line_the_cost_is_that_of_sorted_points() {
    let funnels = random(6, 1);
    let (x, y) = funnels.pairs(4000, &mut stream(7, "funnels-test", 0));
    let direct = (&x - &y).iter().map(|way| way.abs()).sum::<f64>();
    let sorted = |points: ndarray::Array2<f64>| {
        let mut points = points.into_raw_vec_and_offset().0;
        points.sort_by(f64::total_cmp);
        points
    };
    let least: f64 = sorted(x).iter().zip(sorted(y)).map(|(x, y)| (x - y).abs()).sum();
    assert!((direct - least).abs() < 1e-9 * direct, "{direct} {least}");
}

#[test]
fn what_is_missing_says_where_it_comes_from() {
    let error = FunnelSet::MinFunnels.funnels(4, 2, Path::new("nowhere")).unwrap_err();
    assert!(matches!(error, DataError::NoPackage { .. }));
    let text = error.to_string();
    assert!(text.contains("Wasserstein1Benchmark") && text.contains("random funnels"), "{text}");
    assert!(FunnelSet::Random.funnels(0, 2, Path::new("nowhere")).is_err());
    assert!(FunnelSet::Random.funnels(2, 0, Path::new("nowhere")).is_err());
}

/// The published costs of arXiv 2206.07767, of samples of their own: the largest gap to this plan is 4.3 %.
#[test]
fn the_benchmark_has_its_published_costs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cache");
    for (count, dim, published) in [(4, 2, 0.822), (64, 16, 1.559), (16, 128, 1.066)] {
        let funnels = match FunnelSet::MinFunnels.funnels(count, dim, &root) {
            Ok(funnels) => funnels,
            Err(DataError::NoPackage { .. }) => {
                return eprintln!("skipped: {} has no files of the W1 benchmark", root.display());
            }
            Err(error) => panic!("{error}"),
        };
        let (mean, error) = cost(&funnels, 4000);
        assert!(
            (mean / published - 1.0).abs() < 0.043,
            "{count} in {dim}: {mean} ± {error}, in print {published}"
        );
    }
}
