//! The planar laws: one point of one component of a target.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::Target;

/// Mean of [`Target::ShiftedGaussian`], whose covariance is I.
pub(super) const SHIFTED_MEAN: [f64; 2] = [3.0, 0.0];

/// A point of R² drawn from component `component` of `target`.
pub(super) fn point<R: Rng + ?Sized>(target: Target, component: u32, rng: &mut R) -> [f64; 2] {
    match target {
        Target::Pinwheel => pinwheel(component, rng),
        Target::Moons => moons(component, rng),
        Target::EightGaussians | Target::Ring | Target::CfmEightGaussians | Target::WideEightGaussians => {
            mode_on_circle(target, component, rng)
        }
        Target::Checkerboard => checkerboard(component, rng),
        Target::SwissRoll => swiss_roll(rng),
        Target::Circles => circles(component, rng),
        Target::TwoSpirals => two_spirals(component, rng),
        Target::Origin => [0.0, 0.0],
        Target::Plane => [normal(rng), normal(rng)],
        Target::ShiftedGaussian => {
            let [x, y] = SHIFTED_MEAN;
            [x + normal(rng), y + normal(rng)]
        }
        Target::CfmMoons => {
            let [x, y] = half_circles(component, 0.05, rng);
            [2.0 * x - 1.0, 2.0 * y]
        }
        Target::CfmSCurve => s_curve(rng),
        Target::WideMoons => wide_moons(component, rng),
    }
}

fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    rng.sample(StandardNormal)
}

fn pinwheel<R: Rng + ?Sized>(arm: u32, rng: &mut R) -> [f64; 2] {
    let radial = 1.0 + 0.3 * normal(rng);
    let tangential = 0.1 * normal(rng);
    let (sin, cos) = (TAU * f64::from(arm) / 5.0 + 0.25 * radial.exp()).sin_cos();
    [1.4 * (radial * cos + tangential * sin), 1.4 * (tangential * cos - radial * sin)]
}

/// The make_moons of scikit-learn.
fn half_circles<R: Rng + ?Sized>(moon: u32, noise: f64, rng: &mut R) -> [f64; 2] {
    let (sin, cos) = (PI * rng.random::<f64>()).sin_cos();
    let [x, y] = if moon == 0 { [cos, sin] } else { [1.0 - cos, 0.5 - sin] };
    [x + noise * normal(rng), y + noise * normal(rng)]
}

fn moons<R: Rng + ?Sized>(moon: u32, rng: &mut R) -> [f64; 2] {
    let [x, y] = half_circles(moon, 0.05, rng);
    [4.2 * (x - 0.5), 4.2 * (y - 0.2)]
}

/// The coordinates have the means ½ and ¼, and the second moments 1 + σ² and ⅝ − 1/π + σ²; both are divided by the
/// deviation of all numbers together.
fn wide_moons<R: Rng + ?Sized>(moon: u32, rng: &mut R) -> [f64; 2] {
    let (noise, mean) = (0.1, 0.375);
    let variance = 0.5 * (1.0 + 0.625 - 1.0 / PI) + noise * noise - mean * mean;
    half_circles(moon, noise, rng).map(|x| 7.0 * (x - mean) / variance.sqrt())
}

fn s_curve<R: Rng + ?Sized>(rng: &mut R) -> [f64; 2] {
    let t = 3.0 * PI * (rng.random::<f64>() - 0.5);
    let (sin, cos) = t.sin_cos();
    [1.5 * (sin + 0.05 * normal(rng)), 1.5 * (t.signum() * (cos - 1.0) + 0.05 * normal(rng))]
}

/// Radius of the circle of modes and their standard deviation, for the targets that are such a mixture.
pub(super) fn circle_of_modes(target: Target) -> Option<(f64, f64)> {
    match target {
        Target::EightGaussians => Some((2.0, 0.2)),
        Target::Ring => Some((1.0, 0.1)),
        Target::CfmEightGaussians => Some((5.0, 1.0)),
        Target::WideEightGaussians => Some((12.0, 1.5)),
        _ => None,
    }
}

pub(super) fn angle_of_mode(mode: u32) -> f64 {
    TAU * f64::from(mode) / 8.0
}

fn mode_on_circle<R: Rng + ?Sized>(target: Target, mode: u32, rng: &mut R) -> [f64; 2] {
    let (radius, std) = circle_of_modes(target).unwrap_or_default();
    let (sin, cos) = angle_of_mode(mode).sin_cos();
    [radius * cos + std * normal(rng), radius * sin + std * normal(rng)]
}

/// Cells are numbered by rows of two; on odd rows the coloured cells start one column later.
fn checkerboard<R: Rng + ?Sized>(cell: u32, rng: &mut R) -> [f64; 2] {
    let row = cell / 2;
    let column = 2 * (cell % 2) + row % 2;
    [column, row].map(|index| 0.5 * (f64::from(index) + rng.random::<f64>()) - 1.0)
}

fn swiss_roll<R: Rng + ?Sized>(rng: &mut R) -> [f64; 2] {
    let t = 1.5 * PI * (1.0 + 2.0 * rng.random::<f64>());
    [0.35 * (t * t.cos() + normal(rng)), 0.35 * (t * t.sin() + normal(rng))]
}

fn circles<R: Rng + ?Sized>(circle: u32, rng: &mut R) -> [f64; 2] {
    let radius = if circle == 0 { 1.0 } else { 0.5 };
    let (sin, cos) = (TAU * rng.random::<f64>()).sin_cos();
    [2.0 * (radius * cos + 0.08 * normal(rng)), 2.0 * (radius * sin + 0.08 * normal(rng))]
}

fn two_spirals<R: Rng + ?Sized>(spiral: u32, rng: &mut R) -> [f64; 2] {
    let sign = if spiral == 0 { 1.0 } else { -1.0 };
    let angle = 3.0 * PI * rng.random::<f64>().sqrt();
    let (sin, cos) = angle.sin_cos();
    let x = 0.5 * rng.random::<f64>() - angle * cos;
    let y = 0.5 * rng.random::<f64>() + angle * sin;
    [0.64 * (sign * x / 3.0 + 0.1 * normal(rng)), 0.64 * (sign * y / 3.0 + 0.1 * normal(rng))]
}
