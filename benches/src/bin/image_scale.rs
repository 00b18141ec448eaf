//! What an iteration of the published game costs against the side of the images: `image_scale [ITERATIONS]` prints a table
//! with exponents, and what a graphics processor would need; `image_scale NETWORKS SIDE ITERATIONS` measures one row in a
//! process of its own, whose memory is that of the row.

use anyhow::{Context, Result, ensure};
use oplus_benches::images::{BATCH, Networks, SIDES, exponent, iteration, operations};
use oplus_benches::transport::peak_memory;
use serde_json::Value;
use std::process::Command;
use std::time::Instant;

/// Single-precision operations a second of the processor that is reckoned with (NVIDIA A100, by its data sheet, without
/// tensor cores), and the share of them that is assumed. Neither was measured.
const THROUGHPUT: f64 = 19.5e12;
const SHARE: f64 = 0.25;
/// Iterations of the published training.
const ITERATIONS: f64 = 5000.0;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [networks, side, iterations] => row(Networks::named(networks)?, side.parse()?, iterations.parse()?),
        [iterations] => table(iterations),
        _ => table("3"),
    }
}

/// One row as JSON; the first iteration makes the buffers and is not timed.
fn row(networks: Networks, side: usize, iterations: usize) -> Result<()> {
    let game = networks.game(side)?;
    let before = peak_memory();
    let mut iteration = iteration(&game, side)?;
    iteration.run()?;
    let begin = Instant::now();
    let now = || processor_seconds().unwrap_or_else(|| begin.elapsed().as_secs_f64());
    let mut seconds = Vec::with_capacity(iterations);
    for _ in 0..iterations.max(1) {
        let start = now();
        iteration.run()?;
        seconds.push(now() - start);
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN);
    let answer = serde_json::json!({
        "seconds": median,
        "bytes": peak_memory().saturating_sub(before),
        "operations": operations(&game),
    });
    say::answer!("{answer}");
    Ok(())
}

/// Seconds of the processor that this process's one thread has used; nothing where the system does not tell.
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}

fn table(iterations: &str) -> Result<()> {
    say::answer!(
        "| networks | side | d | GFLOP | seconds | GFLOP/s | MiB | GPU, s | GPU, {ITERATIONS} iterations, h |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    let mut exponents = String::new();
    for networks in Networks::ALL {
        let (mut seconds, mut bytes, mut products) = (Vec::new(), Vec::new(), Vec::new());
        for side in SIDES {
            say::note!("{} networks, side {side}", networks.name());
            let found = measured(networks, side, iterations)?;
            let number =
                |key: &str| found.get(key).and_then(Value::as_f64).with_context(|| format!("no {key}"));
            let (time, memory, count) = (number("seconds")?, number("bytes")?, number("operations")?);
            let dim = (side * side) as f64;
            seconds.push((dim, time));
            bytes.push((dim, memory));
            products.push((dim, count));
            let gpu = count / (THROUGHPUT * SHARE);
            say::answer!(
                "| {} | {side} | {dim} | {:.1} | {time:.2} | {:.1} | {:.0} | {gpu:.4} | {:.2} |",
                networks.name(),
                count / 1e9,
                count / time / 1e9,
                memory / f64::from(1 << 20),
                gpu * ITERATIONS / 3600.0,
            );
        }
        exponents += &format!(
            "{} networks: seconds ~ d^{:.2}, memory ~ d^{:.2}, operations ~ d^{:.2}\n",
            networks.name(),
            exponent(&seconds),
            exponent(&bytes),
            exponent(&products),
        );
    }
    say::answer!(
        "\n{exponents}Batch {BATCH}, one thread, medians of processor seconds. The columns GPU are reckoned, not measured: the counted \
         operations at {SHARE} of {:.1} TFLOP/s.",
        THROUGHPUT / 1e12
    );
    Ok(())
}

/// The row of a process of its own.
fn measured(networks: Networks, side: usize, iterations: &str) -> Result<Value> {
    let program = std::env::current_exe().context("the path of this program")?;
    let mut row = Command::new(program);
    row.args([networks.name(), &side.to_string(), iterations]).env("RAYON_NUM_THREADS", "1");
    let output = row.output().context("a process for the row")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("the answer of a row")
}
