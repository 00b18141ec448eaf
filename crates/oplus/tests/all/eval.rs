//! `eval` through the built program: what it measures, at any scale and from any origin, and what it says of it.

use crate::common::Workshop;
use datasets::{InitialLaw, stream, write_npy_f64};
use ndarray::{Array1, Array2, Axis, array};
use serde_json::Value;

fn cloud(rows: usize, columns: usize, name: &str) -> Array2<f64> {
    InitialLaw::default().sample(rows, columns, &mut stream(7, name, 0)).unwrap()
}

/// What `eval` prints of `x` against `y`, as text and as JSON.
fn eval(x: &Array2<f64>, y: &Array2<f64>, more: &[&str]) -> (String, Value) {
    let workshop = Workshop::new();
    write_npy_f64(workshop.path("x.npy"), x).unwrap();
    write_npy_f64(workshop.path("y.npy"), y).unwrap();
    let print = |json: &[&str]| {
        let arguments = [&["eval", "--samples", "x.npy", "--reference", "y.npy"], more, json].concat();
        let output = workshop.oplus(&arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    (print(&[]), serde_json::from_str(&print(&["--json"])).unwrap())
}

fn number(json: &Value, path: &str) -> f64 {
    json.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {path} in {json}"))
}

/// Sorted values: W1 = mean |x − y|, W2² = mean (x − y)², the sliced distance is W2 itself.
#[test]
fn sixty_thousand_points_on_a_line_are_sorted() {
    let (x, y) = (cloud(60_000, 1, "x"), cloud(60_000, 1, "y").mapv(|y| (0.3 * y).exp()));
    let sorted = |cloud: &Array2<f64>| {
        let mut values = cloud.iter().copied().collect::<Vec<_>>();
        values.sort_by(f64::total_cmp);
        Array1::from(values)
    };
    let gaps = sorted(&x) - sorted(&y);
    let (w1, w2_squared) = (gaps.mapv(f64::abs).mean().unwrap(), gaps.mapv(|gap| gap * gap).mean().unwrap());
    let (text, json) = eval(&x, &y, &[]);
    for (path, expected) in
        [("/exact/w1", w1), ("/exact/w2_squared", w2_squared), ("/sliced_w2", w2_squared.sqrt())]
    {
        // Sums of 60 000 terms of order one.
        assert!((number(&json, path) / expected - 1.0).abs() < 1e-10, "{path}");
    }
    assert!(text.contains("left out: sinkhorn_divergence") && text.contains("--measures all"), "{text}");
}

/// An optimal map is a gradient of a convex function, here 2x + 1: W2² = mean ‖x + 1‖² whatever the order of the rows,
/// the unit and the origin, such as that of time stamps.
#[test]
fn a_monotone_map_is_found_in_any_unit_and_from_any_origin() {
    let x = cloud(300, 2, "x").mapv(|value| (value * 1024.0).round() / 1024.0);
    let rows: Vec<usize> = (0..300).map(|row| row * 7 % 300).collect();
    let y = (&x * 2.0 + 1.0).select(Axis(0), &rows);
    let expected = (&x + 1.0).mapv(|x| x * x).sum() / 300.0;
    for (unit, origin) in [(1.0, [0.0, 0.0]), (1e9, [0.0, 0.0]), (1e-9, [0.0, 0.0]), (1.0, [1.7e9, 5.4e6])] {
        let origin = array![origin[0], origin[1]];
        let (_, json) = eval(&(&x * unit + &origin), &(&y * unit + &origin), &["--measures", "exact"]);
        let found = number(&json, "/exact/w2_squared") / (unit * unit);
        assert!((found / expected - 1.0).abs() < 1e-12, "{found} of {expected} in units of {unit:e}");
    }
}

#[test]
fn a_blur_that_does_not_suit_leaves_out_one_number_only() {
    let (x, y) = (cloud(60, 2, "x") * 1e5, cloud(50, 2, "y") * 1e5 + 3e4);
    // Far below the spacing of the points the blur does not matter: the divergence is half of w2_squared.
    let (_, json) = eval(&x, &y, &[]);
    let half = 0.5 * number(&json, "/exact/w2_squared");
    assert!((number(&json, "/sinkhorn_divergence/value") / half - 1.0).abs() < 1e-6, "{json}");
    let (text, json) = eval(&x, &y, &["--blur", "1e-170"]);
    assert!(number(&json, "/exact/w2_squared") > 0.0 && json.get("sinkhorn_divergence").is_none());
    assert!(json["left_out"]["sinkhorn_divergence"].as_str().unwrap().contains("blur"), "{json}");
    assert!(text.contains("w2_squared") && text.contains("left out: sinkhorn_divergence"), "{text}");
    // One hundredth of the scale is far below the spacing: the divergence is half of w2_squared but for a few per cent.
    let (_, json) = eval(&x, &y, &["--blur", "1%", "--measures", "w2_squared"]);
    let (divergence, half) =
        (number(&json, "/sinkhorn_divergence/value"), 0.5 * number(&json, "/exact/w2_squared"));
    assert!((divergence / half - 1.0).abs() < 0.05, "{divergence} and {half}");
    assert!((number(&json, "/sinkhorn_divergence/blur") / number(&json, "/scale") - 0.01).abs() < 1e-12);
    assert!(json["exact"].get("w1").is_none());
}

#[test]
fn many_dimensions_are_said_beside_the_number() {
    let (text, json) = eval(&cloud(80, 60, "x"), &cloud(80, 60, "y"), &[]);
    assert!(text.contains("note: 40 points in 60 dimensions say little of the laws"), "{text}");
    assert!(text.contains("floor") && number(&json, "/floor/w2_squared") > 60.0);
    let (text, json) = eval(&cloud(80, 2, "x"), &cloud(80, 2, "y"), &[]);
    assert!(!text.contains("note:") && json.get("floor").is_none());
}
