//! How long the runs of a sweep will take.

use crate::kinds::data_sets;
use anyhow::Result;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use train::config::{Config, Configuration};
use train::{Run, TrainError};

/// How long a training is tried.
const TRIED: Duration = Duration::from_secs(2);

/// Seconds of an iteration on this machine now, from a training in memory that is ended after two seconds, or after
/// the iteration that is at hand then; none where not even one was begun.
pub(super) fn seconds_per_iteration(config: &Config) -> Result<Option<f64>> {
    let (seconds, iterations) = match config {
        Config::Flow(config) => tried(config.as_ref())?,
        Config::Generator(config) => tried(config.as_ref())?,
    };
    Ok((iterations > 0).then(|| seconds / iterations as f64))
}

/// Seconds and iterations of a training that is ended early.
fn tried<C: Configuration>(config: &C) -> Result<(f64, u64), TrainError> {
    let enough = AtomicBool::new(false);
    let flag = &enough;
    let (over, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if ended.recv_timeout(TRIED) == Err(RecvTimeoutError::Timeout) {
                flag.store(true, Ordering::Relaxed);
            }
        });
        let trained = Run::new(config.clone()).data_sets(data_sets()).interrupt(flag).train();
        drop(over);
        let outcome = trained?.outcome;
        Ok((outcome.seconds, outcome.iterations))
    })
}

/// A time in words of two digits.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        ..90.0 => format!("{seconds:.0} s"),
        ..5400.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn times_are_in_the_unit_of_their_size() {
        assert_eq!([12.4, 89.0, 600.0, 9000.0].map(duration), ["12 s", "89 s", "10 min", "2.5 h"]);
    }
}
