//! Handwritten digits on one grid: 16×16, grey values in [−1, 1].

use std::fmt;
use std::path::Path;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::images::read_labelled;
use crate::manifest::{DataSet, find};
use crate::{DataError, ReadError, UspsDigits, read_usps, read_usps_resampled, resized};

/// Which part of a data set is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The training half.
    #[default]
    Train,
    /// The test half.
    Test,
}

/// A set of handwritten digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigitSet {
    /// MNIST, resized.
    Mnist,
    /// USPS.
    Usps,
    /// USPS low-pass filtered and split anew: a stand-in, which results must name.
    UspsResampled,
}

impl DigitSet {
    /// The number of pixels of a digit.
    pub const PIXELS: usize = 256;

    /// Rows of an image, and pixels of a row.
    pub const SIDE: usize = 16;

    /// The name in configurations and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::Usps => "usps",
            Self::UspsResampled => "usps-resampled",
        }
    }

    /// What is known of the files.
    ///
    /// # Errors
    /// None for the sets there are.
    pub fn data_set(self) -> Result<&'static DataSet, DataError> {
        find(self.name())
    }

    /// Reads a part of the set from its folder below `root` (see [`crate::manifest::cache_root`]).
    ///
    /// Shapes: labels \[n\], pixels [n, 256] in [−1, 1].
    ///
    /// # Errors
    /// [`DataError::Absent`] where a file is missing, which says how to get it; [`DataError::Read`] for a damaged one.
    pub fn read(self, root: &Path, split: Split) -> Result<UspsDigits, DataError> {
        let folder = root.join(self.name());
        let digits = match self {
            Self::Mnist => mnist_digits(&folder, split),
            Self::Usps => usps_digits(&folder, split),
            Self::UspsResampled => usps_resampled_digits(&folder, split),
        };
        digits.map_err(|error| match (error, self.data_set()) {
            (ReadError::Missing { .. }, Ok(DataSet { name, package: None, terms, .. })) => {
                DataError::NoPackage { name, folder, terms }
            }
            (ReadError::Missing { path }, Ok(DataSet { name, .. })) => DataError::Absent { name, path },
            (error, _) => error.into(),
        })
    }
}

impl fmt::Display for DigitSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// Reads the digits of MNIST from its folder, resized bilinearly to 16×16, from bytes b to b/127.5 − 1.
///
/// Shapes: labels \[n\], pixels [n, 256], the background −1. Complexity: O(size of the files).
///
/// # Errors
/// [`ReadError`] where a file is missing, not IDX, or where images and labels do not fit each other.
pub fn mnist_digits(folder: &Path, split: Split) -> Result<UspsDigits, ReadError> {
    let (images, labels) = read_labelled(folder, split)?;
    let pixels: Array2<f64> = resized(images.view(), 16) / 127.5 - 1.0;
    // Weights that sum to 1 up to rounding may leave the range by as much.
    Ok(UspsDigits { labels, pixels: pixels.mapv(|x| x.clamp(-1.0, 1.0)) })
}

/// Reads the USPS digits from their folder.
///
/// # Errors
/// As [`read_usps`].
pub fn usps_digits(folder: &Path, split: Split) -> Result<UspsDigits, ReadError> {
    read_usps(folder.join(match split {
        Split::Train => "zip.train.gz",
        Split::Test => "zip.test.gz",
    }))
}

/// Reads the resampled USPS digits, the stand-in where the real ones are not at hand; results on them must say so.
///
/// # Errors
/// As [`read_usps_resampled`].
pub fn usps_resampled_digits(folder: &Path, split: Split) -> Result<UspsDigits, ReadError> {
    read_usps_resampled(folder.join("usps_resampled.mat"), split)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::tests::write;

    #[test]
    fn what_is_missing_says_how_to_get_it() {
        let root = tempfile::tempdir().unwrap();
        for (set, remedy) in [
            (DigitSet::Mnist, "fetch the data set mnist"),
            (DigitSet::UspsResampled, "fetch the data set usps-resampled"),
            (DigitSet::Usps, "put its files into"),
        ] {
            let error = set.read(root.path(), Split::Test).unwrap_err().to_string();
            assert!(error.contains(remedy), "{error}");
        }
    }

    #[test]
    fn mnist_is_resized_and_scaled() {
        let folder = tempfile::tempdir().unwrap();
        let mut data = vec![0; 2 * 784];
        data[784..].fill(255);
        write(folder.path(), "t10k-images-idx3-ubyte", &[0, 0, 8, 3], &[2, 28, 28], &data);
        write(folder.path(), "t10k-labels-idx1-ubyte", &[0, 0, 8, 1], &[2], &[3, 8]);
        let digits = mnist_digits(folder.path(), Split::Test).unwrap();
        assert_eq!(digits.labels, ndarray::array![3, 8]);
        assert_eq!(digits.pixels.dim(), (2, 256));
        // A few roundings of weights that sum to one.
        assert!(digits.pixels.row(0).iter().all(|&x| x == -1.0));
        assert!(digits.pixels.row(1).iter().all(|&x| (x - 1.0).abs() < 1e-12));
        write(folder.path(), "t10k-labels-idx1-ubyte", &[0, 0, 8, 1], &[1], &[3]);
        let error = mnist_digits(folder.path(), Split::Test).unwrap_err();
        assert!(error.to_string().contains("1 labels for 2 images"), "{error}");
        assert!(matches!(mnist_digits(folder.path(), Split::Train), Err(ReadError::Missing { .. })));
    }
}
