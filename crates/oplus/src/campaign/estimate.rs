//! How long runs will take.

use crate::kinds::data_sets;
use anyhow::Result;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use train::config::{Config, Configuration};
use train::{Run, TrainError};

/// Seconds of an iteration on this machine now, from a training in memory that is ended after this time, or after the
/// iteration that is at hand then; none where not even one was begun.
pub(crate) fn seconds_per_iteration(config: &Config, time: Duration) -> Result<Option<f64>> {
    let (seconds, iterations) = match config {
        Config::Flow(config) => tried(config.as_ref(), time)?,
        Config::Generator(config) => tried(config.as_ref(), time)?,
        Config::Critic(config) => tried(config.as_ref(), time)?,
    };
    Ok((iterations > 0).then(|| seconds / iterations as f64))
}

/// Seconds and iterations of a training that is ended early.
fn tried<C: Configuration>(config: &C, time: Duration) -> Result<(f64, u64), TrainError> {
    let enough = AtomicBool::new(false);
    let flag = &enough;
    let (over, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
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
pub(crate) fn duration(seconds: f64) -> String {
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
