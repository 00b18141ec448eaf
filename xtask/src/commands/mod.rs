//! The commands, one file each.

mod bench;
mod ci;
mod data;
mod dependencies;
mod doctor;
mod downstream;
mod guide;
mod oplus;
mod packages;
mod python;
mod setup;
mod test;
mod tidy;
mod tools;
pub(crate) mod usage;
mod venv;
mod workflows;

use crate::workspace::Workspace;
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// Everything that can be done with this project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Make a table or figure again: train, measure, report
    #[command(disable_help_flag = true)]
    Reproduce(PassedOn),
    /// Look at a file of points and write a configuration for them
    #[command(disable_help_flag = true)]
    Init(PassedOn),
    /// Train one flow from a configuration file
    #[command(disable_help_flag = true)]
    Train(PassedOn),
    /// Go on with an interrupted run
    #[command(disable_help_flag = true)]
    Resume(PassedOn),
    /// Draw samples from a trained flow
    #[command(disable_help_flag = true)]
    Sample(PassedOn),
    /// Move given points by a trained flow, or take them back
    #[command(disable_help_flag = true)]
    Transport(PassedOn),
    /// Compute the log-density of given points under a trained flow
    #[command(disable_help_flag = true)]
    Density(PassedOn),
    /// Write a function of a trained model as safetensors or ONNX
    #[command(disable_help_flag = true)]
    Export(PassedOn),
    /// Measure the distance between two sets of samples
    #[command(disable_help_flag = true)]
    Eval(PassedOn),
    /// Train the classifier that scores generated images
    #[command(disable_help_flag = true)]
    Classifier(PassedOn),
    /// Train one configuration over a grid of its settings
    #[command(disable_help_flag = true)]
    Sweep(PassedOn),
    /// Set several runs side by side in one page
    #[command(disable_help_flag = true)]
    Compare(PassedOn),
    /// Write the report of a run, an experiment or a sweep
    #[command(disable_help_flag = true)]
    Report(PassedOn),
    /// Fetch or check a data set
    Data(data::Arguments),
    /// Get libtorch ready (tests, and commands that name a device of it, do it by themselves)
    Setup(setup::Arguments),
    /// Say what this machine has, what is expected, and how to fix what is missing
    Doctor,
    /// Run all tests, those that compare with libtorch included
    Test(PassedOn),
    /// Build the Python package into target/wheels, and run its tests
    Python(python::Arguments),
    /// Build the guide into target/guide
    Guide,
    /// Run the benchmarks
    Bench(bench::Arguments),
    /// Check the rules of the code base
    Tidy,
    /// Run every check that a change has to pass
    Ci,
}

/// Arguments that go to another program as they are.
#[derive(Debug, Args)]
struct PassedOn {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

/// Runs the command and returns the exit code of the process.
pub(crate) fn run(cli: Cli) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    match cli.command {
        Task::Reproduce(passed) => oplus::run(&workspace, "reproduce", &passed.arguments),
        Task::Init(passed) => oplus::run(&workspace, "init", &passed.arguments),
        Task::Train(passed) => oplus::run(&workspace, "train", &passed.arguments),
        Task::Resume(passed) => oplus::run(&workspace, "resume", &passed.arguments),
        Task::Sample(passed) => oplus::run(&workspace, "sample", &passed.arguments),
        Task::Transport(passed) => oplus::run(&workspace, "transport", &passed.arguments),
        Task::Density(passed) => oplus::run(&workspace, "density", &passed.arguments),
        Task::Export(passed) => oplus::run(&workspace, "export", &passed.arguments),
        Task::Eval(passed) => oplus::run(&workspace, "eval", &passed.arguments),
        Task::Classifier(passed) => oplus::run(&workspace, "classifier", &passed.arguments),
        Task::Sweep(passed) => oplus::run(&workspace, "sweep", &passed.arguments),
        Task::Compare(passed) => oplus::run(&workspace, "compare", &passed.arguments),
        Task::Report(passed) => oplus::run(&workspace, "report", &passed.arguments),
        Task::Data(arguments) => data::run(&workspace, &arguments),
        Task::Setup(arguments) => setup::run(&workspace, &arguments),
        Task::Doctor => doctor::run(&workspace),
        Task::Test(passed) => test::run(&workspace, &passed.arguments),
        Task::Python(arguments) => python::run(&workspace, &arguments),
        Task::Guide => guide::run(&workspace),
        Task::Bench(arguments) => bench::run(&workspace, &arguments),
        Task::Tidy => tidy::run(&workspace),
        Task::Ci => ci::run(&workspace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_of_oplus_are_passed_on_untouched() {
        let line = ["cargo xtask", "train", "a.toml", "--set", "seed=1", "--help", "-x", "--", "y"];
        let Task::Train(passed) = Cli::try_parse_from(line).unwrap().command else { panic!("not train") };
        assert_eq!(
            passed.arguments,
            ["a.toml", "--set", "seed=1", "--help", "-x", "--", "y"].map(OsString::from)
        );

        let Task::Train(passed) = Cli::try_parse_from(["cargo xtask", "train", "--help"]).unwrap().command
        else {
            panic!("not train")
        };
        assert_eq!(passed.arguments, [OsString::from("--help")]);
    }
}
