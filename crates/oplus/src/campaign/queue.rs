//! Runs side by side: each is a process of this same program with one thread.

use crate::ending::DIVERGED;
use crate::interruption;
use anyhow::{Context, Result, bail};
use std::fs::OpenOptions;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

/// A run that a child process does.
#[derive(Debug)]
pub(super) struct Job {
    /// What the progress line says.
    pub label: String,
    /// The arguments of the child.
    pub arguments: Vec<String>,
    /// Where the child's output goes.
    pub log: PathBuf,
}

/// Does all jobs in order, `side_by_side` at a time; after a failure no further one is started.
///
/// A divergence is a result, not a failure. When this process is asked to end, the runs finish their iterations and keep
/// their states, and no further one is started.
pub(super) fn run(jobs: &[Job], side_by_side: NonZeroUsize) -> Result<()> {
    let program = std::env::current_exe().context("the path of this program is unknown")?;
    let waiting = Mutex::new(jobs.iter());
    let done = Mutex::new((0_usize, None));
    let started = Instant::now();
    let _patience = interruption::patience();
    std::thread::scope(|scope| {
        for _ in 0..side_by_side.get().min(jobs.len()) {
            scope.spawn(|| {
                while let Some(job) = waiting.lock().ok().and_then(|mut waiting| waiting.next()) {
                    let begun = Instant::now();
                    let result = child(&program, job);
                    let Ok(mut done) = done.lock() else { return };
                    done.0 += 1;
                    let word = match &result {
                        Ok(word) => word,
                        Err(_) => "failed",
                    };
                    say::note!(
                        "[{}/{}] {}: {word} in {:.0} s ({:.0} s so far)",
                        done.0,
                        jobs.len(),
                        job.label,
                        begun.elapsed().as_secs_f64(),
                        started.elapsed().as_secs_f64()
                    );
                    if let Err(error) = result {
                        done.1.get_or_insert(error);
                    }
                    if done.1.is_some() || interruption::ending().is_some() {
                        return;
                    }
                }
            });
        }
    });
    match done.into_inner() {
        Ok((_, None)) => Ok(()),
        Ok((_, Some(error))) => Err(error),
        Err(_) => bail!("a thread that watches the runs was lost: continue with --resume"),
    }
}

fn child(program: &std::path::Path, job: &Job) -> Result<&'static str> {
    let log = || format!("{} cannot be written", job.log.display());
    // What a run said before it was interrupted stays.
    let output = OpenOptions::new().create(true).append(true).open(&job.log).with_context(log)?;
    let errors = output.try_clone().with_context(log)?;
    let status = Command::new(program)
        .args(&job.arguments)
        .env("OMP_NUM_THREADS", "1")
        .env("RAYON_NUM_THREADS", "1")
        .stdin(interruption::lifeline().context("a pipe to a run cannot be made")?)
        .stdout(output)
        .stderr(errors)
        .status()
        .with_context(|| format!("{} did not start", program.display()))?;
    match status.code() {
        Some(0) => Ok("ok"),
        Some(code) if code == i32::from(DIVERGED) => Ok("diverged"),
        _ if interruption::ending().is_some() => Ok("interrupted"),
        _ => {
            let log = std::fs::read_to_string(&job.log).unwrap_or_default();
            let last = log.lines().last().unwrap_or("no message");
            let last = last.strip_prefix("error: ").unwrap_or(last);
            bail!(
                "{} stopped ({last}): see {}; what is done is kept, --resume goes on",
                job.label,
                job.log.display()
            )
        }
    }
}
