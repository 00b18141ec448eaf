//! Descriptions of the players: what a file may leave out, which values are refused and under which name, and what is
//! built of the rest.

use flows::FlowError;
use flows::activation::Activation;
use flows::critic::CriticDescription;
use flows::flow::{Flow, FlowObjective, Interaction, PotentialDescription, Representation, Steps};
use flows::game::Game;
use flows::generator::GeneratorInitialisation;
use flows::hopf_lax::Stop;
use flows::lipschitz::{Lipschitz, Penalty, PenaltyPoints, SlopePenalty};
use flows::mlp::{Initialisation, Mlp, Output};
use ot_core::divergence::Divergence;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{from_value, json};

fn critic() -> CriticDescription {
    from_value(json!({
        "divergence": "kl", "lipschitz": { "method": "none" }, "hidden": [4, 6], "activation": "softplus",
    }))
    .unwrap()
}

fn representation(kind: &str) -> Representation {
    let refinements = (kind == "hopf-lax").then_some(("refinements", json!(8)));
    let fields = [("kind", json!(kind)), ("hidden", json!([5, 3]))].into_iter().chain(refinements);
    from_value(fields.map(|(name, value)| (name.to_owned(), value)).collect()).unwrap()
}

const KINDS: [&str; 4] = ["network", "exact-terminal", "velocity", "hopf-lax"];

/// The name under which a value is refused.
fn refused(checked: Result<(), FlowError>) -> String {
    match checked.unwrap_err() {
        FlowError::Specification { what, .. } => what,
        other => panic!("{other}"),
    }
}

#[test]
fn what_a_file_leaves_out_is_what_the_fields_say() {
    let critic: CriticDescription = from_value(json!({
        "divergence": "kl", "lipschitz": { "method": "penalty", "form": "lp", "weight": 3.0 }, "hidden": [4],
    }))
    .unwrap();
    let penalty = Penalty { form: SlopePenalty::OneSided, weight: 3.0, points: PenaltyPoints::Interpolates };
    let expected = CriticDescription {
        divergence: Divergence::KullbackLeibler,
        divergence_weight: 1.0,
        bound: 1.0,
        lipschitz: Lipschitz::Penalty(penalty),
        convolutions: None,
        hidden: vec![4],
        activation: Activation::Relu,
        initialisation: Initialisation::GlorotUniform,
    };
    assert_eq!(critic, expected);
    let expected = PotentialDescription {
        convolutions: None,
        hidden: vec![5, 3],
        activation: Activation::Tanh,
        initialisation: Initialisation::GlorotUniform,
    };
    assert_eq!(representation("network"), Representation::Network(expected));
    let objective: FlowObjective = from_value(json!({ "horizon": 1.0, "lambda": 1.0, "steps": 1 })).unwrap();
    assert_eq!(objective, FlowObjective::default());
    let without: FlowObjective = from_value(
        json!({ "horizon": 2.0, "lambda": 0.5, "steps": { "min": 1, "max": 6 }, "kinetic": false }),
    )
    .unwrap();
    assert_eq!((without.steps, without.pull()), (Steps::Drawn { min: 1, max: 6 }, 0.25));
    assert_eq!((objective.weights()[1], without.weights()[1]), (1.0, 0.0));
}

#[test]
fn names_and_widths_are_those_of_the_description() {
    for kind in KINDS {
        assert_eq!((representation(kind).kind(), representation(kind).hidden()), (kind, &[5, 3][..]));
    }
}

#[test]
fn steps_are_drawn_from_the_whole_range() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let range = Steps::Drawn { min: 2, max: 4 };
    let mut drawn = [0; 6];
    (0..300).for_each(|_| drawn[range.draw(&mut rng)] += 1);
    assert_eq!((drawn[0], drawn[1], drawn[5]), (0, 0, 0));
    // 100 each, with a standard deviation of 8.
    assert!(drawn[2..5].iter().all(|&n| n > 60), "{drawn:?}");
    assert_eq!((Steps::Fixed(7).draw(&mut rng), Steps::Fixed(7).most(), range.most()), (7, 7, 4));
    assert_eq!((Steps::Fixed(7).to_string(), range.to_string()), ("7".into(), "{ min = 2, max = 4 }".into()));
    for steps in [Steps::Fixed(1), Steps::Drawn { min: 1, max: 1 }, Steps::Drawn { min: 2, max: 4 }] {
        steps.validate().unwrap();
    }
    for steps in [Steps::Fixed(0), Steps::Drawn { min: 0, max: 3 }, Steps::Drawn { min: 4, max: 3 }] {
        assert_eq!(refused(steps.validate()), "steps", "{steps}");
    }
}

#[test]
fn objectives_outside_their_domain_are_refused_by_name() {
    let base = FlowObjective::default();
    base.validate().unwrap();
    let interaction = Some(Interaction::Gaussian { weight: -1.0, width: 0.5 });
    for bent in [FlowObjective { noise: 0.1, ..base }, FlowObjective { interaction, ..base }] {
        FlowObjective { terminal_gradient: 1.0, ..bent }.validate().unwrap();
        for (name, refused_one) in [
            ("velocity_spread", FlowObjective { velocity_spread: 0.1, ..bent }),
            ("hamilton_jacobi", FlowObjective { hamilton_jacobi: 0.1, ..bent }),
            ("characteristic", FlowObjective { characteristic: 0.1, ..bent }),
        ] {
            assert_eq!(refused(refused_one.validate()), name);
            // Straight paths may have it.
            FlowObjective { noise: 0.0, interaction: None, ..refused_one }.validate().unwrap();
        }
    }
    for (name, wrong) in [
        ("horizon", FlowObjective { horizon: 0.0, ..base }),
        ("lambda", FlowObjective { lambda: -1.0, ..base }),
        ("steps", FlowObjective { steps: Steps::Fixed(0), ..base }),
        ("velocity_spread", FlowObjective { velocity_spread: -1.0, ..base }),
        ("hamilton_jacobi", FlowObjective { hamilton_jacobi: f64::NAN, ..base }),
        ("terminal_gradient", FlowObjective { terminal_gradient: -1.0, ..base }),
        ("characteristic", FlowObjective { characteristic: f64::INFINITY, ..base }),
        ("noise", FlowObjective { noise: -0.1, ..base }),
    ] {
        assert_eq!(refused(wrong.validate()), name);
    }
    for (name, wrong) in [
        ("interaction.weight", Interaction::Quadratic { weight: f64::NAN }),
        ("interaction.width", Interaction::Gaussian { weight: 1.0, width: 0.0 }),
    ] {
        assert_eq!(refused(FlowObjective { interaction: Some(wrong), ..base }.validate()), name);
    }
}

#[test]
fn critics_outside_their_domain_are_refused_by_name() {
    critic().validate().unwrap();
    let penalty =
        |weight| Penalty { form: SlopePenalty::TwoSided, weight, points: PenaltyPoints::Everywhere };
    CriticDescription { lipschitz: Lipschitz::Penalty(penalty(1.0)), ..critic() }.validate().unwrap();
    let orthonormal =
        CriticDescription { lipschitz: Lipschitz::Orthonormal, activation: Activation::Relu, ..critic() };
    orthonormal.validate().unwrap();
    for (name, wrong) in [
        ("divergence_weight", CriticDescription { divergence_weight: 0.0, ..critic() }),
        ("bound", CriticDescription { bound: f64::INFINITY, ..critic() }),
        ("hidden", CriticDescription { hidden: vec![], ..critic() }),
        (
            "initialisation.normal.std",
            CriticDescription { initialisation: Initialisation::Normal { std: -1.0 }, ..critic() },
        ),
        ("lipschitz.weight", CriticDescription { lipschitz: Lipschitz::Penalty(penalty(0.0)), ..critic() }),
        ("activation", CriticDescription { lipschitz: Lipschitz::Orthonormal, ..critic() }),
        ("hidden", CriticDescription { hidden: vec![4, 7], ..orthonormal }),
    ] {
        assert_eq!(refused(wrong.validate()), name);
        assert!(wrong.build(2).is_err());
    }
}

#[test]
fn representations_are_refused_where_the_other_player_or_the_objective_does_not_fit() {
    let base = FlowObjective::default();
    for kind in KINDS {
        let representation = representation(kind);
        representation.validate(&base, &critic()).unwrap();
        let wrong = FlowObjective { lambda: 0.0, ..base };
        assert_eq!(refused(representation.validate(&wrong, &critic())), "flow.lambda");
        let wrong = CriticDescription { bound: 0.0, ..critic() };
        assert_eq!(refused(representation.validate(&base, &wrong)), "critic.bound");
        // A ReLU's gradient jumps: where the velocity holds it, or the search follows it.
        let relu = CriticDescription { activation: Activation::Relu, ..critic() };
        let of_relu = representation.validate(&base, &relu);
        match kind {
            "network" | "velocity" => of_relu.unwrap(),
            _ => assert_eq!(refused(of_relu), "critic.activation"),
        }
        let residual = FlowObjective { hamilton_jacobi: 0.1, ..base };
        let of_residual = representation.validate(&residual, &critic());
        match kind {
            // A velocity has no potential, and that of Hopf–Lax solves the equation.
            "velocity" | "hopf-lax" => assert_eq!(refused(of_residual), "flow.hamilton_jacobi"),
            _ => of_residual.unwrap(),
        }
        for (name, objective) in [
            ("flow.kinetic", FlowObjective { kinetic: false, ..base }),
            ("representation.kind", FlowObjective { noise: 0.1, ..base }),
        ] {
            let checked = representation.validate(&objective, &critic());
            if kind == "hopf-lax" {
                assert_eq!(refused(checked), name);
                assert!(Game::new(&objective, &representation, &critic(), 2).is_err());
            } else {
                checked.unwrap();
            }
        }
    }
    let (hidden, activation) = (vec![5], Activation::Tanh);
    let initialisation = Initialisation::Normal { std: 0.0 };
    let network =
        PotentialDescription { convolutions: None, hidden: hidden.clone(), activation, initialisation };
    for wrong in [Representation::Network(network.clone()), Representation::ExactTerminal(network)] {
        assert_eq!(refused(wrong.validate(&base, &critic())), "representation.initialisation.normal.std");
    }
    for (name, wrong) in [
        ("representation.hidden", json!({ "kind": "network", "hidden": [] })),
        ("representation.hidden", json!({ "kind": "velocity", "hidden": [3, 0] })),
        ("representation.refinements", json!({ "kind": "hopf-lax", "refinements": 0, "hidden": [5] })),
    ] {
        let wrong: Representation = from_value(wrong).unwrap();
        assert_eq!(refused(wrong.validate(&base, &critic())), name);
    }
    let least: Representation =
        from_value(json!({ "kind": "hopf-lax", "refinements": 1, "hidden": [5] })).unwrap();
    least.validate(&base, &critic()).unwrap();
}

#[test]
fn a_game_is_built_of_what_its_descriptions_say() {
    let (dim, objective) = (2, FlowObjective { lambda: 0.3, ..FlowObjective::default() });
    for kind in KINDS {
        let game = Game::new(&objective, &representation(kind), &critic(), dim).unwrap();
        assert_eq!((game.objective, game.critic.dim(), game.flow.dim()), (objective, dim, dim));
        let output = Output::for_divergence(Divergence::KullbackLeibler, 1.0);
        assert_eq!(game.critic.network, Mlp::new(dim, &[4, 6], Activation::Softplus, output).unwrap().into());
        // Weights and biases of (x, t) → 5 → 3 → U or v.
        let outputs = if kind == "velocity" { dim } else { 1 };
        let expected = (3 + 1) * 5 + (5 + 1) * 3 + (3 + 1) * outputs;
        let initial = game.flow.initial::<f64>(&mut ChaCha8Rng::seed_from_u64(3));
        assert_eq!((game.flow.parameter_count(), initial.len()), (expected, expected), "{kind}");
        assert!(initial.iter().any(|&p| p != 0.0));
        assert_eq!(game.flow.potential().is_some(), kind != "velocity");
        let stop = Stop { iterations: 8, tolerance: 5e-2 };
        assert_eq!(game.flow.refinement(), (kind == "hopf-lax").then_some(stop));
        assert!(match game.flow {
            Flow::Network(_) => kind == "network",
            Flow::ExactTerminal(_) => kind == "exact-terminal",
            Flow::Velocity(_) => kind == "velocity",
            Flow::HopfLax { refinements, .. } => kind == "hopf-lax" && refinements == 8,
        });
        let narrow = Mlp::new(1, &[4], Activation::Softplus, Output::Identity).unwrap();
        assert!(matches!(
            game.clone().with_critic(narrow),
            Err(FlowError::Shape { found: 1, expected: 2, .. })
        ));
        let other = Mlp::new(dim, &[9], Activation::Tanh, Output::Identity).unwrap();
        let changed = game.clone().with_critic(other.clone()).unwrap();
        assert_eq!((changed.critic.network, changed.flow), (other, game.flow));
    }
    assert_eq!(GeneratorInitialisation::default(), {
        let Representation::Velocity(velocity) = representation("velocity") else { panic!("a velocity") };
        velocity.initialisation
    });
}
