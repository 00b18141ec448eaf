//! What a measurement has to know of a configuration: where points come from. No other file of this crate looks at
//! how a configuration says it, [`crate::known`] aside.

use crate::stream_name::{FLOOR, LOOK, REFERENCE};
use crate::{Digits, MeasureError};
use datasets::{InitialLaw, stratified_normal, stream};
use eval::results::{Layout, Protocol, Reference};
use ndarray::{Array2, ArrayView2, Axis, s};
use rand::Rng;
use rand::seq::SliceRandom;
use train::config::{Config, Configuration, GeneratorConfig};
use train::source::{Conditions, Data, Draw, Inputs, Units};

/// Rows of a part of somebody's own data: enough that the floor is low, few enough that there are several parts.
const PART: usize = 500;

/// The first two coordinates carry every planar target.
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

/// The target of a training, and clouds of it that the training has not seen.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) seed: u64,
    /// The user's units; the clouds are in those of the training.
    pub(crate) units: Units,
    /// What the points are conditioned on; then the rows of all clouds are (x, c).
    pub(crate) condition: Option<Conditions>,
    points: TargetPoints,
}

#[derive(Debug, Clone)]
enum TargetPoints {
    /// Drawn afresh.
    Drawn(Draw),
    /// Rows of the user's own.
    Own(OwnRows),
}

/// Rows of the user's own, each side in a random order.
#[derive(Debug, Clone)]
pub(crate) struct OwnRows {
    /// All rows that the training has seen, [m, d].
    pub(crate) training: Array2<f64>,
    /// In the place of fresh points, [k, d].
    reference: Array2<f64>,
    /// In the place of generated points, for the floor.
    floor: Array2<f64>,
    /// Whether the reference was held out.
    held_out: bool,
}

impl Target {
    pub(crate) fn new(config: &impl Configuration, inputs: &Inputs) -> Result<Self, MeasureError> {
        Ok(Self::of(inputs.data(config)?, config.seed()))
    }

    fn of(data: Data, seed: u64) -> Self {
        let Data { draw, held_out, units, condition, .. } = data;
        let points = match draw {
            Draw::Rows(rows) => {
                let held_out = held_out.map(|rows| units.scaled(rows.view()));
                TargetPoints::Own(OwnRows::new(rows.mapv(f64::from), held_out, seed))
            }
            draw => TargetPoints::Drawn(draw),
        };
        Self { seed, units, condition, points }
    }

    /// The ambient dimension d, without a condition.
    pub(crate) fn dim(&self) -> usize {
        let width = match &self.points {
            TargetPoints::Drawn(draw) => draw.dim(),
            TargetPoints::Own(rows) => rows.training.ncols(),
        };
        width - self.condition.as_ref().map_or(0, Conditions::width)
    }

    /// The points of rows of a cloud, without their condition.
    pub(crate) fn coordinates<'a>(&self, rows: ArrayView2<'a, f64>) -> ArrayView2<'a, f64> {
        match &self.condition {
            Some(condition) => condition.coordinates(rows),
            None => rows,
        }
    }

    /// The labels of rows of a cloud; none where their condition is no label.
    pub(crate) fn labels(&self, rows: ArrayView2<'_, f64>) -> Option<Vec<f64>> {
        let condition = self.condition.as_ref().filter(|condition| condition.labels().is_some())?;
        Some(condition.written(rows).into_iter().collect())
    }

    /// The law that points are drawn from afresh.
    pub(crate) fn law(&self) -> Option<&Draw> {
        match &self.points {
            TargetPoints::Drawn(draw) => Some(draw),
            TargetPoints::Own(_) => None,
        }
    }

    /// The rows, where they are the user's own.
    pub(crate) fn own(&self) -> Option<&OwnRows> {
        match &self.points {
            TargetPoints::Drawn(_) => None,
            TargetPoints::Own(rows) => Some(rows),
        }
    }

    /// `count` points as a training draws them.
    pub(crate) fn drawn(&self, count: usize, rng: &mut impl Rng) -> Result<Array2<f64>, MeasureError> {
        Ok(match &self.points {
            TargetPoints::Drawn(draw) => draw.points(count, rng)?,
            TargetPoints::Own(rows) => Draw::Rows(rows.training.mapv(|x| x as f32)).points(count, rng)?,
        })
    }

    /// The same target with random counts of its components, where they are balanced.
    pub(crate) fn unbalanced(&self) -> Option<Self> {
        match self.points {
            TargetPoints::Drawn(Draw::Target { target, dim, balanced: true }) => {
                let draw = Draw::Target { target, dim, balanced: false };
                Some(Self { points: TargetPoints::Drawn(draw), ..self.clone() })
            }
            _ => None,
        }
    }

    /// How many clouds of how many points a measurement by `protocol` has.
    pub(crate) fn layout(&self, protocol: Protocol) -> Layout {
        match &self.points {
            TargetPoints::Drawn(_) => Layout {
                reference: Reference::FreshPoints,
                pairs: protocol.pairs,
                points: protocol.most_points(),
            },
            TargetPoints::Own(rows) => {
                let most = rows.reference.nrows().min(rows.floor.nrows());
                // Two at least, so that there is a ± at all.
                let pairs = (most / PART).min(protocol.pairs).max(most.min(2));
                Layout {
                    reference: if rows.held_out { Reference::HeldOutRows } else { Reference::TrainingRows },
                    pairs,
                    points: (most / pairs.max(1)).min(protocol.exact_points),
                }
            }
        }
    }

    /// The dimension of the set that a synthetic target lies on.
    pub(crate) fn manifold_dim(&self) -> Option<usize> {
        match &self.points {
            TargetPoints::Drawn(Draw::Target { .. } | Draw::Labelled { .. }) => Some(MANIFOLD_DIM),
            TargetPoints::Drawn(Draw::StudentT(law)) => Some(law.manifold_dim()),
            _ => None,
        }
    }

    /// Whether the law has moments up to some order alone.
    pub(crate) fn has_heavy_tails(&self) -> bool {
        matches!(self.points, TargetPoints::Drawn(Draw::StudentT(_)))
    }

    /// The clouds of a side, one for each pair; those of the two sides are independent, and those of rows are disjoint.
    pub(crate) fn clouds(&self, side: Side, layout: Layout) -> Result<Vec<Array2<f64>>, MeasureError> {
        let cloud = |pair: usize| -> Result<Array2<f64>, MeasureError> {
            Ok(match &self.points {
                TargetPoints::Drawn(draw) => {
                    draw.points(layout.points, &mut stream(self.seed, side.stream(), pair as u64))?
                }
                TargetPoints::Own(rows) => {
                    let all = if side == Side::Floor { &rows.floor } else { &rows.reference };
                    let first = pair * layout.points;
                    all.slice(s![first..first + layout.points, ..]).to_owned()
                }
            })
        };
        (0..layout.pairs).map(cloud).collect()
    }
}

impl OwnRows {
    /// Without rows that were held out, half of the others stand for them.
    fn new(training: Array2<f64>, held_out: Option<Array2<f64>>, seed: u64) -> Self {
        let shuffled = |rows: &Array2<f64>, side: Side| {
            let mut indices: Vec<usize> = (0..rows.nrows()).collect();
            indices.shuffle(&mut stream(seed, side.stream(), 0));
            rows.select(Axis(0), &indices)
        };
        let seen = shuffled(&training, Side::Floor);
        match held_out {
            Some(rows) => {
                let reference = shuffled(&rows, Side::Reference);
                Self { training, reference, floor: seen, held_out: true }
            }
            None => {
                let (floor, reference) = seen.view().split_at(Axis(0), seen.nrows() / 2);
                let (floor, reference) = (floor.to_owned(), reference.to_owned());
                Self { training, reference, floor, held_out: false }
            }
        }
    }

    /// Rows that were held out, at most `most` of them; none where there are none.
    pub(crate) fn held_out(&self, most: usize) -> Option<ArrayView2<'_, f64>> {
        self.held_out.then(|| self.reference.slice(s![..most.min(self.reference.nrows()), ..]))
    }
}

/// `count` points of the target of a configuration to look at, in the user's units, [count, d]: the same every time, and
/// none that a measurement takes.
///
/// # Errors
/// What reading the data reports.
pub fn target(config: &Config, inputs: &Inputs, count: usize) -> Result<Array2<f64>, MeasureError> {
    let target = match config {
        Config::Flow(config) => Target::new(config.as_ref(), inputs)?,
        Config::Generator(config) => Target::new(config.as_ref(), inputs)?,
        Config::Critic(config) => Target::new(config.as_ref(), inputs)?,
    };
    let points = target.drawn(count, &mut stream(target.seed, LOOK, 0))?;
    Ok(target.units.restored(target.coordinates(points.view())))
}

/// What a generator moves, and where to.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// Points of a law to points of a law.
    Points {
        /// The law of the starting points.
        initial: Draw,
        /// The target.
        data: Box<Target>,
    },
    /// Digits of one set to those of another.
    Digits(Box<Digits>),
}

impl Subject {
    pub(crate) fn new(config: &GeneratorConfig, inputs: &Inputs) -> Result<Self, MeasureError> {
        if let Some(digits) = Digits::of((&config.initial, &config.data), inputs, config.seed)? {
            return Ok(Self::Digits(Box::new(digits)));
        }
        let data = inputs.data(config)?;
        let initial = inputs.initial(config, &data)?;
        Ok(Self::Points { initial, data: Box::new(Target::of(data, config.seed)) })
    }
}

/// Centres and standard deviation of the modes of a target, where it has them.
pub(crate) fn modes(law: Option<&Draw>) -> Option<(Vec<[f64; 2]>, f64)> {
    match law {
        Some(Draw::Target { target, .. }) => target.modes(),
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

    /// Rows 0, 1, … of a training, and as many from 10000 on that were held out.
    fn own(training: usize, held_out: Option<usize>) -> Target {
        let rows = |count: usize, first: f64| Array2::from_shape_fn((count, 1), |(i, _)| first + i as f64);
        let held_out = held_out.map(|count| rows(count, 10_000.0));
        let points = TargetPoints::Own(OwnRows::new(rows(training, 0.0), held_out, 3));
        Target { seed: 3, units: Units::Same, condition: None, points }
    }

    fn numbers(target: &Target, side: Side) -> Vec<f64> {
        let clouds = target.clouds(side, target.layout(Protocol::FULL)).unwrap();
        clouds.into_iter().flatten().collect()
    }

    #[test]
    fn the_reference_was_held_out_and_no_row_counts_twice() {
        let target = own(900, Some(100));
        let layout = target.layout(Protocol::FULL);
        assert_eq!(layout, Layout { reference: Reference::HeldOutRows, pairs: 2, points: 50 });
        let (mut reference, mut floor) = (numbers(&target, Side::Reference), numbers(&target, Side::Floor));
        assert!(reference.iter().all(|&row| row >= 10_000.0) && floor.iter().all(|&row| row < 900.0));
        for side in [&mut reference, &mut floor] {
            side.sort_by(f64::total_cmp);
            side.dedup();
            assert_eq!(side.len(), 100);
        }
        assert!(floor[99] > 500.0, "the floor takes rows from everywhere: {}", floor[99]);
        assert_eq!(target.own().unwrap().held_out(30).unwrap().nrows(), 30);
    }

    #[test]
    fn without_held_out_rows_the_sides_share_no_row() {
        let target = own(41, None);
        assert_eq!(target.layout(Protocol::FULL).reference, Reference::TrainingRows);
        let (reference, floor) = (numbers(&target, Side::Reference), numbers(&target, Side::Floor));
        assert_eq!((reference.len(), floor.len()), (20, 20));
        assert!(reference.iter().all(|row| !floor.contains(row)));
        assert!(target.own().unwrap().held_out(30).is_none());
    }

    #[test]
    fn many_rows_have_several_large_parts_and_few_rows_small_ones() {
        for (held_out, pairs, points) in
            [(1, 1, 1), (3, 2, 1), (999, 2, 499), (2000, 4, 500), (20_000, 8, 2000)]
        {
            let layout = own(20_000, Some(held_out)).layout(Protocol::FULL);
            assert_eq!((layout.pairs, layout.points), (pairs, points), "of {held_out}");
        }
    }

    /// Equal counts of the modes are what the literature of the ring measures against.
    #[test]
    fn only_balanced_targets_have_a_random_counterpart() {
        let ring = |balanced| {
            let draw = Draw::Target { target: datasets::Target::Ring, dim: 2, balanced };
            Target { seed: 0, units: Units::Same, condition: None, points: TargetPoints::Drawn(draw) }
        };
        let random = ring(true).unbalanced().unwrap();
        assert!(matches!(random.law(), Some(Draw::Target { balanced: false, .. })));
        assert!(ring(false).unbalanced().is_none());
    }
}
