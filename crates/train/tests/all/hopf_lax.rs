//! A trained Hopf–Lax flow as a map: its way back and its density.

use ndarray::Array2;
use train::config::{Configuration, FlowConfig};
use train::model::FlowModel;
use train::run::Run;

const SMALL: &str = r#"
kind = "flow"
name = "small"
[data]
kind = "target"
target = "moons"
dim = 2
samples = 2000
[flow]
horizon = 1.0
lambda = 0.5
steps = 1
[representation]
kind = "hopf-lax"
hidden = [16, 16]
[critic]
divergence = "kl-donsker-varadhan"
divergence_weight = 10.0
lipschitz = { method = "none" }
hidden = [16, 16]
activation = "sharp-softplus"
[training]
iterations = 300
batch = 64
critic_updates = 1
average = 0.9
log_every = 1000
optimiser = { learning_rate = 5e-3 }
critic_optimiser = { learning_rate = 1e-2 }
"#;

fn trained(overrides: &[&str]) -> FlowModel {
    let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
    let config = FlowConfig::parse(SMALL, "small.toml", None, &overrides).unwrap();
    Run::new(config).train().unwrap().model
}

#[test]
fn the_way_back_leads_to_where_the_paths_began() {
    let model = trained(&[]);
    let start = model.initial(2000, 1).unwrap();
    let end = model.push_forward(start.view(), 1, 0).unwrap();
    let way = (&end - &start).mapv(|step| step * step).sum();
    assert!(way / 2000.0 > 0.05, "the flow moves points: {way}");
    let back = model.inverse(end.view()).unwrap();
    let rms = ((&back - &start).mapv(|gap| gap * gap).sum() / 2000.0).sqrt();
    // Ends are found in single precision to a slope of 1e-5 of its parts.
    assert!(rms < 1e-4, "{rms}");
    assert!(model.reached(end.view(), back.view()).unwrap().iter().all(|reached| *reached));
    // A path ends where it ends and nowhere else.
    let elsewhere = &start + 0.1;
    assert!(!model.reached(end.view(), elsewhere.view()).unwrap().iter().any(|reached| *reached));
    assert!(model.inverse(Array2::zeros((1, 3)).view()).is_err());
}

/// By the midpoint rule over a box that holds nearly all of it, where paths end; in the gaps that paths leave there is no
/// mass, though the formula gives a number.
#[test]
fn the_density_has_mass_one_where_paths_end() {
    let model = trained(&[]);
    let (cells, side) = (200, 20.0);
    let h = side / f64::from(cells);
    let at = |i: u32| (f64::from(i) + 0.5) * h - 0.5 * side;
    let grid: Vec<f64> = (0..cells).flat_map(|i| (0..cells).flat_map(move |j| [at(i), at(j)])).collect();
    let grid = Array2::from_shape_vec((grid.len() / 2, 2), grid).unwrap();
    let reached = model.reached(grid.view(), model.inverse(grid.view()).unwrap().view()).unwrap();
    let densities = model.log_density(grid.view()).unwrap();
    let mass = |keep: &dyn Fn(bool) -> bool| -> f64 {
        let kept = densities.iter().zip(&reached).filter(|(_, reached)| keep(**reached));
        kept.map(|(log, _)| log.exp()).sum::<f64>() * h * h
    };
    // The border of a gap is known to a cell of a tenth.
    let found = mass(&|reached| reached);
    assert!((found - 1.0).abs() < 0.01, "{found}, and {} elsewhere", mass(&|reached| !reached));
}

/// Its Euler steps go back, and their density is that of its few steps; one with noise has no way back.
#[test]
fn a_potential_that_is_a_network_leads_back_unless_there_is_noise() {
    let changes = |kind: &str| {
        [format!("representation={{ kind = \"{kind}\", hidden = [8] }}"), "training.iterations=20".into()]
    };
    for kind in ["network", "exact-terminal"] {
        let changes = changes(kind);
        let [representation, iterations] = changes.each_ref().map(String::as_str);
        let model = trained(&[representation, iterations, "flow.steps=2"]);
        let start = model.initial(100, 1).unwrap();
        let ends = model.push_forward(start.view(), model.steps(), 0).unwrap();
        let back = model.inverse(ends.view()).unwrap();
        // Points are moved in single precision.
        assert!((&back - &start).iter().all(|gap| gap.abs() < 1e-4), "{kind}");
        let h = 1e-4;
        let side = |j: usize| {
            let mut step = Array2::zeros((1, 2));
            step[[0, j]] = h;
            let [up, down] = [&ends + &step, &ends - &step].map(|y| model.inverse(y.view()).unwrap());
            (up - down) / (2.0 * h)
        };
        let (first, second) = (side(0), side(1));
        for (row, log) in model.log_density(ends.view()).unwrap().into_iter().enumerate() {
            let determinant = first[[row, 0]] * second[[row, 1]] - first[[row, 1]] * second[[row, 0]];
            let x = back.row(row);
            let expected = -0.5 * x.dot(&x) - std::f64::consts::TAU.ln() + determinant.abs().ln();
            // h² of third derivatives.
            assert!((log - expected).abs() < 1e-5, "{kind}: {log} {expected}");
        }
    }
    let changes = changes("network");
    let [representation, iterations] = changes.each_ref().map(String::as_str);
    let noisy = trained(&[representation, iterations, "flow.steps=2", "flow.noise=0.1"]);
    let points = Array2::zeros((1, 2));
    for error in [noisy.inverse(points.view()).unwrap_err(), noisy.log_density(points.view()).unwrap_err()] {
        assert!(error.to_string().contains("noise 0.1"), "{error}");
    }
}
