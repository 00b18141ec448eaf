//! What a certificate of exact transport checks, and what it says of a plan.

use crate::common::{measure, normal_cloud, weights};
use ndarray::array;
use ot_core::cost::{CloudCost, Euclidean, MatrixCost};
use ot_core::exact::{CertificateError, ExactError, Flow, certify, certify_pairs, solve, solve_pairs};

#[test]
fn a_certificate_refuses_what_is_not_optimal() {
    let (x, y) = (normal_cloud(18, 60, 2), normal_cloud(19, 60, 2));
    let pairs =
        CloudCost::new(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::Squared).unwrap();
    let plan = solve_pairs(&pairs, None, None).unwrap();
    let uniform = vec![1.0 / 60.0; 60];
    let check =
        |coupling: &[Flow], f: &[f64]| certify_pairs(&pairs, &uniform, &uniform, coupling, f, &plan.g);
    assert!(check(&plan.coupling, &plan.f).is_ok());
    // Exchanging two partners keeps the marginals and loses slackness.
    let mut exchanged = plan.coupling.clone();
    (exchanged[0].target, exchanged[1].target) = (exchanged[1].target, exchanged[0].target);
    assert!(matches!(check(&exchanged, &plan.f), Err(CertificateError::Slackness { .. })));
    assert!(matches!(check(&plan.coupling[1..], &plan.f), Err(CertificateError::Marginals { .. })));
    let mut raised = plan.f.clone();
    raised[30] += 1e-8;
    assert!(matches!(check(&plan.coupling, &raised), Err(CertificateError::Infeasible { .. })));
    raised[30] = f64::NAN;
    assert!(check(&plan.coupling, &raised).is_err());
    assert!(matches!(check(&plan.coupling, &raised[1..]), Err(CertificateError::Shape { .. })));
}

/// Two points a side whose plan, potentials and tolerances are known by hand.
#[test]
fn a_certificate_tells_the_size_of_what_it_checked() {
    let matrix = array![[1.0, 4.0], [4.0, 2.0]];
    let cost = MatrixCost(matrix.view());
    let flow = |source, target, mass| Flow { source, target, mass };
    let half = [0.5, 0.5];
    let check = |coupling: &[Flow], f: &[f64]| certify_pairs(&cost, &half, &half, coupling, f, &[0.0, 0.0]);
    let diagonal = [flow(0, 0, 0.5), flow(1, 1, 0.5)];
    let proof = check(&diagonal, &[1.0, 2.0]).unwrap();
    // 64·√4·ε, in masses and in the largest cost.
    let masses = 128.0 * f64::EPSILON;
    let costs = masses * 4.0;
    assert_eq!((proof.primal, proof.dual, proof.gap()), (1.5, 1.5, 0.0));
    assert_eq!((proof.marginal_error, proof.infeasibility, proof.slackness), (0.0, 0.0, 0.0));
    assert_eq!(proof.tolerance, costs);
    // Within the tolerance on either side, in steps that a number of order one can make.
    let below = check(&diagonal, &[1.0, 2.0 - 0.5 * costs]).unwrap();
    assert_eq!((below.slackness, below.infeasibility, below.gap()), (0.5 * costs, 0.0, 0.25 * costs));
    let above = check(&diagonal, &[1.0, 2.0 + 0.5 * costs]).unwrap();
    assert_eq!((above.slackness, above.infeasibility), (0.5 * costs, 0.5 * costs));
    assert_eq!((above.dual, above.gap()), (1.5 + 0.25 * costs, -0.25 * costs));
    assert_eq!(
        check(&diagonal, &[1.0, 2.0 - 2.0 * costs]),
        Err(CertificateError::Slackness { slack: 2.0 * costs, tolerance: costs })
    );
    assert_eq!(
        check(&diagonal, &[1.0, 2.0 + 2.0 * costs]),
        Err(CertificateError::Infeasible { violation: 2.0 * costs, tolerance: costs })
    );
    let heavier = |extra: f64| [flow(0, 0, 0.5), flow(1, 1, 0.5 + extra)];
    assert_eq!(check(&heavier(0.5 * masses), &[1.0, 2.0]).unwrap().marginal_error, 0.5 * masses);
    assert_eq!(
        check(&heavier(2.0 * masses), &[1.0, 2.0]),
        Err(CertificateError::Marginals { error: 2.0 * masses, tolerance: masses })
    );
    // A negative mass whose marginals are exact.
    let circle = [flow(0, 0, 0.75), flow(0, 1, -0.25), flow(1, 0, -0.25), flow(1, 1, 0.75)];
    assert_eq!(
        check(&circle, &[1.0, 2.0]),
        Err(CertificateError::Marginals { error: 0.25, tolerance: masses })
    );
    for (found, outside) in [(2, flow(2, 0, 0.5)), (3, flow(0, 3, 0.5))] {
        let shape = CertificateError::Shape { what: "coupling", found, expected: 2 };
        assert_eq!(check(&[outside], &[1.0, 2.0]), Err(shape));
    }
    // What is not a number proves nothing, wherever it stands.
    let nan = f64::NAN;
    assert!(matches!(check(&heavier(nan), &[1.0, 2.0]), Err(CertificateError::Marginals { .. })));
    assert!(check(&diagonal, &[1.0, f64::INFINITY]).is_err());
    for place in [[0, 0], [0, 1]] {
        let mut holed = matrix.clone();
        holed[place] = nan;
        let holed = MatrixCost(holed.view());
        assert!(certify_pairs(&holed, &half, &half, &diagonal, &[1.0, 2.0], &[0.0, 0.0]).is_err());
    }
    assert!(certify_pairs(&cost, &half, &[0.5, nan], &diagonal, &[1.0, 2.0], &[0.0, 0.0]).is_err());
    let sizes = |a: &[f64], b: &[f64], f: &[f64], g: &[f64]| match certify_pairs(&cost, a, b, &diagonal, f, g)
    {
        Err(CertificateError::Shape { what, found, expected }) => (what, found, expected),
        other => panic!("{other:?}"),
    };
    assert_eq!(sizes(&[1.0], &half, &half, &half), ("a", 1, 2));
    assert_eq!(sizes(&half, &[1.0], &half, &half), ("b", 1, 2));
    assert_eq!(sizes(&half, &half, &[1.0; 3], &half), ("f", 3, 2));
    assert_eq!(sizes(&half, &half, &half, &[1.0; 3]), ("g", 3, 2));
}

/// The tolerances grow with the root of all nodes, of both sides together: 1 + 3 of them here.
#[test]
fn tolerances_count_the_nodes_of_both_sides() {
    let matrix = array![[1.0, 4.0, 2.0]];
    let cost = MatrixCost(matrix.view());
    let (a, b) = ([1.0], [0.25, 0.25, 0.5]);
    let coupling = |extra: f64| {
        [0.25, 0.25, 0.5 + extra]
            .iter()
            .enumerate()
            .map(|(target, &mass)| Flow { source: 0, target, mass })
            .collect::<Vec<_>>()
    };
    // 64·√4·ε in masses, and four times as much in costs.
    let masses = 128.0 * f64::EPSILON;
    let proof = certify_pairs(&cost, &a, &b, &coupling(0.0), &[0.0], &[1.0, 4.0, 2.0]).unwrap();
    assert_eq!((proof.primal, proof.dual, proof.tolerance), (2.25, 2.25, 4.0 * masses));
    // At its tolerance a number passes.
    let edge =
        certify_pairs(&cost, &a, &b, &coupling(masses), &[0.0], &[1.0, 4.0 - 4.0 * masses, 2.0]).unwrap();
    assert_eq!((edge.marginal_error, edge.slackness), (masses, 4.0 * masses));
    assert_eq!(
        certify_pairs(&cost, &a, &b, &coupling(1.25 * masses), &[0.0], &[1.0, 4.0, 2.0]),
        Err(CertificateError::Marginals { error: 1.25 * masses, tolerance: masses })
    );
    // Costs of both signs: the violation is found below zero too.
    let negative = array![[-4.0, -1.0, 2.0]];
    let violated =
        certify_pairs(&MatrixCost(negative.view()), &a, &b, &coupling(0.0), &[-3.0], &[-1.0, 2.0, 5.5]);
    assert_eq!(violated, Err(CertificateError::Infeasible { violation: 0.5, tolerance: 4.0 * masses }));
}

/// Weights that no float sums exactly: the plan's marginals are those weights to the certificate's tolerance, and its
/// value, dual value and gap are those of its own numbers.
#[test]
fn a_plan_adds_up_to_its_weights_and_its_value() {
    let (x, y) = (normal_cloud(40, 90, 2), normal_cloud(41, 70, 2));
    let (a, b) = (weights(42, 90), weights(43, 70));
    let (source, target) = (measure(x.view(), Some(&a)), measure(y.view(), Some(&b)));
    let plan = solve(&source, &target, &Euclidean::Squared).unwrap();
    let total = |weights: &[f64]| weights.iter().sum::<f64>();
    let (mut rows, mut columns, mut value) = (vec![0.0; 90], vec![0.0; 70], 0.0);
    for flow in &plan.coupling {
        assert!(flow.mass > 0.0);
        rows[flow.source] += flow.mass;
        columns[flow.target] += flow.mass;
        value += flow.mass * (&x.row(flow.source) - &y.row(flow.target)).mapv(|gap| gap * gap).sum();
    }
    // The largest weight makes up for what the rounded weights, a hundred of them, miss of one.
    assert!(rows.iter().zip(&a).all(|(sum, weight)| (sum - weight / total(&a)).abs() < 1e-15));
    assert!(columns.iter().zip(&b).all(|(sum, weight)| (sum - weight / total(&b)).abs() < 1e-15));
    assert!(
        plan.coupling
            .windows(2)
            .all(|pair| { (pair[0].source, pair[0].target) < (pair[1].source, pair[1].target) })
    );
    let dual = a.iter().zip(plan.potentials.f()).map(|(a, f)| a * f).sum::<f64>() / total(&a)
        + b.iter().zip(plan.potentials.g()).map(|(b, g)| b * g).sum::<f64>() / total(&b);
    // Sums of a hundred terms of a hundredth.
    assert!((plan.primal() - value).abs() < 1e-15 && (plan.dual() - dual).abs() < 1e-14);
    assert_eq!(plan.gap(), plan.primal() - plan.dual());
    let pairs = CloudCost::new(&source, &target, &Euclidean::Squared).unwrap();
    let same = solve_pairs(&pairs, Some(&a), Some(&b)).unwrap();
    assert_eq!((same.primal(), same.dual(), same.gap()), (plan.primal(), plan.dual(), plan.gap()));
}

/// Points on a line, whose pairs are not all looked at: every source and target is tight with some other.
#[test]
fn a_certificate_on_the_line_misses_no_violation() {
    let (x, y) = (normal_cloud(80, 90, 1), normal_cloud(81, 70, 1));
    let (source, target) = (measure(x.view(), None), measure(y.view(), None));
    for cost in [Euclidean::Squared, Euclidean::Distance] {
        let plan = solve(&source, &target, &cost).unwrap();
        let (f, g) = (plan.potentials.f(), plan.potentials.g());
        let check = |f: &[f64], g: &[f64]| certify(&source, &target, &cost, &plan.coupling, f, g);
        assert_eq!(check(f, g).unwrap(), plan.certificate);
        let sees = |result: Result<_, ExactError>, raised: f64| {
            let Err(ExactError::NotCertified(CertificateError::Infeasible { violation, .. })) = result else {
                panic!("{result:?}");
            };
            // Roundings of potentials of order ten.
            assert!((violation - raised).abs() < 1e-13, "{cost:?}: {violation:e}");
        };
        for index in 0..70 {
            let (mut raised_f, mut raised_g) = (f.to_vec(), g.to_vec());
            raised_f[index] += 1e-9;
            raised_g[index] += 1e-5;
            sees(check(&raised_f, g), 1e-9);
            sees(check(f, &raised_g), 1e-5);
        }
    }
}
