//! One training iteration at each size and dimension.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oplus_benches::iteration::{Iteration, SIZES};

fn training_iteration(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("training iteration");
    group.sample_size(10);
    for size in SIZES {
        for dim in [2, 12, 784] {
            // Reported per second, to be held against the machine's matrix-product rate.
            group.throughput(Throughput::Elements(size.operations(dim) as u64));
            group.bench_function(format!("{}, d = {dim}", size.name), |bencher| {
                match Iteration::new(size, dim) {
                    Ok(mut iteration) => bencher.iter(|| iteration.run()),
                    Err(error) => unreachable!("the sizes are valid: {error}"),
                }
            });
        }
    }
    group.finish();
}

criterion_group!(benches, training_iteration);
criterion_main!(benches);
