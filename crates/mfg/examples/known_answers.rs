//! The games that are solved in closed form, beside what the crate measures of them.
//!
//! `cargo run -p mfg --example known_answers` prints one line per fact: what the formula says, what is measured along
//! the exact flow, and the gap between the two, which is rounding.

#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "an example shows its result, of arrays that it made"
)]

use mfg::known_answers::{
    InteractingGaussians, Law, OptimalFlow, ShiftedGaussians, SoftThreshold, least_kinetic_cost,
    lipschitz_kullback_leibler, reach,
};
use mfg::{Indicators, MfgError, Trajectory, hamilton_jacobi};
use ndarray::{Array2, ArrayView2, Axis, array};

fn main() -> Result<(), MfgError> {
    println!("{:<58} {:>10} {:>10} {:>9}", "known answer", "formula", "measured", "gap");
    let start = array![[3.0, 4.0], [-0.3, 0.2], [1.0, -2.5], [0.0, 0.4], [-6.0, 0.1], [0.8, 0.8]];

    // λ = T = 1, L = 2: nobody moves further than R = 2.
    let point = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 2.0, tangent: 0 };
    let trajectory = point.trajectory(start.view(), 4)?;
    row("speed limit R = L·T/λ, the longest path", reach(2.0, 1.0, 1.0), longest(&trajectory));
    row("onto a point: max(0, 1 − R/‖x₀‖)·‖x₀‖ of x₀ = (3, 4)", 3.0, length(trajectory.end(), 0));
    optimal("onto a point", &trajectory)?;

    let plane = SoftThreshold { tangent: 1, ..point };
    let trajectory = plane.trajectory(start.view(), 4)?;
    row("onto the line x₂ = 0: x₁ of (3, 4) stays", 3.0, trajectory.end()[[0, 0]]);
    row("onto the line x₂ = 0: x₂ of (3, 4) ends at 4 − R", 2.0, trajectory.end()[[0, 1]]);
    optimal("onto the line", &trajectory)?;

    // Half way to the target: λ/T = 1/s². With L = 1 the reach R = 1 stops the shift by 2 of the second game.
    for (lipschitz, target, name) in [(10.0, 2.0, "free shift"), (1.0, 4.0, "clipped shift")] {
        let (initial_mean, target_mean) = (array![0.0, 0.0], array![target, 0.0]);
        let shift =
            ShiftedGaussians { lambda: 1.0, horizon: 1.0, lipschitz, std: 1.0, initial_mean, target_mean };
        let trajectory = shift.trajectory(start.view(), 4)?;
        let displacement = longest(&trajectory);
        row(&format!("{name}: m from 0 towards {target}"), 1.0, displacement);
        // The particles are shifted by one vector: W2² is its square.
        let value = lipschitz_kullback_leibler(target - displacement, 1.0, lipschitz)
            + shift.lambda * trajectory.kinetic_energy();
        row(&format!("{name}: value, divergence + λ·kinetic energy"), shift.value(), value);
        let bound = least_kinetic_cost(1.0, 1.0, displacement * displacement);
        row(&format!("{name}: λ·kinetic energy ≥ (λ/2T)·W2²"), bound, trajectory.kinetic_energy());
        optimal(name, &trajectory)?;
    }

    noisy_gaussians()
}

/// Gaussians with noise and attraction: the full Hamilton–Jacobi equation, and the critic at the end.
fn noisy_gaussians() -> Result<(), MfgError> {
    let flow = InteractingGaussians {
        lambda: 0.5,
        horizon: 1.0,
        sigma: 0.7,
        attraction: 1.5,
        initial_mean: array![0.0, 0.0],
        initial_std: 1.0,
        target_mean: array![3.0, 0.0],
        target_std: 0.5,
    };
    let point = array![0.4, -1.2];
    for time in [0.0, 0.5, 1.0] {
        let at = flow.derivatives(point.view(), time)?;
        let [time_derivative, laplacian, interaction] =
            [at.time, at.laplacian, at.interaction].map(|value| array![value]);
        let residual = hamilton_jacobi::residual(&hamilton_jacobi::Terms {
            lambda: flow.lambda,
            time_derivative: time_derivative.view(),
            gradient: at.gradient.view().insert_axis(Axis(0)),
            diffusion: Some(hamilton_jacobi::Diffusion { sigma: flow.sigma, laplacian: laplacian.view() }),
            interaction: Some(interaction.view()),
        })?;
        row(&format!("noise and attraction: Hamilton–Jacobi at t = {time}"), 0.0, residual.sum());
    }
    let Law { std, .. } = flow.law(1.0)?;
    let curvature = flow.derivatives(point.view(), 1.0)?.laplacian / 2.0;
    row("noise and attraction: ΔU/d at T is 1/s₁² − 1/s_T²", 4.0 - 1.0 / (std * std), curvature);
    Ok(())
}

/// Every indicator of the optimality system is 0 along an optimal flow.
fn optimal(name: &str, trajectory: &Trajectory) -> Result<(), MfgError> {
    let found = Indicators::new(trajectory, None)?;
    row(&format!("{name}: Hamilton–Jacobi residual"), 0.0, found.hj_residual_rms.unwrap_or(f64::NAN));
    row(&format!("{name}: continuity residual"), 0.0, found.continuity_residual);
    row(&format!("{name}: distance from characteristics"), 0.0, found.characteristic_rms.unwrap_or(f64::NAN));
    row(&format!("{name}: gap of ∇U and ∇φ at T"), 0.0, found.terminal_gradient_rms.unwrap_or(f64::NAN));
    Ok(())
}

/// Prints a line of the table.
fn row(fact: &str, formula: f64, measured: f64) {
    println!("{fact:<58} {formula:>10.6} {measured:>10.6} {:>9.1e}", measured - formula);
}

/// The longest displacement of a particle.
fn longest(trajectory: &Trajectory) -> f64 {
    let moved: Array2<f64> = &trajectory.end() - &trajectory.start();
    (0..moved.nrows()).map(|row| length(moved.view(), row)).fold(0.0, f64::max)
}

/// ‖x‖ of a row.
fn length(points: ArrayView2<'_, f64>, row: usize) -> f64 {
    points.row(row).dot(&points.row(row)).sqrt()
}
