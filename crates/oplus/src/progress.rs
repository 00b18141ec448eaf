//! What takes more than two seconds says what it does.

use anyhow::Result;
use ndarray::{ArrayView2, Axis};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Silence before the first line.
const PATIENCE: Duration = Duration::from_secs(2);
/// A stage that goes on says so again after this.
const REMINDER: Duration = Duration::from_secs(30);
/// The fewest rows of a block for each thread: what a density takes together.
const ROWS_OF_A_THREAD: usize = 512;
/// The most blocks of a work, each of which is said.
const BLOCKS: usize = 20;

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

    /// Does `work` with the rows of `points`, block after block, and says how many are done; the parts of the result.
    pub(crate) fn in_blocks<R>(
        &self,
        what: &str,
        points: ArrayView2<'_, f64>,
        work: impl Fn(ArrayView2<'_, f64>) -> Result<R>,
    ) -> Result<Vec<R>> {
        let rows = points.nrows();
        let size = rows.div_ceil(BLOCKS).max(ROWS_OF_A_THREAD * rayon::current_num_threads());
        let blocks = points.axis_chunks_iter(Axis(0), size).enumerate().map(|(index, block)| {
            let done = if index == 0 { String::new() } else { format!("{} of ", index * size) };
            self.stage(format!("{what} {done}{rows} points"));
            work(block)
        });
        blocks.collect()
    }
}

/// Tells the tenths of a work whose parts are done by several threads.
pub(crate) struct Tenths {
    all: usize,
    done: AtomicUsize,
}

impl Tenths {
    /// A work of `all` parts.
    pub(crate) fn new(all: usize) -> Self {
        Self { all, done: AtomicUsize::new(0) }
    }

    /// How many tenths are done with `parts` more, if they are more than before.
    pub(crate) fn after(&self, parts: usize) -> Option<usize> {
        let before = self.done.fetch_add(parts, Ordering::Relaxed);
        let tenths = |done: usize| 10 * done / self.all.max(1);
        (tenths(before + parts) > tenths(before)).then(|| tenths(before + parts))
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
    use super::{Progress, ROWS_OF_A_THREAD, Tenths};
    use ndarray::Array2;
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
    fn a_tenth_is_told_when_it_is_reached() {
        let tenths = Tenths::new(30);
        let told: Vec<Option<usize>> = [2, 1, 1, 8, 17, 1].map(|parts| tenths.after(parts)).into();
        assert_eq!(told, [None, Some(1), None, Some(4), Some(9), Some(10)]);
    }

    #[test]
    fn quick_work_is_silent_and_slow_work_tells_its_stages() {
        assert_eq!(told(Duration::from_secs(60), Duration::ZERO), [""; 0]);
        // The second stage is current when a tenth of a second is over.
        assert_eq!(told(Duration::from_millis(150), Duration::from_millis(100)), ["second", "third"]);
    }

    #[test]
    fn blocks_are_told_and_no_row_is_lost() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&heard);
        let progress =
            Progress::telling(Duration::ZERO, move |stage, _| lines.lock().unwrap().push(stage.to_owned()));
        let block = ROWS_OF_A_THREAD * rayon::current_num_threads();
        let rows = 2 * block + 5;
        let points = Array2::from_shape_fn((rows, 1), |(row, _)| row as f64);
        let parts = progress.in_blocks("the end of", points.view(), |block| Ok(block.to_owned())).unwrap();
        drop(progress);
        let found: Vec<f64> = parts.iter().flatten().copied().collect();
        assert_eq!(found, points.iter().copied().collect::<Vec<f64>>());
        let told = heard.lock().unwrap().clone();
        assert!(told.contains(&format!("the end of {block} of {rows} points")), "{told:?}");
        assert!(told.contains(&format!("the end of {rows} points")), "{told:?}");
    }
}
