//! A law or a set of points that is ready to be drawn from.

use super::{Conditions, Units};
use crate::TrainError;
use crate::config::{ConfigError, Points};
use crate::model::Model;
use datasets::{Funnels, InitialLaw, KnownPair, Split, StudentT, Target};
use ndarray::{Array2, Axis};
use rand::{Rng, RngExt};
use std::path::Path;
use std::sync::Arc;

/// A law or a set of points that is ready to be drawn from.
#[derive(Debug, Clone)]
pub enum Draw {
    /// Fresh points of a law.
    Law {
        /// The law of a coordinate.
        law: InitialLaw,
        /// Its dimension.
        dim: usize,
    },
    /// Fresh points of a synthetic target.
    Target {
        /// Which one.
        target: Target,
        /// Its ambient dimension.
        dim: usize,
        /// Whether a batch has equal counts of the components.
        balanced: bool,
    },
    /// Fresh points of a Student-t law.
    StudentT(StudentT),
    /// Fresh points of one of two laws between which the optimal map is known.
    Known {
        /// Both laws.
        pair: Arc<KnownPair>,
        /// Which one.
        side: Side,
    },
    /// Fresh points of a synthetic target, each with its component as its condition.
    Labelled {
        /// Which one.
        target: Target,
        /// Its ambient dimension.
        dim: usize,
    },
    /// Points of a draw, each with a condition of the data.
    Conditional {
        /// The points.
        draw: Box<Draw>,
        /// The conditions.
        conditions: Arc<Conditions>,
    },
    /// Fresh points of one of two laws between which W1 is known.
    Funnels {
        /// Both laws.
        funnels: Arc<Funnels>,
        /// Which one.
        side: Side,
    },
    /// Fresh samples of a trained model, without their conditions.
    Run(Arc<Model>),
    /// Minibatches of points of a law that are drawn once, all else afresh.
    Pooled {
        /// What is drawn once.
        rows: Array2<f32>,
        /// The law.
        law: Box<Draw>,
    },
    /// The rows of a matrix, with replacement.
    Rows(Array2<f32>),
    /// Points of a law in other units, in those of the training.
    Scaled {
        /// The law.
        draw: Box<Draw>,
        /// Its units.
        units: Units,
    },
}

/// One of two laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The law that is moved.
    Source,
    /// The law that it is moved onto.
    Image,
}

impl Side {
    /// That of the section `key` of a configuration.
    fn of(key: &str) -> Self {
        if key == "initial" { Self::Source } else { Self::Image }
    }
}

impl Draw {
    /// What the section `key` names, points of the user's own aside; a law is drawn afresh even where the
    /// configuration draws it once. `dim` is the dimension of a law that has none of its own.
    pub(crate) fn read(
        points: &Points,
        key: &str,
        dim: Option<usize>,
        data_sets: &Path,
    ) -> Result<Self, TrainError> {
        let missing = |key: String, remedy: &str| ConfigError::Value {
            key,
            found: "missing".into(),
            remedy: remedy.into(),
        };
        let dimension = || {
            let remedy = "give the dimension of the law";
            points.dim().or(dim).ok_or_else(|| missing(format!("{key}.dim"), remedy))
        };
        if let Some(law) = points.law() {
            return Ok(Self::Law { law, dim: dimension()? });
        }
        match points {
            &Points::Target { target, dim, balanced, .. } => Ok(Self::Target { target, dim, balanced }),
            &Points::StudentT { degrees_of_freedom, manifold_dim, .. } => {
                let dim = dimension()?;
                Ok(Self::StudentT(StudentT::new(degrees_of_freedom, manifold_dim.unwrap_or(dim), dim)?))
            }
            &Points::KnownMap { map, dim, .. } => {
                Ok(Self::Known { pair: Arc::new(map.pair(dim, data_sets)?), side: Side::of(key) })
            }
            &Points::Funnels { set, funnels, dim, .. } => {
                let funnels = Arc::new(set.funnels(funnels, dim, data_sets)?);
                Ok(Self::Funnels { funnels, side: Side::of(key) })
            }
            &Points::Cells { day, components } => {
                Ok(Self::Rows(datasets::cells(data_sets, day, components)?.mapv(|x| x as f32)))
            }
            Points::Digits { set, split } => {
                Ok(Self::Rows(set.read(data_sets, *split)?.pixels.mapv(|x| x as f32)))
            }
            Points::Images { set } => Ok(Self::Rows(set.read(data_sets, Split::Train)?.pixels)),
            Points::Run { folder, .. } => Ok(Self::Run(Arc::new(Model::load_with(folder, data_sets)?))),
            _ => {
                let remedy = "give it to the run, or name a file or a target";
                Err(missing(format!("the array for `{key}`"), remedy).into())
            }
        }
    }

    /// The same points in the units of a training; a law is one of the scaled points as it is.
    pub(crate) fn scaled(self, units: &Units) -> Self {
        match self {
            unchanged if *units == Units::Same => unchanged,
            Self::Rows(rows) => Self::Rows(units.scaled(rows.mapv(f64::from).view()).mapv(|z| z as f32)),
            theirs @ (Self::Target { .. } | Self::Known { .. } | Self::Funnels { .. } | Self::Run(_)) => {
                Self::Scaled { draw: Box::new(theirs), units: units.clone() }
            }
            unchanged => unchanged,
        }
    }

    /// The same points without their conditions.
    pub(crate) fn unconditional(&self) -> &Self {
        match self {
            Self::Conditional { draw, .. } => draw,
            other => other,
        }
    }

    /// Its points with conditions to draw from, where there are any.
    pub(crate) fn beside(self, conditions: Option<Conditions>) -> Self {
        match conditions {
            None => self,
            Some(conditions) => Self::Conditional { draw: Box::new(self), conditions: Arc::new(conditions) },
        }
    }

    /// `conditions.len()/k` points, row-major in single precision, each with its condition of k coordinates.
    pub(crate) fn given(
        &self,
        conditions: Array2<f64>,
        rng: &mut impl Rng,
    ) -> Result<Array2<f64>, TrainError> {
        let Self::Conditional { draw, .. } = self else { return self.points(conditions.nrows(), rng) };
        Ok(Conditions::beside(&draw.points(conditions.nrows(), rng)?, &conditions))
    }

    /// Draws the points of a law once, where `points` says how many, those of a synthetic target with its noise.
    ///
    /// Samples of a run are drawn once for minibatches alone, as they cost most: a model that begins with them begins with
    /// fresh ones.
    pub(crate) fn fixed(self, points: &Points, rng: &mut impl Rng) -> Result<Self, TrainError> {
        let Some(samples) = points.samples() else { return Ok(self) };
        let mut drawn = self.points(samples, rng)?;
        if let Points::Target { noise: Some(std), .. } = *points {
            drawn += &InitialLaw::Normal { std }.sample(samples, drawn.ncols(), rng)?;
        }
        let rows = drawn.mapv(|x| x as f32);
        Ok(match points {
            Points::Run { .. } => Self::Pooled { rows, law: Box::new(self) },
            _ => Self::Rows(rows),
        })
    }

    /// The dimension of the points.
    pub fn dim(&self) -> usize {
        match self {
            Self::Target { dim, .. } | Self::Law { dim, .. } => *dim,
            Self::StudentT(law) => law.dim(),
            Self::Labelled { target, dim } => dim + target.components() as usize,
            Self::Conditional { draw, conditions } => draw.dim() + conditions.width(),
            Self::Known { pair, .. } => pair.dim(),
            Self::Funnels { funnels, .. } => funnels.dim(),
            Self::Run(model) => model.dim(),
            Self::Rows(rows) | Self::Pooled { rows, .. } => rows.ncols(),
            Self::Scaled { draw, .. } => draw.dim(),
        }
    }

    /// The rows of a set of points that minibatches come from; none of a law that is drawn afresh.
    pub fn rows(&self) -> Option<&Array2<f32>> {
        match self {
            Self::Rows(rows) | Self::Pooled { rows, .. } => Some(rows),
            _ => None,
        }
    }

    /// The model whose samples the points are.
    pub(crate) fn run(&self) -> Option<&Arc<Model>> {
        match self {
            Self::Run(model) => Some(model),
            Self::Scaled { draw, .. } | Self::Pooled { law: draw, .. } | Self::Conditional { draw, .. } => {
                draw.run()
            }
            _ => None,
        }
    }

    /// `count` points, row-major in single precision.
    ///
    /// # Errors
    /// As [`Draw::points`].
    pub fn batch(&self, count: usize, rng: &mut impl Rng) -> Result<Vec<f32>, TrainError> {
        let Some(rows) = self.rows() else {
            return Ok(self.points(count, rng)?.iter().map(|&x| x as f32).collect());
        };
        let mut out = Vec::with_capacity(count * rows.ncols());
        for _ in 0..count {
            out.extend(rows.row(rng.random_range(0..rows.nrows())));
        }
        Ok(out)
    }

    /// `count` points, one a row.
    ///
    /// # Errors
    /// What the law reports; a checked configuration has none.
    pub fn points(&self, count: usize, rng: &mut impl Rng) -> Result<Array2<f64>, TrainError> {
        Ok(match self {
            &Self::Target { target, dim, balanced: true } => target.sample_balanced(count, dim, rng)?,
            &Self::Target { target, dim, balanced: false } => target.sample(count, dim, rng)?,
            &Self::Law { law, dim } => law.sample(count, dim, rng)?,
            Self::StudentT(law) => law.sample(count, rng),
            &Self::Labelled { target, dim } => {
                let (points, labels) = target.sample_labelled(count, dim, rng)?;
                let classes = Conditions::classes(target.components() as usize);
                let labels =
                    Array2::from_shape_fn((count, 1), |(row, _)| labels.get(row).map_or(0.0, |&c| c.into()));
                Conditions::beside(&points, &classes.encoded(labels.view())?)
            }
            Self::Conditional { draw, conditions } => {
                let points = draw.points(count, rng)?;
                Conditions::beside(&points, &conditions.draw(count, rng))
            }
            Self::Known { pair, side: Side::Source } => pair.source(count, rng),
            Self::Known { pair, side: Side::Image } => pair.image(count, rng),
            Self::Funnels { funnels, side: Side::Source } => funnels.source(count, rng),
            Self::Funnels { funnels, side: Side::Image } => funnels.image(count, rng),
            Self::Run(model) => model.unconditional_sample(count, rng.random())?,
            Self::Pooled { law, .. } => law.points(count, rng)?,
            Self::Scaled { draw, units } => units.scaled(draw.points(count, rng)?.view()),
            Self::Rows(rows) => {
                let drawn: Vec<usize> = (0..count).map(|_| rng.random_range(0..rows.nrows())).collect();
                rows.select(Axis(0), &drawn).mapv(f64::from)
            }
        })
    }
}
