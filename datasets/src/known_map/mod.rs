//! Pairs of laws whose optimal map is known: what a solver learns can be compared with the truth point by point.

mod affine;
mod input_convex;
mod log_sum_exp;
mod mixture;
mod orthogonal;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::{fmt, str::FromStr};

use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::read::NamedArrays;
use crate::{DataError, ReadError, SampleError, stream};
use affine::PiecewiseAffine;
use input_convex::Mix3ToMix10;
use log_sum_exp::LogSumExp;
use mixture::Mixture;

/// A law P on R^d with a map T = ∇ψ of a convex ψ: T is the optimal map from P onto its image Q = T#P for the cost ½‖x − y‖²
/// (Brenier), and everyone can compare theirs with it.
///
/// The last three are made from a stream of their own, one for each dimension: the same for everyone, without any file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownMap {
    /// The benchmark of Korotin et al. (NeurIPS 2021, arXiv 2106.01954): a mixture of 3 Gaussians, moved by the gradients of
    /// two input convex networks; d = 2, 4, 8, …, 128. Its files are those of the authors.
    #[serde(rename = "mix3-to-mix10")]
    Mix3ToMix10,
    /// ψ = max of four convex quadratics, P = N(0, I): T jumps between four affine maps (in the spirit of arXiv 2506.05526,
    /// section 4.2).
    PiecewiseAffine,
    /// ψ = .3·½‖x‖² + .5·log Σ exp((⟨aₖ, x⟩ + bₖ)/.5) over ten directions of length 2, P = N(0, I).
    LogSumExp,
    /// A Gaussian with correlations, moved by an affine map.
    Gaussian,
}

impl KnownMap {
    /// Every map, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Mix3ToMix10, Self::PiecewiseAffine, Self::LogSumExp, Self::Gaussian];

    /// The name used in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mix3ToMix10 => "mix3-to-mix10",
            Self::PiecewiseAffine => "piecewise-affine",
            Self::LogSumExp => "log-sum-exp",
            Self::Gaussian => "gaussian",
        }
    }

    /// The files that the map in dimension `dim` is read from, below the folder of the data sets; none of what is made here.
    #[must_use]
    pub fn files(self, dim: usize, data_sets: &Path) -> Vec<PathBuf> {
        match self {
            Self::Mix3ToMix10 => {
                let names = ["v1.pt", "v2.pt", "pair.npz"].map(|name| format!("{dim}_{name}"));
                names.into_iter().map(|name| data_sets.join(FOLDER).join(name)).collect()
            }
            Self::PiecewiseAffine | Self::LogSumExp | Self::Gaussian => Vec::new(),
        }
    }

    /// The pair of laws in R^`dim`, its files below the folder `data_sets` ([`crate::manifest::cache_root`]).
    ///
    /// # Errors
    /// [`DataError::NoPackage`] where a file is missing, which says where to get it; [`DataError::Read`] for one that is
    /// damaged; [`DataError::Sample`] for a dimension of 0.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use datasets::{KnownMap, stream};
    /// let pair = KnownMap::Gaussian.pair(3, "datasets/cache".as_ref())?;
    /// let x = pair.source(100, &mut stream(0, "example", 0));
    /// assert_eq!(pair.map(x.view()).dim(), (100, 3));
    /// # Ok(())
    /// # }
    /// ```
    pub fn pair(self, dim: usize, data_sets: &Path) -> Result<KnownPair, DataError> {
        if dim == 0 {
            return Err(SampleError::Dimension { found: dim, least: 1 }.into());
        }
        let mut rng = stream(0, self.name(), dim as u64);
        let (source, map) = match self {
            Self::Mix3ToMix10 => {
                let files = self.files(dim, data_sets);
                let (source, map) = mix3_to_mix10(&files, dim).map_err(|error| match error {
                    ReadError::Missing { .. } => {
                        let folder = data_sets.join(FOLDER);
                        DataError::NoPackage { name: "the W2 benchmark", folder, terms: TERMS }
                    }
                    error => error.into(),
                })?;
                (source, Map::Mix3ToMix10(Box::new(map)))
            }
            Self::PiecewiseAffine => {
                (Mixture::standard(dim), Map::PiecewiseAffine(PiecewiseAffine::draw(dim, 4, &mut rng)))
            }
            Self::LogSumExp => (Mixture::standard(dim), Map::LogSumExp(LogSumExp::draw(dim, &mut rng))),
            Self::Gaussian => {
                let source = Mixture::gaussian(dim, &mut rng);
                (source, Map::PiecewiseAffine(PiecewiseAffine::draw(dim, 1, &mut rng)))
            }
        };
        Ok(KnownPair { source, map })
    }
}

/// The folder of the files of Mix3ToMix10 below that of the data sets.
const FOLDER: &str = "w2-benchmark";
const TERMS: &str = "the networks D_v1.pt and D_v2.pt for D = 2, 4, 8, 16, 32, 64, 128 are in the repository \
                     iamalexkorotin/Wasserstein2Benchmark (MIT licence), D_pair.npz has the arrays centers, maps, std, shift and \
                     scale of its input mixture and its standardisation; piecewise-affine, log-sum-exp and gaussian need no file";

/// The input mixture and the map of Mix3ToMix10.
fn mix3_to_mix10(files: &[PathBuf], dim: usize) -> Result<(Mixture, Mix3ToMix10), ReadError> {
    let [first, second, pair] = files else { unreachable!("there are three files") };
    let pair = NamedArrays::npz(pair)?;
    let source = Mixture {
        centres: pair.matrix("centers", [3, dim])?,
        maps: pair.matrices("maps", [3, dim, dim])? * pair.number("std")?,
    };
    let networks = [NamedArrays::pt(first)?, NamedArrays::pt(second)?];
    Ok((source, Mix3ToMix10::new(&networks, &pair, dim)?))
}

impl fmt::Display for KnownMap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for KnownMap {
    type Err = SampleError;

    fn from_str(name: &str) -> Result<Self, SampleError> {
        Self::ALL.into_iter().find(|map| map.name() == name).ok_or_else(|| SampleError::UnknownTarget {
            name: name.to_owned(),
            valid: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// Two laws and the optimal map between them.
#[derive(Debug, Clone)]
pub struct KnownPair {
    source: Mixture,
    map: Map,
}

#[derive(Debug, Clone)]
enum Map {
    Mix3ToMix10(Box<Mix3ToMix10>),
    PiecewiseAffine(PiecewiseAffine),
    LogSumExp(LogSumExp),
}

/// Points that are moved at once: the layers of a network stay near the core.
const CHUNK: usize = 512;

impl KnownPair {
    /// The dimension d of both laws.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.source.dim()
    }

    /// `n` independent points of P, [n, d]. Complexity: O(n·d²).
    #[must_use]
    pub fn source<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Array2<f64> {
        self.source.sample(n, rng)
    }

    /// `n` independent points of Q, [n, d]: those of P, moved.
    #[must_use]
    pub fn image<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Array2<f64> {
        self.map(self.source(n, rng).view())
    }

    /// T at the rows of `x`, [n, d].
    ///
    /// # Panics
    /// For points of another dimension.
    #[must_use]
    pub fn map(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let moved = |x: ArrayView2<'_, f64>| match &self.map {
            Map::Mix3ToMix10(map) => map.gradient(x),
            Map::PiecewiseAffine(map) => map.gradient(x),
            Map::LogSumExp(map) => map.gradient(x),
        };
        let parts: Vec<Array2<f64>> = x.axis_chunks_iter(Axis(0), CHUNK).map(moved).collect();
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(0), &views).unwrap_or_else(|_| Array2::zeros((0, self.dim())))
    }

    /// ψ at the rows of `x`, \[n\]: T = ∇ψ.
    ///
    /// # Panics
    /// For points of another dimension.
    #[must_use]
    pub fn potential(&self, x: ArrayView2<'_, f64>) -> Array1<f64> {
        match &self.map {
            Map::Mix3ToMix10(map) => map.potential(x),
            Map::PiecewiseAffine(map) => map.potential(x),
            Map::LogSumExp(map) => map.potential(x),
        }
    }

    /// The x with T(x) = y for the rows of `y`, [n, d], which lie in the image of T: in closed form for affine pieces, by
    /// minimisation of ψ(x) − ⟨x, y⟩ to 1e-10 for log-sum-exp; none of networks.
    ///
    /// # Panics
    /// For points of another dimension.
    #[must_use]
    pub fn inverse(&self, y: ArrayView2<'_, f64>) -> Option<Array2<f64>> {
        match &self.map {
            Map::Mix3ToMix10(_) => None,
            Map::PiecewiseAffine(map) => Some(map.inverse(y)),
            Map::LogSumExp(map) => Some(map.inverse(y)),
        }
    }

    /// ½E‖x − T(x)‖², which is ½W2²(P, Q); known in closed form between Gaussians.
    #[must_use]
    pub fn cost(&self) -> Option<f64> {
        match &self.map {
            Map::PiecewiseAffine(map) => map.cost(&self.source),
            Map::Mix3ToMix10(_) | Map::LogSumExp(_) => None,
        }
    }
}
