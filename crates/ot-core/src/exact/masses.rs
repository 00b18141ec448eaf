//! Weights as integers of equal total, so that flows and ties are exact.

use super::Flow;

/// Integer masses of both sides with one total.
#[derive(Debug, Clone)]
pub(crate) struct Masses {
    pub supplies: Vec<i128>,
    pub demands: Vec<i128>,
    total: i128,
}

/// Mass in these units that moves from one source to one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnitFlow {
    pub source: usize,
    pub target: usize,
    pub units: i128,
}

/// Units of mass for general weights: those above 2^−67 are integers without rounding, one of 1e−30 keeps six digits,
/// and sums stay within an `i128`.
const UNITS: i128 = 1 << 120;

/// Units for a first guess, in an `i64`.
const ROUGH_UNITS: i128 = 1 << 60;

impl Masses {
    /// Integer masses proportional to weights that sum to one on each side.
    ///
    /// Positive weights that are all equal give the smallest exact integers. General weights are rounded to 2^−120, but
    /// not to zero, and the rounding of the total is put on the largest weight.
    pub(crate) fn new(sources: &[f64], targets: &[f64]) -> Self {
        Self::of_units(UNITS, sources, targets)
    }

    /// The same with general weights rounded to 2^−60, which is quicker to work with.
    pub(crate) fn rough(sources: &[f64], targets: &[f64]) -> Self {
        Self::of_units(ROUGH_UNITS, sources, targets)
    }

    fn of_units(units: i128, sources: &[f64], targets: &[f64]) -> Self {
        let (Some(n), Some(m)) = (equal_count(sources), equal_count(targets)) else {
            let [supplies, demands] = [sources, targets].map(|weights| in_units(weights, units));
            return Self { supplies, demands, total: units };
        };
        let divisor = greatest_common_divisor(n, m);
        let masses = |weights: &[f64], mass: i128| {
            weights.iter().map(|&weight| if weight > 0.0 { mass } else { 0 }).collect()
        };
        let (supply, demand) = (m / divisor, n / divisor);
        Self { supplies: masses(sources, supply), demands: masses(targets, demand), total: n * supply }
    }

    /// Other masses of the same units and total.
    pub(super) fn with(&self, supplies: Vec<i128>, demands: Vec<i128>) -> Self {
        Self { supplies, demands, total: self.total }
    }

    /// The masses as integers of 64 bits, if no sum of them can overflow.
    pub(super) fn narrow(&self) -> Option<(Vec<i64>, Vec<i64>)> {
        let narrow = |masses: &[i128]| masses.iter().map(|&mass| mass as i64).collect();
        (self.total <= ROUGH_UNITS).then(|| (narrow(&self.supplies), narrow(&self.demands)))
    }

    /// The share of the total that an integer mass is.
    pub(crate) fn weight(&self, mass: i128) -> f64 {
        mass as f64 / self.total as f64
    }

    /// A flow with the share of the total that it is.
    pub(super) fn flow(&self, flow: &UnitFlow) -> Flow {
        Flow { source: flow.source, target: flow.target, mass: self.weight(flow.units) }
    }
}

/// The number of positive weights, if they are all equal.
fn equal_count(weights: &[f64]) -> Option<i128> {
    let mut positive = weights.iter().filter(|&&weight| weight > 0.0);
    let first = positive.next()?;
    let mut count = 1;
    for weight in positive {
        if weight != first {
            return None;
        }
        count += 1;
    }
    Some(count)
}

fn greatest_common_divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn in_units(weights: &[f64], units: i128) -> Vec<i128> {
    let in_units = |&weight: &f64| {
        if weight > 0.0 { ((weight * units as f64).round() as i128).max(1) } else { 0 }
    };
    let mut masses: Vec<i128> = weights.iter().map(in_units).collect();
    let missing = units - masses.iter().sum::<i128>();
    if let Some(largest) = masses.iter_mut().max() {
        *largest += missing;
    }
    masses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_are_the_smallest_integers() {
        for (n, m, supply, demand) in [(6, 4, 2, 3), (4, 6, 3, 2), (5, 5, 1, 1), (1, 7, 7, 1), (9, 10, 10, 9)]
        {
            let masses = Masses::new(&vec![1.0 / n as f64; n], &vec![1.0 / m as f64; m]);
            assert_eq!((&masses.supplies, &masses.demands), (&vec![supply; n], &vec![demand; m]));
            // One division of small integers.
            assert_eq!((masses.weight(supply), masses.weight(demand)), (1.0 / n as f64, 1.0 / m as f64));
            assert_eq!(masses.narrow(), Some((vec![supply as i64; n], vec![demand as i64; m])));
        }
        // Points without mass have none, and do not count.
        let masses = Masses::new(&[0.0, 0.5, 0.0, 0.5], &[1.0 / 3.0; 3]);
        assert_eq!((masses.supplies, masses.demands), (vec![0, 3, 0, 3], vec![2; 3]));
    }

    #[test]
    fn weights_are_rounded_to_units_and_the_largest_takes_the_rest() {
        let binary = Masses::new(&[0.25, 0.5, 0.25], &[0.125, 0.0, 0.875]);
        assert_eq!(binary.supplies, [1 << 118, 1 << 119, 1 << 118]);
        assert_eq!(binary.demands, [1 << 117, 0, 7 << 117]);
        assert_eq!((binary.weight(1 << 118), binary.weight(7 << 117)), (0.25, 0.875));
        assert_eq!(binary.narrow(), None);
        let units = 2f64.powi(120);
        // Equal weights against others are in the same units; so is a weight below a unit, which has no less than one.
        for (a, b) in [(vec![0.1, 0.2, 0.7], vec![0.5, 0.5]), (vec![1e-40, 0.3, 0.7], vec![0.6, 0.1, 0.3])] {
            let masses = Masses::new(&a, &b);
            for (masses, weights, largest) in [(&masses.supplies, &a, 0.7), (&masses.demands, &b, b[0])] {
                assert_eq!(masses.iter().sum::<i128>(), 1 << 120);
                for (&mass, &weight) in masses.iter().zip(weights).filter(|(_, weight)| **weight != largest) {
                    assert_eq!(mass, ((weight * units) as i128).max(1), "{weight}");
                }
            }
        }
        let rough = Masses::rough(&[0.25, 0.75], &[1.0]);
        assert_eq!(rough.narrow(), Some((vec![1 << 58, 3 << 58], vec![1 << 60])));
    }
}
