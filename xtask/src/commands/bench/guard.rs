//! A guard against slower training that does not depend on the machine's mood: the share of its own matrix-product rate.

use crate::program;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What to do with the measured shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Guard {
    /// Fail if a share is well below the committed one
    Check,
    /// Write the shares as the new committed ones
    Update,
}

/// The problems: sizes of the training iteration, in 12 dimensions.
const SIZES: [&str; 3] = ["48x5", "64x3", "128x4"];
const DIM: &str = "12";
/// Iterations and matrix products in turn; the best of each counts, since whatever disturbs a run only slows it down.
const ROUNDS: usize = 40;
/// Bests of forty rounds were within a tenth of each other, idle or beside other work; a regression worth a failure is larger.
const TOLERANCE: f64 = 0.15;
const COMMITTED: &str = "benches/results/guard.json";

type Shares = BTreeMap<String, f64>;

/// Measures the shares and compares them with the committed ones, or replaces those.
pub fn run(workspace: &Workspace, guard: Guard) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--package", "oplus-benches", "--bin", "training_iteration"]);
    let program = program::build(cargo, "training_iteration")?;
    let path = workspace.root().join(COMMITTED);
    let mut shares = Shares::new();
    for size in SIZES {
        let share = share(&program, size)?;
        println!("training iteration {size}, d = {DIM}: {:.0} % of the matrix-product rate", 100.0 * share);
        shares.insert(format!("{size} d={DIM}"), (share * 1e3).round() / 1e3);
    }
    match guard {
        Guard::Update => {
            let text = serde_json::to_string_pretty(&shares)?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
            }
            datasets::write_whole(&path, |file| writeln!(file, "{text}"))?;
            println!("{COMMITTED} written: commit it");
            Ok(())
        }
        Guard::Check => {
            let text = fs::read_to_string(&path).with_context(|| {
                format!("{COMMITTED} cannot be read: `cargo xtask bench --guard update` writes it")
            })?;
            let committed: Shares =
                serde_json::from_str(&text).with_context(|| format!("{COMMITTED} is damaged"))?;
            let slower = slower(&shares, &committed);
            if !slower.is_empty() {
                bail!(
                    "{}: find out why, or accept it with `cargo xtask bench --guard update`",
                    slower.join("; ")
                );
            }
            Ok(())
        }
    }
}

/// One sentence for every share that is below the committed one by more than the tolerance.
fn slower(shares: &Shares, committed: &Shares) -> Vec<String> {
    let sentence = |(name, &before): (&String, &f64)| {
        let now = shares.get(name).copied().unwrap_or(0.0);
        (now < before * (1.0 - TOLERANCE)).then(|| {
            format!(
                "{name} reaches {:.0} % of the matrix-product rate, {:.0} % were committed",
                100.0 * now,
                100.0 * before
            )
        })
    };
    committed.iter().filter_map(sentence).collect()
}

fn share(program: &Path, size: &str) -> Result<f64> {
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let mut iteration = Iteration::start(program, size, folder.path())?;
    let (mut seconds, mut rate) = (f64::INFINITY, 0.0_f64);
    // The first iteration warms up.
    iteration.ask("1", "seconds")?;
    for _ in 0..ROUNDS {
        seconds = seconds.min(iteration.ask("1", "seconds")?);
        rate = rate.max(iteration.ask("peak", "operations_per_second")?);
    }
    iteration.end()?;
    let problem = fs::read_to_string(folder.path().join("problem.json")).context("no problem was written")?;
    let problem: Value = serde_json::from_str(&problem)?;
    let operations =
        problem.get("operations").and_then(Value::as_f64).context("the problem names no operations")?;
    Ok(operations / seconds / rate)
}

/// The program `training_iteration`, asked line by line.
struct Iteration {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Iteration {
    fn start(program: &Path, size: &str, folder: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .args([size, DIM])
            .arg(folder)
            .env("RAYON_NUM_THREADS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} did not start", program.display()))?;
        let input = child.stdin.take().context("the program cannot be asked")?;
        let output = BufReader::new(child.stdout.take().context("the program cannot be heard")?);
        Ok(Self { child, input, output })
    }

    fn ask(&mut self, line: &str, key: &str) -> Result<f64> {
        writeln!(self.input, "{line}").context("the program has ended")?;
        let mut answer = String::new();
        self.output.read_line(&mut answer).context("the program cannot be heard")?;
        let answer: Value = serde_json::from_str(&answer).context("the program has ended")?;
        answer.get(key).and_then(Value::as_f64).with_context(|| format!("no {key} in {answer}"))
    }

    fn end(mut self) -> Result<()> {
        drop(self.input);
        self.child.wait().context("the program was lost")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_loss_is_a_regression() {
        let committed = Shares::from([("a".into(), 0.6), ("b".into(), 0.8)]);
        assert!(slower(&Shares::from([("a".into(), 0.52), ("b".into(), 0.9)]), &committed).is_empty());
        let lost = slower(&Shares::from([("a".into(), 0.5)]), &committed);
        assert_eq!(lost.len(), 2, "a share that is gone is a loss too");
        assert!(lost[0].starts_with("a reaches 50 %"));
    }
}
