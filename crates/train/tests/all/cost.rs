//! What samples cost: evaluations of networks, counted.

use crate::common::FLOW;
use train::Run;
use train::config::{Configuration, FlowConfig};
use train::model::FlowModel;

fn trained(changes: &[&str]) -> FlowModel {
    let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
    let config = FlowConfig::parse(FLOW, "small.toml", None, &changes).unwrap();
    Run::new(config).train().unwrap().model
}

#[test]
fn a_step_of_a_potential_costs_one_evaluation_and_an_exact_terminal_condition_two() {
    let short = "training.iterations=2";
    for (changes, networks) in
        [(&[short][..], 1.0), (&[short, "critic.activation=tanh", "representation.kind=exact-terminal"], 2.0)]
    {
        let model = trained(changes);
        let start = model.initial(20, 0).unwrap();
        for steps in [1, 5] {
            assert_eq!(
                model.evaluations(start.view(), steps).unwrap(),
                networks * steps as f64,
                "{changes:?}"
            );
        }
    }
}

/// A search evaluates each point where it is proposed and where it ends, and the companions once for all; a point that
/// it leaves is evaluated again.
#[test]
fn a_search_is_counted_and_does_not_depend_on_the_steps() {
    let hopf_lax = "representation={ kind = \"hopf-lax\", refinements = 4, hidden = [8, 8] }";
    let model = trained(&[hopf_lax, "flow.steps=1", "critic.activation=sharp-softplus"]);
    let start = model.initial(200, 0).unwrap();
    let one = model.evaluations(start.view(), 1).unwrap();
    assert!(one > 2.0 && one < 100.0, "{one}");
    // A path is straight: the search of a later step begins where that of the first ended.
    let five = model.evaluations(start.view(), 5).unwrap();
    assert!(five > one && five < 5.0 * one, "{five} of {one}");
}
