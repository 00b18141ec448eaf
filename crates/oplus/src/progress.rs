//! What takes more than two seconds says what it does.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Silence before the first line.
const PATIENCE: Duration = Duration::from_secs(2);
/// A stage that goes on says so again after this.
const REMINDER: Duration = Duration::from_secs(30);

/// Stages of a work, which are said on stderr from two seconds on.
pub(crate) struct Progress {
    stages: Option<Sender<String>>,
    teller: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins a work of this name.
    pub(crate) fn new(work: &str) -> Self {
        let work = work.to_owned();
        Self::telling(PATIENCE, move |stage, seconds| say::note!("{work}: {stage} ({seconds:.0} s)"))
    }

    fn telling(patience: Duration, tell: impl Fn(&str, f64) + Send + 'static) -> Self {
        let (stages, heard) = channel();
        let teller = std::thread::spawn(move || listen(&heard, patience, &tell));
        Self { stages: Some(stages), teller: Some(teller) }
    }

    /// What is done from now on.
    pub(crate) fn stage(&self, stage: impl Into<String>) {
        if let Some(stages) = &self.stages {
            // Nobody listens any more only where the thread could not write: the work is worth more.
            let _ = stages.send(stage.into());
        }
    }
}

impl Drop for Progress {
    /// Waits for the teller, so that no line comes after the result.
    fn drop(&mut self) {
        drop(self.stages.take());
        let _ = self.teller.take().map(JoinHandle::join);
    }
}

/// Tells the stage that is current when patience ends, every later one when it begins, and one that lasts again.
fn listen(stages: &Receiver<String>, patience: Duration, tell: &impl Fn(&str, f64)) {
    let begun = Instant::now();
    let mut due = begun + patience;
    let mut current: Option<String> = None;
    loop {
        match stages.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(stage) => {
                current = Some(stage);
                due = due.min(Instant::now() + REMINDER).max(begun + patience);
                if begun.elapsed() < patience {
                    continue;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if let Some(stage) = &current {
            tell(stage, begun.elapsed().as_secs_f64());
        }
        due = Instant::now() + REMINDER;
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;
    use std::sync::{Arc, Mutex};
    use std::thread::sleep;
    use std::time::Duration;

    fn told(patience: Duration, between: Duration) -> Vec<String> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&heard);
        let progress =
            Progress::telling(patience, move |stage, _| lines.lock().unwrap().push(stage.to_owned()));
        for stage in ["first", "second", "third"] {
            progress.stage(stage);
            sleep(between);
        }
        drop(progress);
        Arc::try_unwrap(heard).unwrap().into_inner().unwrap()
    }

    #[test]
    fn quick_work_is_silent_and_slow_work_tells_its_stages() {
        assert_eq!(told(Duration::from_secs(60), Duration::ZERO), [""; 0]);
        // The second stage is current when a tenth of a second is over.
        assert_eq!(told(Duration::from_millis(150), Duration::from_millis(100)), ["second", "third"]);
    }
}
