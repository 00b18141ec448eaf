//! What is measured of a generator while it is trained, and the pictures of its particles on the way.

use crate::kinds::inputs_of;
use crate::samples;
use anyhow::Result;
use measure::Watched;
use std::path::{Path, PathBuf};
use train::GeneratorConfig;
use train::run::Measured;
use train::training::Training;
use train::w2fe::GeneratorRun;

/// Measures a generator at every record, and keeps particles at some.
pub(crate) struct Monitor {
    monitor: measure::Monitor,
    folder: PathBuf,
    /// Iterations between two records.
    every: u64,
}

impl Monitor {
    /// For a run in `folder`.
    pub(crate) fn new(config: &GeneratorConfig, folder: &Path) -> Result<Self> {
        let (monitor, every) =
            (measure::Monitor::new(config, &inputs_of(folder))?, config.training.log_every);
        Ok(Self { monitor, folder: folder.into(), every })
    }

    /// What a record adds.
    pub(crate) fn measure(&self, run: &GeneratorRun) -> Measured {
        // Counted so that a run that was interrupted goes on with the same records.
        let record = run.iteration().div_ceil(self.every);
        let Watched { values, particles } =
            self.monitor.measure(record, |points| run.trainer().generate(points))?;
        if let Some(points) = particles.filter(|_| is_round(record)) {
            let units = &run.trainer().source().units;
            samples::write_particles(&self.folder, run.iteration(), &points, units)?;
        }
        Ok(values)
    }
}

/// Whether the digits of a count are 1, 2 or 5 with zeros.
pub(crate) fn is_round(count: u64) -> bool {
    let mut leading = count;
    while leading >= 10 && leading.is_multiple_of(10) {
        leading /= 10;
    }
    matches!(leading, 1 | 2 | 5)
}

#[cfg(test)]
mod tests {
    use super::is_round;

    #[test]
    fn pictures_become_rare() {
        let found: Vec<u64> = (1..=1000).filter(|&count| is_round(count)).collect();
        assert_eq!(found, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]);
    }
}
