//! A small classifier of images, trained on the training images of a set: generated images are scored by the classes that it
//! gives them and by the features that it sees in them.
//!
//! Class probabilities are the softmax of a perceptron's outputs; what is minimised is the mean of −ln p of the true class
//! over images that are moved by a pixel or two, and mirrored where a mirror image is as good. The moving average of the
//! weights is kept. The features are the values of the last hidden layer.

mod augment;

use crate::TrainError;
use crate::average;
use crate::checkpoint::{State, Stored};
use crate::config::{Optimiser, Schedule};
use crate::optim::Adam;
use augment::varied;
use datasets::{ImageSet, ImageShape, Images, Split, stream};
use flows::activation::Activation;
use flows::error::array2;
use flows::generator::{
    Generator, GeneratorForm, GeneratorInitialisation, GeneratorOutput, GeneratorTape, Statistics,
};
use ndarray::{Array2, ArrayView2, Axis};
use rand::RngExt;
use std::path::{Path, PathBuf};

/// The name of the file of a classifier in the folder of its set.
pub const CLASSIFIER_FILE: &str = "classifier.safetensors";
/// The number of features.
const FEATURES: usize = 128;
/// The streams of its training.
const STREAM: &str = "classifier";
/// Images that are classified at once.
const CHUNK: usize = 1024;
/// The name of the weights in the file.
const PARAMETERS: &str = "classifier.parameters";

/// How a classifier is trained.
#[derive(Debug, Clone, Copy)]
struct Schooling {
    /// Units of the first hidden layer; the second one has the features.
    first: usize,
    iterations: u64,
    batch: usize,
    decay: f64,
    optimiser: Optimiser,
    /// Most pixels that an image is moved by.
    shift: usize,
    /// Whether images are mirrored.
    mirrored: bool,
}

impl Schooling {
    /// Digits may be moved further than clothes, which fill their pictures, and are learnt by less.
    fn of(set: ImageSet) -> Self {
        let is_digits = set == ImageSet::Mnist;
        let (first, iterations, shift) = if is_digits { (256, 5000, 2) } else { (512, 14_000, 1) };
        Self {
            first,
            iterations,
            batch: 256,
            decay: 0.998,
            optimiser: Optimiser {
                learning_rate: 2e-3,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                schedule: Schedule::Cosine { end: 0.01 },
            },
            shift,
            mirrored: !is_digits,
        }
    }
}

/// A trained classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    network: Generator,
    /// The network up to its last hidden layer.
    trunk: Generator,
    parameters: Vec<f32>,
    /// The share of the test images whose class it says.
    pub accuracy: f64,
}

impl Classifier {
    /// The file of the classifier of a set, below the folder `root` of the data sets.
    pub fn path(root: &Path, set: ImageSet) -> PathBuf {
        root.join(set.name()).join(CLASSIFIER_FILE)
    }

    /// The stored classifier of a set; none where there is no file.
    ///
    /// # Errors
    /// [`TrainError::Damaged`] for a file that is not what was written.
    pub fn load(root: &Path, set: ImageSet) -> Result<Option<Self>, TrainError> {
        let path = Self::path(root, set);
        if !path.is_file() {
            return Ok(None);
        }
        let stored = Stored::open(&path)?;
        let mut classifier = Self::new(set.shape().values(), Schooling::of(set).first, Vec::new())?;
        classifier.parameters = stored.fitting(PARAMETERS, classifier.network.parameter_count())?;
        classifier.accuracy = stored.doubles("accuracy")?.first().copied().unwrap_or(f64::NAN);
        Ok(Some(classifier))
    }

    /// Trains the classifier of a set, always to the same weights on the same machine, and stores it; `tell` hears the share of
    /// the iterations that is done.
    ///
    /// Complexity: 5000 or 14 000 iterations, about a minute of one core for grey images.
    ///
    /// # Errors
    /// What reading the images or writing the file reports.
    pub fn make(root: &Path, set: ImageSet, tell: impl FnMut(f64)) -> Result<Self, TrainError> {
        let (training, test) = (set.read(root, Split::Train)?, set.read(root, Split::Test)?);
        let mut classifier = Self::trained(&training, set.shape(), Schooling::of(set), tell)?;
        classifier.accuracy = classifier.accuracy_on(&test)?;
        let mut state = State::default();
        state.floats(PARAMETERS, &classifier.parameters);
        state.doubles("accuracy", &[classifier.accuracy]);
        state.write(&Self::path(root, set))?;
        Ok(classifier)
    }

    fn new(values: usize, first: usize, parameters: Vec<f32>) -> Result<Self, TrainError> {
        let form = GeneratorForm {
            activation: Activation::Relu,
            batch_norm: false,
            residual: false,
            output: GeneratorOutput::Identity,
        };
        Ok(Self {
            network: Generator::new(values, &[first, FEATURES], ImageSet::CLASSES, form)?,
            trunk: Generator::new(values, &[first], FEATURES, form)?,
            parameters,
            accuracy: f64::NAN,
        })
    }

    fn trained(
        images: &Images,
        shape: ImageShape,
        schooling: Schooling,
        mut tell: impl FnMut(f64),
    ) -> Result<Self, TrainError> {
        let mut classifier = Self::new(shape.values(), schooling.first, Vec::new())?;
        let network = &classifier.network;
        let mut parameters: Vec<f32> =
            GeneratorInitialisation::default().draw(network, &mut stream(0, STREAM, 0));
        let mut mean = parameters.clone();
        let mut adam = Adam::new(parameters.len());
        let mut tape = GeneratorTape::new();
        for iteration in 0..schooling.iterations {
            let progress = iteration as f64 / schooling.iterations as f64;
            tell(progress);
            let mut rng = stream(0, STREAM, iteration + 1);
            let (mut batch, mut labels) = (Vec::with_capacity(schooling.batch * shape.values()), Vec::new());
            for _ in 0..schooling.batch {
                let row = rng.random_range(0..images.labels.len());
                let label = images.labels.get(row).copied().unwrap_or_default();
                varied(
                    images.pixels.row(row),
                    shape,
                    (schooling.shift, schooling.mirrored),
                    &mut rng,
                    &mut batch,
                );
                labels.push(label);
            }
            network.evaluate(&parameters, &batch, Statistics::Batch, &mut tape)?;
            let (_, cotangent) = cross_entropy(tape.points(), &labels);
            let mut gradient = vec![0.0; parameters.len()];
            network.pull_back(&parameters, &mut tape, &cotangent, &mut gradient, None)?;
            adam.step(&schooling.optimiser, schooling.optimiser.rate(progress), &mut parameters, &gradient)?;
            average::update(&mut mean, &parameters, schooling.decay, adam.steps)?;
        }
        classifier.parameters = mean;
        Ok(classifier)
    }

    /// The features of the rows of `images`, [n, height·width·channels] in [0, 1]: [n, 128].
    ///
    /// # Errors
    /// A wrong number of values.
    pub fn features(&self, images: ArrayView2<'_, f64>) -> Result<Array2<f64>, TrainError> {
        let parameters = self.parameters.get(..self.trunk.parameter_count()).unwrap_or_default();
        Ok(evaluated(&self.trunk, parameters, images)?.mapv(|value| f64::from(value.max(0.0))))
    }

    /// The most probable class of each row of `images`.
    ///
    /// # Errors
    /// As [`Classifier::features`].
    pub fn classes(&self, images: ArrayView2<'_, f64>) -> Result<Vec<u8>, TrainError> {
        let scores = evaluated(&self.network, &self.parameters, images)?;
        let likeliest = |row: ndarray::ArrayView1<'_, f32>| {
            let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.map_or(0, |(class, _)| class as u8)
        };
        Ok(scores.rows().into_iter().map(likeliest).collect())
    }

    fn accuracy_on(&self, images: &Images) -> Result<f64, TrainError> {
        let found = self.classes(images.pixels.mapv(f64::from).view())?;
        let right = found.iter().zip(&images.labels).filter(|(found, label)| found == label).count();
        Ok(right as f64 / found.len() as f64)
    }
}

fn evaluated(
    network: &Generator,
    parameters: &[f32],
    images: ArrayView2<'_, f64>,
) -> Result<Array2<f32>, TrainError> {
    let mut rows = Vec::with_capacity(images.nrows() * network.output());
    for chunk in images.axis_chunks_iter(Axis(0), CHUNK) {
        let single = chunk.mapv(|value| value as f32);
        rows.extend(network.generate(parameters, single.view(), Statistics::Batch)?);
    }
    Ok(array2("the outputs of the classifier", rows, network.output())?)
}

/// The mean of −ln softmax(s) at the true classes over rows s of scores, and its gradient (softmax(s) − e)/n.
fn cross_entropy(scores: &[f32], labels: &[u8]) -> (f64, Vec<f32>) {
    let share = 1.0 / labels.len() as f32;
    let (mut loss, mut gradient) = (0.0, Vec::with_capacity(scores.len()));
    for (row, &label) in scores.chunks_exact(ImageSet::CLASSES).zip(labels) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f32 = row.iter().map(|score| (score - largest).exp()).sum();
        for (class, score) in row.iter().enumerate() {
            let probability = (score - largest).exp() / total;
            let truth = if class == usize::from(label) { 1.0 } else { 0.0 };
            if truth == 1.0 {
                loss += f64::from(share * (total.ln() - (score - largest)));
            }
            gradient.push(share * (probability - truth));
        }
    }
    (loss, gradient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;

    const SHAPE: ImageShape = ImageShape { height: 5, width: 5, channels: 1 };

    /// Class 0 is a line across, class 1 a line down, each somewhere, in noise.
    fn lines(count: usize, seed: u64) -> Images {
        let mut rng = stream(seed, "lines", 0);
        let mut pixels = Array2::zeros((count, 25));
        let mut labels = Array1::zeros(count);
        for (row, label) in labels.iter_mut().enumerate() {
            *label = (row % 2) as u8;
            let place = rng.random_range(0..5);
            for i in 0..5 {
                let at = if *label == 0 { 5 * place + i } else { 5 * i + place };
                pixels[[row, at]] = 1.0;
            }
            for value in pixels.row_mut(row) {
                *value += rng.random_range(0.0..0.2);
            }
        }
        Images { pixels, labels }
    }

    #[test]
    fn lines_are_told_apart_and_their_features_are_those_of_the_last_hidden_layer() {
        let schooling =
            Schooling { iterations: 150, batch: 64, decay: 0.9, shift: 1, ..Schooling::of(ImageSet::Mnist) };
        let classifier = Classifier::trained(&lines(500, 1), SHAPE, schooling, |_| {}).unwrap();
        let test = lines(200, 2);
        let accuracy = classifier.accuracy_on(&test).unwrap();
        assert!(accuracy > 0.97, "{accuracy}");
        let images = test.pixels.mapv(f64::from);
        let features = classifier.features(images.view()).unwrap();
        // The last affine layer, by hand.
        let last = classifier.network.last_layer();
        let weights =
            Array2::from_shape_vec((10, 128), classifier.parameters[last.weight.clone()].to_vec()).unwrap();
        let bias = Array1::from(classifier.parameters[last.bias.clone()].to_vec()).mapv(f64::from);
        let scores = features.dot(&weights.mapv(f64::from).t()) + &bias;
        let best = |row: ndarray::ArrayView1<'_, f64>| {
            (0..10).max_by(|&i, &j| row[i].total_cmp(&row[j])).unwrap() as u8
        };
        let by_hand: Vec<u8> = scores.rows().into_iter().map(best).collect();
        assert_eq!(by_hand, classifier.classes(images.view()).unwrap());
    }

    #[test]
    fn the_gradient_of_the_cross_entropy_is_that_of_finite_differences() {
        let scores: Vec<f32> = (0..20).map(|i| (i as f32 * 1.7).sin()).collect();
        let labels = [3, 9];
        let (_, gradient) = cross_entropy(&scores, &labels);
        for (i, expected) in gradient.iter().enumerate() {
            let at = |step: f32| {
                let mut moved = scores.clone();
                moved[i] += step;
                cross_entropy(&moved, &labels).0
            };
            // Single precision over a step of 1e-2: 1e-7/2e-2 and a curvature below 1 times 1e-4.
            let found = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((found - f64::from(*expected)).abs() < 5e-5, "{i}: {found} for {expected}");
        }
    }

    #[test]
    fn a_classifier_is_read_back_and_a_damaged_one_refused() {
        let root = tempfile::tempdir().unwrap();
        assert!(Classifier::load(root.path(), ImageSet::Mnist).unwrap().is_none());
        let mut classifier = Classifier::new(784, 256, Vec::new()).unwrap();
        classifier.parameters = vec![0.25; classifier.network.parameter_count()];
        classifier.accuracy = 0.5;
        let path = Classifier::path(root.path(), ImageSet::Mnist);
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        let mut state = State::default();
        state.floats(PARAMETERS, &classifier.parameters);
        state.doubles("accuracy", &[classifier.accuracy]);
        state.write(&path).unwrap();
        assert_eq!(Classifier::load(root.path(), ImageSet::Mnist).unwrap(), Some(classifier));
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let error = Classifier::load(root.path(), ImageSet::Mnist).unwrap_err();
        assert!(matches!(error, TrainError::Damaged { .. }), "{error}");
    }
}
