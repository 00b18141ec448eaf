//! The velocity and the potential of a trained flow, against differences of each other and against its paths.

use ndarray::Array2;
use train::model::FlowModel;
use train::{Configuration, FlowConfig, Run};

/// A few iterations on data far from the origin and in another unit than 1.
fn trained(representation: &str, critic: &str) -> FlowModel {
    let text = format!(
        "kind = \"flow\"\nname = \"field\"\ndata = {{ kind = \"array\" }}\nflow = {{ horizon = 2.0, lambda = 0.5, steps = 2 }}\n\
         representation = {representation}\n{critic}\n\
         [training]\niterations = 30\nbatch = 32\nlog_every = 30\noptimiser = {{ learning_rate = 3e-3 }}\n"
    );
    let adversary = "critic_updates = 2\ncritic_optimiser = { learning_rate = 3e-3 }\n";
    let text = if representation.contains("matching") {
        text.replace(", lambda = 0.5, steps = 2", "")
    } else {
        text
    };
    let text = if critic.is_empty() { text } else { text + adversary };
    let config = FlowConfig::parse(&text, "field", None, &[]).unwrap();
    Run::new(config).data(points(200)).train().unwrap().model
}

fn points(count: usize) -> Array2<f64> {
    Array2::from_shape_fn((count, 2), |(i, j)| {
        30.0 + 5.0 * ((j + 1) as f64 * i as f64 * 0.37 + j as f64).sin()
    })
}

const CRITIC: &str = "[critic]\ndivergence = \"kl-donsker-varadhan\"\nhidden = [16, 16]\nactivation = \"softplus\"\n\
                      lipschitz = { method = \"penalty\", form = \"lp\", weight = 10.0 }";
const EXPLICIT: &str = "{ kind = \"explicit\", hidden = [16], activation = \"softplus\" }";
const HOPF_LAX: &str = "{ kind = \"hopf-lax\", refinements = 4, hidden = [16] }";

#[test]
fn the_velocity_is_minus_the_slope_of_the_potential_over_lambda() {
    for (representation, critic) in [
        (EXPLICIT, ""),
        (HOPF_LAX, CRITIC),
        ("{ kind = \"network\", hidden = [16, 16] }", CRITIC),
        ("{ kind = \"exact-terminal\", hidden = [16, 16] }", CRITIC),
    ] {
        let model = trained(representation, critic);
        let (x, step) = (points(7), 1e-3 * model.units.scale());
        for t in [0.0, 0.8] {
            let velocity = model.velocity(x.view(), t).unwrap();
            for column in 0..2 {
                let moved = |by: f64| {
                    let mut moved = x.clone();
                    moved.column_mut(column).mapv_inplace(|x| x + by);
                    model.potential(moved.view(), t).unwrap()
                };
                for (row, (up, down)) in moved(step).into_iter().zip(moved(-step)).enumerate() {
                    let expected = -(up - down) / (2.0 * step) / 0.5;
                    // The difference is off by step² of a third derivative of order 1, searches by 1e-5 of the scale.
                    let error = (velocity[[row, column]] - expected).abs() / model.units.scale();
                    assert!(error < 1e-3, "{representation} at t = {t}: {error}");
                }
            }
        }
    }
}

#[test]
fn straight_paths_end_where_their_velocity_points() {
    for (representation, critic) in [(EXPLICIT, ""), (HOPF_LAX, CRITIC)] {
        let model = trained(representation, critic);
        let x = model.initial(20, 1).unwrap();
        let ends = &x + &(model.velocity(x.view(), 0.0).unwrap() * 2.0);
        let pushed = model.push_forward(x.view(), 1, 0).unwrap();
        // Samples are made in single precision.
        let error = (&ends - &pushed).iter().fold(0.0, |most: f64, gap| most.max(gap.abs()));
        assert!(error < 1e-4 * model.units.scale(), "{representation}: {error}");
    }
}

#[test]
fn times_outside_and_velocities_without_a_potential_are_refused() {
    let model = trained(EXPLICIT, "");
    let error = model.velocity(points(1).view(), 2.5).unwrap_err().to_string();
    assert!(error.contains("between 0 and the horizon 2"), "{error}");
    let matched = trained("{ kind = \"matching\", hidden = [8] }", "");
    assert_eq!(matched.velocity(points(3).view(), 0.5).unwrap().dim(), (3, 2));
    let error = matched.potential(points(1).view(), 0.5).unwrap_err().to_string();
    assert!(error.contains("the potential"), "{error}");
    let wrong = Array2::zeros((1, 3));
    for error in [
        matched.velocity(wrong.view(), 0.5).unwrap_err(),
        model.push_forward(wrong.view(), 1, 0).unwrap_err(),
        model.inverse(wrong.view()).unwrap_err(),
        model.log_density(wrong.view()).unwrap_err(),
    ] {
        assert!(error.to_string().contains("give points of 2 coordinates"), "{error}");
    }
}

/// On a line in the plane the potential of the plane has no lowest point beside it; the critic is searched on the line.
#[test]
fn the_critic_of_an_explicit_flow_is_that_of_its_game_on_a_line_too() {
    let line = Array2::from_shape_fn((200, 2), |(i, j)| {
        let x = (i as f64 * 0.37).sin();
        if j == 0 { x } else { 2.0 * x + 1.0 }
    });
    let text = format!(
        "kind = \"flow\"\nname = \"line\"\ndata = {{ kind = \"array\" }}\nrepresentation = {EXPLICIT}\n\
         [training]\niterations = 30\nbatch = 32\nlog_every = 30\n"
    );
    let config = FlowConfig::parse(&text, "line", None, &[]).unwrap();
    let model = Run::new(config).data(line.clone()).train().unwrap().model;
    let critic = |points: &Array2<f64>| model.critic(points.view()).unwrap();
    let (on, horizon) = (critic(&line), model.config.flow.horizon);
    assert_eq!(on, model.potential(line.view(), horizon).unwrap());
    // λ/T times half of the square of the longest way there is, about 3 standard deviations on either side.
    assert!(on.iter().all(|value| value.abs() < 10.0), "{on:?}");
    // By its feet, up to a way across that is the same for all: the foot of (x, 2x + 1) + (2, −1) is (x, 2x + 1).
    let across = &line + &ndarray::array![[2.0, -1.0]];
    for (beside, on) in critic(&across).into_iter().zip(on) {
        assert!((beside - on).abs() < 1e-5, "{beside} beside the line, {on} on it");
    }
}
