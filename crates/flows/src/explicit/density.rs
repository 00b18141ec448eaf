//! The law of the ends of an explicit flow: all particles that end at a point, and the volume change of each.

use super::flow::Explicit;
use crate::FlowError;
use crate::error::{array2, expect_columns, flat};
use crate::hessian::{jacobians, log_determinant};
use crate::matrix::plain_dot;
use crate::real::Real;
use faer::Mat;
use faer::linalg::solvers::Solve;
use ndarray::{Array1, Array2, ArrayView2};
use ot_core::neighbours::nearest_neighbours;

/// Points whose Hessians are held at once.
const CHUNK: usize = 256;
/// Particles from which the sheets over a point are searched: those that end nearest to it.
const NEAREST: usize = 12;
/// Dimensions in which the ends of a sample are near enough to any point to begin there.
const FEW_DIMENSIONS: usize = 10;
/// Newton's method doubles the digits of a particle that ends near its point.
const STEPS: usize = 12;
/// A step is no longer than this, in the scale of the initial points, so that it stays near its sheet.
const LONGEST: f64 = 0.3;
/// Halvings of a step that does not bring a particle nearer to its point.
const HALVINGS: usize = 4;
/// A particle ends at a point when it misses it by less.
const MISSED: f64 = 1e-9;
/// Two particles that end at one point are the same when they are nearer; Newton's method soon brings them there.
const APART: f64 = 1e-4;

/// Particles that end at given points.
#[derive(Debug, Clone, PartialEq)]
pub struct Sources<T> {
    /// Where they begin, [m, d].
    pub beginnings: Array2<T>,
    /// The row of the point that each ends at, \[m\].
    pub of: Vec<usize>,
    /// log |det ∂x_T/∂x| of each, \[m\].
    pub log_determinants: Array1<f64>,
}

impl<T: Real> Explicit<'_, T> {
    /// log |det ∂x_T/∂x| at the rows of `x`, [n, d], from the exact Hessian of the network.
    ///
    /// Complexity: k pullbacks of a gradient and O(k³) a point.
    ///
    /// # Errors
    /// [`FlowError::Specification`] where the ends lie in a plane of fewer dimensions, so that their law has no
    /// density.
    pub fn log_determinant(&mut self, x: ArrayView2<'_, T>) -> Result<Array1<f64>, FlowError> {
        expect_columns("the points", x, self.flow.affine().dim())?;
        let constant = self.volume()?;
        let inner = self.flow.affine().beginnings(&flat(x))?;
        let mut determinants = Vec::new();
        for points in inner.chunks(CHUNK * self.flow.affine().rank()) {
            for jacobian in jacobians(self.flow.network(), &self.weights, (points, self.flow.moved()), -1.0)?
            {
                determinants.push(constant + log_determinant(&jacobian)?);
            }
        }
        Ok(determinants.into())
    }

    /// The particles that end at the rows of `y`, [n, d]: the one that the search finds, and where the map folds, so that
    /// several end at one point, those that Newton's method finds from the nearest ends of `particles`, [m, d].
    ///
    /// The density of the ends at y is Σ ρ₀(x)/|det ∂x_T/∂x| over them. A fold whose particles are few among those given
    /// may be missed, and in more than 10 dimensions, where no end of a sample is near, all are: there the density is that of
    /// the particle which the search finds. Complexity: one search and a Newton step of k pullbacks and O(k³) a point, 12 to
    /// 144 of them and O(n·m·k) at most in few dimensions.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension, and as [`Explicit::log_determinant`].
    pub fn sources(
        &mut self,
        y: ArrayView2<'_, T>,
        particles: ArrayView2<'_, T>,
    ) -> Result<Sources<T>, FlowError> {
        let (affine, constant) = (self.flow.affine(), self.volume()?);
        let rank = affine.rank();
        expect_columns("the points", y, affine.dim())?;
        expect_columns("the particles", particles, affine.dim())?;
        let targets = affine.ends(&flat(y))?;
        let found = self.search(&targets)?;
        let (beginnings, near) = self.nearest(&targets, &flat(particles))?;
        let (mut inner, mut of, mut log_determinants) = (Vec::new(), Vec::new(), Vec::new());
        let rows = targets.chunks_exact(rank).zip(found.chunks_exact(rank));
        for (row, (target, found)) in rows.enumerate() {
            let starts = near.row(row).into_iter().filter_map(|&i| beginnings.get(i * rank..(i + 1) * rank));
            let mut starts: Vec<T> = found.iter().chain(starts.flatten()).copied().collect();
            let condition = target.get(self.flow.moved()..).unwrap_or(&[]);
            for start in starts.chunks_exact_mut(rank) {
                start.iter_mut().skip(self.flow.moved()).zip(condition).for_each(|(own, &c)| *own = c);
            }
            for (x, log_determinant) in self.roots(target, starts)? {
                inner.extend(x);
                of.push(row);
                log_determinants.push(constant + log_determinant);
            }
        }
        let beginnings = array2("the beginnings of the paths", affine.origins(&inner)?, affine.dim())?;
        Ok(Sources { beginnings, of, log_determinants: log_determinants.into() })
    }

    /// The change of volume of the affine coordinates.
    fn volume(&self) -> Result<f64, FlowError> {
        let affine = self.flow.affine();
        affine.log_determinant().ok_or_else(|| FlowError::on_a_plane(affine.rank(), affine.dim()))
    }

    /// x′ of the particles, and of each row y′ of `targets` the numbers of those that end nearest to it.
    fn nearest(&mut self, targets: &[T], particles: &[T]) -> Result<(Vec<T>, Array2<usize>), FlowError> {
        let rank = self.flow.affine().rank();
        let beginnings = self.flow.affine().beginnings(particles)?;
        let count = NEAREST.min(beginnings.len() / rank);
        if count == 0 || targets.is_empty() || self.flow.moved() > FEW_DIMENSIONS {
            return Ok((beginnings, Array2::zeros((targets.len() / rank, 0))));
        }
        let wide = |numbers: &[T]| {
            array2("the ends of the paths", numbers.iter().map(|x| x.wide()).collect::<Vec<f64>>(), rank)
        };
        let (targets, ends) = (wide(targets)?, wide(&self.images(&beginnings)?)?);
        let nearest = nearest_neighbours(targets.view(), ends.view(), count).map_err(|error| {
            FlowError::specification("the points whose density is asked for", error, "give finite points")
        })?;
        Ok((beginnings, nearest.indices))
    }

    /// By what the particles that begin at rows x′ of `starts` miss y′.
    fn misses(&mut self, target: &[T], starts: &[T]) -> Result<Vec<f64>, FlowError> {
        let images = self.images(starts)?;
        let rows = images.chunks_exact(target.len());
        Ok(rows.flat_map(|image| image.iter().zip(target).map(|(a, b)| a.wide() - b.wide())).collect())
    }

    /// The different x′ with x′ − ∇N(x′) = y′ that Newton's method reaches from rows of `starts`, the first of which is
    /// one, with log |det(I − ∇²N)|.
    fn roots(&mut self, target: &[T], mut starts: Vec<T>) -> Result<Vec<(Vec<T>, f64)>, FlowError> {
        let rank = self.flow.affine().rank();
        let scale = 1.0 + target.iter().fold(0.0, |most: f64, y| most.max(y.wide().abs()));
        // In single precision no particle ends at a point to MISSED.
        let missed = MISSED.max(16.0 * T::epsilon().wide()) * scale;
        let mut off = self.misses(target, &starts)?;
        for _ in 0..STEPS {
            if off.iter().all(|off| off.abs() < missed) {
                break;
            }
            let moved = self.flow.moved();
            let jacobians = jacobians(self.flow.network(), &self.weights, (&starts, moved), -1.0)?;
            let mut steps: Vec<f64> = off
                .chunks_exact(rank)
                .zip(jacobians)
                .flat_map(|(off, jacobian)| newton_step(&jacobian, off))
                .collect();
            // Where the Hessian changes within the step, only a part of it brings the end nearer.
            for _ in 0..=HALVINGS {
                let next: Vec<T> = starts.iter().zip(&steps).map(|(&x, &step)| x - T::of(step)).collect();
                let after = self.misses(target, &next)?;
                let rows = off.chunks_exact_mut(rank).zip(after.chunks_exact(rank));
                let rows = rows.zip(starts.chunks_exact_mut(rank).zip(next.chunks_exact(rank)));
                for (((off, after), (start, next)), step) in rows.zip(steps.chunks_exact_mut(rank)) {
                    if length(after) < length(off) {
                        off.copy_from_slice(after);
                        start.copy_from_slice(next);
                        step.fill(0.0);
                    }
                    step.iter_mut().for_each(|step| *step *= 0.5);
                }
            }
            starts = distinct(&starts, rank, APART * scale);
            off = self.misses(target, &starts)?;
        }
        let near = |off: &[f64]| off.iter().all(|off| off.abs() < missed);
        let rows = starts.chunks_exact(rank).zip(off.chunks_exact(rank)).enumerate();
        let kept: Vec<&[T]> =
            rows.filter(|(at, (_, off))| *at == 0 || near(off)).map(|(_, (x, _))| x).collect();
        let kept_rows = (&*kept.concat(), self.flow.moved());
        let jacobians = jacobians(self.flow.network(), &self.weights, kept_rows, -1.0)?;
        kept.into_iter()
            .zip(&jacobians)
            .map(|(x, jacobian)| Ok((x.to_vec(), log_determinant(jacobian)?)))
            .collect()
    }
}

/// (I − ∇²N)⁻¹ times what a particle misses its point by, shortened where it is long; 0 for its condition.
fn newton_step(jacobian: &Mat<f64>, off: &[f64]) -> Vec<f64> {
    let missed = Mat::from_fn(jacobian.nrows(), 1, |i, _| off.get(i).copied().unwrap_or_default());
    let mut step: Vec<f64> = jacobian.partial_piv_lu().solve(missed).col(0).iter().copied().collect();
    step.resize(off.len(), 0.0);
    let shorter = (LONGEST / length(&step)).min(1.0);
    step.into_iter().map(|step| shorter * step).collect()
}

fn length(step: &[f64]) -> f64 {
    plain_dot(step, step).sqrt()
}

/// Whether a coordinate differs by more than `most`, or is not finite.
fn far<T: Real>(a: &[T], b: &[T], most: f64) -> bool {
    !a.iter().zip(b).all(|(a, b)| (a.wide() - b.wide()).abs() <= most)
}

/// The rows that are not near an earlier one.
fn distinct<T: Real>(rows: &[T], rank: usize, apart: f64) -> Vec<T> {
    let mut kept: Vec<&[T]> = Vec::new();
    for row in rows.chunks_exact(rank) {
        if kept.iter().all(|other| far(row, other, apart)) {
            kept.push(row);
        }
    }
    kept.concat()
}
