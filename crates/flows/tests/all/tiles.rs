//! A batch of several tiles: the same numbers as point by point, and the same bits on any number of threads.

use flows::activation::Activation;
use flows::mlp::{Cotangent, Initialisation, Mlp, Order, Output, Tape, Weights};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Three tiles, with 42 000 parameters enough work for several threads.
const BATCH: usize = 750;
const DIM: usize = 5;

/// Value, input gradient, and the pullback of one random cotangent, to parameters and inputs.
fn results(batch: usize) -> [Vec<f64>; 4] {
    let net = Mlp::new(DIM, &[200, 200], Activation::Tanh, Output::Below(0.5)).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let theta: Vec<f64> = Initialisation::GlorotUniform.draw(&net, &mut random);
    let mut uniform = |n: usize| (0..n).map(|_| 2.0 * random.random::<f64>() - 1.0).collect::<Vec<_>>();
    let (z, cu, cg) = (uniform(BATCH * DIM), uniform(BATCH), uniform(BATCH * DIM));
    let mut tape = Tape::new();
    let [mut value, mut gradient, mut d_theta, mut d_z] =
        [vec![], vec![], vec![0.0; theta.len()], vec![0.0; z.len()]];
    let pieces = z.chunks(batch * DIM).zip(d_z.chunks_mut(batch * DIM));
    for ((z, d_z), (value_cotangent, gradient_cotangent)) in
        pieces.zip(cu.chunks(batch).zip(cg.chunks(batch * DIM)))
    {
        net.evaluate(&Weights::new(&net, &theta).unwrap(), z, Order::Jet, &mut tape).unwrap();
        value.extend_from_slice(tape.value());
        gradient.extend_from_slice(tape.gradient());
        let cotangent =
            Cotangent { value: value_cotangent, gradient: Some(gradient_cotangent), common: None };
        net.pull_back(&Weights::new(&net, &theta).unwrap(), &mut tape, cotangent, &mut d_theta, Some(d_z))
            .unwrap();
    }
    [value, gradient, d_theta, d_z]
}

#[test]
fn tiles_do_not_change_the_numbers() {
    let names = ["value", "gradient", "parameter gradient", "input gradient"];
    for ((whole, pieces), name) in results(BATCH).iter().zip(results(50)).zip(names) {
        for (i, (a, b)) in whole.iter().zip(pieces).enumerate() {
            // Sums of up to 750 terms of order one in another order: 750·1.1e-16 with a factor for cancellation.
            assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{name} {i}: {a} against {b}");
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let on = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| results(BATCH))
    };
    let one = on(1);
    for threads in [2, 3] {
        assert!(on(threads) == one, "{threads} threads");
    }
}

#[test]
fn points_without_cotangents_can_be_left_out() {
    let net = Mlp::new(DIM, &[20, 30], Activation::Tanh, Output::Below(0.5)).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let theta: Vec<f64> = Initialisation::GlorotUniform.draw(&net, &mut random);
    let weights = Weights::new(&net, &theta).unwrap();
    let mut uniform = |n: usize| (0..n).map(|_| 2.0 * random.random::<f64>() - 1.0).collect::<Vec<_>>();
    let (z, mut cu, mut cg) = (uniform(BATCH * DIM), uniform(BATCH), uniform(BATCH * DIM));
    // Some of the first tile, nothing of the second, all of the third.
    let keep: Vec<bool> = (0..BATCH).map(|i| if i < 250 { i % 3 == 0 } else { i >= 500 }).collect();
    let kept = |values: &[f64], width: usize| -> Vec<f64> {
        values.chunks(width).zip(&keep).filter(|(_, keep)| **keep).flat_map(|(row, _)| row.to_vec()).collect()
    };
    let (few_cu, few_cg) = (kept(&cu, 1), kept(&cg, DIM));
    for (i, _) in keep.iter().enumerate().filter(|(_, keep)| !**keep) {
        cu[i] = 0.0;
        cg[i * DIM..(i + 1) * DIM].fill(0.0);
    }
    let mut tape = Tape::new();
    let mut pull_back = |keep: Option<&[bool]>, cu: &[f64], cg: &[f64]| {
        net.evaluate(&weights, &z, Order::Jet, &mut tape).unwrap();
        if let Some(keep) = keep {
            tape.retain(keep).unwrap();
        }
        let (mut d_theta, mut d_z) = (vec![0.0; theta.len()], vec![0.0; cg.len()]);
        let cotangent = Cotangent { value: cu, gradient: Some(cg), common: None };
        net.pull_back(&weights, &mut tape, cotangent, &mut d_theta, Some(&mut d_z)).unwrap();
        (tape.value().to_vec(), tape.gradient().to_vec(), d_theta, d_z)
    };
    let all = pull_back(None, &cu, &cg);
    let few = pull_back(Some(&keep), &few_cu, &few_cg);
    assert_eq!((few.0, few.1), (kept(&all.0, 1), kept(&all.1, DIM)));
    for (a, b) in few.2.iter().zip(&all.2).chain(few.3.iter().zip(&kept(&all.3, DIM))) {
        // The same sums without their zeros, in another order: as above.
        assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{a} against {b}");
    }
    let none = pull_back(Some(&[false; BATCH]), &[], &[]);
    assert!(none.2.iter().all(|&d| d == 0.0) && all.2.iter().any(|&d| d != 0.0));
    // The buffers fit again.
    assert_eq!(pull_back(None, &cu, &cg), all);
}
