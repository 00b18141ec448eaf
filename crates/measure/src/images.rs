//! The scores of generated images: in the features of the classifier of their set, and in their background.

use crate::stream_name::IMAGES;
use crate::{MeasureError, Tell};
use datasets::{ImageSet, Split, stream};
use eval::results::Protocol;
use eval::{
    Metrics, background_noise, class_entropy, frechet_distance, kernel_distance, precision_and_recall,
};
use metrics::{
    BACKGROUND_NOISE, CLASS_ENTROPY, FRECHET_DISTANCE, KERNEL_DISTANCE, LABEL_ACCURACY,
    NEAREST_TRAINING_DISTANCE, PRECISION, RECALL, W2_SQUARED,
};
use ndarray::{Array2, ArrayView2, Axis, s};
use ot_core::gaussian::Gaussian;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use std::path::Path;
use train::classifier::Classifier;
use train::config::{Config, Points};
use train::source::Inputs;

/// Images whose nearest training images are looked for.
const NEAREST: usize = 1000;

/// Generated images, with the labels that were asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Generated<'a> {
    /// [n, d].
    pub(crate) images: ArrayView2<'a, f64>,
    /// One for each image; none where none was asked for.
    pub(crate) labels: Option<&'a [f64]>,
}

impl<'a> From<ArrayView2<'a, f64>> for Generated<'a> {
    /// Images without a label.
    fn from(images: ArrayView2<'a, f64>) -> Self {
        Self { images, labels: None }
    }
}

/// Scores of generated images against `reference` images that no training has seen: `class_entropy`, under a label
/// `label_accuracy`, and where they are at least as many as a covariance of features needs, `frechet_distance`,
/// `kernel_distance`, `precision` and `recall`; `background_noise` against `training` images. Those of the classifier are absent
/// where none is stored.
///
/// Shapes: [n, d], [m, d] and [k, d]. Complexity: O((n + m)²) pairs of 128 features.
pub(crate) fn scores(
    (set, data_sets): (ImageSet, &Path),
    Generated { images, labels }: Generated<'_>,
    reference: ArrayView2<'_, f64>,
    training: ArrayView2<'_, f64>,
    tell: Tell<'_>,
) -> Result<Metrics, MeasureError> {
    let mut metrics = Metrics::default();
    if let Some(noise) = background_noise(images, training) {
        metrics.insert(BACKGROUND_NOISE, noise);
    }
    let Some(classifier) = Classifier::load(data_sets, set)? else { return Ok(metrics) };
    tell("the scores of the images");
    let classes = classifier.classes(images)?;
    metrics.insert(CLASS_ENTROPY, class_entropy(&classes));
    if let Some(labels) = labels {
        metrics.insert(LABEL_ACCURACY, label_accuracy(&classes, labels));
    }
    let (x, y) = (classifier.features(images)?, classifier.features(reference)?);
    if x.nrows().min(y.nrows()) > x.ncols() {
        metrics.insert(FRECHET_DISTANCE, frechet_distance(x.view(), y.view())?);
        metrics.insert(KERNEL_DISTANCE, kernel_distance(x.view(), y.view()));
        let (precision, recall) = precision_and_recall(x.view(), y.view())?;
        metrics.insert(PRECISION, precision);
        metrics.insert(RECALL, recall);
    }
    Ok(metrics)
}

/// The share of images whose class is the label that was asked for.
fn label_accuracy(classes: &[u8], labels: &[f64]) -> f64 {
    let right = classes.iter().zip(labels).filter(|(class, label)| f64::from(**class) == **label);
    right.count() as f64 / labels.len() as f64
}

/// The scores of images by a set of them ([`image_scores`]).
#[derive(Debug, Clone)]
pub struct ImageScores {
    /// Of the images.
    pub images: Metrics,
    /// Of as many training images, or all of them, which no generated ones can be expected to surpass.
    pub real: Metrics,
    /// The test images that both are compared with.
    pub reference: usize,
}

/// The scores of images, [n, d], that were made in any way, against all test images of a set: `class_entropy`, and from 129 images
/// on `frechet_distance`, `kernel_distance`, `precision` and `recall`, in the features of the classifier of the set;
/// `background_noise` and, of the first 1000 of them, the median `nearest_training_distance`.
///
/// Complexity: O((n + m)²) pairs of 128 features for m test images, and 1000 images against all training images.
///
/// # Errors
/// What reading the images reports; [`MeasureError`] for images of another size.
pub fn image_scores(
    images: ArrayView2<'_, f64>,
    (set, data_sets): (ImageSet, &Path),
    tell: Tell<'_>,
) -> Result<ImageScores, MeasureError> {
    tell("reading the images of the set");
    let (training, test) = (wide(set, data_sets, Split::Train)?, wide(set, data_sets, Split::Test)?);
    let scored = |images: ArrayView2<'_, f64>| {
        scores((set, data_sets), images.into(), test.view(), training.view(), tell)
    };
    let real = chosen(&training, images.nrows(), &mut stream(0, IMAGES, 1));
    let (mut found, real) = (scored(images)?, scored(real.view())?);
    tell("the nearest training images");
    let first = images.slice(s![..images.nrows().min(NEAREST), ..]);
    found.insert(NEAREST_TRAINING_DISTANCE, eval::median_nearest_distance(first, &training)?);
    Ok(ImageScores { images: found, real, reference: test.nrows() })
}

/// The images of a part of a set, [n, d].
fn wide(set: ImageSet, data_sets: &Path, split: Split) -> Result<Array2<f64>, MeasureError> {
    Ok(set.read(data_sets, split)?.pixels.mapv(f64::from))
}

/// So many of the images by chance, or all.
///
/// Files may be sorted: the first half of the test images of MNIST is cleaner than the second.
fn chosen(images: &Array2<f64>, count: usize, rng: &mut impl Rng) -> Array2<f64> {
    let mut rows: Vec<usize> = (0..images.nrows()).collect();
    rows.shuffle(rng);
    rows.truncate(count);
    images.select(Axis(0), &rows)
}

/// The set of images that a section names, with the folder of the data sets.
pub(crate) fn of<'a>(data: &Points, inputs: &'a Inputs) -> Option<(ImageSet, &'a Path)> {
    Some((data.images()?, &inputs.data_sets))
}

/// What generated images stand between, by name: `real`, training images drawn apart from those of the floor, and
/// `gaussian`, samples of the normal law with mean and covariance of the training images. None where the data are no
/// images.
///
/// # Errors
/// What reading the images reports.
pub fn image_references(
    config: &Config,
    inputs: &Inputs,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Vec<(&'static str, Metrics)>, MeasureError> {
    let Some((set, data_sets)) = of(config.data(), inputs) else { return Ok(Vec::new()) };
    let (training, test) = (wide(set, data_sets, Split::Train)?, wide(set, data_sets, Split::Test)?);
    let count = (protocol.pairs * protocol.exact_points).min(test.nrows());
    let mut rng = stream(config.seed(), IMAGES, 0);
    let real = chosen(&training, count, &mut rng);
    let reference = chosen(&test, count, &mut rng);
    tell("the normal law of the training images");
    let law = Gaussian::from_samples(training.view())?;
    let standard = Gaussian::new(ndarray::Array1::zeros(training.ncols()), Array2::eye(training.ncols()))?;
    let normal = Array2::from_shape_simple_fn((count, training.ncols()), || StandardNormal.sample(&mut rng));
    let gaussian = standard.transport_map(&law)?.apply(normal.view())?;
    let mut found = Vec::new();
    for (name, images) in [("real", real), ("gaussian", gaussian)] {
        tell(name);
        let mut metrics =
            scores((set, data_sets), images.view().into(), reference.view(), training.view(), tell)?;
        let squares = images
            .axis_chunks_iter(Axis(0), protocol.exact_points)
            .zip(reference.axis_chunks_iter(Axis(0), protocol.exact_points));
        let squares = squares.map(|(x, y)| eval::w2_squared(x, y)).collect::<Result<Vec<f64>, _>>()?;
        metrics.insert_repeated(W2_SQUARED, &squares);
        if name == "gaussian" {
            let nearest = images.slice(s![..count.min(NEAREST), ..]);
            metrics.insert(NEAREST_TRAINING_DISTANCE, eval::median_nearest_distance(nearest, &training)?);
        }
        found.push((name, metrics));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of one grey, a set of them at 0, 10, … of 255 and the others half a step from a training image.
    #[test]
    fn the_nearest_training_image_is_found_and_real_images_are_training_images() {
        let root = tempfile::tempdir().unwrap();
        let folder = tempfile::Builder::new().prefix("mnist").rand_bytes(0).tempdir_in(root.path()).unwrap();
        let write = |name: String, bytes: &[u8]| {
            datasets::write_whole(folder.path().join(name), |file| file.write_all(bytes)).unwrap();
        };
        for (part, count) in [("train", 20u8), ("t10k", 2)] {
            let mut images = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28];
            images.extend((0..count).flat_map(|i| [10 * i; 784]));
            write(format!("{part}-images-idx3-ubyte"), &images);
            let mut labels = vec![0, 0, 8, 1, 0, 0, 0, count];
            labels.extend((0..count).map(|i| i % 10));
            write(format!("{part}-labels-idx1-ubyte"), &labels);
        }
        let images = Array2::from_shape_fn((7, 784), |(i, _)| (10.0 * i as f64 + 3.0) / 255.0);
        let found = image_scores(images.view(), (ImageSet::Mnist, root.path()), &|_| {}).unwrap();
        // Three of 255 in each of 28² pixels, which are stored in single precision; most test images are farther.
        let nearest = found.images.get(NEAREST_TRAINING_DISTANCE).unwrap();
        assert!((nearest - 28.0 * 3.0 / 255.0).abs() < 1e-6, "{nearest}");
        assert_eq!((found.reference, found.real.get(NEAREST_TRAINING_DISTANCE)), (2, None));
        let other = Array2::zeros((7, 783));
        assert!(image_scores(other.view(), (ImageSet::Mnist, root.path()), &|_| {}).is_err());
    }

    #[test]
    fn an_image_counts_where_its_class_is_the_label_that_was_asked_for() {
        assert_eq!(label_accuracy(&[7, 1, 0, 3], &[7.0, 2.0, 0.0, 3.0]), 0.75);
    }

    #[test]
    fn without_a_classifier_there_is_the_background_alone() {
        let root = tempfile::tempdir().unwrap();
        let mut training = Array2::zeros((200, 784));
        training.column_mut(5).fill(1.0);
        let images = Array2::from_elem((10, 784), 0.5);
        let found = scores(
            (ImageSet::Mnist, root.path()),
            images.view().into(),
            images.view(),
            training.view(),
            &|_| {},
        );
        let found = found.unwrap();
        assert_eq!(found.get(BACKGROUND_NOISE), Some(0.5));
        assert_eq!(found.get(CLASS_ENTROPY), None);
    }
}
