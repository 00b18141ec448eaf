//! Entropic transport: the plan, the divergence, its gradient, and marginals that may be missed.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use criterion::{Criterion, criterion_group, criterion_main};
use datasets::{SampleError, Target, stream};
use ndarray::Array2;
use ot_core::Measure;
use ot_core::cost::Euclidean;
use ot_core::entropic::{
    Schedule, SinkhornOptions, SinkhornPower, geomloss_divergence, sinkhorn, sinkhorn_divergence_gradient,
    sinkhorn_unbalanced,
};

const BLUR: f64 = 0.1;
const REACH: f64 = 1.0;

fn clouds() -> Result<[Array2<f64>; 2], SampleError> {
    Ok([
        Target::Pinwheel.sample(500, 2, &mut stream(0, "benchmark", 0))?,
        Target::Pinwheel.sample(500, 2, &mut stream(0, "benchmark", 1))?,
    ])
}

fn entropic(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("500 x 500, d = 2");
    group.sample_size(10);
    let Ok([x, y]) = clouds() else { unreachable!("the sizes are valid") };
    let (Ok(x), Ok(y)) = (Measure::uniform(x.view()), Measure::uniform(y.view())) else {
        unreachable!("the samples are finite")
    };
    let (cost, power, options) = (Euclidean::HalfSquared, SinkhornPower::Two, SinkhornOptions::default());
    let epsilon = power.epsilon(BLUR);
    group.bench_function("Sinkhorn", |bencher| {
        bencher.iter(|| sinkhorn(&x, &y, &cost, epsilon, options));
    });
    group.bench_function("Sinkhorn divergence", |bencher| {
        bencher.iter(|| geomloss_divergence(&x, &y, power, BLUR, Schedule::CONVERGED));
    });
    group.bench_function("Sinkhorn divergence and its gradient", |bencher| {
        bencher.iter(|| sinkhorn_divergence_gradient(&x, &y, &cost, epsilon, options));
    });
    group.bench_function("unbalanced Sinkhorn", |bencher| {
        bencher.iter(|| sinkhorn_unbalanced(&x, &y, &cost, epsilon, REACH, options));
    });
    group.finish();
}

criterion_group!(benches, entropic);
criterion_main!(benches);
