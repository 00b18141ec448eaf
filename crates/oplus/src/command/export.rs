//! `export`: a function of a trained model for other programs.

use crate::ending::Ending;
use crate::run_folder;
use anyhow::{Result, bail};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use train::Model;
use train::export::{Format, Function};
use train::source::Units;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run folder
    run: PathBuf,
    /// How it is written
    #[arg(long, value_enum)]
    format: FileFormat,
    /// Which function [default: the map of an explicit flow or a generator, the velocity of a network, else the critic]
    #[arg(long, value_enum)]
    function: Option<Which>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FileFormat {
    /// Numbers, with the operations as JSON in the metadata
    Safetensors,
    /// Open Neural Network Exchange
    Onnx,
}

/// A function by the name that the library has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Which(Function);

impl ValueEnum for Which {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: &[Which] = &[
            Which(Function::Map),
            Which(Function::Velocity),
            Which(Function::Potential),
            Which(Function::Critic),
        ];
        ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}

/// From so far away on, in units of the data's own size, single precision leaves three digits or fewer.
const FAR_FROM_0: f64 = 1e4;

/// How far data lie from 0, in units of their own size.
fn distance_from_0(units: &Units) -> Option<f64> {
    match units {
        Units::Same => None,
        Units::Scaled { centre, scale } => centre.iter().map(|x| x.abs() / scale).reduce(f64::max),
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    if arguments.out.exists() {
        bail!("{} exists: choose another name with --out, or delete it", arguments.out.display());
    }
    let model = run_folder::model(&arguments.run)?;
    let (function, graph) = model.graph(arguments.function.map(|Which(function)| function))?;
    let format = match arguments.format {
        FileFormat::Safetensors => Format::Safetensors,
        FileFormat::Onnx => Format::Onnx,
    };
    graph.write(&arguments.out, format, model.config().name())?;
    let inputs: Vec<String> =
        graph.inputs.iter().map(|(name, columns)| format!("{name} [n, {columns}]")).collect();
    if let Some(ratio) = distance_from_0(model.units()).filter(|ratio| *ratio > FAR_FROM_0) {
        say::note!(
            "warning: the data lie {ratio:.0e} times their own size away from 0, and what is exported computes in single \
             precision, whose 7 digits hardly tell such points apart: move the data before training, or use `oplus sample`"
        );
    }
    let (output, columns) = &graph.output;
    let labels = match &model {
        Model::Flow(flow) => flow.condition().and_then(|condition| condition.labels()),
        Model::Generator(_) | Model::Critic(_) => None,
    };
    let labels = labels.map_or(String::new(), |labels| {
        let labels: Vec<String> = labels.iter().map(f64::to_string).collect();
        format!(
            "; the columns of c are the labels {}: 1 in that of a point, 0 in the others",
            labels.join(", ")
        )
    });
    say::answer!(
        "the {} from {} to {output} [n, {columns}] in {}{labels}",
        function.name(),
        inputs.join(" and "),
        arguments.out.display()
    );
    Ok(Ending::Done)
}
