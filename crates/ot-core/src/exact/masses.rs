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
