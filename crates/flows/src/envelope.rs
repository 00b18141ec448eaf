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
    reason = "tips are packed and points cut to the shapes that are checked at the entries"
)]

use crate::FlowError;
use crate::error::{expect_length, expect_rows, positive, require};
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

/// Tips that are looked at together.
const LANES: usize = 32;
/// Points that are looked at together.
const ROWS: usize = 2;
/// Points of a piece of work.
const PIECE: usize = 64;

/// The parameters of an envelope, its tips packed: panels of [`LANES`] tips, coordinate by coordinate.
#[derive(Debug, Clone, Default)]
pub struct PackedTips<T> {
    parameters: Vec<T>,
    panels: Vec<T>,
    /// σ·b_k, and −∞ where a panel is filled up.
    heights: Vec<T>,
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
        let whole = self.tips.next_multiple_of(LANES);
        packed.parameters.clear();
        packed.parameters.extend_from_slice(parameters);
        packed.panels.clear();
        packed.panels.resize(whole * self.dim, T::zero());
        for (k, tip) in tips.chunks_exact(self.dim).enumerate() {
            let panel = &mut packed.panels[(k / LANES) * LANES * self.dim..];
            for (coordinates, &a) in panel.chunks_exact_mut(LANES).zip(tip) {
                coordinates[k % LANES] = a;
            }
        }
        packed.heights.clear();
        packed.heights.extend(heights.iter().map(|&b| self.sign::<T>() * b));
        packed.heights.resize(whole, T::neg_infinity());
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
        let works = works.map(|(points, tips)| Choose { dim: self.dim, slope, packed, points, tips });
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
struct Choose<'a, T> {
    dim: usize,
    slope: T,
    packed: &'a PackedTips<T>,
    points: &'a [T],
    tips: &'a mut [usize],
}

impl<T: Real> Vectorised for Choose<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self { dim, slope, packed, points, tips } = self;
        for (points, tips) in points.chunks(ROWS * dim).zip(tips.chunks_mut(ROWS)) {
            let mut rows = [points; ROWS];
            // The last point stands for those that there are not.
            for (row, points) in rows.iter_mut().zip(points.chunks_exact(dim)) {
                *row = points;
            }
            let mut best = [[T::neg_infinity(); LANES]; ROWS];
            let mut panel_of = [[0_u32; LANES]; ROWS];
            let panels = packed.panels.chunks_exact(LANES * dim).zip(packed.heights.chunks_exact(LANES));
            for (number, (panel, heights)) in (0_u32..).zip(panels) {
                let mut squares = [[T::zero(); LANES]; ROWS];
                for (j, tips) in panel.chunks_exact(LANES).enumerate() {
                    for (squares, x) in squares.iter_mut().zip(rows) {
                        for (square, &a) in squares.iter_mut().zip(tips) {
                            let gap = x[j] - a;
                            *square = gap.mul_add(gap, *square);
                        }
                    }
                }
                for ((squares, best), panel_of) in squares.iter().zip(&mut best).zip(&mut panel_of) {
                    let lanes = squares.iter().zip(heights).zip(best).zip(panel_of);
                    for (((&square, &height), best), panel_of) in lanes {
                        let score = height - slope * square.sqrt();
                        let better = score > *best;
                        *best = if better { score } else { *best };
                        *panel_of = if better { number } else { *panel_of };
                    }
                }
            }
            for ((tip, best), panel_of) in tips.iter_mut().zip(&best).zip(&panel_of) {
                let (mut lane, mut most) = (0, T::neg_infinity());
                for (other, &score) in best.iter().enumerate() {
                    if score > most {
                        (lane, most) = (other, score);
                    }
                }
                *tip = panel_of[lane] as usize * LANES + lane;
            }
        }
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
