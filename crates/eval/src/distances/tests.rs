use super::*;
use datasets::{InitialLaw, stream};
use ndarray::{Array2, array};

fn clouds() -> (Array2<f64>, Array2<f64>) {
    let mut rng = stream(1, "distances-test", 0);
    let mut cloud = |n| Array2::from_shape_simple_fn((n, 3), || rand::RngExt::random::<f64>(&mut rng));
    (cloud(40), cloud(30) + 0.5)
}

fn between(x: &Array2<f64>, y: &Array2<f64>, options: &DistanceOptions) -> Result<Distances, DistanceError> {
    distances(x.view(), y.view(), None, None, options, &mut stream(1, "sliced", 0))
}

fn measure(options: &DistanceOptions) -> Distances {
    let (x, y) = clouds();
    between(&x, &y, options).unwrap()
}

fn wanted(text: &str) -> DistanceOptions {
    DistanceOptions { wanted: text.parse().unwrap(), directions: 8, ..DistanceOptions::default() }
}

#[test]
fn the_numbers_are_consistent_with_each_other() {
    let found = measure(&DistanceOptions { directions: 64, ..DistanceOptions::default() });
    let get = |distance| found.get(distance).unwrap();
    assert_eq!((found.n, found.m, found.dim), (40, 30, 3));
    assert!(get(Distance::W1) <= get(Distance::W2) && get(Distance::SlicedW2) <= get(Distance::W2));
    assert_eq!(get(Distance::W2Squared), 2.0 * get(Distance::TransportCost));
    assert!(get(Distance::CoordinateW1) <= get(Distance::W1), "a projection brings points closer");
    // The certificate's own tolerance is smaller than this.
    assert!(
        found.exact.duality_gap.unwrap().abs() < 1e-11 && found.exact.w1_duality_gap.unwrap().abs() < 1e-11
    );
    let divergence = found.sinkhorn_divergence.as_ref().unwrap();
    assert!(divergence.converged);
    // Debiased entropic transport with blur far below the distance: within a few per cent of the exact cost.
    assert!((divergence.value / get(Distance::TransportCost) - 1.0).abs() < 0.1);
}

#[test]
fn the_json_has_every_promised_number_with_a_definition() {
    let json =
        serde_json::to_value(measure(&DistanceOptions { directions: 8, ..DistanceOptions::default() }))
            .unwrap();
    for path in ["w1", "w2", "w2_squared", "transport_cost", "duality_gap"] {
        assert!(json["exact"][path].is_number(), "{path}");
        assert!(json["definitions"][format!("exact.{path}")].is_string(), "{path}");
    }
    for field in ["value", "p", "blur", "cost", "iterations", "converged"] {
        assert!(!json["sinkhorn_divergence"][field].is_null(), "{field}");
    }
    assert!(json["sliced_w2"].is_number() && json["definitions"]["sliced_w2"].is_string());
    assert_eq!(json["coordinate_w1"]["values"].as_array().unwrap().len(), 3);
    assert_eq!(json["left_out"], serde_json::json!({}));
}

#[test]
fn only_what_is_asked_for_is_measured() {
    let found = measure(&wanted("w1,sliced_w2"));
    let names: Vec<_> = Distance::ALL.into_iter().filter(|&d| found.get(d).is_some()).collect();
    assert_eq!(names, [Distance::W1, Distance::SlicedW2]);
    let json = serde_json::to_value(&found).unwrap();
    assert!(json["exact"].get("w2_squared").is_none() && json["exact"].get("duality_gap").is_none());
    assert_eq!(json.get("sinkhorn_divergence"), None);
    assert_eq!(found.exact.w1, measure(&wanted("all")).exact.w1);
}

#[test]
fn coordinates_are_selected_and_checked() {
    let (x, y) = clouds();
    let two = measure(&DistanceOptions { coords: Some(1..3), directions: 8, ..DistanceOptions::default() });
    let (source, target) = (x.slice(s![.., 1..]), y.slice(s![.., 1..]));
    let (source, target) = (Measure::uniform(source).unwrap(), Measure::uniform(target).unwrap());
    let direct = solve(&source, &target, &Euclidean::HalfSquared).unwrap().primal();
    assert_eq!(two.dim, 2);
    // Rounding of sums of 70 numbers of order one.
    assert!((two.exact.transport_cost.unwrap() - direct).abs() < 1e-14);
    // Columns are counted as they are in the file.
    assert!((1..3).contains(&two.coordinate_w1.unwrap().worst.unwrap().column));
    for coords in [0..4, 2..2] {
        let options = DistanceOptions { coords: Some(coords), ..DistanceOptions::default() };
        assert!(matches!(between(&x, &y, &options), Err(DistanceError::Coords { columns: 3, .. })));
    }
}

#[test]
fn weights_count() {
    let (x, y) = (array![[0.0], [1.0]], array![[0.0]]);
    let options = DistanceOptions { directions: 4, ..DistanceOptions::default() };
    let mut rng = stream(1, "sliced", 0);
    let found = distances(x.view(), y.view(), Some(&[3.0, 1.0]), None, &options, &mut rng).unwrap();
    assert_eq!((found.exact.w1, found.exact.w2, found.sliced_w2), (Some(0.25), Some(0.5), Some(0.5)));
    // c = ½·¼ + ½·0, E|x − c|² = ¾·(1/8)² + ¼·(7/8)² = 13/64, E|y − c|² = 1/64.
    assert!((found.scale - (7.0_f64 / 64.0).sqrt()).abs() < 1e-15);
}

/// Distances are homogeneous, squared ones of degree 2, and no origin matters: the numbers of clouds near 0 of order
/// one come back in any unit.
#[test]
fn no_unit_and_no_origin_matters() {
    let (x, y) = clouds();
    // 2^−20 is a grid on which moving the clouds by a million costs no digit.
    let grid = |cloud: &Array2<f64>| cloud.mapv(|value| (value * 1048576.0).round() / 1048576.0);
    let (x, y) = (grid(&x), grid(&y));
    let options = DistanceOptions { blur: Blur::OfScale(0.05), directions: 16, ..wanted("all") };
    let expected = between(&x, &y, &options).unwrap();
    for (unit, origin) in [(1e-12, 0.0), (1e12, 0.0), (1e-150, 0.0), (1e150, 0.0), (1.0, 1048576.0)] {
        let (x, y) = ((&x + origin) * unit, (&y + origin) * unit);
        let found = between(&x, &y, &options).unwrap();
        assert_eq!(found.left_out, BTreeMap::new(), "unit {unit:e}");
        for distance in Distance::ALL {
            let is_squared = matches!(
                distance,
                Distance::W2Squared | Distance::TransportCost | Distance::SinkhornDivergence
            );
            let power = if is_squared { 2 } else { 1 };
            let [found, expected] = [&found, &expected].map(|found| found.get(distance).unwrap());
            // Coordinates round to 1e−16 of themselves; the divergence is made of single-precision exponentials.
            let tolerance = if distance == Distance::SinkhornDivergence { 1e-3 } else { 1e-12 };
            let relative = found / unit.powi(power) / expected - 1.0;
            assert!(
                relative.abs() < tolerance,
                "{distance} in units of {unit:e} from {origin}: off by {relative:e}"
            );
        }
    }
}

/// A blur that does not suit the scale leaves out the divergence and nothing else.
#[test]
fn what_cannot_be_had_is_left_out_with_its_reason() {
    let (x, y) = clouds();
    let (x, y) = (x * 1e6, y * 1e6);
    // Far below the distances between points the blur does not matter, and the divergence is half of w2_squared.
    let found = between(&x, &y, &wanted("all")).unwrap();
    let half = found.exact.w2_squared.unwrap() / 2.0;
    assert!((found.get(Distance::SinkhornDivergence).unwrap() / half - 1.0).abs() < 1e-8);
    let tiny = |names| DistanceOptions { blur: Blur::Length(1e-170), ..wanted(names) };
    let found = between(&x, &y, &tiny("all")).unwrap();
    assert!(found.exact.w2_squared.is_some() && found.sinkhorn_divergence.is_none());
    let reason = &found.left_out["sinkhorn_divergence"];
    assert!(reason.contains("blur of 1.000e-170") && reason.contains("scale"), "{reason}");
    let error = between(&x, &y, &tiny("sinkhorn_divergence")).unwrap_err();
    assert!(matches!(&error, DistanceError::Nothing(_)) && error.to_string().contains("blur"), "{error}");
    let options = DistanceOptions { blur: Blur::OfScale(0.05), ..wanted("all") };
    let found = between(&x, &y, &options).unwrap();
    let blur = found.sinkhorn_divergence.unwrap().blur;
    assert!((blur / found.scale - 0.05).abs() < 1e-12);
    for blur in [0.0, -1.0, f64::NAN] {
        let options = DistanceOptions { blur: Blur::Length(blur), ..wanted("w1") };
        assert!(matches!(between(&x, &y, &options), Err(DistanceError::Blur(_))));
    }
    // The square of 1e200 is no number, the distance is.
    let (x, y) = (array![[0.0, 0.0]], array![[3e200, 4e200]]);
    let found = between(&x, &y, &wanted("exact")).unwrap();
    assert!((found.exact.w2.unwrap() / 5e200 - 1.0).abs() < 1e-15);
    assert!(found.exact.w2_squared.is_none() && found.left_out["w2_squared"].contains("1.8e308"));
}

#[test]
fn large_clouds_have_no_divergence_unless_it_is_asked_for() {
    let cloud = |name: &str| InitialLaw::default().sample(400, 2, &mut stream(1, name, 0)).unwrap();
    let found = between(&cloud("x"), &cloud("y"), &DistanceOptions::default()).unwrap();
    assert_eq!(found.sinkhorn_divergence, None);
    assert!(found.left_out["sinkhorn_divergence"].contains("ask for it by name"), "{:?}", found.left_out);
}

#[test]
fn exact_plans_between_very_many_points_are_for_those_who_ask_for_them() {
    let cloud = |dim| Array2::from_shape_fn((100_001, dim), |(i, j)| ((i * (j + 3)) % 977) as f64);
    let options = DistanceOptions { directions: 1, floor: false, ..DistanceOptions::default() };
    let found = between(&cloud(2), &cloud(2), &options).unwrap();
    assert!(found.exact.w1.is_none() && found.exact.w2_squared.is_none() && found.sliced_w2.is_some());
    for name in ["w1", "w2", "w2_squared", "transport_cost"] {
        assert!(found.left_out[name].contains("ask for it by name"), "{:?}", found.left_out);
    }
    // On a line they are a sort.
    assert_eq!(between(&cloud(1), &cloud(1), &options).unwrap().exact.w1, Some(0.0));
}

/// In 40 dimensions independent points have E‖y − y′‖² = 80 ± 18; a plan between 60 points finds hardly closer ones.
#[test]
fn samples_in_many_dimensions_stand_beside_their_floor() {
    let cloud = |name: &str| InitialLaw::default().sample(60, 40, &mut stream(1, name, 0)).unwrap();
    let found = between(&cloud("x"), &cloud("y"), &wanted("exact")).unwrap();
    let floor = found.floor.unwrap();
    let (between_halves, of_samples) = (floor.w2_squared.unwrap(), floor.samples_w2_squared.unwrap());
    assert_eq!(floor.n, 30);
    assert!((40.0..80.0).contains(&between_halves), "{between_halves}");
    assert!((of_samples / between_halves - 1.0).abs() < 0.2, "one law: {of_samples} and {between_halves}");
    assert!(
        found.notes.len() == 1 && found.notes[0].contains("30 points in 40 dimensions"),
        "{:?}",
        found.notes
    );
    // A plane needs no such words, whatever it lies in.
    let (x, y) = clouds();
    assert_eq!(between(&x, &y, &wanted("exact")).unwrap().notes, [""; 0]);
}
