//! The progress bar, hidden where standard error is not a terminal.

use super::{Observer, Record};
use crate::TrainError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar with the live indicators.
#[derive(Debug)]
pub struct Terminal {
    bar: ProgressBar,
}

impl Terminal {
    /// A bar of `total` iterations, `done` of them done.
    pub fn new(label: &str, total: u64, done: u64) -> Self {
        // indicatif draws nothing on a target that is not a terminal.
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {eta} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(label.to_owned());
        bar.set_position(done);
        bar.reset_eta();
        Self { bar }
    }
}

impl Observer for Terminal {
    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        self.bar.set_message(record.headline.clone());
        Ok(())
    }

    fn tick(&mut self, step: u64) {
        self.bar.set_position(step);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
