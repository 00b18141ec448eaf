//! Synthetic targets: 2-D sets in the first two coordinates of R^d.

mod planar;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use ndarray::Array2;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::SampleError;

/// A synthetic target law π: a 2-D set embedded in the first two coordinates of R^d, the other coordinates exactly 0.
///
/// For d > 2 the law is singular, which is what the W1 proximal is for. The definitions and scales are those of the
/// experiments of arXiv 2407.11901; [`Target::Ring`] is the ring of arXiv 2406.13619; to [`Target::Origin`],
/// [`Target::Plane`] and [`Target::ShiftedGaussian`] the optimal flow is known in closed form; the five that follow are
/// those of torchcfm's experiments, by which arXiv 2302.00482 and 2303.16852 compare flow matching with bridges. Each is a mixture of [`Target::components`] arms, modes, cells or curves of equal
/// probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Five arms: features (f₀, f₁) = (1 + .3 N, .1 N) turned clockwise by 2πk/5 + .25·exp(f₀), times 1.4.
    Pinwheel,
    /// Two half circles with noise .05 (the make_moons of scikit-learn), minus (.5, .2), times 4.2.
    Moons,
    /// Eight modes at angles 45°·k, radius 2, standard deviation .2.
    EightGaussians,
    /// The cells of one colour of a 4×4 board of side-.5 cells on [−1, 1]², uniform; the cell [0, .5)² belongs to it.
    Checkerboard,
    /// t·(cos t, sin t), t uniform on [1.5π, 4.5π], noise 1 (the make_swiss_roll of scikit-learn, coordinates 0 and
    /// 2), times .35.
    SwissRoll,
    /// Circles of radius 1 and .5 with noise .08, times 2.
    Circles,
    /// The two spirals of FFJORD (arXiv 1810.01367): n = 3π·√u, ±(−n·cos n + v, n·sin n + w)/3 with v, w uniform on
    /// [0, .5), plus noise .1; times .64.
    TwoSpirals,
    /// Eight modes at angles 45°·k, radius 1, standard deviation .1.
    Ring,
    /// The origin alone: the law δ₀.
    Origin,
    /// The standard normal law: for d > 2 on a flat manifold.
    Plane,
    /// The standard normal law about (3, 0).
    ShiftedGaussian,
    /// Two half circles with noise .05 (make_moons), times 2, the first coordinate minus 1.
    CfmMoons,
    /// sin t and sign(t)·(cos t − 1), t uniform on [−1.5π, 1.5π], noise .05 (the make_s_curve of scikit-learn, coordinates
    /// 0 and 2), times 1.5.
    CfmSCurve,
    /// Eight modes at angles 45°·k, radius 5, standard deviation 1.
    CfmEightGaussians,
    /// Two half circles with noise .1 (make_moons), minus the mean of all numbers and over their deviation, times 7.
    WideMoons,
    /// Eight modes at angles 45°·k, radius 12, standard deviation 1.5.
    WideEightGaussians,
}

impl Target {
    /// Every target, in the order of their declaration.
    pub const ALL: [Self; 16] = [
        Self::Pinwheel,
        Self::Moons,
        Self::EightGaussians,
        Self::Checkerboard,
        Self::SwissRoll,
        Self::Circles,
        Self::TwoSpirals,
        Self::Ring,
        Self::Origin,
        Self::Plane,
        Self::ShiftedGaussian,
        Self::CfmMoons,
        Self::CfmSCurve,
        Self::CfmEightGaussians,
        Self::WideMoons,
        Self::WideEightGaussians,
    ];

    /// The name used in configurations and on the command line.
    ///
    /// ```
    /// assert_eq!(datasets::Target::EightGaussians.name(), "eight-gaussians");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pinwheel => "pinwheel",
            Self::Moons => "moons",
            Self::EightGaussians => "eight-gaussians",
            Self::Checkerboard => "checkerboard",
            Self::SwissRoll => "swiss-roll",
            Self::Circles => "circles",
            Self::TwoSpirals => "two-spirals",
            Self::Ring => "ring",
            Self::Origin => "origin",
            Self::Plane => "plane",
            Self::ShiftedGaussian => "shifted-gaussian",
            Self::CfmMoons => "cfm-moons",
            Self::CfmSCurve => "cfm-s-curve",
            Self::CfmEightGaussians => "cfm-eight-gaussians",
            Self::WideMoons => "wide-moons",
            Self::WideEightGaussians => "wide-eight-gaussians",
        }
    }

    /// The number of mixture components of equal probability: arms, modes, cells or curves.
    ///
    /// ```
    /// assert_eq!(datasets::Target::Pinwheel.components(), 5);
    /// ```
    #[must_use]
    pub fn components(self) -> u32 {
        match self {
            Self::Pinwheel => 5,
            Self::Moons | Self::Circles | Self::TwoSpirals | Self::CfmMoons | Self::WideMoons => 2,
            Self::EightGaussians | Self::Checkerboard | Self::Ring => 8,
            Self::CfmEightGaussians | Self::WideEightGaussians => 8,
            Self::SwissRoll | Self::Origin | Self::Plane | Self::ShiftedGaussian | Self::CfmSCurve => 1,
        }
    }

    /// Centres and standard deviation of the Gaussian modes in the plane; none for other targets.
    ///
    /// ```
    /// let (centres, std) = datasets::Target::Ring.modes().unwrap();
    /// assert_eq!((centres.len(), centres[0], std), (8, [1.0, 0.0], 0.1));
    /// ```
    #[must_use]
    pub fn modes(self) -> Option<(Vec<[f64; 2]>, f64)> {
        let (radius, std) = planar::circle_of_modes(self)?;
        let centre = |component| {
            let (sin, cos) = planar::angle_of_mode(component).sin_cos();
            [radius * cos, radius * sin]
        };
        Some(((0..self.components()).map(centre).collect(), std))
    }

    /// Mean and standard deviation of a target that is one isotropic Gaussian in the plane; none for other targets.
    ///
    /// ```
    /// assert_eq!(datasets::Target::ShiftedGaussian.gaussian(), Some(([3.0, 0.0], 1.0)));
    /// assert_eq!(datasets::Target::Ring.gaussian(), None);
    /// ```
    #[must_use]
    pub fn gaussian(self) -> Option<([f64; 2], f64)> {
        (self == Self::ShiftedGaussian).then_some((planar::SHIFTED_MEAN, 1.0))
    }

    /// Draws `n` independent points of the target in R^`dim`: the components' counts are multinomial.
    ///
    /// Shapes: [n, dim]; columns 2.. are exactly 0. Complexity: O(n·dim).
    ///
    /// # Errors
    /// [`SampleError::Dimension`] where `dim < 2`.
    ///
    /// ```
    /// # fn main() -> Result<(), datasets::SampleError> {
    /// use datasets::Target;
    /// let points = Target::Pinwheel.sample(100, 7, &mut datasets::stream(0, "target", 0))?;
    /// assert_eq!(points.dim(), (100, 7));
    /// assert_eq!(points[[3, 6]], 0.0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn sample<R: Rng + ?Sized>(
        self,
        n: usize,
        dim: usize,
        rng: &mut R,
    ) -> Result<Array2<f64>, SampleError> {
        self.embed(n, dim, rng, |_, rng| rng.random_range(0..self.components()))
    }

    /// The same points, from the same numbers of `rng`, with the component of each, \[n\], counted from 0.
    ///
    /// # Errors
    /// As [`Target::sample`].
    ///
    /// ```
    /// # fn main() -> Result<(), datasets::SampleError> {
    /// use datasets::{Target, stream};
    /// let (points, arms) = Target::Pinwheel.sample_labelled(100, 2, &mut stream(0, "target", 0))?;
    /// assert_eq!(points, Target::Pinwheel.sample(100, 2, &mut stream(0, "target", 0))?);
    /// assert!(arms.len() == 100 && arms.iter().all(|arm| *arm < 5));
    /// # Ok(())
    /// # }
    /// ```
    pub fn sample_labelled<R: Rng + ?Sized>(
        self,
        n: usize,
        dim: usize,
        rng: &mut R,
    ) -> Result<(Array2<f64>, Vec<u32>), SampleError> {
        let mut labels = Vec::with_capacity(n);
        let points = self.embed(n, dim, rng, |_, rng| {
            let component = rng.random_range(0..self.components());
            labels.push(component);
            component
        })?;
        Ok((points, labels))
    }

    /// Draws `n` points of the target in R^`dim` with equal counts per component: row i is of component i mod k.
    ///
    /// The rows are not identically distributed, so distances to such a cloud are smaller than to an independent
    /// sample: say which was used. Where k does not divide n the first n mod k components have one point more. A
    /// target with one component, such as [`Target::SwissRoll`], has nothing to balance.
    ///
    /// Shapes: [n, dim]; columns 2.. are exactly 0. Complexity: O(n·dim).
    ///
    /// # Errors
    /// [`SampleError::Dimension`] where `dim < 2`.
    ///
    /// ```
    /// # fn main() -> Result<(), datasets::SampleError> {
    /// use datasets::Target;
    /// let batch = Target::Ring.sample_balanced(512, 2, &mut datasets::stream(0, "target", 0))?;
    /// assert_eq!(batch.nrows(), 512); // 64 points of each mode
    /// # Ok(())
    /// # }
    /// ```
    pub fn sample_balanced<R: Rng + ?Sized>(
        self,
        n: usize,
        dim: usize,
        rng: &mut R,
    ) -> Result<Array2<f64>, SampleError> {
        let components = self.components();
        // The remainder is below `components`, so it fits.
        self.embed(n, dim, rng, |row, _| (row as u64 % u64::from(components)) as u32)
    }

    fn embed<R: Rng + ?Sized>(
        self,
        n: usize,
        dim: usize,
        rng: &mut R,
        mut component_of: impl FnMut(usize, &mut R) -> u32,
    ) -> Result<Array2<f64>, SampleError> {
        if dim < 2 {
            return Err(SampleError::Dimension { found: dim, least: 2 });
        }
        let mut points = Array2::zeros((n, dim));
        for (row, mut point) in points.rows_mut().into_iter().enumerate() {
            let component = component_of(row, rng);
            for (coordinate, value) in point.iter_mut().zip(planar::point(self, component, rng)) {
                *coordinate = value;
            }
        }
        Ok(points)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Target {
    type Err = SampleError;

    fn from_str(name: &str) -> Result<Self, SampleError> {
        Self::ALL.into_iter().find(|target| target.name() == name).ok_or_else(|| SampleError::UnknownTarget {
            name: name.to_owned(),
            valid: Self::ALL.map(Self::name).join(", "),
        })
    }
}
