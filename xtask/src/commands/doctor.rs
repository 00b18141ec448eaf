//! `doctor`: what this machine has, what is expected, and one fix for each thing that is missing.

use crate::libtorch::{self, Ready};
use crate::workspace::Workspace;
use anyhow::Result;
use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;

const MINIMUM_RUST: (u32, u32) = (1, 88);
/// libtorch with the wheel it comes from takes 1.1 GB, a build of everything with tests about 4 GB.
const DISK_GIB: f64 = 6.0;

/// One thing looked at.
struct Finding {
    subject: &'static str,
    found: String,
    expected: String,
    /// What to do where something needed is missing.
    fix: Option<String>,
}

impl Finding {
    fn good(subject: &'static str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { subject, found: found.into(), expected: expected.into(), fix: None }
    }

    fn missing(
        subject: &'static str,
        found: impl Into<String>,
        expected: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { subject, found: found.into(), expected: expected.into(), fix: Some(fix.into()) }
    }
}

pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    let libtorch = libtorch(workspace);
    let needs_python = libtorch.fix.is_some() || libtorch.found == NO_LIBTORCH_YET;
    let findings = [
        rust(output("rustc", &["--version"]).as_deref()),
        compiler(),
        python(needs_python),
        libtorch,
        disk(workspace.root()),
        Finding::good("cores", cores(), "2 or more are of use"),
        Finding::good("CUDA", cuda(), "not needed; `--device cuda:0` asks for it"),
        data(workspace.root()),
    ];
    for finding in &findings {
        let mark = if finding.fix.is_some() { "MISSING" } else { "ok" };
        println!("{mark:<8} {:<13} {} (expected: {})", finding.subject, finding.found, finding.expected);
        if let Some(fix) = &finding.fix {
            println!("{:<8} {:<13} fix: {fix}", "", "");
        }
    }
    let all_good = findings.iter().all(|finding| finding.fix.is_none());
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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

fn compiler() -> Finding {
    let name = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let expected = "a C++17 compiler, which tch is built with";
    match output(&name, &["--version"]) {
        Some(text) => Finding::good("C++ compiler", first_line(&text), expected),
        None => Finding::missing(
            "C++ compiler",
            format!("`{name}` does not run"),
            expected,
            "install one (Debian and Ubuntu: `apt-get install g++`), or set CXX to yours",
        ),
    }
}

fn python(needed: bool) -> Finding {
    let expected = "any Python 3 with pip, needed once to fetch libtorch";
    match output("python3", &["-m", "pip", "--version"]) {
        Some(text) => Finding::good("python3, pip", without_path(&text), expected),
        None if needed => Finding::missing(
            "python3, pip",
            "`python3 -m pip` does not run",
            expected,
            "install it (Debian and Ubuntu: `apt-get install python3-pip`), or set LIBTORCH to a libtorch of your own",
        ),
        None => Finding::good("python3, pip", "none, and libtorch is there already", expected),
    }
}

/// `pip 23.2 from /some/where (python 3.11)` without the place.
fn without_path(text: &str) -> String {
    match (text.split_once(" from "), text.rsplit_once(" (")) {
        (Some((start, _)), Some((_, end))) => format!("{start} ({end}"),
        _ => text.to_owned(),
    }
}

const NO_LIBTORCH_YET: &str = "none yet: the first command that needs it sets it up";

fn libtorch(workspace: &Workspace) -> Finding {
    let expected = format!("version {}", libtorch::VERSION);
    match libtorch::find(workspace) {
        Ok(Some(Ready::Own(folder))) => {
            Finding::good("libtorch", format!("LIBTORCH={}", folder.display()), expected)
        }
        Ok(Some(Ready::Linked(folder))) => Finding::good("libtorch", folder.display().to_string(), expected),
        Ok(None) if libtorch::supported() => Finding::good("libtorch", NO_LIBTORCH_YET, expected),
        Ok(None) => {
            Finding::good("libtorch", "none, and none is set up by itself on this system: CPU only", expected)
        }
        Err(problem) => {
            let fix = format!("unset LIBTORCH, or point it to libtorch {}", libtorch::VERSION);
            Finding::missing("libtorch", format!("{:#}", problem.root_cause()), expected, fix)
        }
    }
}

fn disk(root: &Path) -> Finding {
    let expected = format!("{DISK_GIB} GiB for libtorch and the builds");
    let table = output("df", &["-Pk", &root.to_string_lossy()]);
    match table.as_deref().and_then(free_gib) {
        Some(free) if free >= DISK_GIB => Finding::good("disk", format!("{free:.1} GiB free"), expected),
        Some(free) => Finding::missing(
            "disk",
            format!("{free:.1} GiB free"),
            expected,
            "free some space, or set CARGO_TARGET_DIR and OPLUS_CACHE to folders on a larger disk",
        ),
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
        assert!(rust(Some("rustc 1.88.0 (6b00bc388 2025-06-23)")).fix.is_none());
        assert!(rust(Some("rustc 2.0.0-nightly")).fix.is_none());
        assert!(rust(Some("rustc 1.87.0")).fix.is_some());
        assert!(rust(Some("something else")).fix.is_some());
        assert!(rust(None).fix.is_some());
    }

    #[test]
    fn the_free_space_is_read_from_the_table() {
        let table =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 100 50 8388608 50% /\n";
        assert_eq!(free_gib(table), Some(8.0));
        assert_eq!(free_gib("nothing"), None);
    }

    #[test]
    fn pips_own_folder_is_left_out() {
        assert_eq!(without_path("pip 23.2 from /some/where (python 3.11)"), "pip 23.2 (python 3.11)");
    }
}
