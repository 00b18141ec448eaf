//! Soft minima −ε log Σ_j b_j e^{(g_j − c_ij)/ε} over all pairs of two clouds, without their matrix.

mod averages;
mod clusters;
mod log_mean;
mod minimum;
mod products;

pub(crate) use averages::SoftAverages;
pub(crate) use clusters::{BLOCK, Clusters};
pub(crate) use minimum::{Exponents, NEGLIGIBLE};

use crate::cost::{CloudCost, Cost, Euclidean, PairCost, Sealed, Swapped, accumulate_rows};
use crate::measure::Measure;
use log_mean::LogMean;
use minimum::soft_minimum;
use ndarray::{Array2, ArrayView2};
use products::Products;

/// Relative to ε, the rounding of a dual value made of single-precision exponentials.
const SINGLE_ROUNDING: f64 = 1e-6;

/// Relative to the largest cost, that of one in double precision: some units for an exponent, and for a mean of them.
const DOUBLE_ROUNDING: f64 = 1e-15;

/// The pairs of two clouds in the form in which their soft minima are fastest.
pub(crate) enum Kernel<'a> {
    /// A Euclidean cost: points are sorted in space, and blocks that cannot count are skipped.
    Blocks {
        /// The sources.
        sources: Clusters,
        /// The targets.
        targets: Clusters,
        /// The cost.
        cost: Euclidean,
    },
    /// A Euclidean cost of many coordinates, in double precision.
    Products(Box<Products>),
    /// All pairs in the order given, in double precision.
    Pairs(Box<dyn PairCost + 'a>),
}

/// What exponentials of a Euclidean cost are computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    /// Single precision where that is quicker, which costs 1e-6·ε in a dual value.
    Single,
    /// Double precision always.
    Double,
}

/// A side of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Rows.
    Sources,
    /// Columns.
    Targets,
}

impl<'a> Kernel<'a> {
    /// The pairs in the form for their cost, their dimension and the precision asked for.
    pub(crate) fn new(
        source: &Measure<'a>,
        target: &Measure<'a>,
        cost: &'a dyn Cost,
        precision: Precision,
    ) -> Self {
        let (x, y) = (source.points(), target.points());
        let Some(euclidean) = cost.euclidean(Sealed) else {
            return Self::Pairs(Box::new(CloudCost::of_points(x, y, cost)));
        };
        if let Some(products) = Products::new(x, y, euclidean) {
            return Self::Products(Box::new(products));
        }
        match precision {
            Precision::Single => {
                Self::Blocks { sources: Clusters::new(x), targets: Clusters::new(y), cost: euclidean }
            }
            Precision::Double => Self::Pairs(Box::new(CloudCost::of_points(x, y, cost))),
        }
    }

    /// The rounding of a dual value, for costs up to `largest_cost`.
    pub(crate) fn rounding(&self, epsilon: f64, largest_cost: f64) -> f64 {
        match self {
            Self::Blocks { .. } => SINGLE_ROUNDING * epsilon,
            Self::Products(_) | Self::Pairs(_) => DOUBLE_ROUNDING * largest_cost,
        }
    }

    /// −ε log Σ exp((potential − c)/ε + logs) for every point of a side, over the points of the other, whose
    /// `potential` and log weights are given; all in the kernel's order.
    pub(crate) fn soft_minimum(&self, of: Side, potential: &[f64], logs: &[f64], epsilon: f64) -> Vec<f64> {
        match (self, of) {
            (Self::Blocks { sources, targets, cost }, Side::Sources) => {
                soft_minimum(sources, targets, *cost, potential, logs, epsilon)
            }
            (Self::Blocks { sources, targets, cost }, Side::Targets) => {
                soft_minimum(targets, sources, *cost, potential, logs, epsilon)
            }
            (Self::Products(products), of) => log_mean::soft_minimum(
                |visit| products.accumulate(of, LogMean::default, visit),
                potential,
                logs,
                epsilon,
            ),
            (Self::Pairs(pairs), Side::Sources) => {
                log_mean::soft_minimum(|visit| of_pairs(pairs.as_ref(), visit), potential, logs, epsilon)
            }
            (Self::Pairs(pairs), Side::Targets) => {
                let swapped = Swapped(pairs.as_ref());
                log_mean::soft_minimum(|visit| of_pairs(&swapped, visit), potential, logs, epsilon)
            }
        }
    }

    /// Values given by point, in the kernel's order.
    pub(crate) fn sorted(&self, of: Side, values: &[f64]) -> Vec<f64> {
        self.clusters(of).map_or_else(|| values.to_vec(), |clusters| clusters.sorted(values))
    }

    /// Values in the kernel's order, by point as given.
    pub(crate) fn restored(&self, of: Side, values: &[f64]) -> Vec<f64> {
        self.clusters(of).map_or_else(|| values.to_vec(), |clusters| clusters.restored(values))
    }

    /// The rows of a table in the kernel's order, by point as given.
    pub(crate) fn restored_rows(&self, of: Side, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut restored = rows.to_owned();
        for (from, mut to) in rows.columns().into_iter().zip(restored.columns_mut()) {
            to.assign(&ndarray::Array1::from(self.restored(of, &from.to_vec())));
        }
        restored
    }

    fn clusters(&self, of: Side) -> Option<&Clusters> {
        match (self, of) {
            (Self::Blocks { sources, .. }, Side::Sources) => Some(sources),
            (Self::Blocks { targets, .. }, Side::Targets) => Some(targets),
            (Self::Products(_) | Self::Pairs(_), _) => None,
        }
    }
}

/// The means of every source's row.
fn of_pairs(pairs: &dyn PairCost, visit: log_mean::Visit<'_>) -> Vec<LogMean> {
    accumulate_rows(pairs, |_| LogMean::default(), |mean, _, first, costs| visit(mean, first, costs))
}

/// The logarithms of a measure's weights, scaled to a mass.
pub(crate) fn log_weights(measure: &Measure<'_>, mass: f64) -> Vec<f64> {
    measure.probabilities().all.iter().map(|weight| weight.ln() + mass.ln()).collect()
}
