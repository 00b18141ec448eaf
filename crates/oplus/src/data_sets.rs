//! Data sets of others: those of images by name, and what is said where one is missing.

use crate::kinds::data_sets;
use anyhow::{Result, bail};
use datasets::ImageSet;
use datasets::manifest::find;
use train::classifier::CLASSIFIER_FILE;

/// The sets of images that are scored.
const IMAGES: [ImageSet; 3] = [ImageSet::Mnist, ImageSet::Fashion, ImageSet::Cifar10];

/// The set of images of this name.
pub(crate) fn images(name: &str) -> Result<ImageSet> {
    match IMAGES.into_iter().find(|set| set.name() == name) {
        Some(set) => Ok(set),
        None => {
            bail!("there is no set of images `{name}`: there are {}", IMAGES.map(ImageSet::name).join(", "))
        }
    }
}

/// Says that a data set is missing, and what can be done, before anything takes long.
pub(crate) fn set_is_there(name: &str) -> Result<()> {
    let folder = data_sets().join(name);
    let data_set = find(name)?;
    let Some(missing) = data_set.files.iter().find(|file| !folder.join(file.name).is_file()) else {
        return Ok(());
    };
    let path = folder.join(missing.name);
    match data_set.package {
        Some(_) => bail!("{} is missing: get it with `cargo xtask data fetch {name}`", path.display()),
        None => bail!(
            "{} is missing and no package carries it ({}): put the files into that folder, or take the resampled \
             digits, a stand-in that every output names, with --usps-resampled",
            path.display(),
            data_set.terms
        ),
    }
}

/// Says that the classifier by which images are scored is missing, before anything takes long.
pub(crate) fn classifier_is_there(name: &str) -> Result<()> {
    let path = data_sets().join(name).join(CLASSIFIER_FILE);
    if !path.is_file() {
        bail!(
            "{} is missing: make it with `cargo xtask classifier {name}`, which takes about a minute",
            path.display()
        );
    }
    Ok(())
}
