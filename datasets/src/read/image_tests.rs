use std::{io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};
use ndarray::array;
use proptest::prelude::*;

use super::{ReadError, idx, read_idx, read_usps, unpacked, usps};
use crate::manifest;

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const IMAGES: [u8; 22] = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];

#[test]
fn idx_plain_and_compressed() {
    let folder = tempfile::tempdir().unwrap();
    for bytes in [IMAGES.to_vec(), gzipped(&IMAGES)] {
        let path = folder.path().join("images");
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(read_idx(&path).unwrap(), array![[[1, 2, 3], [4, 5, 6]]].into_dyn());
    }
}

#[test]
fn idx_that_does_not_hold_what_it_promises_is_refused() {
    let path = Path::new("images");
    let reason = |bytes: &[u8]| idx::parse(path, bytes).unwrap_err().to_string();
    assert!(reason(&IMAGES[..21]).contains("shape [1, 2, 3] but 5 values"));
    assert!(reason(&IMAGES[..14]).contains("ends within the header"));
    assert!(reason(&[0, 0, 13, 1, 0, 0, 0, 0]).contains("type code is 13"));
    assert!(reason(b"PNG image").contains("two zero bytes"));
    let mut many = vec![0, 0, 8, 255];
    many.extend([255; 4 * 255]);
    assert!(reason(&many).contains("promises"));
}

#[test]
fn a_damaged_gzip_file_is_refused() {
    let packed = gzipped(&IMAGES);
    let error = unpacked(Path::new("a.gz"), &packed[..packed.len() - 9]).unwrap_err();
    assert!(matches!(error, ReadError::Malformed { format: "gzip", .. }));
}

fn usps_line(label: &str, value: &str) -> String {
    format!("{label}{}\n", format!(" {value}").repeat(256))
}

#[test]
fn usps_lines_of_both_styles() {
    let text = usps_line("6.0000", "-1.0000") + &usps_line("9", "0.29");
    let digits = usps::parse(Path::new("zip"), text.as_bytes()).unwrap();
    assert_eq!(digits.labels, array![6, 9]);
    assert_eq!(digits.pixels.dim(), (2, 256));
    assert_eq!((digits.pixels[[0, 255]], digits.pixels[[1, 0]]), (-1.0, 0.29));
}

#[test]
fn usps_mistakes_are_placed() {
    let good = usps_line("1", "0");
    let error =
        |second: &str| usps::parse(Path::new("zip"), format!("{good}{second}").as_bytes()).unwrap_err();
    assert!(matches!(error("1 0 0\n"), ReadError::RaggedRow { line: 2, found: 3, expected: 257, .. }));
    assert!(matches!(error(&usps_line("1", "x")), ReadError::Cell { line: 2, column: 2, .. }));
    assert!(matches!(error(&usps_line("1", "nan")), ReadError::Cell { line: 2, .. }));
    assert!(error(&usps_line("1.5", "0")).to_string().contains("label on line 2"));
    assert!(error(&usps_line("11", "0")).to_string().contains("label on line 2"));
    assert!(error(&usps_line("1", "1.01")).to_string().contains("1.01 on line 2"));
    assert!(matches!(usps::parse(Path::new("zip"), b""), Err(ReadError::NoRows { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..120), idx_like: bool) {
        if idx_like {
            bytes.splice(0..0, [0, 0, 8]);
        }
        let path = Path::new("a");
        let _ = idx::parse(path, &bytes);
        let _ = usps::parse(path, &bytes);
        bytes.splice(0..0, [0x1f, 0x8b, 8, 0]);
        let _ = unpacked(path, &bytes);
    }
}

/// The folder of a real data set, or a clear word that the test is skipped.
fn real(name: &str) -> Option<std::path::PathBuf> {
    let data_set = manifest::find(name).unwrap();
    let folder = manifest::cache_root(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()).join(name);
    match data_set.verify(&folder) {
        Ok(()) => Some(folder),
        Err(error) => {
            eprintln!("SKIPPED, nothing was tested: needs the data set {name} ({error})");
            None
        }
    }
}

fn counts<'a>(labels: impl IntoIterator<Item = &'a u8>) -> [usize; 10] {
    let mut counts = [0; 10];
    labels.into_iter().for_each(|&label| counts[usize::from(label)] += 1);
    counts
}

/// Counts and means as published with the data or measured with other readers.
#[test]
fn real_idx_files_if_present() {
    let cases = [
        (
            "mnist",
            [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
            [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
            33.3184,
        ),
        ("fashion", [6000; 10], [9, 0, 0, 3, 0, 2, 7, 2, 5, 5], 72.9404),
    ];
    for (name, expected, first, mean) in cases {
        let Some(folder) = real(name) else { continue };
        let labels = read_idx(folder.join("train-labels-idx1-ubyte")).unwrap();
        assert_eq!(counts(&labels), expected);
        assert!(labels.iter().take(10).eq(&first));
        let images = read_idx(folder.join("train-images-idx3-ubyte")).unwrap();
        assert_eq!(images.shape(), [60000, 28, 28]);
        let sum: u64 = images.iter().map(|&byte| u64::from(byte)).sum();
        // The published means have four decimals.
        assert!((sum as f64 / images.len() as f64 - mean).abs() < 5e-5);
    }
}

#[test]
fn real_usps_files_if_present() {
    let Some(folder) = real("usps") else { return };
    let cases = [
        ("zip.train.gz", [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644], -0.4910),
        ("zip.test.gz", [359, 264, 198, 166, 200, 160, 170, 147, 166, 177], -0.4648),
    ];
    for (file, expected, mean) in cases {
        let digits = read_usps(folder.join(file)).unwrap();
        assert_eq!(counts(&digits.labels), expected);
        assert!((digits.pixels.mean().unwrap() - mean).abs() < 5e-5);
    }
}
