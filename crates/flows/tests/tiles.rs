//! A batch of several tiles: the same numbers as point by point, and the same bits on any number of threads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use flows::activation::Activation;
use flows::mlp::{Cotangent, Initialisation, Mlp, Order, Output, Tape, Weights};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Three tiles, each with enough work for a thread of its own: 250 points and 21 000 parameters.
const BATCH: usize = 750;
const DIM: usize = 5;

/// Value, input gradient, and the pullback of one random cotangent, to parameters and inputs.
fn results(batch: usize) -> [Vec<f64>; 4] {
    let net = Mlp::new(DIM, &[140, 140], Activation::Tanh, Output::Below(0.5)).unwrap();
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
