//! Every measure of a small crooked trajectory, by hand.

use ndarray::{Array1, Array2, array};

use super::{Noise, Trajectory, TrajectoryParts, step_invariance};
use crate::{Indicators, MfgError, hamilton_jacobi};

/// Two particles in the plane, two steps of different sizes; the first turns a corner, the second waits.
fn parts() -> TrajectoryParts {
    TrajectoryParts {
        lambda: 2.0,
        times: vec![0.0, 0.5, 2.0],
        positions: vec![
            array![[0.0, 0.0], [1.0, 1.0]],
            array![[3.0, 0.0], [1.0, 1.0]],
            array![[3.0, 4.0], [1.0, 3.0]],
        ],
        potential_gradient: vec![
            array![[2.0, 0.0], [0.0, 4.0]],
            array![[4.0, 2.0], [0.0, -2.0]],
            array![[1.0, 1.0], [2.0, 0.0]],
        ],
        potential_time_derivative: Some(vec![array![1.0, 2.0], array![5.0, 0.0], array![0.5, 3.0]]),
        critic_gradient: Some(array![[1.0, 3.0], [0.0, 0.0]]),
        noise: None,
        interaction: None,
    }
}

fn noise() -> Noise {
    Noise { sigma: 2.0, laplacian: Some(vec![array![1.0, 0.0], array![0.0, 0.5], array![-0.25, 1.0]]) }
}

fn interaction() -> Vec<Array1<f64>> {
    vec![array![-1.0, 1.0], array![2.0, 0.0], array![0.0, -3.0]]
}

fn trajectory() -> Trajectory {
    Trajectory::new(parts()).unwrap()
}

/// A few roundings of numbers of order 10.
fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-14 * (1.0 + expected.abs()), "{found} for {expected}");
}

#[test]
fn the_ends_and_the_horizon_are_those_that_were_given() {
    let trajectory = trajectory();
    assert_eq!(trajectory.horizon(), 2.0);
    assert_eq!(trajectory.start(), parts().positions[0]);
    assert_eq!(trajectory.end(), parts().positions[2]);
    assert_eq!(trajectory.step_sizes().collect::<Vec<_>>(), [0.5, 1.5]);
    assert_eq!(trajectory.parts(), &parts());
}

/// ½·(.5·(1 + 4)/2 + 1.5·(5 + 1)/2) = 2.875; times T = 2 over ½·10 it is 1.15.
#[test]
fn the_kinetic_energy_and_the_straightness_by_hand() {
    assert_close(trajectory().kinetic_energy(), 2.875);
    assert_close(trajectory().straightness(10.0).unwrap(), 0.15);
    assert_eq!(trajectory().straightness(0.0), None);
}

/// The lengths are 3 + 4 and 0 + 2, the displacements 5 and 2.
#[test]
fn the_path_ratio_by_hand() {
    assert_close(trajectory().path_ratio().unwrap(), 2.0 / 7.0);
}

/// The gaps are (−4, −7), (0, −2) with the lever 2/2, and (−.75, −6.25), (0, −2) with the lever 1.5/2; the time T,
/// where the gap is 0, is not counted.
#[test]
fn the_distance_from_the_characteristics_by_hand() {
    let gap = (65.0 + 4.0 + 39.625 + 4.0) / 4.0;
    assert_close(trajectory().characteristic_rms().unwrap(), (gap / 14.5_f64).sqrt());
}

/// Mean velocities (1.5, 2), (0, 1); the gaps (−2.5, −2), (0, −3), then (−3.5, −3), (0, 0).
#[test]
fn the_velocity_spread_by_hand() {
    assert_close(trajectory().velocity_spread(), 0.5 * (10.25 + 9.0) / 2.0 + 1.5 * 21.25 / 2.0);
}

/// The gaps are (0, −2) and (2, 0), the critic's slopes √10 and 0.
#[test]
fn the_terminal_gap_by_hand() {
    assert_close(trajectory().terminal_gradient_rms().unwrap(), 2.0);
    assert_close(trajectory().terminal_gradient_relative().unwrap(), 2.0 / 5.0_f64.sqrt());
    let flat = TrajectoryParts { critic_gradient: Some(Array2::zeros((2, 2))), ..parts() };
    assert_eq!(Trajectory::new(flat).unwrap().terminal_gradient_relative(), None);
}

/// ∂ₜU − ‖∇U‖²/4: (0, −2), (0, −1), (0, 2); with (σ²/2)ΔU = 2ΔU and the interaction (1, −1), (2, 0), (−.5, 1).
#[test]
fn the_hamilton_jacobi_residual_by_hand() {
    let measure = |parts: TrajectoryParts| {
        let trajectory = Trajectory::new(parts).unwrap();
        let rms = hamilton_jacobi::residual_rms(&trajectory).unwrap();
        (rms, hamilton_jacobi::residual_relative(&trajectory).unwrap())
    };
    let scale = ((1.0 + 4.0 + 25.0 + 0.25 + 9.0) / 6.0_f64).sqrt();
    let (rms, relative) = measure(parts());
    assert_close(rms.unwrap(), (9.0 / 6.0_f64).sqrt());
    assert_close(relative.unwrap(), (9.0 / 6.0_f64).sqrt() / scale);
    let (rms, relative) =
        measure(TrajectoryParts { noise: Some(noise()), interaction: Some(interaction()), ..parts() });
    let expected = ((1.0 + 1.0 + 4.0 + 0.25 + 1.0) / 6.0_f64).sqrt();
    assert_close(rms.unwrap(), expected);
    assert_close(relative.unwrap(), expected / scale);
    assert_eq!(measure(TrajectoryParts { potential_time_derivative: None, ..parts() }), (None, None));
    let still = Some(vec![Array1::zeros(2); 3]);
    let (rms, relative) = measure(TrajectoryParts { potential_time_derivative: still, ..parts() });
    assert!(rms.unwrap() > 1.0 && relative.is_none());
}

/// Distances 5 and 1 over 10 and 2.
#[test]
fn step_invariance_by_hand() {
    let start = array![[0.0, 0.0], [1.0, 0.0]];
    let fine = array![[6.0, 8.0], [1.0, 2.0]];
    let coarse = array![[9.0, 4.0], [2.0, 2.0]];
    let invariance =
        |coarse: &Array2<f64>, fine: &Array2<f64>| step_invariance(coarse.view(), fine.view(), start.view());
    assert_eq!(invariance(&coarse, &fine).unwrap(), Some(0.5));
    let narrow = Array2::zeros((2, 1));
    let refused = |coarse, fine| match invariance(coarse, fine).unwrap_err() {
        MfgError::Shape { array, .. } => array,
        other => panic!("{other}"),
    };
    assert_eq!(refused(&narrow, &fine), "the coarse end points");
    assert_eq!(refused(&coarse, &narrow), "the fine end points");
}

#[test]
fn noise_and_interaction_bend_the_paths() {
    let free = |noise: Option<Noise>, interaction: Option<Vec<Array1<f64>>>| {
        let trajectory = Trajectory::new(TrajectoryParts { noise, interaction, ..parts() }).unwrap();
        let indicators = Indicators::new(&trajectory, Some(10.0)).unwrap();
        let straight = [
            indicators.characteristic_rms,
            indicators.straightness,
            indicators.path_ratio,
            indicators.velocity_spread,
        ];
        assert!(straight.iter().all(|value| value.is_some() == trajectory.is_free()));
        trajectory.is_free()
    };
    assert!(free(None, None));
    assert!(!free(Some(noise()), None));
    assert!(!free(None, Some(interaction())));
    assert!(!free(Some(noise()), Some(interaction())));
}

/// Each indicator is the measure of its name, none another.
#[test]
fn the_indicators_are_the_measures_of_their_names() {
    let trajectory = trajectory();
    let indicators = Indicators::new(&trajectory, Some(10.0)).unwrap();
    let expected = Indicators {
        hj_residual_rms: hamilton_jacobi::residual_rms(&trajectory).unwrap(),
        hj_residual_relative: hamilton_jacobi::residual_relative(&trajectory).unwrap(),
        terminal_gradient_rms: trajectory.terminal_gradient_rms(),
        terminal_gradient_relative: trajectory.terminal_gradient_relative(),
        continuity_residual: crate::continuity::residual(&trajectory),
        characteristic_rms: trajectory.characteristic_rms(),
        kinetic_energy: trajectory.kinetic_energy(),
        straightness: trajectory.straightness(10.0),
        path_ratio: trajectory.path_ratio(),
        velocity_spread: Some(trajectory.velocity_spread()),
    };
    assert_eq!(indicators, expected);
    let named = indicators.named();
    let value = |name: &str| named.iter().find(|(found, _)| found.name == name).unwrap().1;
    assert_eq!(value("hj_residual_rms"), expected.hj_residual_rms);
    assert_eq!(value("hj_residual_relative"), expected.hj_residual_relative);
    assert_eq!(value("terminal_gradient_rms"), expected.terminal_gradient_rms);
    assert_eq!(value("terminal_gradient_relative"), expected.terminal_gradient_relative);
    assert_eq!(value("continuity_residual"), Some(expected.continuity_residual));
    assert_eq!(value("characteristic_rms"), expected.characteristic_rms);
    assert_eq!(value("kinetic_energy"), Some(expected.kinetic_energy));
    assert_eq!(value("straightness"), expected.straightness);
    assert_eq!(value("path_ratio"), expected.path_ratio);
    assert_eq!(value("velocity_spread"), expected.velocity_spread);
    assert_eq!(Indicators::new(&trajectory, None).unwrap(), Indicators { straightness: None, ..expected });
    // 0 is a distance, though nothing can be relative to it.
    assert_eq!(Indicators::new(&trajectory, Some(0.0)).unwrap().straightness, None);
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        let error = Indicators::new(&trajectory, Some(wrong)).unwrap_err();
        assert!(matches!(error, MfgError::Parameter { parameter: "w2_squared", .. }), "{error}");
    }
}

#[test]
fn what_does_not_fit_is_named_with_its_time() {
    let error = |change: &dyn Fn(&mut TrajectoryParts)| {
        let mut parts = TrajectoryParts { noise: Some(noise()), interaction: Some(interaction()), ..parts() };
        change(&mut parts);
        Trajectory::new(parts).unwrap_err()
    };
    let laplacian = |parts: &mut TrajectoryParts, time: usize, value: Array1<f64>| {
        parts.noise.as_mut().unwrap().laplacian.as_mut().unwrap()[time] = value;
    };
    let shape = |error: MfgError, name: &str| {
        assert!(matches!(error, MfgError::Shape { array, .. } if array == name), "{error}");
    };
    let not_finite = |error: MfgError, name: &str, at: usize| {
        let found = matches!(error, MfgError::NonFinite { array, time, .. } if array == name && time == at);
        assert!(found, "{error}");
    };
    let too_few = |error: MfgError, name: &str, count: usize| {
        let named = matches!(error, MfgError::TooFew { what, found, .. } if what == name && found == count);
        assert!(named, "{error}");
    };
    shape(error(&|p| p.interaction.as_mut().unwrap()[1] = Array1::zeros(3)), "interaction");
    shape(error(&|p| laplacian(p, 1, Array1::zeros(3))), "laplacian");
    not_finite(error(&|p| laplacian(p, 1, array![0.0, f64::NAN])), "laplacian", 1);
    not_finite(error(&|p| p.interaction.as_mut().unwrap()[2][0] = f64::NAN), "interaction", 2);
    not_finite(
        error(&|p| p.critic_gradient.as_mut().unwrap()[[1, 1]] = f64::NEG_INFINITY),
        "critic_gradient",
        2,
    );
    too_few(error(&|p| p.critic_gradient = Some(Array2::zeros((1, 2)))), "particles", 1);
    too_few(error(&|p| p.critic_gradient = Some(Array2::zeros((2, 0)))), "coordinates", 0);
    too_few(error(&|p| p.times = vec![0.0]), "times", 1);
    for (index, time) in [(1, f64::NAN), (2, f64::INFINITY), (2, 0.25), (2, 0.5), (0, -1.0)] {
        let found = error(&|p| p.times[index] = time);
        assert!(matches!(found, MfgError::Times { index: at, .. } if at == index), "{found}");
    }
    let no_noise = error(&|p| p.noise.as_mut().unwrap().sigma = 0.0);
    assert!(matches!(no_noise, MfgError::Parameter { parameter: "sigma", .. }));
}
