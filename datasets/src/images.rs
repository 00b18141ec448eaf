//! Labelled images on their own grid, grey or in colour, with values in [0, 1].

use std::fmt;
use std::path::Path;

use ndarray::{Array1, Array2, Array3, Ix1, Ix3};
use serde::{Deserialize, Serialize};

use crate::manifest::{DataSet, find};
use crate::read::read_photographs;
use crate::{DataError, ReadError, Split, read_idx};

/// A set of labelled images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageSet {
    /// MNIST: handwritten digits, 60 000 to train on and 10 000 to test with.
    Mnist,
    /// Fashion-MNIST: pieces of clothing, as many.
    Fashion,
    /// CIFAR-10: small photographs in colour, 50 000 and 10 000.
    Cifar10,
}

/// The grid of an image; its values lie row by row, pixel by pixel, those of a pixel side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageShape {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Values of a pixel: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
}

impl ImageShape {
    /// The number of values of an image.
    #[must_use]
    pub fn values(self) -> usize {
        self.height * self.width * self.channels
    }
}

/// Images and what they show.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    /// One image a row, [n, height·width·channels], in [0, 1].
    pub pixels: Array2<f32>,
    /// The class of each, below [`ImageSet::CLASSES`], \[n\].
    pub labels: Array1<u8>,
}

impl ImageSet {
    /// The number of classes of every set.
    pub const CLASSES: usize = 10;

    /// The name in configurations, in results and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::Fashion => "fashion",
            Self::Cifar10 => "cifar10",
        }
    }

    /// The grid of its images.
    ///
    /// ```
    /// assert_eq!(datasets::ImageSet::Cifar10.shape().values(), 3072);
    /// ```
    #[must_use]
    pub fn shape(self) -> ImageShape {
        match self {
            Self::Mnist | Self::Fashion => ImageShape { height: 28, width: 28, channels: 1 },
            Self::Cifar10 => ImageShape { height: 32, width: 32, channels: 3 },
        }
    }

    /// Reads the training or the test images from the folder of the set below `root` (see
    /// [`crate::manifest::cache_root`]), from bytes b to b/255.
    ///
    /// Complexity: O(size of the files).
    ///
    /// # Errors
    /// [`DataError::Absent`] where a file is missing, which says how to get it; [`DataError::Read`] for a damaged one, and
    /// for images of another grid.
    pub fn read(self, root: &Path, split: Split) -> Result<Images, DataError> {
        let folder = root.join(self.name());
        let images = match self {
            Self::Mnist | Self::Fashion => self.read_grey(&folder, split),
            Self::Cifar10 => read_photographs(&folder, split),
        };
        images.map_err(|error| match (error, find(self.name())) {
            (ReadError::Missing { path }, Ok(DataSet { name, .. })) => DataError::Absent { name, path },
            (error, _) => error.into(),
        })
    }

    fn read_grey(self, folder: &Path, split: Split) -> Result<Images, ReadError> {
        let (bytes, labels) = read_labelled(folder, split)?;
        let (count, height, width) = bytes.dim();
        let shape = self.shape();
        if (height, width) != (shape.height, shape.width) {
            let path = folder.join(format!("{}-images-idx3-ubyte", prefix(split)));
            let reason =
                format!("its images have {height} × {width} pixels, not {} × {}", shape.height, shape.width);
            return Err(ReadError::Malformed { path, format: "IDX", reason });
        }
        let pixels = bytes.iter().map(|&byte| unit(byte));
        let pixels = Array2::from_shape_vec((count, height * width), pixels.collect());
        Ok(Images { pixels: pixels.unwrap_or_else(|_| unreachable!("one value for each byte")), labels })
    }
}

impl fmt::Display for ImageSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// The value of a byte in [0, 1].
pub(crate) fn unit(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

fn prefix(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Test => "t10k",
    }
}

/// The images, [n, height, width], and labels, \[n\], of a folder in the form of MNIST.
pub(crate) fn read_labelled(folder: &Path, split: Split) -> Result<(Array3<u8>, Array1<u8>), ReadError> {
    let prefix = prefix(split);
    let (images_path, labels_path) = (
        folder.join(format!("{prefix}-images-idx3-ubyte")),
        folder.join(format!("{prefix}-labels-idx1-ubyte")),
    );
    let malformed =
        |path: &Path, reason: String| ReadError::Malformed { path: path.into(), format: "MNIST", reason };
    let images = read_idx(&images_path)?;
    let shape = images.shape().to_vec();
    let images = images.into_dimensionality::<Ix3>().map_err(|_| {
        malformed(&images_path, format!("its shape is {shape:?}, not images × rows × columns"))
    })?;
    let labels = read_idx(&labels_path)?
        .into_dimensionality::<Ix1>()
        .map_err(|_| malformed(&labels_path, "its labels have more than one axis".into()))?;
    if labels.len() != images.dim().0 {
        let reason = format!("it has {} labels for {} images", labels.len(), images.dim().0);
        return Err(malformed(&labels_path, reason));
    }
    if let Some((row, label)) =
        labels.indexed_iter().find(|&(_, &label)| usize::from(label) >= ImageSet::CLASSES)
    {
        let reason = format!("label {row} is {label}: there are {} classes", ImageSet::CLASSES);
        return Err(malformed(&labels_path, reason));
    }
    Ok((images, labels))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Writes a file of the form IDX.
    pub(crate) fn write(folder: &Path, name: &str, header: &[u8], sizes: &[u32], data: &[u8]) {
        let sizes = sizes.iter().flat_map(|size| size.to_be_bytes());
        let bytes: Vec<u8> = header.iter().copied().chain(sizes).chain(data.iter().copied()).collect();
        std::fs::create_dir_all(folder).unwrap();
        crate::write_whole(folder.join(name), |file| file.write_all(&bytes)).unwrap();
    }

    #[test]
    fn grey_images_keep_their_grid_and_lie_in_the_unit_interval() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("fashion");
        let mut data = vec![0; 2 * 784];
        (data[784], data[784 + 29], data[2 * 784 - 1]) = (255, 51, 102);
        write(&folder, "t10k-images-idx3-ubyte", &[0, 0, 8, 3], &[2, 28, 28], &data);
        write(&folder, "t10k-labels-idx1-ubyte", &[0, 0, 8, 1], &[2], &[3, 8]);
        let images = ImageSet::Fashion.read(root.path(), Split::Test).unwrap();
        assert_eq!((images.labels, images.pixels.dim()), (ndarray::array![3, 8], (2, 784)));
        let lit: Vec<_> =
            images.pixels.indexed_iter().filter(|(_, x)| **x > 0.0).map(|(at, x)| (at, *x)).collect();
        assert_eq!(lit, [((1, 0), 1.0), ((1, 29), 0.2), ((1, 783), 0.4)]);
    }

    #[test]
    fn what_is_missing_or_of_another_grid_is_told() {
        let root = tempfile::tempdir().unwrap();
        for set in [ImageSet::Mnist, ImageSet::Fashion, ImageSet::Cifar10] {
            let error = set.read(root.path(), Split::Train).unwrap_err().to_string();
            assert!(error.contains(&format!("fetch the data set {set}")), "{error}");
        }
        let folder = root.path().join("mnist");
        write(&folder, "train-images-idx3-ubyte", &[0, 0, 8, 3], &[1, 2, 2], &[0; 4]);
        write(&folder, "train-labels-idx1-ubyte", &[0, 0, 8, 1], &[1], &[3]);
        let error = ImageSet::Mnist.read(root.path(), Split::Train).unwrap_err().to_string();
        assert!(error.contains("2 × 2 pixels, not 28 × 28"), "{error}");
        write(&folder, "train-labels-idx1-ubyte", &[0, 0, 8, 1], &[1], &[10]);
        let error = ImageSet::Mnist.read(root.path(), Split::Train).unwrap_err().to_string();
        assert!(error.contains("label 0 is 10"), "{error}");
    }
}
