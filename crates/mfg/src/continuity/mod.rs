//! The continuity equation of the particles' law, in weak form.

#[cfg(test)]
mod tests;

use ndarray::{Array2, ArrayRef2, ArrayView1};

use crate::{Trajectory, statistics::mean};

/// Nodes and weights of the five-point Gauss–Legendre rule on [0, 1]; exact to degree 9, so that the integral along a
/// straight step is exact to rounding for every test function below.
const GAUSS_LEGENDRE: [(f64, f64); 5] = [
    (0.046_910_077_030_668, 0.118_463_442_528_094_54),
    (0.230_765_344_947_158_46, 0.239_314_335_249_683_23),
    (0.5, 0.284_444_444_444_444_44),
    (0.769_234_655_052_841_5, 0.239_314_335_249_683_23),
    (0.953_089_922_969_332, 0.118_463_442_528_094_54),
];

/// A smooth function of one or two coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TestFunction {
    Coordinate(usize),
    Square(usize),
    Product(usize, usize),
    Sine(usize),
    Cosine(usize),
}

impl TestFunction {
    /// The fixed family: x_j, x_j², x_j·x_{j+1}, sin x_j and cos x_j for every coordinate.
    fn family(dimension: usize) -> Vec<Self> {
        let mut family = Vec::new();
        for j in 0..dimension {
            family.extend([Self::Coordinate(j), Self::Square(j), Self::Sine(j), Self::Cosine(j)]);
            if j + 1 < dimension {
                family.push(Self::Product(j, j + 1));
            }
        }
        family
    }

    fn coordinates(self) -> (usize, usize) {
        match self {
            Self::Coordinate(j) | Self::Square(j) | Self::Sine(j) | Self::Cosine(j) => (j, j),
            Self::Product(j, k) => (j, k),
        }
    }

    /// ψ at the coordinates that it uses.
    fn value(self, (x, y): (f64, f64)) -> f64 {
        match self {
            Self::Coordinate(_) => x,
            Self::Square(_) => x * x,
            Self::Product(..) => x * y,
            Self::Sine(_) => x.sin(),
            Self::Cosine(_) => x.cos(),
        }
    }

    /// ∇ψ·v at the coordinates that it uses.
    fn derivative(self, (x, y): (f64, f64), (v, w): (f64, f64)) -> f64 {
        match self {
            Self::Coordinate(_) => v,
            Self::Square(_) => 2.0 * x * v,
            Self::Product(..) => v * y + x * w,
            Self::Sine(_) => x.cos() * v,
            Self::Cosine(_) => -x.sin() * v,
        }
    }

    /// Δψ.
    fn laplacian(self, (x, _): (f64, f64)) -> f64 {
        match self {
            Self::Coordinate(_) | Self::Product(..) => 0.0,
            Self::Square(_) => 2.0,
            Self::Sine(_) => -x.sin(),
            Self::Cosine(_) => -x.cos(),
        }
    }
}

/// The largest violation of the weak continuity equation over a fixed family of test functions, in standard errors.
///
/// ```text
/// max_ψ |E ψ(x_T) − E ψ(x_0) − ∫₀ᵀ E[∇ψ(x_t)·v(x_t, t)] dt| / √((Var ψ(x_T) + Var ψ(x_0))/N),   v = −∇U/λ
/// ```
///
/// ψ among x_j, x_j², x_j·x_{j+1}, sin x_j, cos x_j. Within a step position and velocity are interpolated linearly
/// between the recorded times and integrated by a five-point Gauss rule: for straight paths at constant velocity the
/// residual is 0 to rounding, for the Euler scheme in a curved field it is of first order in the step, and for a finer
/// integrator of second order. The denominator is the Monte-Carlo error of the change of E ψ itself: below 1 the
/// violation cannot be seen with N particles. A ψ that varies over neither cloud has no such error and is left out.
///
/// With noise the integrand is E[∇ψ·v + (σ²/2)Δψ], summed over the left ends of the Euler–Maruyama steps: of first
/// order in the step, and of the order of the Monte-Carlo error even at the optimum.
///
/// No unit. Complexity: O(n·N·d).
///
/// Source: the weak form of ∂ₜρ + ∇·(ρv) = 0, L. Ambrosio, N. Gigli and G. Savaré, "Gradient Flows" (2008), eq.
/// (8.1.3).
///
/// ```
/// use mfg::known_answers::{OptimalFlow, SoftThreshold};
/// let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 0.5, tangent: 0 };
/// let start = ndarray::array![[1.0, 0.0], [0.0, 2.0], [0.1, 0.1]];
/// assert!(mfg::continuity::residual(&flow.trajectory(start.view(), 4)?) < 1e-12);
/// # Ok::<(), mfg::MfgError>(())
/// ```
#[must_use]
pub fn residual(trajectory: &Trajectory) -> f64 {
    TestFunction::family(trajectory.start().ncols())
        .into_iter()
        .filter_map(|test| standardised(trajectory, test))
        .fold(0.0, f64::max)
}

fn standardised(trajectory: &Trajectory, test: TestFunction) -> Option<f64> {
    let start = values(test, &trajectory.start());
    let end = values(test, &trajectory.end());
    let particles = start.len() as f64;
    let error = ((variance(&start) + variance(&end)) / particles).sqrt();
    let change = mean(end.iter().zip(&start).map(|(end, start)| end - start));
    let predicted = match &trajectory.parts().noise {
        None => transported(trajectory, test),
        Some(noise) => diffused(trajectory, test, noise.sigma),
    };
    (error > 0.0).then(|| (change - predicted).abs() / error)
}

/// Σ h·E[∇ψ·v + (σ²/2)Δψ].
fn diffused(trajectory: &Trajectory, test: TestFunction, sigma: f64) -> f64 {
    let parts = trajectory.parts();
    let left_ends = parts.positions.iter().zip(&parts.potential_gradient).zip(trajectory.step_sizes());
    left_ends
        .map(|((positions, gradient), step)| {
            let points = columns(test, positions).into_iter().zip(columns(test, gradient));
            let rate = |(x, (p, q)): ((f64, f64), (f64, f64))| {
                let velocity = (-p / parts.lambda, -q / parts.lambda);
                test.derivative(x, velocity) + 0.5 * sigma * sigma * test.laplacian(x)
            };
            step * mean(points.map(rate))
        })
        .sum()
}

/// ∫ E[∇ψ·v] dt.
fn transported(trajectory: &Trajectory, test: TestFunction) -> f64 {
    let parts = trajectory.parts();
    let pairs =
        |series: &[Array2<f64>]| series.iter().map(|matrix| columns(test, matrix)).collect::<Vec<_>>();
    let (positions, gradients) = (pairs(&parts.positions), pairs(&parts.potential_gradient));
    let nodes = positions.iter().zip(&gradients);
    let steps = nodes.clone().zip(nodes.skip(1)).zip(trajectory.step_sizes());
    steps
        .map(|(((x, p), (x_next, p_next)), step)| {
            let particles = x.iter().zip(p).zip(x_next.iter().zip(p_next));
            let rates = particles.map(|((&x, &p), (&x_next, &p_next))| {
                let rate = |(node, weight)| {
                    let gradient = between(p, p_next, node);
                    let velocity = (-gradient.0 / parts.lambda, -gradient.1 / parts.lambda);
                    weight * test.derivative(between(x, x_next, node), velocity)
                };
                GAUSS_LEGENDRE.into_iter().map(rate).sum()
            });
            step * mean(rates)
        })
        .sum()
}

fn between(a: (f64, f64), b: (f64, f64), node: f64) -> (f64, f64) {
    (a.0 + node * (b.0 - a.0), a.1 + node * (b.1 - a.1))
}

fn values(test: TestFunction, points: &ArrayRef2<f64>) -> Vec<f64> {
    columns(test, points).into_iter().map(|pair| test.value(pair)).collect()
}

/// The two coordinates that a test function uses, for every particle.
fn columns(test: TestFunction, points: &ArrayRef2<f64>) -> Vec<(f64, f64)> {
    let (j, k) = test.coordinates();
    let column = |j: usize| points.axis_iter(ndarray::Axis(1)).nth(j).unwrap_or(ArrayView1::from(&[]));
    let (first, second) = (column(j), column(k));
    first.iter().copied().zip(second.iter().copied()).collect()
}

fn variance(values: &[f64]) -> f64 {
    let centre = mean(values.iter().copied());
    mean(values.iter().map(|value| (value - centre).powi(2)))
}
