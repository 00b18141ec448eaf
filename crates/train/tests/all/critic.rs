//! Critics that are trained alone.

use ndarray::{Array2, array};
use train::model::CriticModel;
use train::{Configuration, CriticConfig, Model, Run};

const HOPF_LAX: &str = "{ kind = \"hopf-lax\", tips = 40 }";
const PERCEPTRON: &str =
    "{ kind = \"perceptron\", divergence = \"w1\", hidden = [8], lipschitz = { method = \"spectral\" } }";

/// A critic between N(0, I) and the same law moved by (3, 0).
fn config(critic: &str, changes: &[&str]) -> CriticConfig {
    let text = format!(
        "kind = \"critic\"\nname = \"small\"\ninitial = {{ std = 1.0 }}\ncritic = {critic}\n\
         data = {{ kind = \"target\", target = \"shifted-gaussian\", dim = 2 }}\n[training]\niterations = 20\nbatch = 64\n\
         average = 0.9\noptimiser = {{ learning_rate = 0.05, schedule = {{ kind = \"constant\" }} }}"
    );
    let changes: Vec<String> = changes.iter().map(|&change| change.into()).collect();
    CriticConfig::parse(&text, "small.toml", None, &changes).unwrap()
}

/// f and ∇f at some points.
fn at(model: &CriticModel) -> (Vec<f64>, Array2<f64>) {
    let (values, slopes) = model.at(array![[0.3, -1.0], [3.0, 2.0], [-2.0, 0.5]].view()).unwrap();
    (values.to_vec(), slopes)
}

#[test]
fn a_critic_goes_on_as_if_nothing_had_happened_and_is_loaded_from_its_folder() {
    for critic in [HOPF_LAX, PERCEPTRON] {
        let folder = tempfile::tempdir().unwrap();
        let whole = Run::new(config(critic, &[])).train().unwrap().model;
        let run = |iterations| Run::new(config(critic, &[iterations])).out(folder.path().join("cut"));
        let half = run("training.iterations=10").train().unwrap().model;
        let again = run("training.iterations=20").resume(true).train().unwrap().model;
        assert_eq!(at(&whole), at(&again), "{critic}");
        assert_ne!(at(&whole), at(&half), "{critic}");
        let Model::Critic(loaded) = Model::load(&folder.path().join("cut")).unwrap() else {
            panic!("no critic")
        };
        assert_eq!((at(&loaded), loaded.iteration), (at(&whole), 20));
        assert!(Model::Critic(loaded).sample(5, 0).unwrap_err().to_string().contains("moves no points"));
    }
}

/// W1 between a law and the same law, moved, is the length of the way: 3. The best critic is −x₁, which cones far away are.
#[test]
fn cones_on_either_side_find_how_far_a_law_was_moved() {
    for side in ["lower", "upper"] {
        let critic = format!("{{ tips = 40, side = \"{side}\" }}");
        let changes = ["training.iterations=300", "training.batch=256", "training.average=0.98"];
        let model = Run::new(config(&critic, &changes)).train().unwrap().model;
        let x = model.initial(4000, 1).unwrap();
        let y = &x + &array![[3.0, 0.0]];
        let dual =
            model.at(x.view()).unwrap().0.mean().unwrap() - model.at(y.view()).unwrap().0.mean().unwrap();
        // Cones at a distance of some lengths bend by some percent over a law of width 1.
        assert!((2.7..=3.0 + 1e-6).contains(&dual), "{side}: {dual}");
        let slopes = model.at(y.view()).unwrap().1;
        assert!(slopes.rows().into_iter().all(|slope| (slope.dot(&slope) - 1.0).abs() < 1e-9), "{side}");
    }
}

#[test]
fn what_a_critic_alone_does_not_have_is_refused() {
    let parse = |change: &str| {
        let text = config(HOPF_LAX, &[]).to_toml().unwrap();
        CriticConfig::parse(&text, "small.toml", None, &[change.into()]).unwrap_err().to_string()
    };
    for (change, expected) in [
        ("training.critic_updates=2", "training.critic_updates is no key of a critic that is trained alone"),
        ("critic.hidden=[8]", "it goes with kind = \"perceptron\""),
        ("critic.tips=0", "critic.tips is 0"),
        ("initial={ kind = \"normal\", dim = 3 }", "initial.dim is 3: give 2"),
        ("data={ kind = \"funnels\", set = \"random\", funnels = 0, dim = 2 }", "data.funnels is 0"),
    ] {
        let error = parse(change);
        assert!(error.contains(expected) && !error.contains('\n'), "{change}: {error}");
    }
}
