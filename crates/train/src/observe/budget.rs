//! How much of its time a training gives to its readings.

/// Seconds of readings that no training is denied: below this no clock decides what is written.
const ALWAYS: f64 = 2.0;

/// Leaves readings out that would take more than a share of the time of a training.
///
/// The first and the last one are never left out, and none is before they took two seconds in all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Budget {
    /// The share; none where every reading is made.
    share: Option<f64>,
    /// Seconds of iterations.
    trained: f64,
    /// Seconds of readings.
    read: f64,
    /// Seconds of the last reading.
    last: f64,
}

impl Budget {
    pub(crate) fn new(share: Option<f64>) -> Self {
        Self { share, ..Self::default() }
    }

    /// Counts an iteration.
    pub(crate) fn trained(&mut self, seconds: f64) {
        self.trained += seconds;
    }

    /// Counts a reading.
    pub(crate) fn read(&mut self, seconds: f64) {
        self.read += seconds;
        self.last = seconds;
    }

    /// Whether a reading that takes as long as the last one is within the share.
    pub(crate) fn allows(&self) -> bool {
        self.share.is_none_or(|share| self.read + self.last <= ALWAYS.max(share * self.trained))
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    /// A hundred stretches of one second with readings of half a second: twenty of them a second would be half of the
    /// time; 5 % of a hundred seconds are ten.
    #[test]
    fn readings_stay_within_their_share() {
        let mut budget = Budget::new(Some(0.05));
        let mut made = Vec::new();
        for second in 1..=100 {
            budget.trained(1.0);
            if budget.allows() {
                budget.read(0.5);
                made.push(second);
            }
        }
        // The four that are always there, then each when 5 % have grown by half a second.
        assert_eq!(made, [1, 2, 3, 4, 50, 60, 70, 80, 90, 100]);
    }

    #[test]
    fn without_a_share_and_before_two_seconds_everything_is_read() {
        let (mut all, mut short) = (Budget::new(None), Budget::new(Some(0.05)));
        for _ in 0..9 {
            assert!(all.allows() && short.allows());
            all.read(1e3);
            short.read(0.2);
        }
        short.read(0.2);
        assert!(!short.allows(), "ten readings took two seconds of no training at all");
    }
}
