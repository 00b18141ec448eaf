//! The run path to libtorch, and the configurations of the experiments: adding a row is adding a file.
#![allow(clippy::print_stdout, reason = "this is how a build script talks to cargo")]

#[path = "../flows/build.rs"]
mod libtorch;

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// One folder for each experiment, in it one for each family of settings, in that one file for each row.
const CONFIGURATIONS: &str = "../../configs";
/// Numbers of others, beside the families of an experiment.
const IN_PRINT: &str = "in-print.toml";

fn main() -> Result<(), Box<dyn Error>> {
    libtorch::main();
    // Cargo looks at all files below.
    println!("cargo::rerun-if-changed={CONFIGURATIONS}");
    let mut code = String::from("&[\n");
    for experiment in sorted(&fs::canonicalize(CONFIGURATIONS)?)? {
        if experiment.is_dir() {
            embed(&experiment, &mut code)?;
        }
    }
    code.push_str("]\n");
    fs::write(Path::new(&std::env::var("OUT_DIR")?).join("configurations.rs"), code)?;
    Ok(())
}

/// Writes an experiment as an expression of Rust.
fn embed(experiment: &Path, code: &mut String) -> Result<(), Box<dyn Error>> {
    let in_print = experiment.join(IN_PRINT);
    let numbers = if in_print.is_file() { format!("include_str!({in_print:?})") } else { "\"\"".into() };
    writeln!(code, "Embedded {{ experiment: {:?}, in_print: {numbers}, rows: &[", stem(experiment))?;
    for family in sorted(experiment)?.iter().filter(|path| path.is_dir()) {
        for row in sorted(family)?.iter().filter(|path| path.extension().is_some_and(|end| end == "toml")) {
            let (family, stem) = (stem(family), stem(row));
            writeln!(code, "Setting {{ family: {family:?}, stem: {stem:?}, text: include_str!({row:?}) }},")?;
        }
    }
    code.push_str("] },\n");
    Ok(())
}

fn sorted(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// The last part of a path without the ending of a file.
fn stem(path: &Path) -> String {
    let part = if path.is_dir() { path.file_name() } else { path.file_stem() };
    part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default()
}
