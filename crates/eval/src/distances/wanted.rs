//! Which distances are asked for.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A distance between two clouds; its text is the name under which it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Distance {
    /// min Σ P‖x−y‖.
    W1,
    /// (min Σ P‖x−y‖²)^½.
    W2,
    /// min Σ P‖x−y‖².
    W2Squared,
    /// min Σ P·½‖x−y‖².
    TransportCost,
    /// The mean of the squared W2 over random directions, and its root.
    SlicedW2,
    /// W1 of each column, and the worst one.
    CoordinateW1,
    /// Debiased entropic transport.
    SinkhornDivergence,
}

impl Distance {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 7] = [
        Self::W1,
        Self::W2,
        Self::W2Squared,
        Self::TransportCost,
        Self::SlicedW2,
        Self::CoordinateW1,
        Self::SinkhornDivergence,
    ];

    /// The name under which it is reported.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::W1 => "w1",
            Self::W2 => "w2",
            Self::W2Squared => "w2_squared",
            Self::TransportCost => "transport_cost",
            Self::SlicedW2 => "sliced_w2",
            Self::CoordinateW1 => "coordinate_w1",
            Self::SinkhornDivergence => "sinkhorn_divergence",
        }
    }

    /// Whether an exact plan between all points is solved for it.
    pub(super) fn is_exact(self) -> bool {
        self == Self::W1 || self.is_quadratic()
    }

    /// Whether it follows from the plan that is optimal for squared distances.
    pub(super) fn is_quadratic(self) -> bool {
        matches!(self, Self::W2 | Self::W2Squared | Self::TransportCost)
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The distances that are asked for.
///
/// As text a list of names, or of the groups `exact`, `sliced` and `all`:
/// ```
/// use eval::distances::{Distance, Wanted};
/// let wanted: Wanted = "sliced,w1".parse()?;
/// assert_eq!(wanted, Wanted::These([Distance::W1, Distance::SlicedW2, Distance::CoordinateW1].into()));
/// assert!("w3".parse::<Wanted>().is_err());
/// # Ok::<(), eval::distances::UnknownDistance>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Exact ones up to 100 000 points a side, sliced ones, and the Sinkhorn divergence of clouds so small that it takes no
    /// time.
    #[default]
    Usual,
    /// These.
    These(BTreeSet<Distance>),
}

/// A word that names no distance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no distance: choose among {}, or the groups exact, sliced and all", names())]
pub struct UnknownDistance {
    /// The word.
    pub name: String,
}

fn names() -> String {
    Distance::ALL.map(Distance::name).join(", ")
}

impl FromStr for Wanted {
    type Err = UnknownDistance;

    fn from_str(text: &str) -> Result<Self, UnknownDistance> {
        let mut wanted = BTreeSet::new();
        for word in text.split(',').map(str::trim) {
            let is_meant = |distance: Distance| match word {
                "all" => true,
                "exact" => distance == Distance::W1 || distance.is_quadratic(),
                "sliced" => matches!(distance, Distance::SlicedW2 | Distance::CoordinateW1),
                name => distance.name() == name,
            };
            let before = wanted.len();
            let meant: Vec<Distance> = Distance::ALL.into_iter().filter(|&d| is_meant(d)).collect();
            wanted.extend(&meant);
            if meant.is_empty() && before == wanted.len() {
                return Err(UnknownDistance { name: word.into() });
            }
        }
        Ok(Self::These(wanted))
    }
}

impl Wanted {
    /// Whether this distance is asked for by name.
    #[must_use]
    pub fn names(&self, distance: Distance) -> bool {
        matches!(self, Self::These(wanted) if wanted.contains(&distance))
    }

    /// The same with `distance`.
    #[must_use]
    pub fn with(self, distance: Distance) -> Self {
        let mut wanted = match self {
            Self::Usual => Distance::ALL.into(),
            Self::These(wanted) => wanted,
        };
        wanted.insert(distance);
        Self::These(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_names_are_told_from_other_words() {
        assert_eq!("all".parse(), Ok(Wanted::These(Distance::ALL.into())));
        let exact =
            Wanted::These([Distance::W1, Distance::W2, Distance::W2Squared, Distance::TransportCost].into());
        assert_eq!("exact, w1".parse(), Ok(exact));
        for (text, word) in [("", ""), ("w1,,w2", ""), ("w1,sinkhorn", "sinkhorn"), ("W1", "W1")] {
            let error = text.parse::<Wanted>().unwrap_err();
            assert_eq!(error.name, word);
            assert!(error.to_string().contains("sinkhorn_divergence"), "{error}");
        }
    }
}
