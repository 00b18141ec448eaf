//! What a straight path costs.

/// What a path of length r from x to a data point y costs: h(r) = μr²/2 up to the reach R, μR·(r − R/2) beyond.
///
/// It is Huber's function, min_z μ‖x − z‖²/2 + L‖z − y‖ with L = μR: the particle goes from x as far as to z, at most R,
/// and the W1 proximal pays for the rest. Without a bound L the reach is infinite, and h is quadratic.
///
/// ```
/// use flows::hopf_lax::Pull;
/// let pull = Pull { weight: 2.0, reach: 1.0 };
/// // 2·½²/2 within the reach, 2·1·(3 − ½) beyond.
/// assert_eq!((pull.cost(0.25), pull.cost(9.0)), (0.25, 5.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pull {
    /// μ = λ/T.
    pub weight: f64,
    /// R = L/μ, the length from which on the cost is linear.
    pub reach: f64,
}

impl From<f64> for Pull {
    /// The quadratic cost of this weight.
    fn from(weight: f64) -> Self {
        Self { weight, reach: f64::INFINITY }
    }
}

impl Pull {
    /// h(r) for r² = `square`.
    pub fn cost(self, square: f64) -> f64 {
        if square <= self.reach * self.reach {
            0.5 * self.weight * square
        } else {
            self.weight * self.reach * (square.sqrt() - 0.5 * self.reach)
        }
    }

    /// h′(r)/r for r² = `square`: the gradient of the cost in x is this times x − y.
    pub fn rate(self, square: f64) -> f64 {
        if square <= self.reach * self.reach { self.weight } else { self.weight * self.reach / square.sqrt() }
    }
}
