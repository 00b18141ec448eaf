//! The guide in `docs`: its commands run, and its configurations are valid. Its Rust is tested by `measure`, its Python by
//! the Python package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use train::Config;

/// What a reader's shell has, with less of everything that takes long: `cargo xtask` is the program itself, a training has
/// few iterations, and the tables, which take minutes to hours, get as far as the folder that they would fill.
const SHELL: &str = r#"
set -eu
ln -s "$ROOT/configs" "$ROOT/results" .
mkdir taken && touch taken/file
cargo() {
    [ "$1" = xtask ] || { echo "cargo $1 is not what the guide is about" >&2; return 2; }
    shift
    few="--set training.iterations=20 --set training.batch=32"
    case "$*" in
        train*) "$OPLUS" "$@" $few ;;
        "sweep results/"* | "reproduce "*"--preset quick"* | "reproduce "*"--preset full"*)
            if message=$("$OPLUS" "$@" --out taken 2>&1); then echo "$*: ran" >&2; return 1; fi
            # Digits are fetched by hand or by name: a table of them needs no more here.
            case "$message" in *"taken is not empty"* | *"taken holds something else"* | *"usps/"*" is missing"*) ;; *) echo "$*: $message" >&2; return 1 ;; esac ;;
        "sweep "*) "$OPLUS" "$@" $few ;;
        *) "$OPLUS" "$@" ;;
    esac
}
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The pages of the guide: name and text.
fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            pages.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    pages.sort();
    pages
}

/// The blocks of a page in a language, with the line that each begins in.
fn blocks<'page>(page: &'page str, language: &str) -> Vec<(usize, Vec<&'page str>)> {
    let (mut found, mut open): (Vec<(usize, Vec<&str>)>, Option<bool>) = (Vec::new(), None);
    for (number, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(_), Some(_)) => open = None,
            (Some(written), None) => {
                open = Some(written == language);
                if written == language {
                    found.push((number + 1, Vec::new()));
                }
            }
            (None, Some(true)) => found.last_mut().unwrap().1.push(line),
            (None, _) => {}
        }
    }
    found
}

/// Runs the commands of a page, in their order and in a folder of their own.
fn run(page: &str, text: &str) -> Result<(), String> {
    let commands: Vec<&str> = blocks(text, "sh").into_iter().flat_map(|(_, lines)| lines).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("bash");
    shell.current_dir(folder.path()).env("ROOT", root()).env("OPLUS", env!("CARGO_BIN_EXE_oplus"));
    let output = shell.args(["-c", &format!("{SHELL}\n{}", commands.join("\n"))]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("docs/{page}: {message}")) }
}

#[test]
fn the_commands_of_the_guide_run() {
    // A command of this program, one that is none, and a table without such rows.
    assert_eq!(run("good", "```sh\ncargo xtask reproduce ring --preset full --rows methods\n```\n"), Ok(()));
    for wrong in
        ["cargo xtask simple run", "cargo xtask reproduce ring --preset full --rows nothing", "false"]
    {
        assert!(run("bad", &format!("```sh\n{wrong}\n```\n")).is_err(), "{wrong}");
    }
    let pages = pages();
    let ran: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let started: Vec<_> = pages.iter().map(|(page, text)| scope.spawn(move || run(page, text))).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let failures: Vec<&String> = ran.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn the_configurations_of_the_guide_are_valid() {
    let mut count = 0;
    for (page, text) in pages() {
        for (line, lines) in blocks(&text, "toml") {
            let place = format!("docs/{page}:{line}");
            if let Err(error) = Config::parse(&lines.join("\n"), &place, None, &[]) {
                panic!("{error}");
            }
            count += 1;
        }
    }
    assert!(count >= 4, "only {count} configurations: is the guide still there?");
}
