//! What a measurement has to know of a configuration: where points come from. No other file of this crate looks at
//! how a configuration says it, [`crate::known`] aside.

use crate::stream_name::{FLOOR, REFERENCE};
use crate::{Digits, MeasureError};
use datasets::{InitialLaw, stratified_normal, stream};
use ndarray::{Array2, Axis};
use rand::seq::SliceRandom;
use train::config::{FlowConfig, GeneratorConfig, Points};
use train::source::{Data, Draw, Inputs, Units};

/// The first two coordinates carry every synthetic target.
const MANIFOLD_DIM: usize = 2;

/// The side of a pair that a cloud of the target stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// What generated points are measured against.
    Reference,
    /// In the place of generated points, for the floor.
    Floor,
}

impl Side {
    /// The name of its stream.
    pub(crate) fn stream(self) -> &'static str {
        match self {
            Self::Reference => REFERENCE,
            Self::Floor => FLOOR,
        }
    }
}

/// Clouds of the target of a flow that no training has seen; of a set of points, random halves of its rows.
#[derive(Debug, Clone)]
pub(crate) struct FreshTarget {
    seed: u64,
    data: Draw,
    /// The user's units; the clouds are in those of the training.
    pub(crate) units: Units,
}

impl FreshTarget {
    pub(crate) fn new(config: &FlowConfig, inputs: &Inputs) -> Result<Self, MeasureError> {
        let Data { draw, units, .. } = inputs.data(config)?;
        Ok(Self { seed: config.seed, data: draw, units })
    }

    /// The ambient dimension d.
    pub(crate) fn dim(&self) -> usize {
        self.data.dim()
    }

    /// The most points of a cloud that has an independent counterpart.
    pub(crate) fn largest_cloud(&self) -> usize {
        match &self.data {
            Draw::Rows(rows) => (rows.nrows() / 2).max(1),
            _ => usize::MAX,
        }
    }

    /// The dimension of the set that a synthetic target lies on.
    pub(crate) fn manifold_dim(&self) -> Option<usize> {
        matches!(self.data, Draw::Target { .. }).then_some(MANIFOLD_DIM)
    }

    /// The cloud of a pair, [size, d]; those of the two sides are independent.
    pub(crate) fn cloud(&self, side: Side, pair: usize, size: usize) -> Result<Array2<f64>, MeasureError> {
        let Draw::Rows(points) = &self.data else {
            return Ok(self.data.points(size, &mut stream(self.seed, side.stream(), pair as u64))?);
        };
        let mut rows: Vec<usize> = (0..points.nrows()).collect();
        // One shuffle for both sides: the floor takes the rows that the reference leaves.
        rows.shuffle(&mut stream(self.seed, REFERENCE, pair as u64));
        let skipped = if side == Side::Floor { points.nrows() - points.nrows() / 2 } else { 0 };
        let taken: Vec<usize> = rows.into_iter().skip(skipped).take(size).collect();
        Ok(points.select(Axis(0), &taken).mapv(f64::from))
    }
}

/// What a generator moves, and where to.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// Points of a law to points of a law.
    Points {
        /// The law of the starting points.
        initial: Draw,
        /// The target.
        data: Draw,
        /// The user's units.
        units: Units,
    },
    /// Digits of one set to those of another.
    Digits(Box<Digits>),
}

impl Subject {
    pub(crate) fn new(config: &GeneratorConfig, inputs: &Inputs) -> Result<Self, MeasureError> {
        if let (&Points::Digits { set: start, .. }, &Points::Digits { set, split }) =
            (&config.initial, &config.data)
        {
            let digits = Digits::read(&inputs.data_sets, (start, set, split), config.seed)?;
            return Ok(Self::Digits(Box::new(digits)));
        }
        let data = inputs.data(config)?;
        let initial = inputs.initial(config, &data)?;
        Ok(Self::Points { initial, data: data.draw, units: data.units })
    }
}

/// Centres and standard deviation of the modes of a target, where it has them.
pub(crate) fn modes(data: &Draw) -> Option<(Vec<[f64; 2]>, f64)> {
    match data {
        Draw::Target { target, .. } => target.modes(),
        _ => None,
    }
}

/// The same target with random counts of its components, where they are balanced.
pub(crate) fn unbalanced(data: &Draw) -> Option<Draw> {
    match *data {
        Draw::Target { target, dim, balanced: true } => Some(Draw::Target { target, dim, balanced: false }),
        _ => None,
    }
}

/// Points that fill a starting law evenly, [count, 2]: none but for normal laws in the plane.
pub(crate) fn even_start(
    initial: &Draw,
    count: usize,
    seed: u64,
    name: &str,
    index: u64,
) -> Option<Array2<f64>> {
    match *initial {
        Draw::Law { law: InitialLaw::Normal { std }, dim: 2 } => {
            Some(stratified_normal(count, std, &mut stream(seed, name, index)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rows: u16) -> FreshTarget {
        let points = Array2::from_shape_fn((rows.into(), 1), |(i, _)| i as f32);
        FreshTarget { seed: 3, data: Draw::Rows(points), units: Units::Same }
    }

    #[test]
    fn the_sides_of_a_pair_share_no_row_of_a_file_and_pairs_differ() {
        let fresh = file(41);
        let size = fresh.largest_cloud();
        assert_eq!(size, 20);
        let side = |side, pair| fresh.cloud(side, pair, size).unwrap().into_raw_vec_and_offset().0;
        let (reference, floor) = (side(Side::Reference, 0), side(Side::Floor, 0));
        assert_eq!((reference.len(), floor.len()), (20, 20));
        assert!(reference.iter().all(|row| !floor.contains(row)));
        assert_ne!(reference, side(Side::Reference, 1));
        assert_eq!(reference, side(Side::Reference, 0));
    }

    #[test]
    fn a_file_of_one_row_is_its_own_cloud() {
        assert_eq!(file(1).largest_cloud(), 1);
        assert_eq!(file(1).cloud(Side::Reference, 0, 1).unwrap(), ndarray::array![[0.0]]);
    }

    /// Equal counts of the modes are what the literature of the ring measures against.
    #[test]
    fn only_balanced_targets_have_a_random_counterpart() {
        let ring = |balanced| Draw::Target { target: datasets::Target::Ring, dim: 2, balanced };
        assert!(matches!(unbalanced(&ring(true)), Some(Draw::Target { balanced: false, .. })));
        assert!(unbalanced(&ring(false)).is_none());
    }
}
