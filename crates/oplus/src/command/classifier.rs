//! `classifier`: trains the classifier that scores generated images.

use crate::data_sets::images;
use crate::ending::Ending;
use crate::kinds::data_sets;
use crate::progress::Progress;
use anyhow::Result;
use clap::Args;
use train::classifier::Classifier;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The set of images: mnist, fashion or cifar10
    set: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let set = images(&arguments.set)?;
    let progress = Progress::new("classifier");
    let mut told = 0;
    let classifier = Classifier::make(&data_sets(), set, |share| {
        let tenths = (10.0 * share) as u32;
        if tenths > told {
            told = tenths;
            progress.stage(format!("{} % of the training", 10 * tenths));
        }
    })?;
    let path = Classifier::path(&data_sets(), set);
    say::answer!(
        "{} says the class of {:.2} % of the test images",
        path.display(),
        100.0 * classifier.accuracy
    );
    Ok(Ending::Done)
}
