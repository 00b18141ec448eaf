//! The oplus binary: init, train, resume, sample, eval, reproduce, report.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the program talks to its user")]

mod advice;
mod command;
mod ending;
mod experiment;
mod kinds;
mod manifest;
mod monitor;
mod nearest;
mod own_data;
mod page;
mod progress;
mod run;
mod run_folder;
mod samples;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run(command::Cli::parse()) {
        Ok(ending) => ending.into(),
        Err(error) => {
            eprintln!("error: {}", advice::sentence(&error));
            ExitCode::FAILURE
        }
    }
}
