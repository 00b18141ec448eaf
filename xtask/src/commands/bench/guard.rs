//! A guard against slower training that does not depend on the machine's mood: the share of its own matrix-product
//! rate, and the instructions of an iteration where valgrind can count them.

use crate::program;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What to do with the measured shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Guard {
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
/// Bests of forty rounds were within a tenth of each other, idle or beside other work; a regression worth a failure is
/// larger.
const TOLERANCE: f64 = 0.15;
const COMMITTED: &str = "benches/results/guard.json";

/// The sizes whose instructions are counted, which takes some fifty times as long as running them.
const COUNTED: [&str; 2] = ["48x5", "64x3"];
/// Counts of one program are alike to a thousandth; another compiler arranges it differently.
const MORE_INSTRUCTIONS: f64 = 0.05;

type Shares = BTreeMap<String, f64>;

/// What is committed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Committed {
    /// By the width of the machine's vector registers, in bits, and by size: on wide ones a matrix product gains more
    /// than an iteration.
    share_of_matrix_product_rate: BTreeMap<u32, Shares>,
    /// Of one iteration, in millions, by size; empty where valgrind is not installed. Valgrind knows no vectors wider than
    /// 256 bits, so that they are those of the kernels for 256 bits on every machine.
    millions_of_instructions: BTreeMap<String, f64>,
}

/// Measures shares and instructions and compares them with the committed ones, or replaces those.
pub(super) fn run(workspace: &Workspace, guard: Guard) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--package", "oplus-benches", "--bin", "training_iteration"]);
    let program = program::build(cargo, "training_iteration")?;
    let path = workspace.root().join(COMMITTED);
    let committed = committed(&path)?;
    let (mut width, mut shares, mut counts) = (0, Shares::new(), BTreeMap::new());
    for size in SIZES {
        let measured = share(&program, size)?;
        width = measured.vector_bits;
        say::answer!(
            "training iteration {size}, d = {DIM}: {:.0} % of the matrix-product rate with {width}-bit vectors",
            100.0 * measured.share
        );
        shares.insert(format!("{size} d={DIM}"), (measured.share * 1e3).round() / 1e3);
    }
    for size in COUNTED {
        let Some(millions) = millions_of_instructions(&program, size)? else {
            say::answer!("instructions are not counted: valgrind is not installed");
            break;
        };
        say::answer!("training iteration {size}, d = {DIM}: {millions:.1} million instructions");
        counts.insert(format!("{size} d={DIM}"), (millions * 10.0).round() / 10.0);
    }
    match guard {
        Guard::Update => {
            let mut now = committed;
            now.share_of_matrix_product_rate.insert(width, shares);
            now.millions_of_instructions.extend(counts);
            let text = serde_json::to_string_pretty(&now)?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
            }
            datasets::write_whole(&path, |file| writeln!(file, "{text}"))?;
            say::answer!("{COMMITTED} written: commit it");
            Ok(())
        }
        Guard::Check => {
            let before = committed.share_of_matrix_product_rate.get(&width).with_context(|| {
                format!(
                    "{COMMITTED} has no shares for {width}-bit vectors: `cargo xtask bench --guard update` on a \
                     commit that you trust writes them"
                )
            })?;
            let mut slower = slower(&shares, before);
            slower.extend(longer(&counts, &committed.millions_of_instructions));
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

/// What is committed; nothing where the file is not there yet.
fn committed(path: &Path) -> Result<Committed> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{COMMITTED} is damaged")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Committed::default()),
        Err(error) => Err(error).with_context(|| format!("{COMMITTED} cannot be read")),
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

/// One sentence for every iteration that takes more instructions than the committed one by more than the tolerance.
fn longer(now: &BTreeMap<String, f64>, committed: &BTreeMap<String, f64>) -> Vec<String> {
    let sentence = |(name, &after): (&String, &f64)| {
        let before = *committed.get(name)?;
        (after > before * (1.0 + MORE_INSTRUCTIONS))
            .then(|| format!("{name} takes {after:.1} million instructions, {before:.1} were committed"))
    };
    now.iter().filter_map(sentence).collect()
}

/// What an iteration adds to the instructions of the program; none without valgrind.
fn millions_of_instructions(program: &Path, size: &str) -> Result<Option<f64>> {
    let [Some(first), Some(second)] = [instructions(program, size, 1)?, instructions(program, size, 2)?]
    else {
        return Ok(None);
    };
    Ok(Some((second - first) / 1e6))
}

/// The instructions of the whole program with that many iterations, as callgrind counts them.
fn instructions(program: &Path, size: &str, iterations: usize) -> Result<Option<f64>> {
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind").arg("--callgrind-out-file=/dev/null").arg(program);
    valgrind.args([size, DIM]).arg(folder.path()).env("RAYON_NUM_THREADS", "1").env_remove(simd::VARIABLE);
    let child = valgrind.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = match child {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.context("valgrind did not start")?,
    };
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "{iterations}").context("the program has ended")?;
    }
    let output = child.wait_with_output().context("valgrind was lost")?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    collected.map(Some).with_context(|| format!("callgrind counted nothing: {text}"))
}

/// A share and the registers that it was reached with.
struct Measured {
    share: f64,
    vector_bits: u32,
}

fn share(program: &Path, size: &str) -> Result<Measured> {
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let mut iteration = Iteration::start(program, size, folder.path())?;
    let (mut seconds, mut rate) = (f64::INFINITY, 0.0_f64);
    // The first iteration warms up.
    iteration.ask("1", "seconds")?;
    let vector_bits = iteration.ask("width", "vector_bits")? as u32;
    for _ in 0..ROUNDS {
        seconds = seconds.min(iteration.ask("1", "seconds")?);
        rate = rate.max(iteration.ask("peak", "operations_per_second")?);
    }
    iteration.end()?;
    let problem = fs::read_to_string(folder.path().join("problem.json")).context("no problem was written")?;
    let problem: Value = serde_json::from_str(&problem)?;
    let operations =
        problem.get("operations").and_then(Value::as_f64).context("the problem names no operations")?;
    Ok(Measured { share: operations / seconds / rate, vector_bits })
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
            // The matrix product that it is compared with knows no narrower vectors either.
            .env_remove(simd::VARIABLE)
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
        let committed = Shares::from([("a".into(), 80.0)]);
        assert!(longer(&Shares::from([("a".into(), 83.0), ("b".into(), 9.0)]), &committed).is_empty());
        let more = longer(&Shares::from([("a".into(), 85.0)]), &committed);
        assert_eq!(more, ["a takes 85.0 million instructions, 80.0 were committed"]);
    }
}
