//! The networks of the W2 benchmark of Korotin et al.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::ReadError;
use crate::read::NamedArrays;

/// T(x) = (∇ψ₁(x) + ∇ψ₂(x) − shift)/scale of two input convex networks.
#[derive(Debug, Clone)]
pub(super) struct Mix3ToMix10 {
    networks: [InputConvex; 2],
    shift: Array1<f64>,
    scale: f64,
}

impl Mix3ToMix10 {
    pub(super) fn new(
        [first, second]: &[NamedArrays; 2],
        pair: &NamedArrays,
        dim: usize,
    ) -> Result<Self, ReadError> {
        Ok(Self {
            networks: [InputConvex::new(first, dim)?, InputConvex::new(second, dim)?],
            shift: pair.vector("shift", dim)?,
            scale: pair.number("scale")?,
        })
    }

    pub(super) fn gradient(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let [first, second] = &self.networks;
        (first.gradient(x) + second.gradient(x) - &self.shift) / self.scale
    }

    pub(super) fn potential(&self, x: ArrayView2<'_, f64>) -> Array1<f64> {
        let [first, second] = &self.networks;
        (first.potential(x) + second.potential(x) - x.dot(&self.shift)) / self.scale
    }
}

/// ψ(x) = ⟨f, h₂⟩ + ½·.01·‖x‖² with h₀ = r₀(x), hᵢ = CELU(Cᵢhᵢ₋₁ + rᵢ(x)) and rᵢ(x) = (xAᵢ)² + Wᵢx + bᵢ, the square in each
/// unit; convex where Cᵢ, f ≥ 0.
///
/// Source: arXiv 2106.01954, appendix B.1 (`DenseICNN`).
#[derive(Debug, Clone)]
pub(super) struct InputConvex {
    /// Aᵢ, Wᵢᵀ and bᵢ.
    readers: [Reader; 3],
    /// Cᵢ.
    mixers: [Array2<f64>; 2],
    /// f.
    output: Array1<f64>,
}

/// Weight of ½‖x‖².
const STRENGTH: f64 = 0.01;

#[derive(Debug, Clone)]
struct Reader {
    squared: Array2<f64>,
    linear: Array2<f64>,
    bias: Array1<f64>,
}

impl Reader {
    /// xA and r(x).
    fn read(&self, x: ArrayView2<'_, f64>) -> (Array2<f64>, Array2<f64>) {
        let factors = x.dot(&self.squared);
        let value = &factors * &factors + x.dot(&self.linear) + &self.bias;
        (factors, value)
    }

    /// Σ gⱼ·∇rⱼ(x) of weights g.
    fn pull_back(&self, factors: &Array2<f64>, weights: &Array2<f64>) -> Array2<f64> {
        (factors * weights * 2.0).dot(&self.squared.t()) + weights.dot(&self.linear.t())
    }
}

impl InputConvex {
    pub(super) fn new(arrays: &NamedArrays, dim: usize) -> Result<Self, ReadError> {
        let width = |i: usize| arrays.shape(&format!("quadratic_layers.{i}.bias")).first().copied();
        let widths = [0, 1, 2].map(|i| width(i).unwrap_or_default());
        let reader = |i: usize, width: usize| -> Result<Reader, ReadError> {
            let name = |part: &str| format!("quadratic_layers.{i}.{part}");
            let squared = arrays.matrices(&name("quadratic_decomposed"), [dim, 1, width])?;
            Ok(Reader {
                squared: squared.index_axis_move(Axis(1), 0).as_standard_layout().into_owned(),
                linear: arrays.matrix(&name("weight"), [width, dim])?.reversed_axes(),
                bias: arrays.vector(&name("bias"), width)?,
            })
        };
        let [first, second, third] = widths;
        let output = arrays.matrix("final_layer.weight", [1, third])?.index_axis_move(Axis(0), 0);
        Ok(Self {
            readers: [reader(0, first)?, reader(1, second)?, reader(2, third)?],
            mixers: [
                arrays.matrix("convex_layers.0.weight", [second, first])?,
                arrays.matrix("convex_layers.1.weight", [third, second])?,
            ],
            output,
        })
    }

    fn potential(&self, x: ArrayView2<'_, f64>) -> Array1<f64> {
        let ([first, second, third], [mix, last]) = (&self.readers, &self.mixers);
        let (_, h) = first.read(x);
        let h = (h.dot(&mix.t()) + second.read(x).1).mapv(celu);
        let h = (h.dot(&last.t()) + third.read(x).1).mapv(celu);
        h.dot(&self.output) + x.map_axis(Axis(1), |x| x.dot(&x)) * (0.5 * STRENGTH)
    }

    fn gradient(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let ([first, second, third], [mix, last]) = (&self.readers, &self.mixers);
        let (factors, h) = first.read(x);
        let (second_factors, added) = second.read(x);
        let before = h.dot(&mix.t()) + added;
        let (third_factors, added) = third.read(x);
        let last_before = before.mapv(celu).dot(&last.t()) + added;
        let weights = last_before.mapv(celu_slope) * &self.output;
        let mut gradient = third.pull_back(&third_factors, &weights);
        let weights = weights.dot(last) * before.mapv(celu_slope);
        gradient += &second.pull_back(&second_factors, &weights);
        gradient += &first.pull_back(&factors, &weights.dot(mix));
        gradient.scaled_add(STRENGTH, &x);
        gradient
    }
}

/// max(0, x) + min(0, eˣ − 1).
fn celu(x: f64) -> f64 {
    if x > 0.0 { x } else { x.exp_m1() }
}

fn celu_slope(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { x.exp() }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};
    use rand::RngExt;
    use rand_distr::StandardNormal;

    use super::{InputConvex, Reader};
    use crate::stream;

    /// ψ of one point, unit by unit as the formula is written.
    fn by_hand(network: &InputConvex, x: &[f64]) -> f64 {
        let read = |reader: &Reader, unit: usize| {
            let dot =
                |matrix: &Array2<f64>| -> f64 { x.iter().zip(matrix.column(unit)).map(|(x, w)| x * w).sum() };
            dot(&reader.squared).powi(2) + dot(&reader.linear) + reader.bias[unit]
        };
        let mut h: Vec<f64> = (0..3).map(|unit| read(&network.readers[0], unit)).collect();
        for layer in 1..3 {
            let mixed = |unit: usize| -> f64 {
                h.iter().zip(network.mixers[layer - 1].row(unit)).map(|(h, c)| h * c).sum()
            };
            let units = 0..network.mixers[layer - 1].nrows();
            let z: Vec<f64> = units.map(|unit| mixed(unit) + read(&network.readers[layer], unit)).collect();
            h = z.iter().map(|&z| z.max(0.0) + (z.exp() - 1.0).min(0.0)).collect();
        }
        let output: f64 = h.iter().zip(&network.output).map(|(h, f)| h * f).sum();
        output + 0.005 * x.iter().map(|x| x * x).sum::<f64>()
    }

    #[test]
    fn the_potential_is_the_formula_and_the_map_its_slope() {
        let mut rng = stream(1, "network", 0);
        let mut matrix = |rows, columns, least: f64| {
            Array2::from_shape_fn((rows, columns), |_| rng.sample::<f64, _>(StandardNormal).max(least))
        };
        let mut reader = |width| Reader {
            squared: matrix(2, width, f64::MIN),
            linear: matrix(2, width, f64::MIN),
            bias: matrix(1, width, f64::MIN).row(0).to_owned(),
        };
        let readers = [reader(3), reader(4), reader(2)];
        let (mixers, output) = ([matrix(4, 3, 0.0), matrix(2, 4, 0.0)], Array1::from(vec![0.7, 0.2]));
        let network = InputConvex { readers, mixers, output };
        let x = matrix(20, 2, f64::MIN) * 0.5;
        let (values, slopes) = (network.potential(x.view()), network.gradient(x.view()));
        for ((x, value), slope) in x.rows().into_iter().zip(values).zip(slopes.rows()) {
            let x = x.to_vec();
            // Sums of a dozen numbers.
            assert!((value - by_hand(&network, &x)).abs() < 1e-12 * (1.0 + value.abs()));
            for j in 0..2 {
                let h = 1e-6;
                let [mut up, mut down] = [x.clone(), x.clone()];
                up[j] += h;
                down[j] -= h;
                let difference = (by_hand(&network, &up) - by_hand(&network, &down)) / (2.0 * h);
                // Central differences: h² times third derivatives, and rounding of ψ over h.
                assert!((slope[j] - difference).abs() < 1e-6 * (1.0 + value.abs()), "{slope} {difference}");
            }
        }
    }
}
