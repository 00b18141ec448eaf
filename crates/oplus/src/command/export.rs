//! `export`: a function of a trained model for other programs.

use crate::ending::Ending;
use crate::run_folder;
use anyhow::{Result, bail};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use train::export::{Format, Function};

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
    let (output, columns) = &graph.output;
    say::answer!(
        "the {} from {} to {output} [n, {columns}] in {}",
        function.name(),
        inputs.join(" and "),
        arguments.out.display()
    );
    Ok(Ending::Done)
}
