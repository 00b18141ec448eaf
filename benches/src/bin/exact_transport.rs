//! Our side of a comparison: `exact_transport write NAME FOLDER` writes a transport problem, and
//! `exact_transport solve FOLDER` reads
//! it and then answers each line of its input with one line of JSON: an exact, certified solve.

use anyhow::{Result, bail};
use oplus_benches::transport::{Problem, peak_memory};
use std::io::{Write, stdin, stdout};
use std::path::Path;
use std::time::Instant;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write", name, folder] => Problem::named(name)?.write(Path::new(folder)),
        ["solve", folder] => answer(&Problem::read(Path::new(folder))?),
        _ => bail!("usage: exact_transport write NAME FOLDER, or exact_transport solve FOLDER"),
    }
}

fn answer(problem: &Problem) -> Result<()> {
    let before = peak_memory();
    for line in stdin().lines() {
        line?;
        let start = Instant::now();
        let plan = problem.solve()?;
        let seconds = start.elapsed().as_secs_f64();
        let answer = serde_json::json!({
            "seconds": seconds,
            "value": plan.primal(),
            "gap": plan.gap(),
            "pivots": plan.iterations,
            "peak_bytes": peak_memory(),
            "bytes_before": before,
        });
        writeln!(stdout(), "{answer}")?;
    }
    Ok(())
}
