//! SIGINT and SIGTERM: the first one asks the work at hand to end where it can be gone on with, the second ends the
//! process at once. Work that keeps nothing of its own is ended at once by the first.

use crate::ending::Ending;
use anyhow::{Context, Result};
use std::io::{self, PipeReader, PipeWriter, Read};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// SIGTERM, for a process whose parent has ended.
const TERMINATE: i32 = 15;
/// Two signals this close together are one: `timeout` sends its own to the process and to its group.
const SAME: Duration = Duration::from_millis(50);

/// Whether the work at hand has been asked to end.
static ASKED: AtomicBool = AtomicBool::new(false);
/// Whether there is work at hand that ends by itself when it is asked to.
static PATIENT: AtomicBool = AtomicBool::new(false);
/// What has asked.
static SIGNAL: AtomicI32 = AtomicI32::new(TERMINATE);
/// What the user should know when the process ends at once.
static ADVICE: Mutex<Option<String>> = Mutex::new(None);
/// Both ends of the pipe that processes of this one hold, while it goes on.
static LIFELINE: Mutex<Option<(PipeReader, PipeWriter)>> = Mutex::new(None);

/// Handles signals from now on.
pub(crate) fn watch() -> Result<()> {
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let mut signals =
            signal_hook::iterator::Signals::new([SIGINT, SIGTERM]).context("signals cannot be handled")?;
        thread::spawn(move || {
            let mut first: Option<Instant> = None;
            for signal in signals.forever() {
                match first {
                    Some(first) if first.elapsed() < SAME => (),
                    Some(_) => end_at_once(signal),
                    None => {
                        first = Some(Instant::now());
                        ask(signal);
                    }
                }
            }
        });
    }
    Ok(())
}

/// Ends this process as a signal would when standard input, which its parent holds, is closed.
pub(crate) fn follow_parent() {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        ask(TERMINATE);
    });
}

/// While it lives, a signal asks the work at hand to end and leaves the rest to it.
#[must_use = "the work is at hand while this lives"]
pub(crate) struct Patience;

/// Says that there is work at hand that looks at [`asked`].
pub(crate) fn patience() -> Patience {
    PATIENT.store(true, Ordering::SeqCst);
    Patience
}

impl Drop for Patience {
    fn drop(&mut self) {
        PATIENT.store(false, Ordering::SeqCst);
    }
}

/// What the user should know when the process ends at once.
pub(crate) fn advise(advice: Option<String>) {
    *ADVICE.lock().unwrap_or_else(PoisonError::into_inner) = advice;
}

/// Whether the work at hand has been asked to end.
pub(crate) fn asked() -> &'static AtomicBool {
    &ASKED
}

/// How the process is to end, if it has been asked to.
pub(crate) fn ending() -> Option<Ending> {
    ASKED.load(Ordering::SeqCst).then(|| Ending::Interrupted(SIGNAL.load(Ordering::SeqCst)))
}

/// The standard input of a process that is to end when this one does, or is asked to.
pub(crate) fn lifeline() -> io::Result<PipeReader> {
    let mut lifeline = LIFELINE.lock().unwrap_or_else(PoisonError::into_inner);
    if lifeline.is_none() && !ASKED.load(Ordering::SeqCst) {
        *lifeline = Some(io::pipe()?);
    }
    match lifeline.as_ref() {
        Some((reader, _)) => reader.try_clone(),
        // Its other end is closed already.
        None => io::pipe().map(|(reader, _)| reader),
    }
}

fn ask(signal: i32) {
    if !PATIENT.load(Ordering::SeqCst) {
        end_at_once(signal);
    }
    SIGNAL.store(signal, Ordering::SeqCst);
    if !ASKED.swap(true, Ordering::SeqCst) {
        say::note!(
            "stopping: the iteration at hand is finished and its state written (once more ends at once)"
        );
    }
    LIFELINE.lock().unwrap_or_else(PoisonError::into_inner).take();
}

fn end_at_once(signal: i32) -> ! {
    if let Ok(advice) = ADVICE.try_lock()
        && let Some(advice) = advice.as_ref()
    {
        say::note!("{advice}");
    }
    signal_hook::low_level::exit(128 + signal)
}
