use std::f64::consts::PI;

use ndarray::{Array2, s};
use proptest::prelude::*;

use super::Target;
use crate::{SampleError, stream};

const N: usize = 40_000;

fn draw(target: Target) -> Array2<f64> {
    target.sample(N, 2, &mut stream(11, "target-test", 0)).unwrap()
}

/// The mean of `statistic` over a sample equals `expected` within 5 standard errors, the error being estimated from the
/// same sample; with some 50 fixed comparisons the chance of a false alarm was 3e-5 when the seed was chosen.
fn assert_mean(target: Target, what: &str, expected: f64, statistic: impl Fn(f64, f64) -> f64) {
    let values =
        draw(target).rows().into_iter().map(|p| statistic(p[0], p[1])).collect::<ndarray::Array1<f64>>();
    let mean = values.mean().unwrap();
    let standard_error = values.std(1.0) / (N as f64).sqrt();
    assert!(
        (mean - expected).abs() <= 5.0 * standard_error,
        "{target}: {what} is {mean}, expected {expected} ± {standard_error}"
    );
}

/// The average of f over [0, 1] by the midpoint rule; the integrands are smooth (or √u), so 20000 cells give 1e-6.
fn average(f: impl Fn(f64) -> f64) -> f64 {
    let cells = 20_000;
    (0..cells).map(|i| f((f64::from(i) + 0.5) / f64::from(cells))).sum::<f64>() / f64::from(cells)
}

/// Mean and raw second moments (x, y, xx, yy, xy), by hand.
fn raw_moments(target: Target) -> [f64; 5] {
    match target {
        // (f₀ + i f₁)·e^{−ia} times 1.4 over five equal rotations: no mean, E|z|² = 1.96·(1 + .09 + .01), half on each
        // axis.
        Target::Pinwheel => [0.0, 0.0, 1.078, 1.078, 0.0],
        // E cos = 0, E sin = 2/π, E cos² = E sin² = ½ on a half circle; the moons' centres are (−½, −.2) and (½, .3).
        Target::Moons => {
            let scale = 4.2 * 4.2;
            let x_square = 0.5 + 0.25 + 0.0025;
            let y_square = 0.5 + (0.04 + 0.09) / 2.0 - (0.2 + 0.3) * 2.0 / PI + 0.0025;
            let product = ((0.1 - 1.0 / PI) + (0.15 - 1.0 / PI)) / 2.0;
            [0.0, 4.2 * 0.05, scale * x_square, scale * y_square, scale * product]
        }
        Target::EightGaussians => [0.0, 0.0, 2.0 + 0.04, 2.0 + 0.04, 0.0],
        Target::CfmEightGaussians => [0.0, 0.0, 12.5 + 1.0, 12.5 + 1.0, 0.0],
        Target::WideEightGaussians => [0.0, 0.0, 72.0 + 2.25, 72.0 + 2.25, 0.0],
        // 2x − 1 and 2y of the half circles about (0, 0) and (1, ½): E x = ½, E y = ¼, E xy = ¼ − 1/π.
        Target::CfmMoons => [
            0.0,
            0.5,
            4.0 * (1.0 - 0.25 + 0.0025),
            4.0 * (0.625 - 1.0 / PI + 0.0025),
            4.0 * (0.25 - 1.0 / PI) - 0.5,
        ],
        // The same minus ⅜, over the deviation of both coordinates together, times 7.
        Target::WideMoons => {
            let (x_square, y_square) = (1.01 - 0.375 + 0.140625, 0.635 - 1.0 / PI - 0.1875 + 0.140625);
            let product = 0.25 - 1.0 / PI - 0.28125 + 0.140625;
            let square = 49.0 / (0.5 * (x_square + y_square));
            let scale = square.sqrt();
            [0.125 * scale, -0.125 * scale, square * x_square, square * y_square, square * product]
        }
        // E cos t = −2/(3π) over three half turns, E sign(t)·sin t·(cos t − 1) = −1/(3π).
        Target::CfmSCurve => {
            [0.0, 0.0, 2.25 * (0.5 + 0.0025), 2.25 * (1.5 + 4.0 / (3.0 * PI) + 0.0025), -2.25 / (3.0 * PI)]
        }
        Target::Ring => [0.0, 0.0, 0.5 + 0.01, 0.5 + 0.01, 0.0],
        Target::Origin => [0.0; 5],
        Target::Plane => [0.0, 0.0, 1.0, 1.0, 0.0],
        Target::ShiftedGaussian => [3.0, 0.0, 10.0, 1.0, 0.0],
        // Uniform marginals; the products of the cells' centres sum to 2·(½)² over 8 cells.
        Target::Checkerboard => [0.0, 0.0, 1.0 / 3.0, 1.0 / 3.0, 0.0625],
        // Antiderivatives of t cos t, t sin t, t², t² cos 2t, t² sin 2t between 3π/2 and 9π/2.
        Target::SwissRoll => {
            let t_square = (91.125 - 3.375) * PI * PI / 9.0;
            let scale = 0.35 * 0.35;
            [
                0.35 * 2.0,
                0.35 * 2.0 / (3.0 * PI),
                scale * (t_square / 2.0 - 0.25 + 1.0),
                scale * (t_square / 2.0 + 0.25 + 1.0),
                scale * 1.5 * PI,
            ]
        }
        // 4·(½·(1 + ¼)/2 + .0064).
        Target::Circles => [0.0, 0.0, 4.0 * 0.3189, 4.0 * 0.3189, 0.0],
        // E v = ¼, E v² = 1/12; the averages over the angle n = 3π√u by quadrature.
        Target::TwoSpirals => {
            let angle = |u: f64| 3.0 * PI * u.sqrt();
            let x = average(|u| -angle(u) * angle(u).cos());
            let y = average(|u| angle(u) * angle(u).sin());
            let x_square = average(|u| (angle(u) * angle(u).cos()).powi(2)) + 0.5 * x + 1.0 / 12.0;
            let y_square = average(|u| (angle(u) * angle(u).sin()).powi(2)) + 0.5 * y + 1.0 / 12.0;
            let product =
                average(|u| -angle(u).powi(2) * angle(u).sin() * angle(u).cos()) + 0.25 * (x + y) + 0.0625;
            let scale = 0.64 * 0.64;
            [
                0.0,
                0.0,
                scale * (x_square / 9.0 + 0.01),
                scale * (y_square / 9.0 + 0.01),
                scale * product / 9.0,
            ]
        }
    }
}

#[test]
fn means_and_second_moments() {
    for target in Target::ALL {
        let [x, y, xx, yy, xy] = raw_moments(target);
        assert_mean(target, "E x", x, |x, _| x);
        assert_mean(target, "E y", y, |_, y| y);
        assert_mean(target, "E x²", xx, |x, _| x * x);
        assert_mean(target, "E y²", yy, |_, y| y * y);
        assert_mean(target, "E xy", xy, |x, y| x * y);
    }
}

fn complex_power(x: f64, y: f64, power: i32) -> (f64, f64) {
    let (radius, angle) = (x.hypot(y), y.atan2(x));
    let (sin, cos) = (f64::from(power) * angle).sin_cos();
    (radius.powi(power) * cos, radius.powi(power) * sin)
}

/// E z⁵ = 1.4⁵·E[(f₀ + i f₁)⁵·e^{−5i/4·exp f₀}] tells the sense of rotation, its rate and the phase of the arms, which
/// second moments cannot see. The expectation over (f₀, f₁) by the trapezoid rule on ±8 standard deviations.
#[test]
fn the_pinwheel_turns_as_defined() {
    let (mut real, mut imaginary) = (0.0, 0.0);
    let step = 0.05;
    for i in -160..=160 {
        for j in -160..=160 {
            let (a, b) = (step * f64::from(i), step * f64::from(j));
            let weight = step * step * (-(a * a + b * b) / 2.0).exp() / (2.0 * PI);
            let (radial, tangential) = (1.0 + 0.3 * a, 0.1 * b);
            let (u, v) = complex_power(radial, tangential, 5);
            let (sin, cos) = (1.25 * radial.exp()).sin_cos();
            real += weight * (u * cos + v * sin);
            imaginary += weight * (v * cos - u * sin);
        }
    }
    let scale = 1.4_f64.powi(5);
    assert_mean(Target::Pinwheel, "Re E z⁵", scale * real, |x, y| complex_power(x, y, 5).0);
    assert_mean(Target::Pinwheel, "Im E z⁵", scale * imaginary, |x, y| complex_power(x, y, 5).1);
    assert!(imaginary.abs() > 0.1, "a vanishing value could not tell the sense of rotation");
}

/// An analytic function's mean over an isotropic Gaussian is its value at the centre: E z⁸ = R⁸ for modes at 45°·k.
#[test]
fn the_modes_lie_at_multiples_of_45_degrees() {
    for (target, radius) in [(Target::EightGaussians, 2.0_f64), (Target::Ring, 1.0)] {
        assert_mean(target, "Re E z⁸", radius.powi(8), |x, y| complex_power(x, y, 8).0);
        assert_mean(target, "Im E z⁸", 0.0, |x, y| complex_power(x, y, 8).1);
    }
}

#[test]
fn the_checkerboard_fills_its_eight_cells_and_no_other() {
    let mut counts = [[0_usize; 4]; 4];
    for p in draw(Target::Checkerboard).rows() {
        assert!(p.iter().all(|x| (-1.0..1.0).contains(x)));
        counts[(2.0 * (p[0] + 1.0)) as usize][(2.0 * (p[1] + 1.0)) as usize] += 1;
    }
    // A count is binomial(N, 1/8): standard deviation 66 for N = 40000.
    for (i, row) in counts.iter().enumerate() {
        for (j, &count) in row.iter().enumerate() {
            let expected = if (i + j) % 2 == 0 { N as f64 / 8.0 } else { 0.0 };
            assert!((count as f64 - expected).abs() <= 5.0 * 67.0 * f64::from(u8::from(expected > 0.0)));
        }
    }
}

/// The distance to the noiseless set is at most 6.5 noise standard deviations: beyond that a Gaussian pair has
/// probability e^{−21}, 3e-5 for 40000 points.
#[test]
fn supports() {
    let nearest = |curve: &[[f64; 2]], x: f64, y: f64| {
        curve.iter().map(|c| (c[0] - x).hypot(c[1] - y)).fold(f64::INFINITY, f64::min)
    };
    let at = |f: &dyn Fn(f64) -> [f64; 2]| (0..400).map(|i| f(f64::from(i) / 399.0)).collect::<Vec<_>>();
    let circle = |r: f64| at(&move |u: f64| [r * (2.0 * PI * u).cos(), r * (2.0 * PI * u).sin()]);
    let moons = [
        at(&|u| [4.2 * ((PI * u).cos() - 0.5), 4.2 * ((PI * u).sin() - 0.2)]),
        at(&|u| [4.2 * (0.5 - (PI * u).cos()), 4.2 * (0.3 - (PI * u).sin())]),
    ]
    .concat();
    let roll = at(&|u| {
        let t = 1.5 * PI + 3.0 * PI * u;
        [0.35 * t * t.cos(), 0.35 * t * t.sin()]
    });
    let modes = |radius: f64| {
        (0..8)
            .map(|k| (PI * f64::from(k) / 4.0).sin_cos())
            .map(|(s, c)| [radius * c, radius * s])
            .collect::<Vec<_>>()
    };
    // (target, noiseless set, noise, half the spacing of the 400 points of the curve)
    let cases = [
        (Target::Moons, moons, 4.2 * 0.05, 4.2 * PI / 800.0),
        (Target::Circles, [circle(2.0), circle(1.0)].concat(), 0.16, 4.0 * PI / 800.0),
        (Target::SwissRoll, roll, 0.35, 0.35 * 15.0 * 3.0 * PI / 800.0),
        (Target::EightGaussians, modes(2.0), 0.2, 0.0),
        (Target::Ring, modes(1.0), 0.1, 0.0),
    ];
    for (target, set, noise, spacing) in cases {
        for p in draw(target).slice(s![..8000, ..]).rows() {
            let distance = nearest(&set, p[0], p[1]);
            assert!(distance <= 6.5 * noise + spacing, "{target}: {p} is {distance} away");
        }
    }
}

#[test]
fn padded_coordinates_are_exactly_zero_and_do_not_change_the_plane() {
    for target in Target::ALL {
        let flat = target.sample(50, 2, &mut stream(5, "t", 0)).unwrap();
        for dim in [2, 7, 12] {
            let points = target.sample(50, dim, &mut stream(5, "t", 0)).unwrap();
            assert_eq!(points.dim(), (50, dim));
            assert_eq!(points.slice(s![.., ..2]), flat);
            assert!(points.slice(s![.., 2..]).iter().all(|x| x.to_bits() == 0));
        }
    }
}

#[test]
fn a_line_cannot_hold_a_planar_set() {
    for target in Target::ALL {
        for dim in [0, 1] {
            let error = target.sample(3, dim, &mut stream(0, "t", 0)).unwrap_err();
            assert_eq!(error, SampleError::Dimension { found: dim, least: 2 });
            assert!(target.sample_balanced(3, dim, &mut stream(0, "t", 0)).is_err());
        }
    }
}

#[test]
fn seeds_decide_the_sample() {
    // The origin has but one sample.
    for target in Target::ALL.into_iter().filter(|target| *target != Target::Origin) {
        let draw = |seed, step| target.sample(20, 2, &mut stream(seed, "t", step)).unwrap();
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(2, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
    }
}

/// The mode nearest to each point, counted; modes of the ring are 7.6 standard deviations apart.
fn ring_counts(points: &Array2<f64>) -> [usize; 8] {
    let mut counts = [0; 8];
    for p in points.rows() {
        let turns = p[1].atan2(p[0]) / (PI / 4.0);
        counts[(turns.round() as i32).rem_euclid(8) as usize] += 1;
    }
    counts
}

#[test]
fn balanced_samples_have_equal_counts_and_random_ones_do_not() {
    let balanced = Target::Ring.sample_balanced(512, 2, &mut stream(0, "t", 0)).unwrap();
    // One point in about 4000 strays over the border between two modes: allow 2.
    assert!(ring_counts(&balanced).iter().all(|&count| count.abs_diff(64) <= 2));
    let random = Target::Ring.sample(512, 2, &mut stream(0, "t", 0)).unwrap();
    assert!(ring_counts(&random).iter().any(|&count| count.abs_diff(64) > 2));
}

#[test]
fn names_round_trip() {
    #[derive(serde::Deserialize)]
    struct Config {
        target: Target,
    }
    for target in Target::ALL {
        assert_eq!(target.to_string().parse::<Target>().unwrap(), target);
        let config: Config = toml::from_str(&format!("target = \"{target}\"")).unwrap();
        assert_eq!(config.target, target);
    }
    let error = "pinwheels".parse::<Target>().unwrap_err().to_string();
    assert_eq!(
        error,
        "unknown target `pinwheels`: choose one of pinwheel, moons, eight-gaussians, checkerboard, swiss-roll, \
         circles, two-spirals, ring, origin, plane, shifted-gaussian, cfm-moons, cfm-s-curve, cfm-eight-gaussians, \
         wide-moons, wide-eight-gaussians"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_request_gives_finite_points(which in 0..Target::ALL.len(), n in 0..40_usize, dim in 2..15_usize, seed: u64) {
        for points in [
            Target::ALL[which].sample(n, dim, &mut stream(seed, "t", 0)).unwrap(),
            Target::ALL[which].sample_balanced(n, dim, &mut stream(seed, "t", 0)).unwrap(),
        ] {
            prop_assert_eq!(points.dim(), (n, dim));
            prop_assert!(points.iter().all(|x| x.is_finite()));
        }
    }
}
