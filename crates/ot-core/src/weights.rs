//! Checked weights of finite measures.

/// Why weights do not define a measure.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WeightError {
    /// The number of weights is not the number of points.
    #[error("{weights} weights for {points} {cloud} points: pass one weight per point")]
    Length {
        /// `source` or `target`.
        cloud: &'static str,
        /// Number of weights.
        weights: usize,
        /// Number of points.
        points: usize,
    },
    /// A weight is negative, NaN or infinite.
    #[error("weight {index} of the {cloud} points is {value}: weights must be finite and not negative")]
    Value {
        /// `source` or `target`.
        cloud: &'static str,
        /// Position of the weight.
        index: usize,
        /// The offending value.
        value: f64,
    },
    /// The weights sum to zero or overflow.
    #[error("the {cloud} weights sum to {sum}: at least one must be positive and the sum finite")]
    Sum {
        /// `source` or `target`.
        cloud: &'static str,
        /// The sum.
        sum: f64,
    },
}

/// The weights of a finite probability measure, with the points that carry mass.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    /// The weights divided by their sum.
    pub all: Vec<f64>,
    /// The indices of the positive weights.
    pub support: Vec<usize>,
}

impl Weights {
    /// The weights divided by their sum, or 1/n each if none are given.
    pub fn new(weights: Option<&[f64]>, points: usize, cloud: &'static str) -> Result<Self, WeightError> {
        let Some(weights) = weights else {
            return Ok(Self { all: vec![1.0 / points as f64; points], support: (0..points).collect() });
        };
        if weights.len() != points {
            return Err(WeightError::Length { cloud, weights: weights.len(), points });
        }
        for (index, &value) in weights.iter().enumerate() {
            if !(value.is_finite() && value >= 0.0) {
                return Err(WeightError::Value { cloud, index, value });
            }
        }
        let sum: f64 = weights.iter().sum();
        if !(sum.is_finite() && sum > 0.0) {
            return Err(WeightError::Sum { cloud, sum });
        }
        let all: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
        let support =
            all.iter().enumerate().filter(|&(_, &weight)| weight > 0.0).map(|(index, _)| index).collect();
        Ok(Self { all, support })
    }

    /// Both measures of a transport problem.
    pub fn pair(
        a: Option<&[f64]>,
        b: Option<&[f64]>,
        sources: usize,
        targets: usize,
    ) -> Result<(Self, Self), WeightError> {
        Ok((Self::new(a, sources, "source")?, Self::new(b, targets, "target")?))
    }

    /// The positive weights.
    pub fn positive(&self) -> Vec<f64> {
        self.positive_of(&self.all)
    }

    /// The values at the points that carry mass.
    pub fn positive_of(&self, values: &[f64]) -> Vec<f64> {
        self.support.iter().filter_map(|&index| values.get(index).copied()).collect()
    }
}
