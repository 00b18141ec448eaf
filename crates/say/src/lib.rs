//! What the programs say: answers on stdout, everything else on stderr, without a panic when nobody listens.
//!
//! A reader that goes away, such as `| head`, ends a program that has an answer for it quietly; what is said beside the
//! answer is never worth the work that it is about.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::process::exit;

/// Writes a line of the answer to stdout, as `println!` does.
#[macro_export]
macro_rules! answer {
    ($($argument:tt)*) => {
        $crate::answer(format_args!($($argument)*))
    };
}

/// Writes a line to stderr, as `eprintln!` does.
#[macro_export]
macro_rules! note {
    ($($argument:tt)*) => {
        $crate::note(format_args!($($argument)*))
    };
}

/// Writes a line of the answer to stdout. Where its reader has gone away, the process ends well; where it cannot be
/// written for another reason, with an error.
pub fn answer(line: fmt::Arguments<'_>) {
    match writeln!(io::stdout().lock(), "{line}") {
        Ok(()) => (),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        Err(error) => {
            note!("error: the answer cannot be written ({error}): check where stdout leads");
            exit(1);
        }
    }
}

/// Writes a line to stderr; it is lost where nobody listens.
pub fn note(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// The program of the page that the registry shows is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
