//! The one command of the project: setup, doctor, data, test, ci, bench, tidy, and everything that oplus does.
#![allow(clippy::print_stdout, reason = "this is a program, and stdout is where its answers go")]

mod commands;
mod libtorch;
mod tidy;
mod workspace;

use clap::Parser;
use commands::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return commands::usage::answer(&error),
    };
    commands::run(cli).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
