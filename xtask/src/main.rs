//! The one command of the project: setup, doctor, data, test, ci, bench, tidy, and everything that oplus does.

mod commands;
mod libtorch;
mod program;
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
        say::note!("error: {}", sentence(&error));
        ExitCode::FAILURE
    })
}

/// The error and its causes in one line; a cause that the error already tells is not told again.
fn sentence(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |text, cause| match cause.to_string() {
        cause if text.is_empty() => cause,
        cause if text.contains(&cause) => text,
        cause => format!("{text}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn a_cause_is_told_once() {
        let told = anyhow!("disk full").context("a.npy cannot be written (disk full)");
        assert_eq!(sentence(&told), "a.npy cannot be written (disk full)");
        assert_eq!(
            sentence(&anyhow!("disk full").context("a.npy cannot be written")),
            "a.npy cannot be written: disk full"
        );
    }
}
