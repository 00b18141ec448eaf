//! The oplus binary: init, train, resume, sample, eval, reproduce, sweep, report.

mod advice;
mod campaign;
mod command;
mod compare;
mod conditions;
mod count;
mod data_sets;
mod ending;
mod experiment;
mod gallery;
mod interruption;
mod kinds;
mod live;
mod manifest;
mod memory;
mod monitor;
mod nearest;
mod own_data;
mod page;
mod progress;
mod run;
mod run_folder;
mod samples;
mod screen;
mod seeds;
mod shell;
mod sketch;
mod sweep;
mod table;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = command::Cli::parse();
    // A width that the machine does not have is said before anything begins.
    let width = simd::Width::in_use().map_err(anyhow::Error::from);
    match width.and_then(|_| interruption::watch()).and_then(|()| command::run(cli)) {
        Ok(ending) => ending.into(),
        Err(error) => {
            say::note!("error: {}", advice::sentence(&error));
            ExitCode::FAILURE
        }
    }
}
