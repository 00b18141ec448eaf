//! Weights as integers of equal total, so that flows and ties are exact.

/// Integer masses of both sides with one total.
pub(crate) struct Masses {
    pub supplies: Vec<i64>,
    pub demands: Vec<i64>,
    total: i64,
}

/// Units of mass for general weights: 2^60 resolves a weight of order one below its own rounding and leaves room in an
/// `i64`.
const UNITS: i64 = 1 << 60;

impl Masses {
    /// Integer masses proportional to positive weights that sum to one on each side.
    ///
    /// Equal weights give the smallest exact integers; general weights are rounded to 2^−60 and the rounding of the
    /// total is put on the largest weight.
    pub(crate) fn new(sources: &[f64], targets: &[f64]) -> Self {
        if let (true, true) = (all_equal(sources), all_equal(targets)) {
            let (n, m) = (sources.len() as i64, targets.len() as i64);
            let divisor = greatest_common_divisor(n, m);
            let (supply, demand) = (m / divisor, n / divisor);
            return Self {
                supplies: vec![supply; sources.len()],
                demands: vec![demand; targets.len()],
                total: n * supply,
            };
        }
        Self { supplies: in_units(sources), demands: in_units(targets), total: UNITS }
    }

    /// The share of the total that an integer mass is.
    pub(crate) fn weight(&self, mass: i64) -> f64 {
        mass as f64 / self.total as f64
    }
}

fn all_equal(weights: &[f64]) -> bool {
    weights.windows(2).all(|pair| matches!(pair, [a, b] if a == b))
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn in_units(weights: &[f64]) -> Vec<i64> {
    let mut masses: Vec<i64> =
        weights.iter().map(|weight| ((weight * UNITS as f64).round() as i64).max(1)).collect();
    let missing = UNITS - masses.iter().sum::<i64>();
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
        }
    }

    #[test]
    fn weights_are_rounded_to_units_and_the_largest_takes_the_rest() {
        let binary = Masses::new(&[0.25, 0.5, 0.25], &[0.125, 0.875]);
        assert_eq!(binary.supplies, [1 << 58, 1 << 59, 1 << 58]);
        assert_eq!(binary.demands, [1 << 57, 7 << 57]);
        assert_eq!((binary.weight(1 << 58), binary.weight(7 << 57)), (0.25, 0.875));
        let units = 2f64.powi(60);
        // Equal weights against others are in the same units; so is a weight below a unit, which has no less than one.
        for (a, b) in [(vec![0.1, 0.2, 0.7], vec![0.5, 0.5]), (vec![1e-30, 0.3, 0.7], vec![0.6, 0.1, 0.3])] {
            let masses = Masses::new(&a, &b);
            for (masses, weights, largest) in [(&masses.supplies, &a, 0.7), (&masses.demands, &b, b[0])] {
                assert_eq!(masses.iter().sum::<i64>(), 1 << 60);
                for (&mass, &weight) in masses.iter().zip(weights).filter(|(_, weight)| **weight != largest) {
                    assert_eq!(mass, ((weight * units) as i64).max(1), "{weight}");
                }
            }
        }
    }
}
