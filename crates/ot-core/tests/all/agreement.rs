//! Agreement with the numbers of POT, SciPy and geomloss (versions and script next to the fixture).

use crate::common::measure;
use ndarray::Array2;
use ot_core::cost::Euclidean;
use ot_core::entropic::{Schedule, SinkhornOptions, SinkhornPower, geomloss_divergence, sinkhorn_unbalanced};
use ot_core::exact::solve;
use serde_json::Value;

fn fixture() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/ot/ot.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn points(value: &Value) -> Array2<f64> {
    let rows = value.as_array().unwrap();
    let flat: Vec<f64> = rows.iter().flat_map(numbers).collect();
    Array2::from_shape_vec((rows.len(), flat.len() / rows.len()), flat).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn weights(value: &Value) -> Option<Vec<f64>> {
    (!value.is_null()).then(|| numbers(value))
}

#[test]
fn exact_costs_are_those_of_pot_and_scipy() {
    let fixture = fixture();
    let mut compared = 0;
    for case in fixture["exact"].as_array().unwrap() {
        let (x, y, a, b) = (points(&case["x"]), points(&case["y"]), weights(&case["a"]), weights(&case["b"]));
        for (name, cost) in [("squared_euclidean", Euclidean::Squared), ("euclidean", Euclidean::Distance)] {
            let plan =
                solve(&measure(x.view(), a.as_deref()), &measure(y.view(), b.as_deref()), &cost).unwrap();
            for peer in ["pot_emd", "scipy_assignment"] {
                if let Some(expected) = case[peer][name].as_f64() {
                    // Both are exact solvers in double precision; the sums have at most 200 terms.
                    assert!(
                        (plan.primal() - expected).abs() < 1e-12 * (1.0 + expected),
                        "{peer} {name}: {} {expected}",
                        plan.primal()
                    );
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 16);
}

#[test]
fn sinkhorn_divergences_are_those_of_geomloss_and_pot() {
    for case in fixture()["sinkhorn"].as_array().unwrap() {
        let (x, y, a, b) = (points(&case["x"]), points(&case["y"]), weights(&case["a"]), weights(&case["b"]));
        let power = if case["p"] == 1 { SinkhornPower::One } else { SinkhornPower::Two };
        let blur = case["blur"].as_f64().unwrap();
        let value = |schedule| {
            geomloss_divergence(
                &measure(x.view(), a.as_deref()),
                &measure(y.view(), b.as_deref()),
                power,
                blur,
                schedule,
            )
            .unwrap()
        };
        for scaling in [0.5, 0.95, 0.99] {
            let expected = case["geomloss"][scaling.to_string()].as_f64().unwrap();
            let ours = value(Schedule::Geomloss { scaling }).value;
            // The same iterations with single-precision exponentials: 1e−7·ε each, here ε ≤ 0.1, averaged so that old
            // errors fade. For p = 1 geomloss floors every distance at 1e−4, the zeros of the self terms too, which
            // lowers its divergence by up to 1e−4.
            let floor = if power == SinkhornPower::One { 1e-4 } else { 0.0 };
            let difference = ours - expected;
            assert!(
                -1e-7 < difference && difference < floor + 1e-7,
                "p {power:?} scaling {scaling}: {ours} {expected}"
            );
        }
        let expected = case["pot_20000_iterations"].as_f64().unwrap();
        let ours = value(Schedule::Converged { tolerance: 1e-6, max_iterations: 100_000 });
        assert!(ours.converged);
        // A marginal error of 1e−6 times potentials of order one.
        assert!((ours.value - expected).abs() < 2e-6, "p {power:?}: {} {expected}", ours.value);
    }
}

#[test]
fn the_default_schedule_of_geomloss_is_not_converged_and_says_so() {
    let fixture = fixture();
    let case = &fixture["sinkhorn"][0];
    let (x, y) = (points(&case["x"]), points(&case["y"]));
    let divergence = geomloss_divergence(
        &measure(x.view(), None),
        &measure(y.view(), None),
        SinkhornPower::Two,
        0.1,
        Schedule::AS_PUBLISHED,
    )
    .unwrap();
    assert!(!divergence.converged && divergence.marginal_error > 1e-3);
}

#[test]
fn unbalanced_values_and_masses_are_those_of_pot() {
    let fixture = fixture();
    let cases = fixture["unbalanced"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (x, y, a, b) = (points(&case["x"]), points(&case["y"]), numbers(&case["a"]), numbers(&case["b"]));
        let (epsilon, reach) = (case["epsilon"].as_f64().unwrap(), case["reach"].as_f64().unwrap());
        let options = SinkhornOptions { tolerance: 1e-6, max_iterations: 1000 };
        let cost = Euclidean::HalfSquared;
        let plan = sinkhorn_unbalanced(
            &measure(x.view(), Some(&a)),
            &measure(y.view(), Some(&b)),
            &cost,
            epsilon,
            reach,
            options,
        )
        .unwrap();
        assert!(plan.converged);
        // A marginal error of 1e−6 times the mass, of order one, and for the value times potentials of order one.
        assert!((plan.mass - case["pot"]["mass"].as_f64().unwrap()).abs() < 2e-6, "{plan:?} {}", case["pot"]);
        assert!(
            (plan.value - case["pot"]["value"].as_f64().unwrap()).abs() < 2e-6,
            "{plan:?} {}",
            case["pot"]
        );
    }
}
