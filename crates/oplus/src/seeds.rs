//! The seeds of repeated runs.

use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

/// More runs than any campaign has.
const MOST_RUNS: u128 = 100_000;

/// Seeds one after the other: `3` are the seeds 0, 1 and 2, `3-5` those from 3 to 5, so that a second machine, or another
/// day, can take up where a first one ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seeds(RangeInclusive<u64>);

impl Seeds {
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> + use<> {
        self.0.clone()
    }

    /// Refuses more runs of so many settings than anybody can mean: a seed that is taken for their number, for example.
    pub(crate) fn fit(&self, settings: u128) -> Result<()> {
        let seeds = u128::from(self.0.end() - self.0.start()) + 1;
        let runs = seeds.saturating_mul(settings);
        if runs > MOST_RUNS {
            bail!("{runs} runs are too many: ask for {MOST_RUNS} at most (--seeds 7-7 is the one seed 7)");
        }
        Ok(())
    }

    pub(crate) fn first(&self) -> u64 {
        *self.0.start()
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let range = match text.split_once('-') {
            None => text.parse().ok().and_then(|count: u64| count.checked_sub(1)).map(|last| 0..=last),
            Some((first, last)) => {
                first.parse().ok().zip(last.parse().ok()).map(|(first, last)| first..=last)
            }
        };
        let range = range.filter(|range| !range.is_empty());
        range.map(Self).ok_or_else(|| {
            "give how many, such as 3 for the seeds 0, 1 and 2, or a range, such as 3-5".into()
        })
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.0.start(), self.0.end());
        match (first, last) {
            (0, 0) => f.write_str("1 seed"),
            (0, last) => write!(f, "{} seeds", u128::from(*last) + 1),
            _ if first == last => write!(f, "seed {first}"),
            _ => write!(f, "seeds {first} to {last}"),
        }
    }
}

/// The seeds that a folder has a run of, in order: those of its entries whose names are the prefix and a seed.
pub(crate) fn begun(folder: &Path, prefix: &str) -> BTreeSet<u64> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let seed = |name: OsString| name.to_str()?.strip_prefix(prefix)?.parse().ok();
    names.filter_map(seed).collect()
}

#[cfg(test)]
mod tests {
    use super::Seeds;

    #[test]
    fn a_seed_that_is_taken_for_a_number_is_refused_before_a_run_is_made_of_each() {
        let fit = |text: &str, settings| text.parse().is_ok_and(|seeds: Seeds| seeds.fit(settings).is_ok());
        assert!(fit("3", 82) && fit("100000", 1) && fit("20261127-20261127", 1));
        assert!(
            !fit("100001", 1)
                && !fit("20261127", 1)
                && !fit("2", 60_000)
                && !fit("0-18446744073709551615", 1)
        );
    }

    #[test]
    fn a_number_counts_from_0_and_a_range_has_both_ends() {
        let of = |text: &str| text.parse().map(|seeds: Seeds| (seeds.iter().collect(), seeds.to_string()));
        let known = [
            ("1", vec![0], "1 seed"),
            ("3", vec![0, 1, 2], "3 seeds"),
            ("3-5", vec![3, 4, 5], "seeds 3 to 5"),
            ("2-2", vec![2], "seed 2"),
            ("0-1", vec![0, 1], "2 seeds"),
        ];
        for (text, seeds, words) in known {
            assert_eq!(of(text), Ok((seeds, words.into())), "{text}");
        }
        for wrong in ["0", "", "-1", "1-", "5-3", "1.5", "1,2", "1-2-3"] {
            assert!(of(wrong).is_err_and(|said: String| said.contains("3-5")), "{wrong}");
        }
    }
}
