//! Critics that are L-Lipschitz by construction.

use super::polar;
use crate::FlowError;
use crate::activation::Activation;
use crate::error::{expect_length, require};
use crate::mlp::Mlp;
use crate::real::Real;
use std::ops::Range;

/// A critic of orthonormal layers between absolute values, written as a ReLU network.
///
/// φ(x) = L·q·|Q_m·|…|Q₁x + c₁|…| + c_m| + c with ‖q‖ = 1 and every Q_l with orthonormal rows (or columns, where it is
/// taller than wide), so ‖∇φ‖ ≤ L for all parameters. The Jacobian of |·| is an isometry, and so is the way back
/// through orthonormal rows: slopes of L can be had at any depth, as with sorted groups but not with a ReLU alone
/// (Anil, Lucas & Grosse, arXiv 1811.05381, section 4).
///
/// Since |s| = s⁺ + (−s)⁺, a ReLU network of twice the widths says the same: the effective layers are
///
/// | layer | weight | bias |
/// | --- | --- | --- |
/// | first | [Q₁; −Q₁] | [c₁; −c₁] |
/// | hidden | [Q, Q; −Q, −Q] | [c; −c] |
/// | last | L·[q, q] | c |
///
/// What is trained is the first block of each weight and bias, Q and c; the rest of the buffer is zero and stays zero.
/// [`Orthonormal::orthonormalise`] brings Q back to an orthonormal matrix after every step of an optimiser, and
/// [`Orthonormal::pull_back`] gives the gradient along such matrices. An average of effective parameters keeps the
/// bound, since no singular value of an average of matrices exceeds their largest.
///
/// ```
/// use flows::{activation::Activation, lipschitz::Orthonormal, mlp::{Mlp, Output}};
/// let net = Mlp::new(1, &[2], Activation::Relu, Output::Identity)?;
/// let layers = Orthonormal::new(&net, 3.0)?;
/// let mut trained = [-7.0_f64, 0.0, 0.5, 0.0, 0.1, 0.0, 0.2];
/// layers.orthonormalise(&mut trained)?;
/// assert_eq!(trained, [-1.0, 0.0, 0.5, 0.0, 1.0, 0.0, 0.2]);
/// // φ(x) = 3·|−x + 0.5| + 0.2.
/// let effective = layers.effective(&trained)?;
/// let expected = [-1.0, 1.0, 0.5, -0.5, 3.0, 3.0, 0.2];
/// assert!(effective.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5));
/// # Ok::<(), flows::FlowError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Orthonormal {
    layers: Vec<Pairs>,
}

/// A layer whose units come in pairs s and −s.
#[derive(Debug, Clone, PartialEq)]
struct Pairs {
    /// Where the weight lies, and the length of its rows.
    weight: Range<usize>,
    input: usize,
    /// Where the bias lies.
    bias: Range<usize>,
    /// The shape of Q.
    rows: usize,
    columns: usize,
    /// The factor of Q: 1, in the last layer L.
    scale: f64,
}

impl Orthonormal {
    /// Prepares the layers of `net` for the Lipschitz constant `bound`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when the units of the network are not pairs of ReLUs.
    pub fn new(net: &Mlp, bound: f64) -> Result<Self, FlowError> {
        Self::validate(net.activation(), net.hidden())?;
        let last = net.layers().len().saturating_sub(1);
        let pairs = net.layers().iter().enumerate().map(|(l, layer)| Pairs {
            weight: layer.weight.clone(),
            input: layer.input,
            bias: layer.bias.clone(),
            rows: if l == last { layer.output } else { layer.output / 2 },
            columns: if l == 0 { layer.input } else { layer.input / 2 },
            scale: 1.0,
        });
        let mut layers: Vec<Pairs> = pairs.collect();
        // In single precision a Q of rank r is off by at most √r·ε/2 (Frobenius norm), and so is the slope. Four times
        // that covers the roundings of the network's own passes too.
        let rounding =
            |layer: &Pairs| (layer.rows.min(layer.columns) as f64).sqrt() * f64::from(f32::EPSILON);
        let slope = bound * (1.0 - 2.0 * layers.iter().map(rounding).sum::<f64>());
        if let Some(last) = layers.last_mut() {
            last.scale = slope;
        }
        Ok(Self { layers })
    }

    /// Checks that layers of these widths are pairs of ReLUs.
    pub(super) fn validate(activation: Activation, hidden: &[usize]) -> Result<(), FlowError> {
        require(
            activation == Activation::Relu,
            "activation",
            activation,
            "take relu for orthonormal layers, which make absolute values of pairs of ReLUs",
        )?;
        require(
            hidden.iter().all(|width| width % 2 == 0),
            "hidden",
            format_args!("{hidden:?}"),
            "give even widths for orthonormal layers, two ReLUs for each absolute value, such as [64, 64]",
        )
    }

    /// Replaces every Q by the nearest orthonormal matrix, its polar factor.
    ///
    /// Any numbers will do, such as initial ones; where a matrix lacks directions it gets some. O(h³) for width h.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are of another network.
    pub fn orthonormalise<T: Real>(&self, trained: &mut [T]) -> Result<(), FlowError> {
        self.expect("the trained parameters", trained.len())?;
        for layer in &self.layers {
            let Some(weight) = trained.get(layer.weight.clone()) else { continue };
            let mut q = layer.wide(layer.block(weight));
            polar::orthonormalise(&mut q, layer.rows.max(layer.columns));
            layer.store(q, trained);
            if let Some(rest) = trained.get_mut(layer.bias.clone()).and_then(|b| b.get_mut(layer.rows..)) {
                rest.fill(T::zero());
            }
        }
        Ok(())
    }

    /// The parameters that the network uses, from trained ones that are orthonormal.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are of another network.
    pub fn effective<T: Real>(&self, trained: &[T]) -> Result<Vec<T>, FlowError> {
        self.expect("the trained parameters", trained.len())?;
        let mut effective = vec![T::zero(); trained.len()];
        for layer in &self.layers {
            let rows = trained.get(layer.weight.clone()).unwrap_or_default().chunks_exact(layer.input);
            let doubled = effective.get_mut(layer.weight.clone()).unwrap_or_default();
            let doubled = doubled.chunks_exact_mut(layer.input).enumerate();
            for ((i, doubled), row) in doubled.zip(rows.take(layer.rows).cycle()) {
                let factor = T::of(layer.sign(i) * layer.scale);
                for half in doubled.chunks_exact_mut(layer.columns) {
                    half.iter_mut().zip(row).for_each(|(e, &q)| *e = factor * q);
                }
            }
            let offsets = trained.get(layer.bias.clone()).unwrap_or_default().iter().take(layer.rows);
            let doubled = effective.get_mut(layer.bias.clone()).unwrap_or_default().iter_mut().enumerate();
            for ((i, doubled), &c) in doubled.zip(offsets.cycle()) {
                *doubled = T::of(layer.sign(i)) * c;
            }
        }
        Ok(effective)
    }

    /// Turns a gradient in the effective parameters into one along orthonormal matrices, G − ½(GQᵀ + QGᵀ)Q for the sum
    /// G of the gradients of all places where Q stands: the derivative through [`Orthonormal::orthonormalise`].
    ///
    /// O(h³) for width h.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when one of the buffers is of another network.
    pub fn pull_back<T: Real>(&self, trained: &[T], gradient: &mut [T]) -> Result<(), FlowError> {
        self.expect("the trained parameters", trained.len())?;
        self.expect("the gradient", gradient.len())?;
        for layer in &self.layers {
            let range = layer.weight.clone();
            let (Some(weight), Some(doubled)) = (trained.get(range.clone()), gradient.get(range)) else {
                continue;
            };
            let mut folded = vec![T::zero(); layer.rows * layer.columns];
            for (i, doubled) in doubled.chunks_exact(layer.input).enumerate() {
                let factor = T::of(layer.sign(i) * layer.scale);
                let row = folded.chunks_exact_mut(layer.columns).nth(i % layer.rows).unwrap_or_default();
                for half in doubled.chunks_exact(layer.columns) {
                    row.iter_mut().zip(half).for_each(|(g, &half)| *g += factor * half);
                }
            }
            let mut g = layer.wide(folded);
            let q = layer.wide(layer.block(weight));
            polar::project(&q, &mut g, layer.rows.max(layer.columns));
            layer.store(g, gradient);
            let bias = gradient.get_mut(layer.bias.clone()).unwrap_or_default();
            if let Some((first, second)) = bias.split_at_mut_checked(layer.rows) {
                first.iter_mut().zip(&*second).for_each(|(g, &opposite)| *g -= opposite);
                second.fill(T::zero());
            }
        }
        Ok(())
    }

    fn expect(&self, what: &'static str, found: usize) -> Result<(), FlowError> {
        expect_length(what, found, self.layers.last().map_or(0, |layer| layer.bias.end))
    }
}

impl Pairs {
    /// 1 for the first unit of a pair, −1 for the second.
    fn sign(&self, row: usize) -> f64 {
        if row < self.rows { 1.0 } else { -1.0 }
    }

    /// The first block of a weight, row-major.
    fn block<T: Real>(&self, weight: &[T]) -> Vec<T> {
        let mut block = Vec::with_capacity(self.rows * self.columns);
        for row in weight.chunks_exact(self.input).take(self.rows) {
            block.extend_from_slice(row.get(..self.columns).unwrap_or_default());
        }
        block
    }

    /// Q itself, or Qᵀ where Q is taller than wide: the one whose rows are orthonormal.
    fn wide<T: Real>(&self, block: Vec<T>) -> Vec<T> {
        if self.rows <= self.columns {
            return block;
        }
        let mut wide = vec![T::zero(); block.len()];
        polar::transpose(&mut wide, &block, self.columns);
        wide
    }

    /// Writes the inverse of [`Pairs::wide`] into the first block of the weight in `buffer`, and zeros beside it.
    fn store<T: Real>(&self, wide: Vec<T>, buffer: &mut [T]) {
        let mut block = wide;
        if self.rows > self.columns {
            let wide = block.clone();
            polar::transpose(&mut block, &wide, self.rows);
        }
        let weight = buffer.get_mut(self.weight.clone()).unwrap_or_default();
        weight.fill(T::zero());
        for (row, block) in weight.chunks_exact_mut(self.input).zip(block.chunks_exact(self.columns)) {
            row.iter_mut().zip(block).for_each(|(w, &q)| *w = q);
        }
    }
}
