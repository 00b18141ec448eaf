use std::{fs, path::PathBuf};

use ndarray::{Array1, Array2, Array3, ShapeBuilder, array};
use ndarray_npy::WriteNpyExt;
use tempfile::TempDir;

use super::{ReadError, expect_columns, read_matrix, read_vector};

/// A file with these bytes; the folder lives as long as the first value.
pub(super) fn file(name: &str, bytes: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

pub(super) fn npy(array: &impl WriteNpyExt) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

/// A version-1 file with any header text, for what the writer of ndarray-npy does not write.
pub(super) fn npy_with(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

pub(super) fn fails(name: &str, bytes: impl AsRef<[u8]>) -> ReadError {
    let (_folder, path) = file(name, bytes);
    let error = read_matrix(&path).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(name), "the message names the file: {text}");
    assert!(text.contains(": ") && !text.contains('\n'), "one sentence with a remedy: {text}");
    error
}

/// Files written by another implementation (ndarray-npy).
#[test]
fn npy_of_both_widths_and_orders_and_one_or_two_axes() {
    let c_order = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]];
    let mut fortran = Array2::<f64>::zeros((2, 3).f());
    fortran.assign(&c_order);
    let single = c_order.mapv(|x| x as f32);
    for bytes in [npy(&c_order), npy(&fortran), npy(&single)] {
        let (_folder, path) = file("a.npy", bytes);
        assert_eq!(read_matrix(&path).unwrap(), c_order);
    }
    let (_folder, path) = file("a.NPY", npy(&Array1::from(vec![1.0, 2.0])));
    assert_eq!(read_matrix(&path).unwrap(), array![[1.0], [2.0]]);
    assert_eq!(read_vector(&path).unwrap(), array![1.0, 2.0]);
}

#[test]
fn npy_of_big_endian_and_of_version_2() {
    let header = "{'descr': '>f8', 'fortran_order': False, 'shape': (1, 2), }\n";
    let data: Vec<u8> = [1.5_f64, -2.0].iter().flat_map(|x| x.to_be_bytes()).collect();
    let (_folder, path) = file("a.npy", npy_with(header, &data));
    assert_eq!(read_matrix(&path).unwrap(), array![[1.5, -2.0]]);

    let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
    bytes.extend(u32::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(&data);
    let (_folder, path) = file("a.npy", bytes);
    assert_eq!(read_matrix(&path).unwrap(), array![[1.5, -2.0]]);
}

/// The bytes of one row by hand, as NumPy's `tobytes` gives them.
#[test]
fn npy_of_integers_booleans_and_half_precision() {
    for (element, bytes, expected) in [
        ("|b1", vec![1, 0], [1.0, 0.0]),
        ("|i1", vec![0xff, 0x7f], [-1.0, 127.0]),
        ("|u1", vec![0xff, 0x7f], [255.0, 127.0]),
        ("<i2", vec![0xfe, 0xff, 0x00, 0x01], [-2.0, 256.0]),
        (">u2", vec![0xff, 0xfe, 0x00, 0x01], [65534.0, 1.0]),
        ("<i4", vec![0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0], [-1.0, 65536.0]),
        ("<u4", vec![0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0], [4294967295.0, 65536.0]),
        (">i8", vec![0xff; 16], [-1.0, -1.0]),
        (
            "<u8",
            [(1_u64 << 53) - 1, 1_700_000_000].iter().flat_map(|x| x.to_le_bytes()).collect(),
            [9007199254740991.0, 1.7e9],
        ),
        // 1 and the largest number, 65504; then the least ones with and without a leading bit, 2⁻¹⁴ and 2⁻²⁴.
        ("<f2", vec![0x00, 0x3c, 0xff, 0x7b], [1.0, 65504.0]),
        (">f2", vec![0x84, 0x00, 0x00, 0x01], [-(2.0_f64.powi(-14)), 2.0_f64.powi(-24)]),
    ] {
        let header = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': (1, 2), }}");
        let (_folder, path) = file("a.npy", npy_with(&header, &bytes));
        assert_eq!(read_matrix(&path).unwrap(), array![expected], "{element}");
    }
    // 2⁵³ + 1 is no double.
    for (element, value) in [("<i8", -(1_i64 << 53) - 1), ("<u8", (1 << 53) + 1)] {
        let header = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': (1,), }}");
        let error = fails("a.npy", npy_with(&header, &value.to_le_bytes()));
        assert!(error.to_string().contains("subtract an offset"), "{error}");
    }
    let error = fails("a.csv", "id,x\n9007199254740993,1\n");
    let sentence = "has 9007199254740993 on line 2, column 1 (counted from 1): double precision rounds it to 9007199254740992, \
                    subtract an offset first";
    assert!(error.to_string().contains(sentence), "{error}");
    let infinite = npy_with("{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }", &[0x00, 0x7c]);
    assert!(matches!(fails("a.npy", infinite), ReadError::NonFinite { value, .. } if value == f64::INFINITY));
}

#[test]
fn what_is_no_matrix_of_numbers_is_refused() {
    assert!(matches!(fails("a.npy", ""), ReadError::Empty { .. }));
    assert!(matches!(fails("a.npy", "1,2\n"), ReadError::Malformed { .. }));
    assert!(matches!(fails("a.txt", "1,2\n"), ReadError::UnknownFormat { .. }));
    assert!(matches!(fails("a.npy", npy(&Array3::<f64>::zeros((2, 1, 2)))),
        ReadError::Axes { shape, .. } if shape == [2, 1, 2]));
    assert!(matches!(fails("a.npy", npy(&ndarray::arr0(1.0))), ReadError::Axes { .. }));
    assert!(matches!(
        fails("a.npy", npy(&Array2::<f64>::zeros((0, 3)))),
        ReadError::NoRows { columns: 3, .. }
    ));
    assert!(matches!(fails("a.npy", npy(&Array2::<f64>::zeros((3, 0)))), ReadError::NoRows { rows: 3, .. }));
    for (element, remedy) in [
        ("[('x', '<f8'), ('y', '<f8')]", "structured_to_unstructured"),
        ("'|O'", "objects"),
        ("'<c16'", "real and imaginary"),
        ("'<U5'", "text"),
        ("'<M8[ns]'", "dates"),
        ("'<f16'", "astype"),
    ] {
        let header = format!("{{'descr': {element}, 'fortran_order': False, 'shape': (1,), }}");
        let error = fails("a.npy", npy_with(&header, &[0; 16]));
        assert!(
            matches!(&error, ReadError::ElementType { found, .. } if element.contains(&**found)),
            "{error}"
        );
        assert!(error.to_string().contains(remedy), "{error}");
    }
    // A quote that is missing makes the rest of a header the type.
    let header = "{'descr':(\'>f4', 'fortran_order': True, 'shape': (3, 2), }\n";
    let error = fails("a.npy", npy_with(header, &[2; 24])).to_string();
    assert!(error.contains("elements of type") && !error.contains('\n'), "{error}");
    assert!(matches!(read_matrix("no-such-file.npy"), Err(ReadError::Missing { .. })));
    assert!(matches!(read_matrix("no-such-file"), Err(ReadError::Missing { .. })));
    let folder = tempfile::tempdir().unwrap();
    let named_like_a_file = folder.path().join("a.csv");
    fs::create_dir(&named_like_a_file).unwrap();
    assert!(matches!(read_matrix(named_like_a_file), Err(ReadError::Io { .. })));
}

#[test]
fn a_header_that_promises_too_much_allocates_nothing() {
    for shape in ["(1000000000000, 1000)", "(18446744073709551615, 18446744073709551615)", "(2, 2)", "(0, 1)"]
    {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        assert!(matches!(fails("a.npy", npy_with(&header, &[0; 8])), ReadError::Malformed { .. }));
    }
}

#[test]
fn non_finite_values_are_placed() {
    let mut matrix = Array2::<f32>::zeros((20, 3));
    matrix[[17, 2]] = f32::NAN;
    let text = fails("a.npy", npy(&matrix)).to_string();
    assert!(text.contains("row 17, column 2"), "{text}");
    let text = fails("a.csv", "x,y\n1,2\n\n3,inf\n").to_string();
    assert!(text.contains("line 4, column 2"), "{text}");
}

#[test]
fn columns_are_counted() {
    let (_folder, path) = file("a.csv", "1,2\n");
    let matrix = read_matrix(&path).unwrap();
    expect_columns(&path, &matrix, 2).unwrap();
    let text = expect_columns(&path, &matrix, 7).unwrap_err().to_string();
    assert!(text.contains("has 2 columns where 7"), "{text}");
    assert!(matches!(read_vector(&path), Err(ReadError::Columns { found: 2, expected: 1, .. })));
}
