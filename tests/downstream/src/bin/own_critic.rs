//! A critic network of one's own, trained in a game whose answer is known in closed form.
//!
//! From N(0, I) to N(m, I) with the Kullback–Leibler divergence and no bound on the slope, the optimal flow shifts
//! every point by m/(1 + λ/T), and the optimal critic is a quadratic function: exactly what this network is.

use datasets::stream;
use flows::FlowError;
use flows::mlp::{Cotangent, Order};
use flows::real::Real;
use flows::scalar_field::{PointTape, ScalarField};
use ndarray::{Array2, Axis};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use std::error::Error;
use train::{Configuration, FlowConfig, Run};

/// u(z; θ) = Σ_j ½·q_j·z_j² + p_j·z_j with θ = (q, p).
#[derive(Debug, Clone)]
struct Quadratic {
    dim: usize,
}

fn expect(what: &'static str, found: usize, expected: usize) -> Result<(), FlowError> {
    if found == expected { Ok(()) } else { Err(FlowError::Shape { what, found, expected }) }
}

impl ScalarField for Quadratic {
    type Weights<T: Real> = Vec<T>;
    type Tape<T: Real> = PointTape<T>;

    fn input(&self) -> usize {
        self.dim
    }

    fn parameter_count(&self) -> usize {
        2 * self.dim
    }

    fn initial<T: Real>(&self, _rng: &mut impl Rng) -> Vec<T> {
        vec![T::zero(); 2 * self.dim]
    }

    fn arrange<T: Real>(&self, parameters: &[T], weights: &mut Vec<T>) -> Result<(), FlowError> {
        expect("the parameters of the quadratic", parameters.len(), 2 * self.dim)?;
        *weights = parameters.to_vec();
        Ok(())
    }

    fn evaluate<T: Real>(
        &self,
        weights: &Vec<T>,
        points: &[T],
        order: Order,
        tape: &mut PointTape<T>,
    ) -> Result<(), FlowError> {
        let (q, p) = weights.split_at(self.dim);
        *tape = PointTape { points: points.to_vec(), ..PointTape::default() };
        for z in points.chunks_exact(self.dim) {
            let terms = z.iter().zip(q.iter().zip(p));
            tape.value.push(terms.clone().map(|(&z, (&q, &p))| T::of(0.5) * q * z * z + p * z).sum());
            if order == Order::Jet {
                tape.gradient.extend(terms.map(|(&z, (&q, &p))| q * z + p));
            }
        }
        Ok(())
    }

    fn pull_back<T: Real>(
        &self,
        weights: &Vec<T>,
        tape: &mut PointTape<T>,
        cotangent: Cotangent<'_, T>,
        parameters: &mut [T],
        mut inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        expect("the gradient of the quadratic", parameters.len(), 2 * self.dim)?;
        expect("the cotangent of the values", cotangent.value.len(), tape.value.len())?;
        let (d_q, d_p) = parameters.split_at_mut(self.dim);
        for (i, &z) in tape.points.iter().enumerate() {
            let (row, j) = (i / self.dim, i % self.dim);
            // Of the loss: b = ∂ℓ/∂u, c = ∂ℓ/∂(∇u).
            let (b, c) = (cotangent.value[row], cotangent.gradient.map_or(T::zero(), |c| c[i]));
            d_q[j] += b * T::of(0.5) * z * z + c * z;
            d_p[j] += b * z + c;
            if let Some(inputs) = inputs.as_deref_mut() {
                inputs[i] = b * (weights[j] * z + weights[self.dim + j]) + c * weights[j];
            }
        }
        Ok(())
    }
}

const LAMBDA: f64 = 0.5;
const MEAN: [f64; 2] = [1.5, -0.75];

const CONFIG: &str = r#"
kind = "flow"
name = "own-critic"
data = { kind = "array", scaling = "none" }   # ρ₀ = N(0, I) is meant in the unit of the data
flow = { horizon = 1.0, lambda = 0.5, steps = 2 }
representation = { kind = "network", hidden = [16, 16] }
[critic]
divergence = "kl-donsker-varadhan"
lipschitz = { method = "none" }
hidden = [1]    # not read: the network is given
[training]
iterations = 800
batch = 256
critic_updates = 3
average = 0.99
optimiser = { learning_rate = 3e-3, schedule = { kind = "cosine", end = 0.02 } }
critic_optimiser = { learning_rate = 1e-2, schedule = { kind = "cosine", end = 0.02 } }
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = stream(3, "shifted", 0);
    let normal = Array2::from_shape_simple_fn((20_000, 2), || StandardNormal.sample(&mut rng));
    let points: Array2<f64> = normal + &ndarray::aview1(&MEAN);

    let config = FlowConfig::parse(CONFIG, "own_critic", None, &[])?;
    let trained = Run::new(config).data(points).critic(Quadratic { dim: 2 }).train()?;

    let start = trained.model.initial(4000, 1)?;
    let shift = trained.model.push_forward(start.view(), 2, 1)? - &start;
    let found = shift.mean_axis(Axis(0)).ok_or("no samples")?;
    for (found, mean) in found.iter().zip(MEAN) {
        let exact = mean / (1.0 + LAMBDA);
        println!("shift {found:.3}, exact {exact:.3}");
        // Training by minibatches of 256 leaves a few hundredths.
        assert!((found - exact).abs() < 0.08, "the shift is {found}, not {exact}");
    }
    Ok(())
}
