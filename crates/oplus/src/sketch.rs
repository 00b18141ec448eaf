//! Pictures of what a training generates on its way, for programs that follow it.

use crate::kinds::inputs;
use crate::monitor::is_round;
use crate::page;
use anyhow::Result;
use eval::report::{Figure, Pixels};
use ndarray::Array2;
use train::observe::{Picture, Pictured};
use train::{Config, Model, TrainError};

/// Points of a cloud.
const POINTS: usize = 500;
/// What they are called.
const NAME: &str = "samples";

/// Draws samples beside the data at records whose count has a digit 1, 2 or 5 and zeros, and at the last one.
pub(crate) struct Sketch {
    data: Array2<f64>,
    every: u64,
    last: u64,
}

impl Sketch {
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let training = config.training();
        let data = measure::target(config, &inputs(), POINTS)?;
        Ok(Self { data, every: training.log_every, last: training.iterations })
    }

    /// The picture after `iteration` iterations, where one is due and the samples are finite.
    pub(crate) fn draw(&self, iteration: u64, model: impl FnOnce() -> Result<Model, TrainError>) -> Pictured {
        if !is_round(iteration.div_ceil(self.every)) && iteration != self.last {
            return Ok(None);
        }
        let figures = page::now(&model()?, &self.data, POINTS)?;
        // The widest plane comes first, and images of the data before generated ones.
        let pixels = match (figures.first(), figures.last()) {
            (Some(Figure::Scatter(scatter)), _) => scatter.pixels()?,
            (_, Some(Figure::Images(images))) => images.pixels()?,
            _ => return Ok(None),
        };
        let Pixels { width, height, rgb } = pixels;
        let png = datasets::Picture { width, height, channels: 3, bytes: rgb }.encoded()?;
        Ok(Some(Picture { name: NAME.into(), width, height, png }))
    }
}
