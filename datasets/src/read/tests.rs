use std::{fs, path::PathBuf};

use ndarray::{Array1, Array2, Array3, ShapeBuilder, array};
use ndarray_npy::WriteNpyExt;
use proptest::prelude::*;
use tempfile::TempDir;

use super::{ReadError, expect_columns, read_matrix, read_vector};

/// A file with these bytes; the folder lives as long as the first value.
fn file(name: &str, bytes: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn npy(array: &impl WriteNpyExt) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

/// A version-1 file with any header text, for what the writer of ndarray-npy does not write.
fn npy_with(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn fails(name: &str, bytes: impl AsRef<[u8]>) -> ReadError {
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

#[test]
fn what_is_no_matrix_of_floats_is_refused() {
    assert!(matches!(fails("a.npy", ""), ReadError::Empty { .. }));
    assert!(matches!(fails("a.npy", "1,2\n"), ReadError::Malformed { .. }));
    assert!(matches!(fails("a.txt", "1,2\n"), ReadError::UnknownFormat { .. }));
    assert!(
        matches!(fails("a.npy", npy(&array![[1_i64, 2]])), ReadError::ElementType { found, .. } if found == "<i8")
    );
    assert!(matches!(fails("a.npy", npy(&Array3::<f64>::zeros((2, 1, 2)))),
        ReadError::Axes { shape, .. } if shape == [2, 1, 2]));
    assert!(matches!(fails("a.npy", npy(&ndarray::arr0(1.0))), ReadError::Axes { .. }));
    assert!(matches!(
        fails("a.npy", npy(&Array2::<f64>::zeros((0, 3)))),
        ReadError::NoRows { columns: 3, .. }
    ));
    assert!(matches!(fails("a.npy", npy(&Array2::<f64>::zeros((3, 0)))), ReadError::NoRows { rows: 3, .. }));
    let record = "{'descr': [('x', '<f8'), ('y', '<f8')], 'fortran_order': False, 'shape': (1,), }";
    assert!(
        matches!(fails("a.npy", npy_with(record, &[0; 16])), ReadError::ElementType { found, .. } if found.contains("'x'"))
    );
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
fn tables_with_and_without_names_comments_and_blanks() {
    let expected = array![[1.0, -2.5], [3e2, 4.0]];
    for text in [
        "1,-2.5\n3e2,4\n",
        "x,y\n1,-2.5\n3e2,4",
        "# a comment\r\nx, y\r\n 1 , -2.5\r\n\r\n3e2,4\r\n",
        "\u{feff}x,y\n1,-2.5\n3e2,4\n",
    ] {
        let (_folder, path) = file("a.csv", text);
        assert_eq!(read_matrix(&path).unwrap(), expected, "{text:?}");
    }
}

#[test]
fn what_is_no_table_of_numbers_is_refused() {
    assert!(matches!(
        fails("a.csv", "1,2\n3\n"),
        ReadError::RaggedRow { line: 2, found: 1, expected: 2, .. }
    ));
    assert!(matches!(fails("a.csv", "x,y\n1,2,3\n"), ReadError::RaggedRow { line: 2, .. }));
    assert!(
        matches!(fails("a.csv", "1,2\n3,four\n"), ReadError::Cell { line: 2, column: 2, text, .. } if text == "four")
    );
    // A first line with some numbers is data with a mistake, not names.
    assert!(matches!(fails("a.csv", "1,two\n3,4\n"), ReadError::Cell { line: 1, column: 2, .. }));
    assert!(matches!(fails("a.csv", "1,\n"), ReadError::Cell { column: 2, .. }));
    assert!(matches!(fails("a.csv", "x,y\n"), ReadError::NoRows { rows: 0, .. }));
    assert!(matches!(fails("a.csv", "\n\n"), ReadError::NoRows { .. }));
    assert!(matches!(fails("a.csv", b"\xff\xfe1,2\n"), ReadError::Malformed { .. }));
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

/// Bytes that start like a file of the format, so that the parsers get past the first check.
fn nearly_npy() -> impl Strategy<Value = Vec<u8>> {
    let header = prop_oneof![
        "[ -~]{0,90}",
        ("<[fi][48]", any::<bool>(), "[(]?[0-9]{0,20}[,) ]{0,3}[0-9]{0,3}[)]?").prop_map(
            |(element, order, shape)| format!(
                "{{'descr': '{element}', 'fortran_order': {}, 'shape': {shape}",
                if order { "True" } else { "False" }
            )
        ),
    ];
    (header, prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(header, data)| npy_with(&header, &data))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), nearly_npy(), "[-0-9a-z.,\n\"# ]{0,60}".prop_map(String::into_bytes)],
    ) {
        let path = std::path::Path::new("a");
        for matrix in [super::npy::parse(path, &bytes), super::table::parse(path, &bytes)].into_iter().flatten() {
            prop_assert!(matrix.iter().all(|x| x.is_finite()));
        }
    }
}
