//! Where points come from: the data, and what a flow or a generator begins with.

mod check;

use crate::outcome::{Outcome, Status};
use crate::run::OUTCOME_FILE;
use datasets::{Columns, DigitSet, FunnelSet, ImageSet, ImageShape, InitialLaw, KnownMap, Split, Target};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A law to draw points from, or a set of points.
///
/// | `kind` | a minibatch of it |
/// | --- | --- |
/// | `normal`, `uniform`, `logistic` | fresh points, every coordinate independent and of that law |
/// | `target` | fresh points of a synthetic target, or `samples` points that are drawn once, with replacement |
/// | `student-t` | fresh points of a law with heavy tails, or `samples` points that are drawn once, with replacement |
/// | `known-map` | fresh points of a law in `initial`, of its image under a known map in `data`; or `samples` drawn once |
/// | `funnels` | fresh points of a law in `initial`, of another in `data`, between which W1 is known; or `samples` drawn once |
/// | `file` | rows of a .npy or .csv file, with replacement |
/// | `cells` | cells of one day, with replacement |
/// | `digits` | handwritten digits, with replacement |
/// | `images` | training images of a labelled set, with replacement; its test images are held out |
/// | `array` | rows of an array that the program gives to the run, with replacement |
/// | `run` | fresh samples of a trained flow or generator, or of `samples` samples that are drawn once, with replacement |
///
/// Data of the kinds `file` and `array` are the user's own: a tenth of their rows is held out of the training
/// (`held_out`), and the training sees them centred and scaled (`scaling`). Initial points that are no law are in the
/// units of the data and are centred and scaled with them; a law is one of the scaled points.
///
/// ```
/// use train::config::Points;
/// #[derive(serde::Deserialize)]
/// struct Section {
///     initial: Points,
/// }
/// let section: Section = toml::from_str("initial = { kind = \"normal\", std = 0.5 }")?;
/// assert_eq!(section.initial, Points::Normal { std: 0.5, dim: None });
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Points {
    /// N(0, std²) in every coordinate.
    Normal {
        /// Standard deviation of a coordinate.
        #[serde(default = "one")]
        std: f64,
        /// Dimension; that of the data where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<usize>,
    },
    /// Uniform on [low, high) in every coordinate.
    Uniform {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
        /// Dimension; that of the data where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<usize>,
    },
    /// Logistic in every coordinate.
    Logistic {
        /// Mean of a coordinate.
        #[serde(default)]
        location: f64,
        /// Scale; the variance of a coordinate is π²·scale²/3.
        #[serde(default = "one")]
        scale: f64,
        /// Dimension; that of the data where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<usize>,
    },
    /// A synthetic target.
    Target {
        /// Which one.
        target: Target,
        /// Its ambient dimension.
        dim: usize,
        /// How many points are drawn once for the whole run; without it every minibatch is drawn afresh.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        samples: Option<usize>,
        /// Whether what is drawn at once has equal counts of the components.
        #[serde(default)]
        balanced: bool,
        /// Standard deviation of normal noise in every coordinate of what is drawn once, for the training alone: what is
        /// measured against has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        noise: Option<f64>,
    },
    /// The isotropic Student-t law ([`datasets::StudentT`]).
    StudentT {
        /// ν: the tails fall as r^(−ν).
        degrees_of_freedom: f64,
        /// The dimension of the subspace that it lies in, the other coordinates being 0; that of the points where it is left
        /// out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        manifold_dim: Option<usize>,
        /// Dimension of the points; that of the data where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<usize>,
        /// How many points are drawn once for the whole run; without it every minibatch is drawn afresh.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        samples: Option<usize>,
    },
    /// One side of two laws between which the optimal map is known: P in `initial`, its image Q in `data`.
    KnownMap {
        /// Which map.
        map: KnownMap,
        /// The dimension of both laws.
        dim: usize,
        /// How many points are drawn once for the whole run; without it every minibatch is drawn afresh.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        samples: Option<usize>,
    },
    /// One side of two laws between which W1 and its optimal critic are known: P in `initial`, Q in `data`.
    Funnels {
        /// Where the funnels come from.
        set: FunnelSet,
        /// How many there are.
        funnels: usize,
        /// The dimension of both laws.
        dim: usize,
        /// How many points are drawn once for the whole run; without it every minibatch is drawn afresh.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        samples: Option<usize>,
    },
    /// Cells of one of five days of a differentiation ([`datasets::cells`]).
    Cells {
        /// The day, 0 to 4.
        day: u8,
        /// Their leading principal components that are coordinates.
        components: usize,
    },
    /// The rows of a file.
    File {
        /// A .npy or .csv file, one point a row ([`datasets::read_matrix`]); a relative path is one from the folder of the
        /// configuration.
        file: PathBuf,
        /// The columns that are coordinates, such as "0..2", [0, 3] or ["height", "weight"]; all where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        columns: Option<Columns>,
        /// Whether the first row of a text holds names, where that cannot be seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<bool>,
        /// The number of coordinates, checked where it is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dim: Option<usize>,
        /// The share of the rows that the training never sees, of data only; a tenth where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_out: Option<f64>,
        /// How the training sees the rows, of data only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scaling: Option<Scaling>,
    },
    /// Handwritten digits on a grid of 16×16.
    Digits {
        /// Which ones.
        set: DigitSet,
        /// Which part of them.
        #[serde(default)]
        split: Split,
    },
    /// Images in [0, 1] on their own grid: the training images of a set, whose test images no training sees.
    Images {
        /// Which ones.
        set: ImageSet,
    },
    /// Samples of a trained model, without their conditions.
    Run {
        /// Its run folder; a relative path is one from the folder of the configuration.
        folder: PathBuf,
        /// How many points the training draws once for all; without it every minibatch is drawn afresh. What is measured
        /// begins with fresh ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        samples: Option<usize>,
    },
    /// The rows of an array in memory; what identifies it is filled in when a run begins.
    Array {
        /// Rows and columns.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shape: Option<[usize; 2]>,
        /// SHA-256 of its numbers, row by row as little-endian f64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// The share of the rows that the training never sees, of data only; a tenth where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_out: Option<f64>,
        /// How the training sees the rows, of data only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scaling: Option<Scaling>,
    },
}

/// How a training sees data of the user's own.
///
/// What else a configuration says (λ, the critic's bound L and the weight of its divergence, an initial law, noise and
/// interaction) is meant in the units of the training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Every coordinate centred, and all divided by one scale ([`crate::source::Units::of`]).
    #[default]
    Isotropic,
    /// As they are.
    None,
}

/// The share of the rows of the user's own data that is held out, where the configuration does not say it.
const HELD_OUT: f64 = 0.1;

impl Default for Points {
    /// The standard normal law.
    fn default() -> Self {
        Self::Normal { std: 1.0, dim: None }
    }
}

impl Points {
    /// The law, where every coordinate has one.
    pub fn law(&self) -> Option<InitialLaw> {
        match *self {
            Self::Normal { std, .. } => Some(InitialLaw::Normal { std }),
            Self::Uniform { low, high, .. } => Some(InitialLaw::Uniform { low, high }),
            Self::Logistic { location, scale, .. } => Some(InitialLaw::Logistic { location, scale }),
            Self::Target { .. }
            | Self::StudentT { .. }
            | Self::KnownMap { .. }
            | Self::Funnels { .. }
            | Self::Cells { .. }
            | Self::File { .. }
            | Self::Digits { .. }
            | Self::Images { .. }
            | Self::Run { .. }
            | Self::Array { .. } => None,
        }
    }

    /// The synthetic target.
    pub fn target(&self) -> Option<Target> {
        match *self {
            Self::Target { target, .. } => Some(target),
            _ => None,
        }
    }

    /// The degrees of freedom of a Student-t law.
    pub fn degrees_of_freedom(&self) -> Option<f64> {
        match *self {
            Self::StudentT { degrees_of_freedom, .. } => Some(degrees_of_freedom),
            _ => None,
        }
    }

    /// The known map, with the dimension of its laws.
    pub fn known_map(&self) -> Option<(KnownMap, usize)> {
        match *self {
            Self::KnownMap { map, dim, .. } => Some((map, dim)),
            _ => None,
        }
    }

    /// The set, the number and the dimension of funnels.
    pub fn funnels(&self) -> Option<(FunnelSet, usize, usize)> {
        match *self {
            Self::Funnels { set, funnels, dim, .. } => Some((set, funnels, dim)),
            _ => None,
        }
    }

    /// The set of images.
    pub fn images(&self) -> Option<ImageSet> {
        match *self {
            Self::Images { set } => Some(set),
            _ => None,
        }
    }

    /// The shape of the images that the points are.
    pub fn image_shape(&self) -> Option<ImageShape> {
        match *self {
            Self::Images { set } => Some(set.shape()),
            Self::Digits { .. } => {
                Some(ImageShape { height: DigitSet::SIDE, width: DigitSet::SIDE, channels: 1 })
            }
            _ => None,
        }
    }

    /// The day and the components of cells.
    pub fn cells(&self) -> Option<(u8, usize)> {
        match *self {
            Self::Cells { day, components } => Some((day, components)),
            _ => None,
        }
    }

    /// How many points are drawn of a law once for the whole run.
    pub(crate) fn samples(&self) -> Option<usize> {
        match *self {
            Self::Target { samples, .. }
            | Self::StudentT { samples, .. }
            | Self::KnownMap { samples, .. }
            | Self::Funnels { samples, .. }
            | Self::Run { samples, .. } => samples,
            _ => None,
        }
    }

    /// The dimension, where the configuration tells it.
    pub fn dim(&self) -> Option<usize> {
        match *self {
            Self::Normal { dim, .. }
            | Self::Uniform { dim, .. }
            | Self::Logistic { dim, .. }
            | Self::StudentT { dim, .. } => dim,
            Self::Target { dim, .. } | Self::KnownMap { dim, .. } | Self::Funnels { dim, .. } => Some(dim),
            Self::Cells { components, .. } => Some(components),
            Self::File { dim, .. } => dim,
            Self::Digits { .. } => Some(DigitSet::PIXELS),
            Self::Images { set } => Some(set.shape().values()),
            Self::Array { shape, .. } => shape.map(|[_, columns]| columns),
            Self::Run { .. } => None,
        }
    }

    /// A name for tables: that of the target, of the law (with ν behind it for a Student-t law), of the digits, of the file or of the run.
    pub fn name(&self) -> String {
        match self {
            Self::Normal { .. } => "normal".into(),
            Self::Uniform { .. } => "uniform".into(),
            Self::Logistic { .. } => "logistic".into(),
            Self::Target { target, .. } => target.name().into(),
            Self::StudentT { degrees_of_freedom, .. } => format!("student-t{degrees_of_freedom}"),
            Self::KnownMap { map, .. } => map.name().into(),
            Self::Funnels { set, funnels, .. } => set.laws(*funnels),
            Self::Cells { day, .. } => format!("cells-day-{day}"),
            Self::File { file: path, .. } | Self::Run { folder: path, .. } => {
                path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
            }
            Self::Digits { set, .. } => set.name().into(),
            Self::Images { set } => set.name().into(),
            Self::Array { .. } => "array".into(),
        }
    }

    /// The points as samples are measured against them, whatever is drawn of them for a training: without `samples` and
    /// `noise`.
    pub fn as_measured(&self) -> Self {
        let mut points = self.clone();
        match &mut points {
            Self::Target { samples, noise, .. } => (*samples, *noise) = (None, None),
            Self::StudentT { samples, .. }
            | Self::KnownMap { samples, .. }
            | Self::Funnels { samples, .. }
            | Self::Run { samples, .. } => *samples = None,
            Self::Normal { .. }
            | Self::Uniform { .. }
            | Self::Logistic { .. }
            | Self::Cells { .. }
            | Self::File { .. }
            | Self::Digits { .. }
            | Self::Images { .. }
            | Self::Array { .. } => {}
        }
        points
    }

    /// The file that the points are read from.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File { file, .. } => Some(file),
            _ => None,
        }
    }

    /// How the run diverged whose samples the points are, if it did.
    pub(crate) fn diverged(&self) -> Option<String> {
        let Self::Run { folder, .. } = self else { return None };
        let outcome = std::fs::read(folder.join(OUTCOME_FILE)).ok()?;
        match serde_json::from_slice::<Outcome>(&outcome).ok()?.status {
            status @ Status::Diverged { .. } => Some(status.to_string()),
            _ => None,
        }
    }

    /// The kind, as configurations write it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Normal { .. } => "normal",
            Self::Uniform { .. } => "uniform",
            Self::Logistic { .. } => "logistic",
            Self::Target { .. } => "target",
            Self::StudentT { .. } => "student-t",
            Self::KnownMap { .. } => "known-map",
            Self::Funnels { .. } => "funnels",
            Self::Cells { .. } => "cells",
            Self::File { .. } => "file",
            Self::Digits { .. } => "digits",
            Self::Images { .. } => "images",
            Self::Run { .. } => "run",
            Self::Array { .. } => "array",
        }
    }

    /// The same points, a relative path of theirs taken from `folder`.
    #[must_use]
    pub fn located(mut self, folder: &Path) -> Self {
        if let Self::File { file: path, .. } | Self::Run { folder: path, .. } = &mut self {
            let joined = folder.join(&*path);
            *path = std::path::absolute(&joined).unwrap_or(joined);
        }
        self
    }

    /// The same points, from the place of `other` where both are of files or of runs: these may move.
    pub(crate) fn in_the_place_of(mut self, other: &Self) -> Self {
        if let (Self::File { file: path, .. }, Self::File { file: now, .. })
        | (Self::Run { folder: path, .. }, Self::Run { folder: now, .. }) = (&mut self, other)
        {
            path.clone_from(now);
        }
        self
    }

    /// Whether these are the user's own.
    ///
    /// ```
    /// # use train::config::Points;
    /// let normal = Points::Normal { std: 1.0, dim: None };
    /// assert!(!normal.is_own());
    /// ```
    pub fn is_own(&self) -> bool {
        matches!(self, Self::File { .. } | Self::Array { .. })
    }

    /// The share of the rows of data that the training never sees: none but of the user's own.
    pub fn held_out(&self) -> f64 {
        match *self {
            Self::File { held_out, .. } | Self::Array { held_out, .. } => held_out.unwrap_or(HELD_OUT),
            _ => 0.0,
        }
    }

    /// How a training sees data: as they are, but for the user's own.
    pub fn scaling(&self) -> Scaling {
        match *self {
            Self::File { scaling, .. } | Self::Array { scaling, .. } => scaling.unwrap_or_default(),
            _ => Scaling::None,
        }
    }
}

fn one() -> f64 {
    1.0
}
