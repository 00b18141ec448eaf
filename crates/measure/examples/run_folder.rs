//! Measures a trained run folder: `cargo run -p measure --example run_folder -- RUN`.
#![allow(clippy::print_stdout, reason = "an example shows its numbers")]

use eval::{Protocol, Summary};
use measure::MeasureError;
use std::path::PathBuf;
use train::model::FlowModel;
use train::source::Inputs;

fn main() -> Result<(), MeasureError> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "runs/pinwheel".into()));
    let model = FlowModel::load(&folder)?;
    let inputs = Inputs::default();
    let measured = measure::flow(&model, &inputs, Protocol::SMOKE)?;
    let floor = measure::floor::of_flow(&model.config, &inputs, "data", Protocol::SMOKE)?;
    for metric in metrics::all() {
        let shown = |metrics: &eval::Metrics| {
            let mean = metrics.get(metric)?;
            Some(Summary { mean, sd: metrics.deviation(metric), count: 1 }.to_string())
        };
        let Some(value) = shown(&measured.metrics) else { continue };
        let floor = shown(&floor.metrics).map(|floor| format!(", floor {floor}")).unwrap_or_default();
        println!("{metric}: {value}{floor} [{}], {}", metric.unit, metric.definition);
    }
    Ok(())
}
