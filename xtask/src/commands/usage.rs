//! Answers a command line that cannot be parsed: one sentence, with the nearest valid command.

use super::Cli;
use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::process::ExitCode;

const USAGE: u8 = 2;

/// Prints clap's help, or one sentence about what is wrong.
pub(crate) fn answer(error: &clap::Error) -> ExitCode {
    if error.kind() == ErrorKind::InvalidSubcommand {
        say::note!("error: {}", unknown_command(error));
        return ExitCode::from(USAGE);
    }
    // Nothing more can be done if even this message cannot be written.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}

fn unknown_command(error: &clap::Error) -> String {
    let given = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(given)) => given.as_str(),
        _ => "this",
    };
    let command = Cli::command();
    let nearest = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .min_by_key(|name| strsim::levenshtein(given, name));
    format!(
        "there is no command `{given}`; the nearest is `{}`, and `cargo xtask --help` lists all",
        nearest.unwrap_or("doctor")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn an_unknown_command_is_answered_with_the_nearest_one() {
        for (given, nearest) in
            [("trian", "train"), ("reproduse", "reproduce"), ("docter", "doctor"), ("tests", "test")]
        {
            let error = Cli::try_parse_from(["cargo xtask", given]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSubcommand);
            let message = unknown_command(&error);
            assert!(message.contains(&format!("`{nearest}`")) && !message.contains('\n'), "{message}");
        }
    }
}
