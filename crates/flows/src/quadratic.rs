//! A quadratic form beside a network: q(x) = b·x + ½ xᵀSx, with S = ½(A + Aᵀ).
//!
//! Its parameters, A, [d, d], and then b, \[d\], begin at 0, so that a network is at first what it is without them. With
//! g = ∇q = b + Sx the value is ½ x·(b + g), and for cotangents v of q and w of ∇q, with u = ½ v·x + w,
//!
//! ∂ℓ/∂A = ½ Σ (u xᵀ + x uᵀ), ∂ℓ/∂b = Σ (v·x + w), ∂ℓ/∂x = v·g + S w.

use crate::FlowError;
use crate::convolution::retain;
use crate::error::{expect_length, expect_rows};
use crate::matrix::{AddProducts, Multiply, Panels, plain_dot};
use crate::parallel;
use crate::real::Real;

/// Points that one thread takes at a time.
const TILE: usize = 64;

/// The shape of q.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quadratic {
    dim: usize,
}

/// A quadratic form b·x + ½ xᵀSx.
#[derive(Debug, Clone, PartialEq)]
pub struct QuadraticPart<T> {
    /// S, symmetric, [d, d] row by row.
    pub matrix: Vec<T>,
    /// b, \[d\].
    pub linear: Vec<T>,
}

/// S, arranged for products, and b.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form<T> {
    matrix: Panels<T>,
    linear: Vec<T>,
}

/// A network with its form at a batch of points.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tape<T> {
    points: Vec<T>,
    /// ∇q, [n, d].
    slopes: Vec<T>,
    /// The network and q, \[n\].
    pub(crate) value: Vec<T>,
    /// The derivative of both, [n, d], of a jet.
    pub(crate) gradient: Vec<T>,
}

impl Quadratic {
    /// A form of points of `dim` numbers.
    pub(crate) fn new(dim: usize) -> Self {
        Self { dim }
    }

    /// Length of its parameters.
    pub(crate) fn parameter_count(self) -> usize {
        self.dim * (self.dim + 1)
    }

    /// Products of two numbers of one evaluation at one point.
    pub(crate) fn products(self) -> usize {
        self.dim * self.dim
    }

    /// The form at these parameters.
    pub(crate) fn part<T: Real>(self, parameters: &[T]) -> Result<QuadraticPart<T>, FlowError> {
        expect_length("the parameters of the quadratic part", parameters.len(), self.parameter_count())?;
        let (matrix, linear) = parameters.split_at(self.dim * self.dim);
        Ok(QuadraticPart { matrix: symmetric(matrix, self.dim), linear: linear.to_vec() })
    }

    pub(crate) fn arrange<T: Real>(self, parameters: &[T], form: &mut Form<T>) -> Result<(), FlowError> {
        let QuadraticPart { matrix, linear } = self.part(parameters)?;
        form.matrix.pack(&matrix, self.dim, self.dim);
        form.linear = linear;
        Ok(())
    }

    /// Adds q, and ∇q where it is not empty, to the `value` and the `gradient` of a network at `points`, into the tape.
    pub(crate) fn add<T: Real>(
        self,
        form: &Form<T>,
        points: &[T],
        (value, gradient): (&[T], &[T]),
        tape: &mut Tape<T>,
    ) -> Result<(), FlowError> {
        let rows = expect_rows("the points of the quadratic part", points.len(), self.dim)?;
        expect_length("the points of the quadratic part", rows, value.len())?;
        tape.points.clear();
        tape.points.extend_from_slice(points);
        self.products_with(form, points, &mut tape.slopes);
        for slopes in tape.slopes.chunks_exact_mut(self.dim) {
            slopes.iter_mut().zip(&form.linear).for_each(|(slope, &b)| *slope += b);
        }
        let half = T::of(0.5);
        let rows = points.chunks_exact(self.dim).zip(tape.slopes.chunks_exact(self.dim));
        tape.value.clear();
        tape.value.extend(
            value
                .iter()
                .zip(rows)
                .map(|(&u, (x, g))| u + half * (plain_dot(x, g) + plain_dot(x, &form.linear))),
        );
        tape.gradient.clear();
        tape.gradient.extend(gradient.iter().zip(&tape.slopes).map(|(&u, &q)| u + q));
        Ok(())
    }

    /// Adds what q gives to the derivatives in the parameters, and in the points where they are asked for.
    pub(crate) fn pull_back<T: Real>(
        self,
        form: &Form<T>,
        tape: &Tape<T>,
        (value, gradient): (&[T], Option<&[T]>),
        parameters: &mut [T],
        points: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        let (dim, half) = (self.dim, T::of(0.5));
        expect_length("the gradient of the quadratic part", parameters.len(), self.parameter_count())?;
        expect_length("the cotangent of the value", value.len(), tape.value.len())?;
        let (matrix, linear) = parameters.split_at_mut(dim * dim);
        let weighted = |factor: T| -> Vec<T> {
            let rows = tape.points.chunks_exact(dim).zip(value);
            rows.flat_map(|(x, &v)| x.iter().map(move |&x| factor * v * x)).collect()
        };
        let mut left = weighted(half);
        let mut sum = weighted(T::one());
        if let Some(gradient) = gradient {
            expect_length("the cotangent of the input gradient", gradient.len(), tape.points.len())?;
            left.iter_mut().zip(gradient).for_each(|(left, &w)| *left += w);
            sum.iter_mut().zip(gradient).for_each(|(sum, &w)| *sum += w);
        }
        for row in sum.chunks_exact(dim) {
            linear.iter_mut().zip(row).for_each(|(total, &part)| *total += part);
        }
        let mut outer = vec![T::zero(); dim * dim];
        simd::run(AddProducts { out: (&mut outer, dim), a: (&left, dim), b: (&tape.points, dim) });
        matrix.iter_mut().zip(symmetric(&outer, dim)).for_each(|(total, part)| *total += part);
        let Some(points) = points else { return Ok(()) };
        expect_length("the gradient of the points", points.len(), tape.points.len())?;
        let rows = points.chunks_exact_mut(dim).zip(tape.slopes.chunks_exact(dim)).zip(value);
        for ((out, slopes), &v) in rows {
            out.iter_mut().zip(slopes).for_each(|(out, &g)| *out += v * g);
        }
        if let Some(gradient) = gradient {
            let mut turned = Vec::new();
            self.products_with(form, gradient, &mut turned);
            points.iter_mut().zip(turned).for_each(|(out, part)| *out += part);
        }
        Ok(())
    }

    /// Sx of each row x.
    fn products_with<T: Real>(self, form: &Form<T>, rows: &[T], out: &mut Vec<T>) {
        out.resize(rows.len(), T::zero());
        let (dim, tile) = (self.dim, TILE * self.dim);
        let works = out.chunks_mut(tile).zip(rows.chunks(tile)).map(|(out, rows)| Multiply {
            out: (out, dim),
            a: (rows, dim),
            b: &form.matrix,
            finish: (),
        });
        parallel::run(rows.len() * dim, works.collect());
    }
}

impl<T: Real> Tape<T> {
    /// Keeps the points for which `keep` is true, in their order.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        for buffer in [&mut self.points, &mut self.slopes, &mut self.value, &mut self.gradient] {
            retain(buffer, keep);
        }
    }
}

/// ½(M + Mᵀ).
fn symmetric<T: Real>(matrix: &[T], dim: usize) -> Vec<T> {
    let half = T::of(0.5);
    let columns = (0..dim).flat_map(|row| matrix.iter().skip(row).step_by(dim));
    matrix.iter().zip(columns).map(|(&a, &b)| half * (a + b)).collect()
}
