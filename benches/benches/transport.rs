//! Exact transport and the passes over all pairs that it is made of.
#![allow(
    missing_docs,
    clippy::print_stderr,
    reason = "criterion's macros make public functions; what is skipped is said"
)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use datasets::manifest::cache_root;
use datasets::{DigitSet, InitialLaw, SampleError, Split, Target, stream};
use ndarray::Array2;
use oplus_benches::transport::Problem;
use ot_core::Measure;
use ot_core::cost::Euclidean;
use ot_core::dual::c_transform::c_transform;
use ot_core::dual::semi_dual::semi_dual;
use ot_core::exact::one_dimensional::transport_cost;
use ot_core::gaussian::Gaussian;
use ot_core::neighbours::nearest_neighbours;
use ot_core::sliced::{max_sliced_wasserstein, sliced_wasserstein};
use std::path::Path;

fn exact(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exact");
    group.sample_size(10);
    for name in
        ["pinwheel-2000-2", "pinwheel-2000-12", "normal-2000-12", "mixture-500-784", "weighted-1500-2250"]
    {
        match Problem::named(name) {
            Ok(problem) => group.bench_function(name, |bencher| bencher.iter(|| problem.solve())),
            Err(error) => unreachable!("the names are valid: {error}"),
        };
    }
    group.finish();
}

fn clouds(dim: usize) -> Result<[Array2<f64>; 2], SampleError> {
    Ok([
        InitialLaw::default().sample(4000, dim, &mut stream(0, "benchmark", 0))?,
        Target::Pinwheel.sample(4000, dim, &mut stream(0, "benchmark", 1))?,
    ])
}

fn passes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("4000 x 4000");
    group.sample_size(10);
    for dim in [2, 12, 784] {
        let Ok([x, y]) = clouds(dim) else { unreachable!("the sizes are valid") };
        let (x, y, potential) = (x.view(), y.view(), vec![0.0; 4000]);
        let (Ok(source), Ok(target)) = (Measure::uniform(x), Measure::uniform(y)) else {
            unreachable!("the samples are finite")
        };
        let mut random = stream(0, "benchmark", 2);
        group.bench_function(BenchmarkId::new("c-transform", dim), |bencher| {
            bencher.iter(|| c_transform(x, &potential, y, &Euclidean::HalfSquared));
        });
        group.bench_function(BenchmarkId::new("semi-dual", dim), |bencher| {
            bencher.iter(|| semi_dual(&source, &potential, &target, &Euclidean::HalfSquared));
        });
        group.bench_function(BenchmarkId::new("5 nearest neighbours", dim), |bencher| {
            bencher.iter(|| nearest_neighbours(x, y, 5));
        });
        group.bench_function(BenchmarkId::new("sliced, 64 directions", dim), |bencher| {
            bencher.iter(|| sliced_wasserstein(&source, &target, 2.0, 64, &mut random));
        });
        if dim <= 12 {
            group.bench_function(BenchmarkId::new("max-sliced, 8 starts", dim), |bencher| {
                bencher.iter(|| max_sliced_wasserstein(&source, &target, 2.0, 8, &mut random));
            });
            group.bench_function(BenchmarkId::new("Gaussian", dim), |bencher| {
                bencher.iter(|| Gaussian::from_samples(x)?.w2_squared(&Gaussian::from_samples(y)?));
            });
        }
    }
    group.finish();
}

fn line(criterion: &mut Criterion) {
    let Ok(clouds) = clouds(2) else { unreachable!("the sizes are valid") };
    let [x, y] = clouds.map(|cloud| cloud.column(0).to_vec());
    criterion.bench_function("4000 points on a line", |bencher| {
        bencher.iter(|| transport_cost(&x, &y, None, None, 2.0));
    });
}

/// The classifier that scores the digits: 10 000 of MNIST among 7291 of USPS, 256 pixels each.
fn digits(criterion: &mut Criterion) {
    // A benchmark runs in the folder of its package.
    let root = cache_root(Path::new(".."));
    let read = |set: DigitSet, split| set.read(&root, split);
    match (read(DigitSet::Usps, Split::Train), read(DigitSet::Mnist, Split::Test)) {
        (Ok(points), Ok(queries)) => {
            let mut group = criterion.benchmark_group("digits");
            group.sample_size(10);
            group.bench_function("nearest neighbour, 10000 among 7291", |bencher| {
                bencher.iter(|| nearest_neighbours(queries.pixels.view(), points.pixels.view(), 1));
            });
            group.finish();
        }
        (Err(error), _) | (_, Err(error)) => eprintln!("the digits are skipped: {error}"),
    }
}

criterion_group!(benches, exact, line, passes, digits);
criterion_main!(benches);
