//! The report of a run while it is trained.

use crate::page;
use crate::run_folder::REPORT_FILE;
use anyhow::Result;
use datasets::write_whole;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use train::TrainError;
use train::observe::Observer;
use train::outcome::{Outcome, Status};

/// A training that is over by then has no page before its end.
const FIRST: Duration = Duration::from_secs(5);
/// How many times as long as the writing of a page is the time to the next one, at least.
const REST: u32 = 20;

/// Writes the report of a run now and then, with the state that was just saved.
pub(crate) struct Live {
    folder: PathBuf,
    due: Instant,
    /// Whether a page could not be written; the training matters more, so that is said once.
    failed: bool,
}

impl Live {
    /// For a run that begins in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), due: Instant::now() + FIRST, failed: false }
    }

    fn write(&mut self, is_under_way: bool) {
        if let Err(error) = write(&self.folder, is_under_way)
            && !self.failed
        {
            say::note!("no page of the training: {error:#}");
            self.failed = true;
        }
    }
}

impl Observer for Live {
    fn checkpoint(&mut self, _path: &Path) -> Result<(), TrainError> {
        let begun = Instant::now();
        if begun >= self.due {
            self.write(true);
            self.due = Instant::now() + REST * begun.elapsed();
        }
        Ok(())
    }

    /// What has ended otherwise is measured now, and has its report then.
    fn end(&mut self, outcome: &Outcome) -> Result<(), TrainError> {
        if outcome.status == Status::Interrupted {
            self.write(false);
        }
        Ok(())
    }
}

/// Writes the page of a run that is not finished.
pub(crate) fn write(folder: &Path, is_under_way: bool) -> Result<PathBuf> {
    let path = folder.join(REPORT_FILE);
    let html = page::unfinished(folder, is_under_way)?.to_html()?;
    write_whole(&path, |file| file.write_all(html.as_bytes()))?;
    Ok(path)
}
