//! Measures a trained run folder, of a flow or of a generator: `cargo run -p measure --example run_folder -- RUN`.
#![allow(clippy::print_stdout, reason = "an example shows its numbers")]

use eval::{Metrics, Protocol, Summary};
use measure::MeasureError;
use metrics::Metric;
use std::path::PathBuf;
use train::Model;
use train::source::Inputs;

fn main() -> Result<(), MeasureError> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "runs/pinwheel".into()));
    let (model, inputs, protocol) = (Model::load(&folder)?, Inputs::default(), Protocol::SMOKE);
    let measured = measure::model(&model, &inputs, protocol, &|_| {})?.metrics;
    let floors = measure::floor(&model.config(), &inputs, "data", protocol, &|_| {})?;
    for metric in metrics::all() {
        let Some(value) = shown(&measured, metric) else { continue };
        let floor = floors.first().and_then(|floor| shown(&floor.metrics, metric));
        let floor = floor.map(|floor| format!(", floor {floor}")).unwrap_or_default();
        println!(
            "{metric}: {value}{floor}; unit {}, {} is better: {}",
            metric.unit, metric.better, metric.definition
        );
    }
    Ok(())
}

fn shown(metrics: &Metrics, metric: &Metric) -> Option<String> {
    let mean = metrics.get(metric)?;
    Some(Summary { mean, sd: metrics.deviation(metric), count: 1 }.to_string())
}
