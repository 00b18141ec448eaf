//! The progress bar, hidden where standard error is not a terminal.

use super::{Observer, Record};
use crate::TrainError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write;

/// A progress bar with the live indicators.
#[derive(Debug)]
pub struct Terminal {
    bar: ProgressBar,
}

impl Default for Terminal {
    fn default() -> Self {
        // indicatif draws nothing on a target that is not a terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {eta} {msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }
}

impl Observer for Terminal {
    fn begin(&mut self, name: &str, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_prefix(name.to_owned());
        self.bar.set_position(done);
        self.bar.reset_eta();
    }

    fn warn(&mut self, warning: &str) {
        // Nothing is lost where nobody reads.
        self.bar.suspend(|| writeln!(std::io::stderr(), "warning: {warning}").unwrap_or_default());
    }

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
