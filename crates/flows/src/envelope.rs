//! The Lipschitz envelope of finitely many points: a critic that is L-Lipschitz by construction, of slope L almost everywhere.
//!
//! ```text
//! lower:  f(x) = max_k b_k − L·‖x − a_k‖        upper:  f(x) = min_k b_k + L·‖x − a_k‖
//! ```
//!
//! It is the Hopf–Lax formula of the cost L‖x − y‖, whose infimum over y is taken at the K tips a_k alone; in the upper form
//! McShane's extension of values b_k at the tips, in the lower one Whitney's. Every L-Lipschitz function is a limit of such
//! envelopes as K grows, an optimal critic of W1 has slope L along the rays of the plan, and ∇f is a closed form.
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "tips are packed and points cut to the shapes that are checked at the entries; lanes are unrolled into registers"
)]

use crate::FlowError;
use crate::error::{expect_length, expect_rows, positive, require};
use crate::matrix::{Finish, Multiply, Panels, dot};
use crate::mlp::{Cotangent, Order};
use crate::parallel;
use crate::real::Real;
use crate::scalar_field::{Evaluation, PointTape, ScalarField};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use simd::{Instructions, Vectorised};

/// On which side of its tips' cones the envelope lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// f = max_k b_k − L‖x − a_k‖: the least L-Lipschitz function above the tips, whose peaks they are.
    #[default]
    Lower,
    /// f = min_k b_k + L‖x − a_k‖: the greatest L-Lipschitz function below the tips, whose pits they are.
    Upper,
}

/// The shape of an envelope on R^dim; its parameters are the tips a_1, …, a_K, one after the other, and then b_1, …, b_K.
///
/// ```
/// use flows::envelope::{Envelope, Side};
/// use flows::scalar_field::ScalarField;
/// let envelope = Envelope::new(1, 2, 1.0, Side::Upper)?;
/// // min(|x|, |x − 3| + 1) at x = 2.5.
/// let (value, slope) = envelope.at(&[0.0, 3.0, 0.0, 1.0], ndarray::array![[2.5]].view())?;
/// assert_eq!((value[0], slope[[0, 0]]), (1.5, -1.0));
/// # Ok::<(), flows::FlowError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    dim: usize,
    tips: usize,
    bound: f64,
    side: Side,
}

impl Envelope {
    /// An envelope of `tips` cones of slope `bound` = L.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for no dimension, no tip or no slope.
    pub fn new(dim: usize, tips: usize, bound: f64, side: Side) -> Result<Self, FlowError> {
        require(dim >= 1, "the dimension of the points", dim, "give points of one coordinate or more")?;
        require(tips >= 1, "tips", tips, "give at least 1")?;
        positive("bound", bound)?;
        Ok(Self { dim, tips, bound, side })
    }

    /// The number of tips K.
    pub fn tips(&self) -> usize {
        self.tips
    }

    /// Its slope L.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// On which side of the cones it lies.
    pub fn side(&self) -> Side {
        self.side
    }

    /// 1 below the cones, −1 above them: f = σ·max_k(σ·b_k − L‖x − a_k‖).
    fn sign<T: Real>(&self) -> T {
        match self.side {
            Side::Lower => T::one(),
            Side::Upper => -T::one(),
        }
    }
}

/// Points of a piece of work.
const PIECE: usize = 48;

/// The parameters of an envelope, its tips packed for products with points.
#[derive(Debug, Clone)]
pub struct PackedTips<T> {
    parameters: Vec<T>,
    /// a_kᵀ.
    tips: Panels<T>,
    /// ‖a_k‖².
    squares: Vec<T>,
    /// σ·b_k.
    heights: Vec<T>,
}

impl<T: Real> Default for PackedTips<T> {
    fn default() -> Self {
        Self { parameters: Vec::new(), tips: Panels::new(), squares: Vec::new(), heights: Vec::new() }
    }
}

/// An evaluation of an envelope: the points, what was found there, and the tip of each point.
#[derive(Debug, Clone, Default)]
pub struct EnvelopeTape<T> {
    points: PointTape<T>,
    /// x − a_k of the tip k that is taken at each point, [n, d].
    away: Vec<T>,
    /// Its length.
    length: Vec<T>,
    tip: Vec<usize>,
}

impl<T: Real> Evaluation<T> for EnvelopeTape<T> {
    fn value(&self) -> &[T] {
        self.points.value()
    }

    fn gradient(&self) -> &[T] {
        self.points.gradient()
    }

    fn retain(&mut self, keep: &[bool]) -> Result<(), FlowError> {
        let dim = self.away.len() / self.length.len().max(1);
        self.points.retain(keep)?;
        let mut rows = keep.iter().flat_map(|&keep| std::iter::repeat_n(keep, dim));
        self.away.retain(|_| rows.next().unwrap_or(false));
        let (mut lengths, mut tips) = (keep.iter(), keep.iter());
        self.length.retain(|_| lengths.next().is_some_and(|keep| *keep));
        self.tip.retain(|_| tips.next().is_some_and(|keep| *keep));
        Ok(())
    }
}

impl ScalarField for Envelope {
    type Weights<T: Real> = PackedTips<T>;
    type Tape<T: Real> = EnvelopeTape<T>;

    fn input(&self) -> usize {
        self.dim
    }

    fn parameter_count(&self) -> usize {
        self.tips * (self.dim + 1)
    }

    /// Tips of N(0, I) at the height 0; a training begins at points of its laws.
    fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T> {
        let tips = 0..self.tips * self.dim;
        let mut parameters: Vec<T> = tips.map(|_| T::of(StandardNormal.sample(rng))).collect();
        parameters.resize(self.parameter_count(), T::zero());
        parameters
    }

    fn arrange<T: Real>(&self, parameters: &[T], packed: &mut PackedTips<T>) -> Result<(), FlowError> {
        expect_length("the parameters of the envelope", parameters.len(), self.parameter_count())?;
        let (tips, heights) = parameters.split_at(self.tips * self.dim);
        packed.parameters.clear();
        packed.parameters.extend_from_slice(parameters);
        packed.tips.pack_transposed(tips, self.dim, self.tips);
        packed.squares.clear();
        packed.squares.extend(tips.chunks_exact(self.dim).map(|tip| dot(tip, tip)));
        packed.heights.clear();
        packed.heights.extend(heights.iter().map(|&b| self.sign::<T>() * b));
        Ok(())
    }

    /// Complexity: O(n·K·d).
    fn evaluate<T: Real>(
        &self,
        packed: &PackedTips<T>,
        points: &[T],
        order: Order,
        tape: &mut EnvelopeTape<T>,
    ) -> Result<(), FlowError> {
        let count = expect_rows("the points", points.len(), self.dim)?;
        expect_length("the arranged tips", packed.parameters.len(), self.parameter_count())?;
        tape.tip.clear();
        tape.tip.resize(count, 0);
        let slope = T::of(self.bound);
        let works = points.chunks(PIECE * self.dim).zip(tape.tip.chunks_mut(PIECE));
        let works = works.map(|(points, tips)| Choose { slope, packed, points, tips });
        parallel::run(count * self.tips * self.dim, works.collect());

        let (tips, heights) = packed.parameters.split_at(self.tips * self.dim);
        let sign = self.sign::<T>();
        tape.points = PointTape { points: points.to_vec(), ..PointTape::default() };
        tape.away.clear();
        tape.length.clear();
        for (x, &k) in points.chunks_exact(self.dim).zip(&tape.tip) {
            let first = tape.away.len();
            tape.away.extend(x.iter().zip(&tips[k * self.dim..]).map(|(&x, &a)| x - a));
            let length = tape.away[first..].iter().map(|&gap| gap * gap).sum::<T>().sqrt();
            tape.length.push(length);
            tape.points.value.push(heights[k] - sign * slope * length);
            if order == Order::Jet {
                // ∇f = −σL·(x − a)/‖x − a‖, and 0 at a tip.
                let factor = if length > T::zero() { -sign * slope / length } else { T::zero() };
                tape.points.gradient.extend(tape.away[first..].iter().map(|&gap| factor * gap));
            }
        }
        Ok(())
    }

    fn pull_back<T: Real>(
        &self,
        packed: &PackedTips<T>,
        tape: &mut EnvelopeTape<T>,
        cotangent: Cotangent<'_, T>,
        parameters: &mut [T],
        mut inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        expect_length("the arranged tips", packed.parameters.len(), self.parameter_count())?;
        expect_length("the gradient of the envelope", parameters.len(), self.parameter_count())?;
        expect_length("the cotangent of the values", cotangent.value.len(), tape.tip.len())?;
        if let Some(slopes) = cotangent.gradient {
            expect_length("the cotangent of the gradients", slopes.len(), tape.away.len())?;
        }
        if let Some(inputs) = inputs.as_deref_mut() {
            expect_length("the gradient in the points", inputs.len(), tape.away.len())?;
            inputs.fill(T::zero());
        }
        let (tips, heights) = parameters.split_at_mut(self.tips * self.dim);
        let factor = self.sign::<T>() * T::of(self.bound);
        let rows = tape.away.chunks_exact(self.dim).zip(&tape.length).zip(&tape.tip).zip(cotangent.value);
        for (row, (((away, &length), &k), &c)) in rows.enumerate() {
            heights[k] += c;
            if length <= T::zero() {
                continue;
            }
            let place = row * self.dim..(row + 1) * self.dim;
            let slopes = cotangent.gradient.map(|slopes| &slopes[place.clone()]);
            // With v = (x − a)/r: ∂f/∂a = σL·v, and ∂⟨g, ∇f⟩/∂a = σL·(g − ⟨g, v⟩v)/r; in x the negative of both.
            let along = slopes.map_or(T::zero(), |g| g.iter().zip(away).map(|(&g, &gap)| g * gap).sum::<T>());
            let along = (c - along / (length * length)) / length;
            for (j, &gap) in away.iter().enumerate() {
                let across = slopes.map_or(T::zero(), |g| g[j] / length);
                let d_tip = factor * (along * gap + across);
                tips[k * self.dim + j] += d_tip;
                if let Some(inputs) = inputs.as_deref_mut() {
                    inputs[place.start + j] -= d_tip;
                }
            }
        }
        Ok(())
    }
}

/// The tips with the largest σ·b_k − L‖x − a_k‖ of some points.
///
/// Only which tip that is comes from ‖x‖² − 2⟨x, a_k⟩ + ‖a_k‖², whose rounding can prefer one that is next to it.
struct Choose<'a, T> {
    slope: T,
    packed: &'a PackedTips<T>,
    points: &'a [T],
    tips: &'a mut [usize],
}

impl<T: Real> Vectorised for Choose<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { slope, packed, points, tips } = self;
        let (dim, count) = (points.len() / tips.len(), packed.heights.len());
        let mut products = vec![T::zero(); tips.len() * count];
        let finish = Highest { slope, packed, points, dim, tips };
        instructions.run(Multiply { out: (&mut products, count), a: (points, dim), b: &packed.tips, finish });
    }
}

/// Scores that are compared side by side.
const LANES: usize = 16;

/// Looks for the highest cone of each point while its products with the tips are near the core.
struct Highest<'a, T> {
    slope: T,
    packed: &'a PackedTips<T>,
    points: &'a [T],
    dim: usize,
    tips: &'a mut [usize],
}

impl<T: Real> Finish<T> for Highest<'_, T> {
    #[inline(always)]
    fn finish(&mut self, start: usize, rows: &mut [T]) {
        let count = self.packed.heights.len();
        for (row, products) in rows.chunks_exact(count).enumerate() {
            let row = start / count + row;
            let x = &self.points[row * self.dim..][..self.dim];
            self.tips[row] = self.of(dot(x, x), products);
        }
    }
}

impl<T: Real> Highest<'_, T> {
    /// The highest cone over a point of this squared length.
    #[inline(always)]
    fn of(&self, square: T, products: &[T]) -> usize {
        let score = |product: T, centre: T, height: T| {
            let apart = (square + centre) - (product + product);
            let apart = if apart > T::zero() { apart } else { T::zero() };
            height - self.slope * apart.sqrt()
        };
        let (products, rest) = products.as_chunks::<LANES>();
        let (squares, rest_squares) = self.packed.squares.as_chunks::<LANES>();
        let (heights, rest_heights) = self.packed.heights.as_chunks::<LANES>();
        let mut best = [T::neg_infinity(); LANES];
        let mut chunk_of = [0_u32; LANES];
        for (chunk, ((products, squares), heights)) in
            (0_u32..).zip(products.iter().zip(squares).zip(heights))
        {
            for lane in 0..LANES {
                let score = score(products[lane], squares[lane], heights[lane]);
                let better = score > best[lane];
                best[lane] = if better { score } else { best[lane] };
                chunk_of[lane] = if better { chunk } else { chunk_of[lane] };
            }
        }
        let (mut tip, mut most) = (0, T::neg_infinity());
        for lane in 0..LANES {
            if best[lane] > most {
                (tip, most) = (chunk_of[lane] as usize * LANES + lane, best[lane]);
            }
        }
        let rest = rest.iter().zip(rest_squares).zip(rest_heights);
        for (k, ((&product, &square), &height)) in rest.enumerate() {
            let score = score(product, square, height);
            if score > most {
                (tip, most) = (products.len() * LANES + k, score);
            }
        }
        tip
    }
}

/// An envelope as a configuration describes it, from which [`EnvelopeDescription::build`] makes it in any dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeDescription {
    /// The number of tips K.
    pub tips: usize,
    /// On which side of the cones it lies.
    #[serde(default)]
    pub side: Side,
    /// The bound L, which is its slope.
    #[serde(default = "one")]
    pub bound: f64,
}

impl EnvelopeDescription {
    /// The envelope on R^`dim`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a value outside its domain.
    pub fn build(&self, dim: usize) -> Result<Envelope, FlowError> {
        Envelope::new(dim, self.tips, self.bound, self.side)
    }
}

fn one() -> f64 {
    1.0
}
