//! The oplus binary: train, resume, sample, eval, reproduce, report.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the program talks to its user")]

mod any_config;
mod command;
mod ending;
mod experiment;
mod manifest;
mod monitor;
mod nearest;
mod page;
mod run_folder;
mod samples;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run(command::Cli::parse()) {
        Ok(ending) => ending.into(),
        Err(error) => {
            // One sentence: the chain of causes on one line.
            eprintln!("error: {}", format!("{error:#}").replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}
