//! Sliced distances, Gaussians and c-transforms against closed forms and laws.

use crate::common::{measure, normal_cloud, on_thread_counts, weights};
use ndarray::{Array2, array};
use ot_core::cost::Euclidean;
use ot_core::dual::c_transform::{TransformError, c_transform};
use ot_core::dual::semi_dual::{double_transform, semi_dual};
use ot_core::exact::solve;
use ot_core::gaussian::{Gaussian, GaussianError};
use ot_core::neighbours::{NeighbourError, nearest_neighbours, nearest_others};
use ot_core::sliced::{SlicedError, max_sliced_wasserstein, sliced_wasserstein};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[test]
fn sliced_distance_of_a_translation_is_the_mean_projection() {
    let x = normal_cloud(1, 200, 4);
    let y = &x + &array![1.0, -2.0, 0.5, 0.0];
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let sliced =
        sliced_wasserstein(&measure(x.view(), None), &measure(y.view(), None), 2.0, 4000, &mut rng).unwrap();
    // E (θ·v)² = |v|²/d; four standard errors.
    assert!((sliced.value - (5.25f64 / 4.0).sqrt()).abs() < 4.0 * sliced.standard_error);
    assert!(sliced.standard_error < 0.02);
}

#[test]
fn sliced_distance_is_below_the_full_one() {
    for seed in 0..5 {
        let (x, y) = (normal_cloud(seed, 80, 3), normal_cloud(seed + 50, 60, 3) * 1.5 + 0.4);
        let (a, b) = (weights(seed, 80), weights(seed + 1, 60));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let sliced =
            sliced_wasserstein(&measure(x.view(), Some(&a)), &measure(y.view(), Some(&b)), 2.0, 50, &mut rng)
                .unwrap()
                .value;
        let full = solve(&measure(x.view(), Some(&a)), &measure(y.view(), Some(&b)), &Euclidean::Squared)
            .unwrap()
            .primal()
            .sqrt();
        assert!(sliced > 0.0 && sliced < full);
    }
}

#[test]
fn equal_weights_and_no_weights_slice_alike() {
    let (x, y) = (normal_cloud(3, 90, 2), normal_cloud(4, 90, 2));
    let run = |a: Option<&[f64]>| {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        sliced_wasserstein(&measure(x.view(), a), &measure(y.view(), None), 1.0, 20, &mut rng).unwrap().value
    };
    // The same sorted sums in another order of rounding.
    assert!((run(None) - run(Some(&[2.0; 90]))).abs() < 1e-14);
}

#[test]
fn sliced_results_depend_on_the_seed_and_not_on_the_threads() {
    let (x, y) = (normal_cloud(6, 300, 2), normal_cloud(7, 200, 2));
    let run = |seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        sliced_wasserstein(&measure(x.view(), None), &measure(y.view(), None), 2.0, 33, &mut rng).unwrap()
    };
    let results = on_thread_counts(|| run(1));
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    assert_ne!(run(1).value, run(2).value);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    assert_eq!(
        sliced_wasserstein(&measure(x.view(), None), &measure(y.view(), None), 0.5, 10, &mut rng),
        Err(SlicedError::Power(0.5))
    );
    assert_eq!(
        sliced_wasserstein(&measure(x.view(), None), &measure(y.view(), None), 2.0, 0, &mut rng),
        Err(SlicedError::NoDirections)
    );
}

#[test]
fn commuting_gaussians_have_the_distance_of_their_standard_deviations() {
    let rotation = array![[0.6, -0.8], [0.8, 0.6]];
    let covariance = |first: f64, second: f64| {
        rotation.dot(&array![[first * first, 0.0], [0.0, second * second]]).dot(&rotation.t())
    };
    let narrow = Gaussian::new(array![1.0, 2.0], covariance(1.0, 0.5)).unwrap();
    let wide = Gaussian::new(array![0.0, 0.0], covariance(3.0, 0.25)).unwrap();
    // |m − m'|² + Σ (σ − σ')²; rounding of numbers below 20.
    assert!((narrow.w2_squared(&wide).unwrap() - (5.0 + 4.0 + 0.0625)).abs() < 1e-13);
    assert!((wide.w2_squared(&narrow).unwrap() - (5.0 + 4.0 + 0.0625)).abs() < 1e-13);
    assert!(narrow.w2_squared(&narrow).unwrap() < 1e-14);
}

#[test]
fn the_gaussian_map_pushes_moments_forward_and_is_optimal_on_samples() {
    let source = Gaussian::new(array![1.0, 0.0], array![[2.0, 0.3], [0.3, 0.5]]).unwrap();
    let target = Gaussian::new(array![-1.0, 3.0], array![[1.0, -0.6], [-0.6, 1.5]]).unwrap();
    let map = source.transport_map(&target).unwrap();
    let pushed = map.matrix.dot(&source.covariance()).dot(&map.matrix.t());
    // Products of matrices of order one.
    assert!((&pushed - &target.covariance()).iter().all(|error| error.abs() < 1e-13));
    let samples = normal_cloud(8, 150, 2);
    let images = map.apply(samples.view()).unwrap();
    let plan =
        solve(&measure(samples.view(), None), &measure(images.view(), None), &Euclidean::Squared).unwrap();
    assert!(plan.coupling.iter().all(|flow| flow.source == flow.target));
    // The value is the Bures distance of the samples' own moments, since the map is affine and optimal between them.
    let empirical = |points: &Array2<f64>| Gaussian::from_samples(points.view()).unwrap();
    let bures = empirical(&samples).w2_squared(&empirical(&images)).unwrap();
    let shift = &empirical(&samples).mean() - &empirical(&images).mean();
    let unbiased = shift.dot(&shift) + (plan.primal() - shift.dot(&shift)) * 150.0 / 149.0;
    // n − 1 in the covariance against n in the plan is the only difference.
    assert!((bures - unbiased).abs() < 1e-11, "{bures} {unbiased}");
}

/// tr A + tr B where A and B act on different directions: what is left of A^{½} B A^{½} is rounding of either sign.
#[test]
fn gaussians_on_orthogonal_lines_are_as_far_apart_as_they_are_wide() {
    for turn in 0..100 {
        let (sin, cos) = (0.3 * f64::from(turn)).sin_cos();
        let line = |x: f64, y: f64| array![[x * x, x * y], [x * y, y * y]] * 1e4;
        let along = Gaussian::new(array![0.0, 0.0], line(cos, sin)).unwrap();
        let across = Gaussian::new(array![0.0, 0.0], line(-sin, cos)).unwrap();
        let found = along.w2_squared(&across).unwrap();
        // The root of a rounding error of 1e-16, twice, in the unit of the traces.
        assert!((found / 2e4 - 1.0).abs() < 1e-7, "{turn}: {found}");
    }
}

#[test]
fn gaussians_refuse_what_is_not_a_covariance() {
    assert!(matches!(
        Gaussian::new(array![0.0, 0.0], array![[1.0, 0.5], [0.4, 1.0]]),
        Err(GaussianError::NotSymmetric { .. })
    ));
    assert!(matches!(
        Gaussian::new(array![0.0, 0.0], array![[1.0, 2.0], [2.0, 1.0]]),
        Err(GaussianError::Indefinite(_))
    ));
    assert!(matches!(Gaussian::new(array![0.0], array![[f64::NAN]]), Err(GaussianError::NotFinite)));
    assert!(matches!(Gaussian::from_samples(array![[1.0]].view()), Err(GaussianError::TooFewSamples(1))));
    let flat = Gaussian::new(array![0.0, 0.0], array![[1.0, 0.0], [0.0, 0.0]]).unwrap();
    let round = Gaussian::new(array![0.0, 0.0], array![[1.0, 0.0], [0.0, 1.0]]).unwrap();
    assert!(matches!(flat.transport_map(&round), Err(GaussianError::Degenerate { .. })));
    assert!((flat.w2_squared(&round).unwrap() - 1.0).abs() < 1e-13);
}

#[test]
fn c_transforms_raise_the_dual_value_and_are_idempotent() {
    let (x, y) = (normal_cloud(9, 600, 2), normal_cloud(10, 700, 2));
    let cost = Euclidean::HalfSquared;
    let potential: Vec<f64> = x.outer_iter().map(|point| (3.0 * point[0]).sin() + point[1]).collect();
    let on_each = on_thread_counts(|| c_transform(x.view(), &potential, y.view(), &cost).unwrap());
    assert!(on_each.windows(2).all(|pair| pair[0] == pair[1]));
    let transformed = &on_each[0];
    let twice = c_transform(y.view(), transformed, x.view(), &cost).unwrap();
    let thrice = c_transform(x.view(), &twice, y.view(), &cost).unwrap();
    // φ^{cc} ≥ φ and φ^{ccc} = φ^c, up to the rounding of one sum.
    assert!(potential.iter().zip(&twice).all(|(before, after)| *after >= before - 1e-13));
    assert!(potential.iter().zip(&twice).any(|(before, after)| *after > before + 1e-3));
    assert!(transformed.iter().zip(&thrice).all(|(first, third)| (first - third).abs() < 1e-13));
    let brute = y.outer_iter().map(|to| {
        let reduced = x
            .outer_iter()
            .zip(&potential)
            .map(|(from, value)| 0.5 * (&from - &to).mapv(|v| v * v).sum() - value);
        reduced.fold(f64::INFINITY, f64::min)
    });
    assert!(transformed.iter().zip(brute).all(|(fast, slow)| (fast - slow).abs() < 1e-13));
    let wrong = c_transform(x.view(), &potential[1..], y.view(), &cost);
    assert_eq!(wrong, Err(TransformError::Length { values: 599, points: 600 }));
}

#[test]
fn the_semi_dual_rises_to_the_transport_cost() {
    let (x, y) = (normal_cloud(11, 300, 2), normal_cloud(12, 260, 2));
    let (a, b) = (weights(13, 300), weights(14, 260));
    for cost in [Euclidean::HalfSquared, Euclidean::Distance] {
        let plan = solve(&measure(x.view(), Some(&a)), &measure(y.view(), Some(&b)), &cost).unwrap();
        let value = |potential: &[f64]| {
            semi_dual(&measure(x.view(), Some(&a)), potential, &measure(y.view(), Some(&b)), &cost).unwrap()
        };
        // The certified potentials are optimal up to rounding, and nothing exceeds the optimum.
        assert!((value(plan.potentials.f()).value - plan.primal()).abs() < 1e-12);
        let guess: Vec<f64> = x.outer_iter().map(|point| point[0].sin()).collect();
        let (twice, _) = double_transform(x.view(), &guess, y.view(), &cost).unwrap();
        let (before, after) = (value(&guess), value(&twice));
        assert!(before.value < after.value && after.value < plan.primal());
        // Concavity: the optimum is below every tangent plane.
        let step = plan.potentials.f().iter().zip(&guess).map(|(to, from)| to - from);
        let tangent: f64 =
            before.value + before.gradient.iter().zip(step).map(|(slope, by)| slope * by).sum::<f64>();
        assert!(tangent > plan.primal() - 1e-12);
        assert!(before.gradient.iter().sum::<f64>().abs() < 1e-14);
        let results = on_thread_counts(|| value(&guess));
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn the_largest_slice_is_between_the_others_and_the_full_distance() {
    for seed in 0..4 {
        let (x, y) =
            (normal_cloud(seed, 120, 4), normal_cloud(seed + 50, 90, 4) * array![1.0, 2.0, 1.0, 0.5] + 0.2);
        let (a, b) = (weights(seed, 120), weights(seed + 1, 90));
        for p in [1.0, 2.0] {
            let cost = if p == 1.0 { Euclidean::Distance } else { Euclidean::Squared };
            let run = || {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                max_sliced_wasserstein(
                    &measure(x.view(), Some(&a)),
                    &measure(y.view(), Some(&b)),
                    p,
                    8,
                    &mut rng,
                )
                .unwrap()
            };
            let results = on_thread_counts(run);
            assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mean = sliced_wasserstein(
                &measure(x.view(), Some(&a)),
                &measure(y.view(), Some(&b)),
                p,
                300,
                &mut rng,
            )
            .unwrap()
            .value;
            let full = solve(&measure(x.view(), Some(&a)), &measure(y.view(), Some(&b)), &cost)
                .unwrap()
                .primal()
                .powf(1.0 / p);
            let found = &results[0];
            assert!(mean < found.value && found.value <= full, "{mean} {} {full}", found.value);
            // Its own slice has that distance, and no random direction a larger one.
            let on = |points: &Array2<f64>, direction: &ndarray::Array1<f64>| points.dot(direction).to_vec();
            let along = |direction: &ndarray::Array1<f64>| {
                let slice = ot_core::exact::one_dimensional::transport_cost(
                    &on(&x, direction),
                    &on(&y, direction),
                    Some(&a),
                    Some(&b),
                    p,
                );
                slice.unwrap().powf(1.0 / p)
            };
            assert!((along(&found.direction) - found.value).abs() < 1e-12);
            for direction in normal_cloud(seed + 99, 200, 4).outer_iter() {
                let unit = &direction / direction.dot(&direction).sqrt();
                assert!(along(&unit) <= found.value + 1e-9);
            }
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let x = normal_cloud(0, 5, 2);
    let none = max_sliced_wasserstein(&measure(x.view(), None), &measure(x.view(), None), 2.0, 0, &mut rng);
    assert_eq!(none, Err(SlicedError::NoDirections));
}

#[test]
fn neighbours_are_those_of_sorting_all_distances() {
    for dim in [1, 3, 40, 100] {
        let (x, mut y) = (normal_cloud(15, 150, dim), normal_cloud(16, 333, dim));
        // Duplicates tie, and the first of them counts.
        let copy = y.row(7).to_owned();
        y.row_mut(300).assign(&copy);
        let found = on_thread_counts(|| nearest_neighbours(x.view(), y.view(), 5).unwrap());
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
        for (query, point) in x.outer_iter().enumerate() {
            let mut all: Vec<(f64, usize)> = y
                .outer_iter()
                .map(|other| (&point - &other).mapv(|v| v * v).sum().sqrt())
                .enumerate()
                .map(|(index, distance)| (distance, index))
                .collect();
            all.sort_by(|a, b| a.partial_cmp(b).unwrap());
            for (rank, (distance, index)) in all.into_iter().take(5).enumerate() {
                assert_eq!(found[0].indices[[query, rank]], index);
                // Two orders of summing `dim` squares.
                assert!((found[0].distances[[query, rank]] - distance).abs() < 1e-13 * (1.0 + distance));
            }
        }
        let others = nearest_others(y.view(), 1).unwrap();
        assert_eq!((others.indices[[7, 0]], others.indices[[300, 0]]), (300, 7));
        assert!(others.indices.column(0).iter().enumerate().all(|(own, &other)| own != other));
    }
    let x = normal_cloud(0, 5, 2);
    assert_eq!(nearest_others(x.view(), 5), Err(NeighbourError::Count { k: 5, references: 4 }));
}
