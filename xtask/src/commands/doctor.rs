//! `doctor`: what this machine has, what is expected, and one fix for each thing that is missing.

use crate::libtorch::{self, Ready};
use crate::workspace::Workspace;
use anyhow::Result;
use simd::{VARIABLE, Width, WidthError};
use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;

const MINIMUM_RUST: (u32, u32) = (1, 89);
/// A release build of oplus takes 0.6 GB.
const DISK_GIB: f64 = 1.0;
/// libtorch with the wheel it comes from takes 1.1 GB, a build of everything with tests about 4 GB.
const DISK_GIB_WITH_LIBTORCH: f64 = 6.0;

/// One thing looked at.
struct Finding {
    subject: &'static str,
    found: String,
    expected: String,
    state: State,
}

enum State {
    Good,
    /// Nothing works without it; the text is what to do.
    Missing(String),
    /// Only what the finding names needs it; the text is what to do then.
    Without(String),
}

impl Finding {
    fn good(subject: &'static str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { subject, found: found.into(), expected: expected.into(), state: State::Good }
    }

    fn missing(
        subject: &'static str,
        found: impl Into<String>,
        expected: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { state: State::Missing(fix.into()), ..Self::good(subject, found, expected) }
    }

    fn without(
        subject: &'static str,
        found: impl Into<String>,
        expected: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { state: State::Without(fix.into()), ..Self::good(subject, found, expected) }
    }

    fn is_missing(&self) -> bool {
        matches!(self.state, State::Missing(_))
    }
}

pub(super) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let findings = [
        rust(output("rustc", &["--version"]).as_deref()),
        linker(),
        disk(output("df", &["-Pk", &workspace.root().to_string_lossy()]).as_deref()),
        Finding::good("cores", cores(), "2 or more are of use"),
        vectors(Width::of_this_machine(), Width::in_use()),
        data(workspace.root()),
        libtorch(workspace),
        compiler(),
        python(),
        Finding::good("CUDA", cuda(), "an NVIDIA GPU, for `--device cuda:N` alone"),
    ];
    for finding in &findings {
        let (mark, fix) = match &finding.state {
            State::Good => ("ok", None),
            State::Missing(fix) => ("MISSING", Some(fix)),
            State::Without(fix) => ("none", Some(fix)),
        };
        say::answer!("{mark:<8} {:<13} {} (expected: {})", finding.subject, finding.found, finding.expected);
        if let Some(fix) = fix {
            say::answer!("{:<8} {:<13} fix: {fix}", "", "");
        }
    }
    Ok(if findings.iter().any(Finding::is_missing) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What a program prints, if it runs and succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn rust(version: Option<&str>) -> Finding {
    let expected = format!("{}.{} or newer", MINIMUM_RUST.0, MINIMUM_RUST.1);
    let fix = "install Rust with rustup, or run `rustup update stable`";
    let number = version.and_then(|text| {
        let mut parts = text.split_whitespace().nth(1)?.split('.');
        Some((parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?))
    });
    match (version, number) {
        (Some(text), Some(number)) if number >= MINIMUM_RUST => Finding::good("rustc", text, expected),
        (text, _) => Finding::missing("rustc", text.unwrap_or("none"), expected, fix),
    }
}

fn linker() -> Finding {
    let expected = "a C compiler, which rustc links with";
    match output("cc", &["--version"]) {
        Some(text) => Finding::good("C compiler", first_line(&text), expected),
        None => Finding::missing(
            "C compiler",
            "`cc` does not run",
            expected,
            "install one (Debian and Ubuntu: `apt-get install gcc`)",
        ),
    }
}

fn compiler() -> Finding {
    let name = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let expected = "a C++17 compiler, for libtorch alone";
    match output(&name, &["--version"]) {
        Some(text) => Finding::good("C++ compiler", first_line(&text), expected),
        None => Finding::without(
            "C++ compiler",
            format!("`{name}` does not run"),
            expected,
            "install one (Debian and Ubuntu: `apt-get install g++`), or set CXX to yours",
        ),
    }
}

fn python() -> Finding {
    let expected = "any Python 3 with pip, to fetch libtorch and data sets alone";
    match output("python3", &["-m", "pip", "--version"]) {
        Some(text) => Finding::good("python3, pip", without_path(&text), expected),
        None => Finding::without(
            "python3, pip",
            "`python3 -m pip` does not run",
            expected,
            "install it (Debian and Ubuntu: `apt-get install python3-pip`); a libtorch of your own goes into LIBTORCH",
        ),
    }
}

/// `pip 23.2 from /some/where (python 3.11)` without the place.
fn without_path(text: &str) -> String {
    match (text.split_once(" from "), text.rsplit_once(" (")) {
        (Some((start, _)), Some((_, end))) => format!("{start} ({end}"),
        _ => text.to_owned(),
    }
}

fn libtorch(workspace: &Workspace) -> Finding {
    let expected = format!("version {}, for CUDA and the tests that compare with it", libtorch::VERSION);
    match libtorch::find(workspace) {
        Ok(Some(Ready::Own(folder))) => {
            Finding::good("libtorch", format!("LIBTORCH={}", folder.display()), expected)
        }
        Ok(Some(Ready::Linked(folder))) => Finding::good("libtorch", folder.display().to_string(), expected),
        Ok(None) if libtorch::supported() => {
            let fix = "nothing to do: the first command that needs it fetches it (0.5 GB)";
            Finding::without("libtorch", "none yet", expected, fix)
        }
        Ok(None) => {
            let fix = format!(
                "install libtorch {} and set LIBTORCH to its folder; none is set up by itself on this system",
                libtorch::VERSION
            );
            Finding::without("libtorch", "none", expected, fix)
        }
        Err(problem) => {
            let fix = format!("unset LIBTORCH, or point it to libtorch {}", libtorch::VERSION);
            Finding::without("libtorch", format!("{:#}", problem.root_cause()), expected, fix)
        }
    }
}

/// Reads the table of `df -Pk`.
fn disk(table: Option<&str>) -> Finding {
    let expected = format!("{DISK_GIB} GiB, {DISK_GIB_WITH_LIBTORCH} with libtorch and all tests");
    let fix = "free some space, or set CARGO_TARGET_DIR and OPLUS_CACHE to folders on a larger disk";
    match table.and_then(free_gib) {
        Some(free) if free >= DISK_GIB_WITH_LIBTORCH => {
            Finding::good("disk", format!("{free:.1} GiB free"), expected)
        }
        Some(free) if free >= DISK_GIB => {
            Finding::without("disk", format!("{free:.1} GiB free"), expected, fix)
        }
        Some(free) => Finding::missing("disk", format!("{free:.1} GiB free"), expected, fix),
        None => Finding::good("disk", "unknown", expected),
    }
}

/// The free space in the second line of `df -Pk`.
fn free_gib(table: &str) -> Option<f64> {
    let kib: f64 = table.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kib / f64::from(1 << 20))
}

fn cores() -> String {
    thread::available_parallelism().map_or_else(|_| "unknown".to_owned(), |count| count.to_string())
}

/// The vector registers that the kernels use: the machine's widest, or narrower ones that were asked for.
fn vectors(widest: Width, in_use: Result<Width, WidthError>) -> Finding {
    let expected = "256 bits or more for speed";
    match in_use {
        Ok(width) if width == widest => Finding::good("vectors", format!("{} bits", width.bits()), expected),
        Ok(width) => {
            let found = format!("{} bits of {}, by {VARIABLE}", width.bits(), widest.bits());
            Finding::good("vectors", found, expected)
        }
        Err(error) => Finding::missing(
            "vectors",
            error.to_string(),
            expected,
            format!("unset {VARIABLE}, or set it as it says"),
        ),
    }
}

fn cuda() -> String {
    output("nvidia-smi", &["-L"])
        .map_or_else(|| "no GPU found".to_owned(), |text| first_line(&text).to_owned())
}

fn data(root: &Path) -> Finding {
    let folder = datasets::manifest::cache_root(root);
    let found = if folder.is_dir() { "" } else { " (empty so far)" };
    Finding::good(
        "data cache",
        format!("{}{found}", folder.display()),
        "filled by `cargo xtask data fetch NAME`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_or_absent_rust_is_missing_and_a_newer_one_is_good() {
        assert!(!rust(Some("rustc 1.89.0 (29483883e 2025-08-04)")).is_missing());
        assert!(!rust(Some("rustc 2.0.0-nightly")).is_missing());
        assert!(rust(Some("rustc 1.88.0")).is_missing());
        assert!(rust(Some("something else")).is_missing());
        assert!(rust(None).is_missing());
    }

    #[test]
    fn the_vectors_in_use_are_told_beside_those_of_the_machine() {
        let found = |in_use| vectors(Width::Bits512, in_use);
        assert_eq!(found(Ok(Width::Bits512)).found, "512 bits");
        assert_eq!(found(Ok(Width::Bits256)).found, "256 bits of 512, by OPLUS_SIMD");
        assert!(!found(Ok(Width::Bits256)).is_missing());
    }

    #[test]
    fn the_free_space_is_read_from_the_table() {
        let table =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 100 50 8388608 50% /\n";
        assert_eq!(free_gib(table), Some(8.0));
        assert_eq!(free_gib("nothing"), None);
        assert!(matches!(disk(Some(table)).state, State::Good));
        let small = |kib: &str| disk(Some(&table.replace("8388608", kib))).state;
        assert!(matches!(small("2097152"), State::Without(_)), "enough for a start on the CPU");
        assert!(matches!(small("104858"), State::Missing(_)));
    }

    #[test]
    fn pips_own_folder_is_left_out() {
        assert_eq!(without_path("pip 23.2 from /some/where (python 3.11)"), "pip 23.2 (python 3.11)");
    }
}
