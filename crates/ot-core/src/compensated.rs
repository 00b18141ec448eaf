//! Sums whose rounding does not grow with the number of terms.

/// A running sum with what rounding has taken from it (Neumaier, ZAMM 54, 1974).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    /// Adds a term.
    pub(crate) fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        let (large, small) = if self.sum.abs() >= term.abs() { (self.sum, term) } else { (term, self.sum) };
        self.lost += (large - sum) + small;
        self.sum = sum;
    }

    /// The sum.
    pub(crate) fn value(self) -> f64 {
        self.sum + self.lost
    }
}

impl<'a> FromIterator<&'a f64> for Compensated {
    fn from_iter<I: IntoIterator<Item = &'a f64>>(terms: I) -> Self {
        let mut sum = Self::default();
        terms.into_iter().for_each(|&term| sum.add(term));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_equal_terms_lose_nothing() {
        let terms = vec![1e-6; 1_000_000];
        // A plain sum is off by 8e−12.
        assert!((terms.iter().sum::<f64>() - 1.0).abs() > 1e-12);
        assert_eq!(terms.iter().collect::<Compensated>().value(), 1.0);
        assert_eq!([1e100, 1.0, -1e100].iter().collect::<Compensated>().value(), 1.0);
    }
}
