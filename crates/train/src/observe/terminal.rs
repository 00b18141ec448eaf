//! What standard error shows of a run: a progress bar on a terminal, and elsewhere a line now and then.

use super::{Notice, Observer, Record};
use crate::TrainError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// The first line comes soon, so that a log shows that something is going on.
const FIRST: Duration = Duration::from_secs(2);
/// Between two lines.
const BETWEEN: Duration = Duration::from_secs(30);

/// A progress bar with the live indicators; where standard error is not a terminal, a line every 30 seconds.
#[derive(Debug)]
pub struct Terminal {
    bar: ProgressBar,
    lines: Lines,
}

impl Default for Terminal {
    fn default() -> Self {
        // indicatif draws nothing on a target that is not a terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) =
            ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len}  {elapsed} and {eta} left  {msg}")
        {
            bar.set_style(style);
        }
        Self { bar, lines: Lines::new(Instant::now()) }
    }
}

impl Terminal {
    fn say(&self, line: &str) {
        // A bar that is hidden prints nothing, and one that is there would be torn by others.
        if self.bar.is_hidden() {
            say::note!("{line}");
        } else {
            self.bar.println(line);
        }
    }
}

impl Observer for Terminal {
    fn begin(&mut self, name: &str, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_prefix(name.to_owned());
        self.bar.set_position(done);
        self.bar.reset_eta();
        self.lines = Lines { name: name.into(), done, total, ..Lines::new(Instant::now()) };
    }

    fn notice(&mut self, notice: &Notice) {
        self.say(&notice.to_string());
    }

    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        self.bar.set_message(record.headline.clone());
        self.lines.headline.clone_from(&record.headline);
        Ok(())
    }

    fn tick(&mut self, step: u64) {
        self.bar.set_position(step);
        if self.bar.is_hidden()
            && let Some(line) = self.lines.at(step, Instant::now())
        {
            self.say(&line);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The progress of a run in lines.
#[derive(Debug)]
struct Lines {
    name: String,
    /// Iterations before this process began.
    done: u64,
    total: u64,
    begun: Instant,
    /// When the next line is due.
    due: Instant,
    /// What the last record said.
    headline: String,
}

impl Lines {
    fn new(begun: Instant) -> Self {
        Self { name: String::new(), done: 0, total: 0, begun, due: begun + FIRST, headline: String::new() }
    }

    /// The line at an iteration, where one is due.
    fn at(&mut self, step: u64, now: Instant) -> Option<String> {
        if now < self.due {
            return None;
        }
        self.due = now + BETWEEN;
        let spent = (now - self.begun).as_secs_f64();
        let left =
            spent * self.total.saturating_sub(step) as f64 / step.saturating_sub(self.done).max(1) as f64;
        let Self { name, total, headline, .. } = self;
        let (spent, left) = (span(spent), span(left));
        let line = format!("{name}: iteration {step} of {total}, {spent}, about {left} left  {headline}");
        Some(line.trim_end().to_owned())
    }
}

/// A number of seconds for a reader.
fn span(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_now_and_then_and_say_how_long_it_takes() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut lines = Lines { name: "moons".into(), done: 100, total: 1100, ..Lines::new(begun) };
        assert_eq!(lines.at(110, at(1)), None);
        // 100 iterations in 5 seconds, and 900 to go.
        let first = lines.at(200, at(5)).unwrap();
        assert_eq!(first, "moons: iteration 200 of 1100, 5 s, about 45 s left");
        assert_eq!(lines.at(300, at(34)), None);
        lines.headline = "D 0.5".into();
        let second = lines.at(200, at(240)).unwrap();
        assert_eq!(second, "moons: iteration 200 of 1100, 4 min, about 36 min left  D 0.5");
        assert_eq!(span(40_000.0), "11.1 h");
    }
}
