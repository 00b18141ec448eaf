//! The oplus binary: init, train, resume, sample, eval, reproduce, report.

mod advice;
mod command;
mod ending;
mod experiment;
mod interruption;
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
    let cli = command::Cli::parse();
    match interruption::watch().and_then(|()| command::run(cli)) {
        Ok(ending) => ending.into(),
        Err(error) => {
            say::note!("error: {}", advice::sentence(&error));
            ExitCode::FAILURE
        }
    }
}
