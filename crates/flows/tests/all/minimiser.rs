//! The descent of many rows against a second account of it: every trial is the step of the dense inverse BFGS matrix.

use crate::common::uniform;
use flows::FlowError;
use flows::hopf_lax::{Field, Minimiser, Stop};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// φ(y) = ½·yᵀAy + c·s²·Σ cos(yⱼ/s), which has valleys for c > 0, and the batches that it was asked for.
struct Valleys {
    dim: usize,
    matrix: Vec<f64>,
    depth: f64,
    scale: f64,
    asked: Vec<Vec<f64>>,
}

impl Valleys {
    /// A = BBᵀ·`size` + a diagonal over two decades.
    fn new(dim: usize, depth: f64, size: f64, scale: f64, rng: &mut ChaCha8Rng) -> Self {
        let b = uniform(rng, dim * dim);
        let entry = |i: usize, j: usize| (0..dim).map(|k| b[i * dim + k] * b[j * dim + k]).sum::<f64>();
        let diagonal = |i: usize| 10.0_f64.powf(2.0 * i as f64 / dim as f64 - 1.0);
        let matrix = (0..dim * dim)
            .map(|k| (k / dim, k % dim))
            .map(|(i, j)| size * (entry(i, j) + if i == j { diagonal(i) } else { 0.0 }))
            .collect();
        Self { dim, matrix, depth, scale, asked: Vec::new() }
    }

    fn at(&self, y: &[f64]) -> (f64, Vec<f64>) {
        let product: Vec<f64> = self.matrix.chunks_exact(self.dim).map(|row| dot(row, y)).collect();
        let waves: f64 = y.iter().map(|y| (y / self.scale).cos()).sum();
        let slope = |(y, p): (&f64, &f64)| p - self.depth * self.scale * (y / self.scale).sin();
        let value = 0.5 * dot(y, &product) + self.depth * self.scale * self.scale * waves;
        (value, y.iter().zip(&product).map(slope).collect())
    }
}

impl Field<f64> for Valleys {
    fn dim(&self) -> usize {
        self.dim
    }

    fn jet(
        &mut self,
        points: &[f64],
        values: &mut Vec<f64>,
        gradients: &mut Vec<f64>,
    ) -> Result<(), FlowError> {
        self.asked.push(points.to_vec());
        values.clear();
        gradients.clear();
        for y in points.chunks_exact(self.dim) {
            let (value, gradient) = self.at(y);
            values.push(value);
            gradients.extend(gradient);
        }
        Ok(())
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

struct Row {
    x: Vec<f64>,
    y: Vec<f64>,
    pairs: Vec<(Vec<f64>, Vec<f64>)>,
    factor: f64,
}

/// φ(y) + μ/2·‖y − x‖² and its gradient, and whether that is small beside its parts.
fn objective(field: &Valleys, weight: f64, x: &[f64], y: &[f64], tolerance: f64) -> (f64, Vec<f64>, bool) {
    let ((value, slope), away) = (field.at(y), minus(y, x));
    let gradient: Vec<f64> = slope.iter().zip(&away).map(|(s, d)| s + weight * d).collect();
    let done = norm(&gradient) <= tolerance * (norm(&slope) + weight * norm(&away));
    (value + 0.5 * weight * dot(&away, &away), gradient, done)
}

/// H ← (I − ρstᵀ)·H·(I − ρtsᵀ) + ρssᵀ with ρ = 1/(s·t), pair after pair (Nocedal & Wright, eq. (6.17)), then −H·∇.
fn newton(inverse: &[f64], pairs: &[(Vec<f64>, Vec<f64>)], gradient: &[f64]) -> Vec<f64> {
    let n = inverse.len();
    let mut h = vec![0.0; n * n];
    (0..n).for_each(|i| h[i * n + i] = inverse[i]);
    for (s, t) in pairs {
        let rho = 1.0 / dot(s, t);
        let ht: Vec<f64> = h.chunks_exact(n).map(|row| dot(row, t)).collect();
        let tht = dot(t, &ht);
        for (k, h) in h.iter_mut().enumerate() {
            let (i, j) = (k / n, k % n);
            *h += (rho * rho * tht + rho) * s[i] * s[j] - rho * (s[i] * ht[j] + ht[i] * s[j]);
        }
    }
    h.chunks_exact(n).map(|row| -dot(row, gradient)).collect()
}

/// Follows what the field was asked for and asserts that every trial is where it should be; returns the last y, and
/// how many trials were refused. `sums` are what earlier calls have met: s·(t − μs) and s² along each coordinate.
fn follow(
    field: &Valleys,
    weight: f64,
    x: &[f64],
    start: &[f64],
    offered: Range<usize>,
    stop: Stop,
    sums: &mut [[f64; 2]],
) -> (Vec<f64>, usize) {
    let dim = field.dim;
    let starts: Vec<&[f64]> = start.chunks_exact(dim).collect();
    let cost = |x: &[f64], y: &[f64]| objective(field, weight, x, y, 0.0).0;
    let mut rows: Vec<Row> = x
        .chunks_exact(dim)
        .zip(&starts)
        .map(|(x, own)| {
            let mut y = *own;
            for other in &starts[offered.clone()] {
                if cost(x, other) < cost(x, y) {
                    y = other;
                }
            }
            Row { x: x.to_vec(), y: y.to_vec(), pairs: Vec::new(), factor: 1.0 }
        })
        .collect();
    let mut active: Vec<usize> = (0..rows.len())
        .filter(|&r| !objective(field, weight, &rows[r].x, &rows[r].y, stop.tolerance).2)
        .collect();
    sums.as_flattened_mut().iter_mut().for_each(|sum| *sum *= 0.5);
    let mut refused = 0;
    assert_eq!(field.asked[0], start);
    for batch in &field.asked[1..] {
        assert_eq!(batch.len(), active.len() * dim, "the rows that still move");
        let known = sums.iter().any(|[_, squares]| *squares > 0.0);
        let inverse: Vec<f64> =
            sums.iter().map(|[p, q]| if *p > 0.0 { q / (p + weight * q) } else { 1.0 / weight }).collect();
        let mut left = Vec::new();
        for (&r, trial) in active.iter().zip(batch.chunks_exact(dim)) {
            let row = &mut rows[r];
            let (value, gradient, _) = objective(field, weight, &row.x, &row.y, 0.0);
            let away = norm(&minus(&row.y, &row.x));
            let reach = if away > 0.0 { away } else { norm(&gradient) / weight };
            let (mut step, longest) = if known {
                (newton(&inverse, &row.pairs, &gradient), reach)
            } else {
                (gradient.iter().map(|g| -g / weight).collect(), 0.01 * reach)
            };
            let cut = row.factor * (longest / norm(&step)).min(1.0);
            step.iter_mut().for_each(|s| *s *= cut);
            let found = minus(trial, &row.y);
            // Six updates of curvatures over three decades, in another order of operations.
            assert!(
                norm(&minus(&found, &step)) < 1e-8 * norm(&step) + 1e-14 * norm(&row.y),
                "row {r}: {found:?} instead of {step:?}"
            );
            let (new_value, new_gradient, done) = objective(field, weight, &row.x, trial, stop.tolerance);
            let change = minus(&new_gradient, &gradient);
            for ((sums, s), t) in sums.iter_mut().zip(&found).zip(&change) {
                *sums = [sums[0] + s * t - weight * s * s, sums[1] + s * s];
            }
            let down = new_value <= value + 1e-4 * dot(&gradient, &found);
            if dot(&found, &change) > 1e-10 * norm(&found) * norm(&change) {
                row.pairs.push((found, change));
                if row.pairs.len() > 6 {
                    row.pairs.remove(0);
                }
            }
            if down {
                (row.y, row.factor) = (trial.to_vec(), 1.0);
            } else {
                row.factor *= 0.5;
                refused += 1;
                assert!(row.factor > 1e-4, "this test has no restarts");
            }
            if !(down && done) {
                left.push(r);
            }
        }
        active = left;
    }
    assert!(active.is_empty() || field.asked.len() == 1 + stop.iterations, "it stops early");
    (rows.into_iter().flat_map(|row| row.y).collect(), refused)
}

#[test]
fn every_trial_is_the_step_of_the_bfgs_matrix() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut refused = 0;
    let stop = Stop { iterations: 40, tolerance: 1e-4 };
    // Dimension, depth of the valleys, size of A, scale of the points: small ones show what is not relative.
    for (dim, depth, size, scale) in [
        (1, 0.0, 1.0, 1.0),
        (2, 3.0, 1.0, 1.0),
        (3, 9.0, 1.0, 1.0),
        (3, 3.0, 0.01, 1e-6),
        (9, 0.0, 1.0, 1e-6),
        (9, 0.0, 30.0, 1.0),
    ] {
        let (mut minimiser, mut sums) = (Minimiser::default(), vec![[0.0; 2]; dim]);
        for round in 0..4 {
            let mut field = Valleys::new(dim, depth * size, size, scale, &mut rng);
            let weight = 0.4 * size;
            let points = |rng: &mut ChaCha8Rng| -> Vec<f64> {
                uniform(rng, 5 * dim).iter().map(|x| 4.0 * scale * x).collect()
            };
            let (x, mut y) = (points(&mut rng), points(&mut rng));
            if round == 0 {
                // Rows that begin at their x have no displacement to cut to.
                y.clone_from(&x);
            }
            let offered = if round == 3 { 1..3 } else { 0..0 };
            let start = y.clone();
            minimiser.minimise(&mut field, weight, &x, &mut y, offered.clone(), stop).unwrap();
            let (expected, rejected) = follow(&field, weight, &x, &start, offered, stop, &mut sums);
            refused += rejected;
            assert_eq!(y, expected);
            let slopes: Vec<f64> = y.chunks_exact(dim).flat_map(|y| field.at(y).1).collect();
            assert_eq!(minimiser.slopes(), slopes);
        }
    }
    assert!(refused > 20, "some trials must be refused: {refused}");
}

#[test]
fn each_row_begins_at_the_best_of_its_own_start_and_those_offered() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let (dim, weight) = (2, 0.3);
    let none = Stop { iterations: 0, tolerance: 0.0 };
    let mut taken = 0;
    // Candidates are compared in blocks of sixteen.
    for (rows, offered) in [
        (6, 0..0),
        (6, 0..6),
        (6, 2..5),
        (6, 4..6),
        (6, 4..99),
        (6, 7..99),
        (40, 0..40),
        (40, 3..35),
        (40, 8..24),
    ] {
        let mut field = Valleys::new(dim, 2.0, 1.0, 0.3, &mut rng);
        let (x, start) = (uniform(&mut rng, rows * dim), uniform(&mut rng, rows * dim));
        let mut y = start.clone();
        let mut minimiser = Minimiser::default();
        minimiser.minimise(&mut field, weight, &x, &mut y, offered.clone(), none).unwrap();
        for (i, y) in y.chunks_exact(dim).enumerate() {
            let cost = |y: &[f64]| objective(&field, weight, &x[i * dim..(i + 1) * dim], y, 0.0).0;
            let own = &start[i * dim..(i + 1) * dim];
            let best = (0..rows)
                .filter(|j| offered.contains(j))
                .map(|j| &start[j * dim..(j + 1) * dim])
                .fold(own, |best, y| if cost(y) < cost(best) { y } else { best });
            assert_eq!(y, best, "row {i} of {offered:?}");
            taken += usize::from(best != own);
            assert_eq!(minimiser.slopes()[i * dim..(i + 1) * dim], field.at(y).1);
        }
    }
    assert!(taken > 5, "{taken} rows have changed their valley");
}

/// An offer is taken by the rows that it costs less than where they are, and by no other; the search goes on from there.
#[test]
fn points_are_offered_to_rows_that_have_searched() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (dim, rows, weight) = (2, 20, 0.3);
    let mut field = Valleys::new(dim, 2.0, 1.0, 0.3, &mut rng);
    let (x, mut y) = (uniform(&mut rng, rows * dim), uniform(&mut rng, rows * dim));
    let points = uniform(&mut rng, 50 * dim);
    let mut minimiser = Minimiser::default();
    let stop = Stop { iterations: 5, tolerance: 0.0 };
    minimiser.minimise(&mut field, weight, &x, &mut y, 0..0, stop).unwrap();
    let before = y.clone();
    assert!(minimiser.offer(&mut field, weight, (&x, &mut y), &points).unwrap());
    let row = |all: &[f64], i: usize| all[i * dim..(i + 1) * dim].to_vec();
    let mut taken = 0;
    for i in 0..rows {
        let cost = |y: &[f64]| objective(&field, weight, &row(&x, i), y, 0.0).0;
        let own = row(&before, i);
        let best = (0..50)
            .map(|j| row(&points, j))
            .fold(own.clone(), |best, y| if cost(&y) < cost(&best) { y } else { best });
        assert_eq!(row(&y, i), best, "row {i}");
        taken += usize::from(best != own);
    }
    assert!(taken > 2 && taken < rows, "{taken} rows have taken an offer");
    // What no row envies changes nothing.
    let (still, far) = (y.clone(), [1e3; 4]);
    minimiser.minimise(&mut field, weight, &x, &mut y, 0..0, Stop { iterations: 0, tolerance: 0.0 }).unwrap();
    assert!(!minimiser.offer(&mut field, weight, (&x, &mut y), &far).unwrap());
    assert_eq!(y, still);
}

/// Of two starts that cost the same, one's own is kept: no row moves for nothing.
#[test]
fn equal_starts_do_not_change_places() {
    let mut field = Valleys { dim: 1, matrix: vec![0.0], depth: 0.0, scale: 1.0, asked: Vec::new() };
    let mut y = [1.0, -1.0];
    let none = Stop { iterations: 0, tolerance: 0.0 };
    Minimiser::default().minimise(&mut field, 1.0, &[0.0, 0.0], &mut y, 0..2, none).unwrap();
    assert_eq!(y, [1.0, -1.0]);
}

/// The row whose φ′ is zero at its own x is done at once; the others go on without it, wherever it stands.
#[test]
fn a_row_that_begins_at_its_minimum_is_evaluated_once() {
    for place in 0..3 {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut field = Valleys::new(2, 0.0, 1.0, 1.0, &mut rng);
        let (mut x, mut y) = (uniform(&mut rng, 6), uniform(&mut rng, 6));
        x[2 * place..2 * place + 2].fill(0.0);
        y[2 * place..2 * place + 2].fill(0.0);
        let stop = Stop { iterations: 3, tolerance: 0.0 };
        Minimiser::default().minimise(&mut field, 0.4, &x, &mut y, 0..0, stop).unwrap();
        let rows: Vec<usize> = field.asked.iter().map(|batch| batch.len() / 2).collect();
        assert_eq!(rows, [3, 2, 2, 2], "the row at the minimum is {place}");
    }
}

/// φ is 1 where it is asked for first and `then` later, and has the same slope everywhere.
struct Two {
    then: f64,
    slope: f64,
    asked: usize,
}

impl Field<f64> for Two {
    fn dim(&self) -> usize {
        1
    }

    fn jet(
        &mut self,
        points: &[f64],
        values: &mut Vec<f64>,
        gradients: &mut Vec<f64>,
    ) -> Result<(), FlowError> {
        *values = vec![if self.asked == 0 { 1.0 } else { self.then }; points.len()];
        *gradients = vec![self.slope; points.len()];
        self.asked += 1;
        Ok(())
    }
}

/// Whether a first step from x along `slope` with μ = ½ is taken.
fn takes(then: f64, slope: f64) -> bool {
    let mut y = [2.0];
    let stop = Stop { iterations: 1, tolerance: 0.0 };
    let mut field = Two { then, slope, asked: 0 };
    Minimiser::default().minimise(&mut field, 0.5, &[2.0], &mut y, 0..0, stop).unwrap();
    y != [2.0]
}

/// Four roundings of the sum of both values, of order one, are allowed: eight.
#[test]
fn a_step_that_rises_by_no_more_than_roundings_is_taken() {
    for (roundings, is_taken) in [(0.0, true), (7.0, true), (9.0, false), (-9.0, true)] {
        assert_eq!(takes(1.0 + roundings * f64::EPSILON, 1e-12), is_taken, "{roundings} roundings");
    }
}

/// The step from a slope of 3 is −0.06: it promises 0.18 and costs 0.0009 of distance.
#[test]
fn a_step_that_brings_less_than_a_share_of_what_its_slope_promises_is_refused() {
    for (share, is_taken) in [(-1.1, false), (0.0, false), (0.9, false), (1.1, true), (1e4, true)] {
        assert_eq!(takes(1.0 - 0.0009 - share * 1e-4 * 0.18, 3.0), is_taken, "{share} of what is asked for");
    }
}

/// Slopes of a bowl, but of a plateau far out, where a step is less than the points are rounded.
struct Plateau(Vec<f64>);

impl Field<f64> for Plateau {
    fn dim(&self) -> usize {
        1
    }

    fn jet(
        &mut self,
        points: &[f64],
        values: &mut Vec<f64>,
        gradients: &mut Vec<f64>,
    ) -> Result<(), FlowError> {
        let far = |y: f64| y > 1e6;
        *values = points.iter().map(|&y| if far(y) { 0.0 } else { y * y }).collect();
        *gradients = points.iter().map(|&y| if far(y) { 1e-9 } else { 2.0 * y }).collect();
        self.0.extend(points);
        Ok(())
    }
}

#[test]
fn a_step_lost_to_rounding_teaches_nothing() {
    let mut field = Plateau(Vec::new());
    let mut y = [1e8, 1.0];
    let stop = Stop { iterations: 30, tolerance: 1e-9 };
    Minimiser::default().minimise(&mut field, 1.0, &[1e8, 0.0], &mut y, 0..0, stop).unwrap();
    assert_eq!(y[0], 1e8);
    // 1e-9 of slopes that vanish with y, over a curvature of 3.
    assert!(y[1].abs() < 1e-8, "{}", y[1]);
    assert!(field.0.iter().all(|y| y.is_finite()), "{:?}", field.0);
}

/// A field whose values rise whatever is tried: its slope promises what it does not keep.
struct Uphill(Vec<f64>);

impl Field<f64> for Uphill {
    fn dim(&self) -> usize {
        1
    }

    fn jet(
        &mut self,
        points: &[f64],
        values: &mut Vec<f64>,
        gradients: &mut Vec<f64>,
    ) -> Result<(), FlowError> {
        *values = vec![self.0.len() as f64; points.len()];
        *gradients = vec![3.0; points.len()];
        self.0.extend(points);
        Ok(())
    }
}

/// With μ = ½ the step is −6: a probe of a hundredth of it, then halves until they are below 1e-4 of it, once more from
/// the whole step after what was learnt is forgotten, and no further.
#[test]
fn a_row_that_cannot_go_down_is_given_up_after_one_restart() {
    let mut field = Uphill(Vec::new());
    let mut y = [2.0];
    let stop = Stop { iterations: 300, tolerance: 1e-6 };
    Minimiser::default().minimise(&mut field, 0.5, &[2.0], &mut y, 0..0, stop).unwrap();
    assert_eq!(y, [2.0]);
    let halves = |from: i32| (from..14).map(|k| -6.0 * 0.5_f64.powi(k));
    let expected: Vec<f64> = [0.0, -0.06].into_iter().chain(halves(1)).chain(halves(0)).collect();
    assert_eq!(field.0.len(), expected.len());
    for (found, expected) in field.0.iter().zip(expected) {
        // The curvature that all rows share is a quotient of sums over the trials: a hundred roundings of numbers below ten.
        assert!((found - 2.0 - expected).abs() < 1e-12, "{found} instead of 2 + {expected}");
    }
}

/// Values that never change, along a slope that promises less than they are rounded: the first eight steps are taken.
#[test]
fn a_row_that_gains_nothing_beyond_roundings_is_given_up() {
    for (then, evaluations) in [(1.0, 9), (1.0 - 1e-9, 10)] {
        let mut field = Two { then, slope: 1e-12, asked: 0 };
        let (mut y, stop) = ([2.0], Stop { iterations: 300, tolerance: 0.0 });
        Minimiser::default().minimise(&mut field, 0.5, &[2.0], &mut y, 0..0, stop).unwrap();
        assert_eq!(field.asked, evaluations, "values of {then}");
    }
}

#[test]
fn a_start_of_another_length_is_an_error() {
    let stop = Stop { iterations: 1, tolerance: 1e-6 };
    let refused =
        Minimiser::default().minimise(&mut Uphill(Vec::new()), 0.5, &[2.0], &mut [1.0, 2.0], 0..0, stop);
    assert!(matches!(refused, Err(FlowError::Shape { found: 2, expected: 1, .. })));
}
