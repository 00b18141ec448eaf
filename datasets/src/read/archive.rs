//! Arrays by name in one file: `.npz` of NumPy, and `.pt` of PyTorch, both zip archives.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2, Array3, ArrayD, Dimension, IxDyn};
use zip::ZipArchive;

use super::{ReadError, npy, pickle};

/// No array read here is larger: a header that promises more is refused before anything is allocated.
const LIMIT: u64 = 1 << 30;

/// The arrays of a file by their names, every value finite.
#[derive(Debug, Clone)]
pub(crate) struct NamedArrays {
    path: PathBuf,
    format: &'static str,
    arrays: BTreeMap<String, ArrayD<f64>>,
}

impl NamedArrays {
    /// Reads an `.npz` file: a zip archive of one `.npy` file for each array.
    ///
    /// # Errors
    /// [`ReadError`] where the file is missing or is no such archive, or where a number in it is not finite.
    pub(crate) fn npz(path: &Path) -> Result<Self, ReadError> {
        let mut archive = Archive::open(path, "npz")?;
        let mut arrays = BTreeMap::new();
        for name in archive.names() {
            if let Some(stem) = name.strip_suffix(".npy") {
                arrays.insert(stem.to_owned(), npy::array(path, &archive.entry(&name)?)?);
            }
        }
        Self { path: path.into(), format: "npz", arrays }.finite()
    }

    /// Reads the tensors of a state dictionary that PyTorch has saved (`.pt`): a zip archive with a pickle, `data.pkl`, and
    /// the numbers of each storage as little-endian f32, `data/KEY`. Nothing in the pickle is executed.
    ///
    /// # Errors
    /// [`ReadError`] where the file is missing, is no such archive, or its pickle holds more than contiguous tensors of single
    /// precision by name; where a number is not finite.
    pub(crate) fn pt(path: &Path) -> Result<Self, ReadError> {
        let mut archive = Archive::open(path, "pt")?;
        let names = archive.names();
        let missing = || malformed(path, "pt", "it has no data.pkl".into());
        let pickled = names.iter().find(|name| name.ends_with("/data.pkl")).ok_or_else(missing)?;
        let folder = pickled.trim_end_matches("data.pkl");
        let tensors =
            pickle::tensors(&archive.entry(pickled)?).map_err(|reason| malformed(path, "pt", reason))?;
        let mut arrays = BTreeMap::new();
        for pickle::Tensor { name, storage, offset, shape } in tensors {
            let bytes = archive.entry(&format!("{folder}data/{storage}"))?;
            let count = shape.iter().try_fold(1, |count: usize, &length| count.checked_mul(length));
            let numbers = bytes.as_chunks::<4>().0;
            let numbers = count.and_then(|count| numbers.get(offset..offset.checked_add(count)?));
            let short = || malformed(path, "pt", format!("the storage of {name} is too short"));
            let values = numbers.ok_or_else(short)?.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes)));
            let array = ArrayD::from_shape_vec(IxDyn(&shape), values.collect())
                .map_err(|error| malformed(path, "pt", error.to_string()))?;
            arrays.insert(name, array);
        }
        Self { path: path.into(), format: "pt", arrays }.finite()
    }

    fn finite(self) -> Result<Self, ReadError> {
        for (name, array) in &self.arrays {
            if let Some(value) = array.iter().find(|value| !value.is_finite()) {
                return Err(malformed(&self.path, self.format, format!("{name} has the value {value}")));
            }
        }
        Ok(self)
    }

    /// The array `name`, which must have this shape.
    fn shaped<D: Dimension>(&self, name: &str, shape: &[usize]) -> Result<ndarray::Array<f64, D>, ReadError> {
        let wrong = |reason: String| malformed(&self.path, self.format, reason);
        let array = self.arrays.get(name).ok_or_else(|| wrong(format!("it has no array {name}")))?;
        if array.shape() != shape {
            return Err(wrong(format!("{name} has the shape {:?}, not {shape:?}", array.shape())));
        }
        array.clone().into_dimensionality().map_err(|error| wrong(error.to_string()))
    }

    /// The number `name`.
    pub(crate) fn number(&self, name: &str) -> Result<f64, ReadError> {
        Ok(self.shaped::<ndarray::Ix0>(name, &[])?.into_scalar())
    }

    /// The vector `name`, \[n\].
    pub(crate) fn vector(&self, name: &str, length: usize) -> Result<Array1<f64>, ReadError> {
        self.shaped(name, &[length])
    }

    /// The matrix `name`, [rows, columns].
    pub(crate) fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<Array2<f64>, ReadError> {
        self.shaped(name, &shape)
    }

    /// The matrices `name`, [count, rows, columns].
    pub(crate) fn matrices(&self, name: &str, shape: [usize; 3]) -> Result<Array3<f64>, ReadError> {
        self.shaped(name, &shape)
    }

    /// The shape of the array `name`; none where there is no such array.
    pub(crate) fn shape(&self, name: &str) -> &[usize] {
        self.arrays.get(name).map_or(&[], |array| array.shape())
    }
}

fn malformed(path: &Path, format: &'static str, reason: String) -> ReadError {
    ReadError::Malformed { path: path.into(), format, reason }
}

/// A zip archive on disk.
struct Archive<'a> {
    path: &'a Path,
    format: &'static str,
    zip: ZipArchive<File>,
}

impl<'a> Archive<'a> {
    fn open(path: &'a Path, format: &'static str) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ReadError::Missing { path: path.into() },
            _ => ReadError::Io { path: path.into(), source },
        })?;
        let zip = ZipArchive::new(file).map_err(|error| malformed(path, format, error.to_string()))?;
        Ok(Self { path, format, zip })
    }

    fn names(&self) -> Vec<String> {
        self.zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect()
    }

    fn entry(&mut self, name: &str) -> Result<Vec<u8>, ReadError> {
        let (path, format) = (self.path, self.format);
        let entry = self.zip.by_name(name);
        let entry = entry.map_err(|error| malformed(path, format, format!("{name}: {error}")))?;
        let mut bytes = Vec::new();
        let read = entry.take(LIMIT + 1).read_to_end(&mut bytes);
        read.map_err(|error| malformed(path, format, format!("{name}: {error}")))?;
        if bytes.len() as u64 > LIMIT {
            return Err(malformed(path, format, format!("{name} is larger than {LIMIT} bytes")));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use ndarray::array;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::{NamedArrays, ReadError};

    fn archive(entries: &[(&str, Vec<u8>)], ending: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("arrays.{ending}"));
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for (name, bytes) in entries {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
        (folder, path)
    }

    /// The bytes that PyTorch 2 writes for `torch.save({"a": torch.tensor([[1., 2., 3.], [4., 5., 6.]])}, …)`, by hand from
    /// the description of the format; `stride` is that of the rows.
    fn pickled(stride: u8) -> Vec<u8> {
        let text = |text: &str| {
            let mut bytes = vec![b'X'];
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
            bytes
        };
        let mut bytes = b"\x80\x02}q\x00".to_vec();
        bytes.extend(text("a"));
        bytes.extend(b"q\x01ctorch._utils\n_rebuild_tensor_v2\n((");
        bytes.extend(text("storage"));
        bytes.extend(b"ctorch\nFloatStorage\n");
        bytes.extend(text("7"));
        bytes.extend(text("cpu"));
        bytes.extend([
            b'K', 6, b't', b'Q', b'K', 0, b'K', 2, b'K', 3, 0x86, b'K', stride, b'K', 1, 0x86, 0x89,
        ]);
        bytes.extend(b"ccollections\nOrderedDict\n)Rtq\x02Rq\x03s.");
        bytes
    }

    fn numbers() -> Vec<u8> {
        (1_u8..7).flat_map(|k| f32::from(k).to_le_bytes()).collect()
    }

    #[test]
    fn the_tensors_of_a_state_dictionary_are_read() {
        let (_folder, path) = archive(&[("x/data.pkl", pickled(3)), ("x/data/7", numbers())], "pt");
        let arrays = NamedArrays::pt(&path).unwrap();
        assert_eq!(arrays.matrix("a", [2, 3]).unwrap(), array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(arrays.shape("a"), [2, 3]);
        let error = arrays.matrix("a", [3, 2]).unwrap_err().to_string();
        assert!(error.contains("a has the shape [2, 3], not [3, 2]"), "{error}");
    }

    #[test]
    fn whatever_else_a_pickle_holds_is_refused_in_one_sentence() {
        let mut code = b"\x80\x02cos\nsystem\n".to_vec();
        code.extend(b"X\x02\x00\x00\x00ls\x85R.");
        let mut cut = pickled(3);
        cut.truncate(40);
        let nan = f32::NAN.to_le_bytes().repeat(6);
        let cases: [(Vec<u8>, Vec<u8>, &str); 5] = [
            (code, numbers(), "os.system"),
            (cut, numbers(), "ends"),
            (pickled(1), numbers(), "row after row"),
            (pickled(3), numbers()[..20].to_vec(), "too short"),
            (pickled(3), nan, "NaN"),
        ];
        for (pickle, storage, part) in cases {
            let (_folder, path) = archive(&[("x/data.pkl", pickle), ("x/data/7", storage)], "pt");
            let error = NamedArrays::pt(&path).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("arrays.pt") && !error.contains('\n'), "{error}");
        }
        let (_folder, path) = archive(&[], "pt");
        std::fs::write(&path, "no archive").unwrap();
        assert!(matches!(NamedArrays::pt(&path), Err(ReadError::Malformed { format: "pt", .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(NamedArrays::npz(&path), Err(ReadError::Missing { .. })));
    }

    #[test]
    fn arrays_of_any_number_of_axes_are_read() {
        let npy = |shape: &str, values: &[f64]| {
            let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend((header.len() as u16).to_le_bytes());
            bytes.extend(header.as_bytes());
            bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
            bytes
        };
        let entries = [("c.npy", npy("()", &[2.5])), ("m.npy", npy("(2, 1, 2)", &[1.0, 2.0, 3.0, 4.0]))];
        let (_folder, path) = archive(&entries, "npz");
        let arrays = NamedArrays::npz(&path).unwrap();
        assert_eq!(arrays.number("c").unwrap(), 2.5);
        assert_eq!(arrays.matrices("m", [2, 1, 2]).unwrap(), array![[[1.0, 2.0]], [[3.0, 4.0]]]);
        assert!(arrays.vector("v", 2).unwrap_err().to_string().contains("no array v"));
    }
}
