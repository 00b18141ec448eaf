//! Pairs of laws whose optimal critic and whose W1 are known: what a critic learns can be compared with the truth.
#![allow(
    clippy::indexing_slicing,
    reason = "a funnel is the place of the least height, found among all of them"
)]

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::{fmt, str::FromStr};

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::read::NamedArrays;
use crate::{DataError, ReadError, SampleError, stream};

/// Where the centres and biases of [`Funnels`] come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FunnelSet {
    /// The benchmark of Korotin et al. (NeurIPS 2022, arXiv 2206.07767): 4, 16, 64 or 256 funnels in 2, 4, 8, …, 128
    /// dimensions. Its files are those of the authors.
    MinFunnels,
    /// As many as one likes, from a stream of their own, one for each number and dimension: the same for everyone, without
    /// any file. Centres are uniform in the cube, biases N(0, .1²).
    Random,
}

impl FunnelSet {
    /// Every set.
    pub const ALL: [Self; 2] = [Self::MinFunnels, Self::Random];

    /// The name used in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MinFunnels => "min-funnels",
            Self::Random => "random",
        }
    }

    /// The name of the laws of `count` funnels in tables.
    #[must_use]
    pub fn laws(self, count: usize) -> String {
        match self {
            Self::MinFunnels => format!("funnels-{count}"),
            Self::Random => format!("random-funnels-{count}"),
        }
    }

    /// The file that `count` funnels in dimension `dim` are read from, below the folder of the data sets; none of what is
    /// made here.
    #[must_use]
    pub fn file(self, count: usize, dim: usize, data_sets: &Path) -> Option<PathBuf> {
        (self == Self::MinFunnels).then(|| data_sets.join(FOLDER).join(format!("{dim}_{count}.pt")))
    }

    /// `count` funnels in R^`dim`, their file below the folder `data_sets` ([`crate::manifest::cache_root`]).
    ///
    /// # Errors
    /// [`DataError::NoPackage`] where the file is missing, which says where to get it; [`DataError::Read`] for one that is
    /// damaged; [`DataError::Sample`] for no funnel or no dimension.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use datasets::{FunnelSet, stream};
    /// let funnels = FunnelSet::Random.funnels(4, 3, "datasets/cache".as_ref())?;
    /// let (x, y) = funnels.pairs(100, &mut stream(0, "example", 0));
    /// assert_eq!((x.dim(), y.dim()), ((100, 3), (100, 3)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn funnels(self, count: usize, dim: usize, data_sets: &Path) -> Result<Funnels, DataError> {
        if count == 0 || dim == 0 {
            return Err(SampleError::Dimension { found: count.min(dim), least: 1 }.into());
        }
        let Some(file) = self.file(count, dim, data_sets) else {
            let mut rng = stream(count as u64, "funnels", dim as u64);
            let centres = uniform(count, dim, &mut rng);
            let biases = (0..count).map(|_| {
                let normal: f64 = StandardNormal.sample(&mut rng);
                BIAS * normal
            });
            return Ok(Funnels::new(centres, biases.collect()));
        };
        let read = |file: &Path| -> Result<Funnels, ReadError> {
            let arrays = NamedArrays::pt(file)?;
            Ok(Funnels::new(arrays.matrix("net.centers", [count, dim])?, arrays.vector("net.bias", count)?))
        };
        read(&file).map_err(|error| match error {
            ReadError::Missing { .. } => DataError::NoPackage {
                name: "the W1 benchmark",
                folder: data_sets.join(FOLDER),
                terms: TERMS,
            },
            error => error.into(),
        })
    }
}

/// The folder of the files of the benchmark below that of the data sets.
const FOLDER: &str = "w1-benchmark";
const TERMS: &str = "the files D_N.pt for N = 4, 16, 64, 256 funnels in D = 2, 4, 8, 16, 32, 64, 128 dimensions are those of the \
                     repository justkolesov/Wasserstein1Benchmark (MIT licence); random funnels need no file";
/// Half the side of the cube.
const HALF: f64 = 2.5;
/// Standard deviation of the biases that are made here.
const BIAS: f64 = 0.1;

impl fmt::Display for FunnelSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for FunnelSet {
    type Err = SampleError;

    fn from_str(name: &str) -> Result<Self, SampleError> {
        Self::ALL.into_iter().find(|set| set.name() == name).ok_or_else(|| SampleError::UnknownTarget {
            name: name.to_owned(),
            valid: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// Two laws P and Q on R^d with an optimal plan for the cost ‖x − y‖, and their optimal critic −u.
///
/// ```text
/// u(x) = minₙ ‖x − aₙ‖ + bₙ,        W1(P, Q) = E ‖x − y‖ = E_Q u − E_P u
/// ```
///
/// Q is uniform on the cube [−2.5, 2.5]^d. A point y of it lies in the funnel n where u(y) = ‖y − aₙ‖ + bₙ, at the share t of
/// the ray from aₙ through y, which ends where the funnel or the cube does; its x is the point at the share t⁸. So u falls
/// with slope 1 all the way from y to x, and a plan on which it does so is optimal, u being 1-Lipschitz.
///
/// Source: arXiv 2206.07767, section 4.
#[derive(Debug, Clone, PartialEq)]
pub struct Funnels {
    /// aₙ, [N, d].
    centres: Array2<f64>,
    /// bₙ.
    biases: Array1<f64>,
    /// ⟨aₙ, aₖ⟩.
    products: Array2<f64>,
}

/// Points that are looked at together.
const CHUNK: usize = 512;

impl Funnels {
    /// Funnels with these centres in the cube, [N, d], and biases, \[N\].
    fn new(centres: Array2<f64>, biases: Array1<f64>) -> Self {
        Self { products: centres.dot(&centres.t()), centres, biases }
    }

    /// The dimension d of both laws.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.centres.ncols()
    }

    /// `n` independent pairs (x, y) of the optimal plan, x of P and y of Q, both [n, d]. Complexity: O(n·N·d).
    #[must_use]
    pub fn pairs<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> (Array2<f64>, Array2<f64>) {
        let y = self.image(n, rng);
        let mut x = y.clone();
        let chunks = x.axis_chunks_iter_mut(Axis(0), CHUNK).zip(y.axis_chunks_iter(Axis(0), CHUNK));
        for (mut x, y) in chunks {
            let along = y.dot(&self.centres.t());
            for ((mut x, y), along) in x.rows_mut().into_iter().zip(y.rows()).zip(along.rows()) {
                self.pull(x.view_mut(), y, along);
            }
        }
        (x, y)
    }

    /// `n` independent points of P, [n, d].
    #[must_use]
    pub fn source<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Array2<f64> {
        self.pairs(n, rng).0
    }

    /// `n` independent points of Q, [n, d].
    #[must_use]
    pub fn image<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Array2<f64> {
        uniform(n, self.dim(), rng)
    }

    /// The optimal critic −u, \[n\], and its gradient −(x − aₙ)/‖x − aₙ‖, [n, d], at the rows of `x`.
    ///
    /// # Panics
    /// For points of another dimension.
    #[must_use]
    pub fn critic(&self, x: ArrayView2<'_, f64>) -> (Array1<f64>, Array2<f64>) {
        let along = x.dot(&self.centres.t());
        let mut values = Array1::zeros(x.nrows());
        let mut slopes = Array2::zeros(x.raw_dim());
        let rows = x.rows().into_iter().zip(along.rows());
        for (((x, along), value), mut slope) in rows.zip(&mut values).zip(slopes.rows_mut()) {
            let funnel = self.lowest(x.dot(&x), along);
            let away = &x - &self.centres.row(funnel);
            let length = away.dot(&away).sqrt();
            *value = -(length + self.biases[funnel]);
            slope.assign(&(away / -length.max(f64::MIN_POSITIVE)));
        }
        (values, slopes)
    }

    /// The funnel of a point, from its squared length and its products with the centres.
    fn lowest(&self, square: f64, along: ArrayView1<'_, f64>) -> usize {
        let heights = along.iter().zip(&self.biases).zip(self.products.diag());
        let heights = heights.map(|((along, bias), centre)| distance(square, *along, *centre) + bias);
        heights.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(funnel, _)| funnel)
    }

    /// Moves x = y, whose products with the centres are `along`, to the share t⁸ of its ray.
    fn pull(
        &self,
        mut x: ndarray::ArrayViewMut1<'_, f64>,
        y: ArrayView1<'_, f64>,
        along: ArrayView1<'_, f64>,
    ) {
        let square = y.dot(&y);
        let funnel = self.lowest(square, along);
        let away = &y - &self.centres.row(funnel);
        let length = away.dot(&away).sqrt();
        if length == 0.0 {
            return;
        }
        let to_face = |(y, away): (&f64, &f64)| {
            let face = if *away > 0.0 { HALF - y } else { -HALF - y };
            if *away == 0.0 { f64::INFINITY } else { face * length / away }
        };
        let mut rest = y.iter().zip(&away).map(to_face).fold(f64::INFINITY, f64::min);
        let height = length + self.biases[funnel];
        // ⟨·, v⟩ of y and of the centres, v = (y − aₙ)/‖y − aₙ‖.
        let ahead = (square - along[funnel]) / length;
        let borders = along.iter().zip(self.products.row(funnel)).zip(self.products.diag()).zip(&self.biases);
        for (other, (((along, product), centre), bias)) in borders.enumerate() {
            let level = height - bias;
            let apart = distance(square, *along, *centre);
            let slope = ahead - (along - product) / length;
            // ‖y + r·v − aₖ‖ = δ + r of the height δ over bₖ.
            let r = 0.5 * (apart * apart - level * level) / (level - slope);
            if other != funnel && r > 0.0 && r > -level {
                rest = rest.min(r);
            }
        }
        let whole = length + rest;
        let share = (length / whole).powi(8) * whole / length;
        x.assign(&(&self.centres.row(funnel) + &(away * share)));
    }
}

/// ‖y − a‖ from ‖y‖², ⟨y, a⟩ and ‖a‖².
fn distance(square: f64, along: f64, centre: f64) -> f64 {
    (square - 2.0 * along + centre).max(0.0).sqrt()
}

/// Points that are uniform in the cube, [n, dim].
fn uniform<R: Rng + ?Sized>(n: usize, dim: usize, rng: &mut R) -> Array2<f64> {
    Array2::from_shape_fn((n, dim), |_| rng.random_range(-HALF..HALF))
}
