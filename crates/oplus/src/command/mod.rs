//! The commands, one file each.

mod classifier;
mod compare;
mod density;
mod eval;
mod export;
mod init;
mod report;
mod reproduce;
mod resume;
mod sample;
mod sweep;
mod train;
mod transport;

use crate::ending::Ending;
use anyhow::Result;
use clap::{Parser, Subcommand};

/// Proximal generative flows: train them, sample them, measure them, reproduce the published tables.
///
/// Exit codes: 0 done, 1 an error (one sentence says what to do), 2 a wrong command line, 3 a training diverged, 130 and
/// 143 interrupted by SIGINT and SIGTERM.
#[derive(Debug, Parser)]
#[command(name = "oplus", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look at a file of points and write a configuration for a flow to them
    Init(init::Arguments),
    /// Train one flow from a configuration file, and measure it
    Train(train::Arguments),
    /// Go on with an interrupted run
    Resume(resume::Arguments),
    /// Draw samples from a trained flow
    Sample(sample::Arguments),
    /// Move given points by a trained flow, or take them back
    Transport(transport::Arguments),
    /// Compute the log-density of given points under a trained flow
    Density(density::Arguments),
    /// Write a function of a trained model for other programs: safetensors or ONNX
    Export(export::Arguments),
    /// Measure the distances between two sets of samples
    Eval(eval::Arguments),
    /// Train the classifier that scores generated images
    Classifier(classifier::Arguments),
    /// Make a published table again: train every row, measure it, write the table and a report
    Reproduce(reproduce::Arguments),
    /// Train one configuration over a grid of its settings, and show what matters
    Sweep(sweep::Arguments),
    /// Set several runs side by side in one page
    Compare(compare::Arguments),
    /// Write the report of a run, of an experiment or of a sweep again
    Report(report::Arguments),
}

pub(crate) fn run(cli: Cli) -> Result<Ending> {
    match cli.command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Train(arguments) => train::run(arguments),
        Command::Resume(arguments) => resume::run(&arguments),
        Command::Sample(arguments) => sample::run(&arguments),
        Command::Transport(arguments) => transport::run(&arguments),
        Command::Density(arguments) => density::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Classifier(arguments) => classifier::run(&arguments),
        Command::Reproduce(arguments) => reproduce::run(&arguments),
        Command::Sweep(arguments) => sweep::run(arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
