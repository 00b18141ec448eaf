use std::path::Path;

use ndarray::{Array2, Axis};

use super::{KnownMap, KnownPair};
use crate::{DataError, stream};

const OWN: [KnownMap; 3] = [KnownMap::PiecewiseAffine, KnownMap::LogSumExp, KnownMap::Gaussian];

fn own(map: KnownMap, dim: usize) -> (KnownPair, Array2<f64>) {
    let pair = map.pair(dim, Path::new("nowhere")).unwrap();
    let x = pair.source(200, &mut stream(4, "known-map", 0));
    (pair, x)
}

/// Mean squared length of the rows.
fn square(points: &Array2<f64>) -> f64 {
    points.iter().map(|x| x * x).sum::<f64>() / points.nrows() as f64
}

/// ½E‖x − T(x)‖²/n, and its standard error.
fn sampled_cost(pair: &KnownPair, n: usize) -> (f64, f64) {
    let x = pair.source(n, &mut stream(5, "known-map", 0));
    let costs = (pair.map(x.view()) - x).map_axis(Axis(1), |step| 0.5 * step.dot(&step));
    (costs.mean().unwrap(), (costs.var(1.0) / n as f64).sqrt())
}

#[test]
fn maps_are_slopes_of_their_potentials() {
    for map in OWN {
        for dim in [1, 3, 20] {
            let (pair, x) = own(map, dim);
            let slopes = pair.map(x.view());
            let h = 1e-5;
            let mut off = 0;
            for j in 0..dim {
                let moved = |h: f64| {
                    let mut x = x.clone();
                    x.column_mut(j).iter_mut().for_each(|x| *x += h);
                    pair.potential(x.view())
                };
                let difference = (moved(h) - moved(-h)) / (2.0 * h);
                // Third derivatives of log-sum-exp are below 2³/.5² = 32: an error of 32·h²/6, and rounding of ψ ≈ 20 over h.
                let gaps = &difference - &slopes.column(j);
                off += gaps.iter().filter(|gap| gap.abs() > 1e-8).count();
            }
            // A difference across a border between pieces, 1e-5 wide.
            assert!(off * 1000 <= x.len(), "{map} in {dim}: {off} of {}", x.len());
        }
    }
}

/// What makes a map optimal: of all pairs of points the nearer ends belong together.
#[test]
fn maps_are_monotone() {
    for map in OWN {
        let (pair, x) = own(map, 5);
        let y = pair.map(x.view());
        for i in 0..100 {
            for j in 0..i {
                let product = (&y.row(i) - &y.row(j)).dot(&(&x.row(i) - &x.row(j)));
                assert!(product > 0.0, "{map}: {product}");
            }
        }
    }
}

#[test]
fn inverses_lead_back() {
    for map in OWN {
        for dim in [1, 5, 40] {
            let (pair, x) = own(map, dim);
            let back = pair.inverse(pair.map(x.view()).view()).unwrap();
            // The slope is below 1e-12, and the strength of ψ at least .3.
            assert!((&back - &x).iter().all(|gap| gap.abs() < 1e-10), "{map} in {dim}");
        }
    }
}

/// Five standard errors.
#[test]
fn costs_in_closed_form_are_those_of_points() {
    for dim in [1, 6] {
        let (pair, _) = own(KnownMap::Gaussian, dim);
        let (mean, error) = sampled_cost(&pair, 20_000);
        let exact = pair.cost().unwrap();
        assert!((mean - exact).abs() < 5.0 * error, "{mean} ± {error}, {exact}");
    }
    assert_eq!(own(KnownMap::LogSumExp, 2).0.cost(), None);
}

/// On the line, W2² = ∫(F⁻¹ − G⁻¹)²: the optimal plan sorts both sides, so sorted images of sorted points lie in order.
#[test]
fn on_the_line_maps_rise_and_their_cost_is_that_of_sorted_points() {
    for map in OWN {
        let (pair, _) = own(map, 1);
        let mut x = pair.source(2000, &mut stream(6, "known-map", 0)).into_raw_vec_and_offset().0;
        let mut y = pair.map(Array2::from_shape_vec((2000, 1), x.clone()).unwrap().view());
        let direct = x.iter().zip(&y).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
        x.sort_by(f64::total_cmp);
        y.as_slice_mut().unwrap().sort_by(f64::total_cmp);
        let sorted = x.iter().zip(&y).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
        assert!((direct - sorted).abs() < 1e-9 * direct, "{map}: {direct} {sorted}");
    }
}

#[test]
fn no_map_is_trivial() {
    for map in OWN {
        for dim in [2, 32] {
            let (pair, x) = own(map, dim);
            let y = pair.map(x.view());
            let centred = &y - &y.mean_axis(Axis(0)).unwrap();
            let identity = square(&(&y - &x)) / square(&centred);
            assert!(identity > 0.05, "{map} in {dim}: the identity scores {identity}");
        }
    }
    // Every piece moves some of the points: their images have four different matrices.
    let (pair, x) = own(KnownMap::PiecewiseAffine, 8);
    let steps = pair.map((&x * 1e-3).view());
    assert_eq!(steps.dim(), x.dim());
    let h = 1e-6;
    let mut towards = x.clone();
    towards.column_mut(0).iter_mut().for_each(|x| *x += h);
    let slopes =
        (pair.map(towards.view()) - pair.map(x.view())).column(0).mapv(|step| (step / h * 1e4).round());
    let mut slopes = slopes.to_vec();
    slopes.sort_by(f64::total_cmp);
    slopes.dedup_by(|a, b| (*a - *b).abs() < 2.0);
    assert_eq!(slopes.len(), 4, "{slopes:?}");
}

#[test]
fn what_is_missing_says_where_it_comes_from() {
    let error = KnownMap::Mix3ToMix10.pair(4, Path::new("nowhere")).unwrap_err();
    assert!(matches!(error, DataError::NoPackage { .. }));
    let text = error.to_string();
    assert!(text.contains("Wasserstein2Benchmark") && text.contains("log-sum-exp"), "{text}");
    assert!(KnownMap::Gaussian.pair(0, Path::new("nowhere")).is_err());
}

/// The published scores of the identity (arXiv 2106.01954 and the poster of its repository) within their own noise: they were
/// printed for 2¹² points of heavy tails.
#[test]
fn the_benchmark_gives_the_identity_its_published_score() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cache");
    for (dim, printed) in [(2, 32.7), (4, 42.0), (8, 58.6), (16, 87.0)] {
        let pair = match KnownMap::Mix3ToMix10.pair(dim, &root) {
            Ok(pair) => pair,
            Err(DataError::NoPackage { .. }) => {
                return eprintln!("skipped: {} has no files of the W2 benchmark", root.display());
            }
            Err(error) => panic!("{error}"),
        };
        let x = pair.source(1 << 13, &mut stream(7, "known-map", 0));
        let y = pair.map(x.view());
        let centred = &y - &y.mean_axis(Axis(0)).unwrap();
        let score = 100.0 * square(&(&y - &x)) / square(&centred);
        assert!((score / printed - 1.0).abs() < 0.05, "{dim}: {score}, in print {printed}");
        // Both sides were made to have mean 0, the input variance 1 in every coordinate.
        let (mean, deviation) = (x.mean_axis(Axis(0)).unwrap(), x.std_axis(Axis(0), 1.0));
        assert!(mean.iter().all(|mean| mean.abs() < 0.06), "{mean}");
        assert!(deviation.iter().all(|deviation| (deviation - 1.0).abs() < 0.06), "{deviation}");
    }
}
