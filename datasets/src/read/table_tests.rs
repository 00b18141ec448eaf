use ndarray::{Array2, array};

use super::tests::{fails, file, npy};
use super::{ReadError, TableOptions, read_matrix, read_table};

fn read(name: &str, bytes: impl AsRef<[u8]>) -> Array2<f64> {
    let (_folder, path) = file(name, bytes);
    read_matrix(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn options(header: Option<bool>, columns: Option<&str>) -> TableOptions {
    TableOptions { header, columns: columns.map(|columns| columns.parse().unwrap()) }
}

#[test]
fn tables_with_and_without_names_comments_and_blanks() {
    for text in [
        "1,-2.5\n3e2,4\n",
        "x,y\n1,-2.5\n3e2,4",
        "# a comment\r\nx, y\r\n 1 , -2.5\r\n\r\n3e2,4\r\n",
        "\u{feff}x,y\n1,-2.5\n3e2,4\n",
        "\"speed, m/s\",y\n1,\"-2.5\"\n3e2, \"4\"\n",
        "\"two\nlines\",y\n1,-2.5\n3e2,4\n",
        "x,y\r1,-2.5\r3e2,4\r",
        "x\ty\n1\t-2.5\n3e2\t4\n",
        "x;y\n1;-2.5\n3e2;4\n",
        "x;y\n1,0;-2,5\n3e2;4\n",
        "x\ty\n1,0\t-2,5\n3e2\t4\n",
        "# numpy.savetxt\n1.000e+00 -2.500e+00\n3.000e+02 4.000e+00\n",
        "  1   -2.5\n300    4  \n",
        "1D0,-2.5d0\n3.0D+02,4\n",
    ] {
        assert_eq!(read("a.csv", text), array![[1.0, -2.5], [3e2, 4.0]], "{text:?}");
    }
    assert_eq!(read("a.csv", "x\n1\n2\n"), array![[1.0], [2.0]]);
    assert_eq!(read("a.tsv", "1.5\n2"), array![[1.5], [2.0]]);
}

/// A number beyond what single precision resolves.
#[test]
fn all_digits_of_a_double_are_kept() {
    assert_eq!(read("a.csv", "1700000000.123,0.1\n"), array![[1_700_000_000.123, 0.1]]);
}

#[test]
fn other_encodings_and_compressed_files() {
    let (text, expected) = ("tempé,y\r\n1.5,2\r\n-3,4\r\n", array![[1.5, 2.0], [-3.0, 4.0]]);
    let words = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(order).collect()
    };
    assert_eq!(read("a.csv", words(u16::to_le_bytes)), expected);
    assert_eq!(read("a.csv", words(u16::to_be_bytes)), expected);
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };
    for name in ["a.csv.gz", "a.csv"] {
        assert_eq!(read(name, packed(text.as_bytes())), expected, "{name}");
    }
    assert_eq!(read("a.npy.gz", packed(&npy(&expected))), expected);
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for (bytes, reason) in [
        (latin, "byte 4"),
        (words(u16::to_le_bytes)[2..].to_vec(), "UTF-8"),
        (words(u16::to_be_bytes)[..9].to_vec(), "odd number"),
        ("x,y\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect(), "zero bytes"),
    ] {
        let error = fails("a.csv", bytes);
        assert!(matches!(error, ReadError::Encoding { .. }) && error.to_string().contains(reason), "{error}");
    }
    for (mark, expected) in [("PK\x03\x04", "zip"), ("MATLAB 5.0 MAT-file", "MATLAB"), ("PAR1", "Parquet")] {
        for name in ["a.csv", "a.npy"] {
            let error = fails(name, mark);
            assert!(
                matches!(&error, ReadError::OtherFormat { found, .. } if found.contains(expected)),
                "{error}"
            );
        }
    }
}

/// What `DataFrame.to_csv` writes (pandas 2.2) with its defaults and with `index=False`.
#[test]
fn neither_the_names_nor_the_index_of_pandas_become_numbers() {
    let index = ",0,1\n0,2.5,7.0\n1,3.5,8.0\n2,4.5,9.5\n3,1.25,6.0\n";
    let points = array![[2.5, 7.0], [3.5, 8.0], [4.5, 9.5], [1.25, 6.0]];
    for text in
        [index, ",x,y\n0,2.5,7.0\n1,3.5,8.0\n", "Unnamed: 0,x,y\n0,2.5,7.0\n", "\"\",\"x\"\n\"1\",2.5\n"]
    {
        let error = fails("a.csv", text);
        assert!(matches!(error, ReadError::Index { .. }) && error.to_string().contains("1.."), "{error}");
    }
    let (_folder, path) = file("a.csv", index);
    assert_eq!(read_table(&path, &options(None, Some("1.."))).unwrap().values, points);
    let counted = "0,1\n2.5,7.0\n3.5,8.0\n4.5,9.5\n1.25,6.0\n";
    let error = fails("a.csv", counted);
    assert!(matches!(&error, ReadError::CountedFirstRow { line: 1, text, .. } if text == "0,1"), "{error}");
    let (_folder, path) = file("a.csv", counted);
    assert_eq!(read_table(&path, &options(Some(true), None)).unwrap().values, points);
    assert_eq!(read_table(&path, &options(Some(false), None)).unwrap().values.dim(), (5, 2));
    // One point by itself, and points that only begin like a count.
    assert_eq!(read("a.csv", "0,1\n"), array![[0.0, 1.0]]);
    assert_eq!(read("a.csv", "0,1.0\n2,3\n"), array![[0.0, 1.0], [2.0, 3.0]]);
}

#[test]
fn a_label_column_can_be_left_out() {
    let text = "length,width,kind\n5.1,3.5,setosa\n7.0,3.2,versicolor\n";
    let (_folder, path) = file("a.csv", text);
    for columns in ["0..2", "length,width", "..2", "0,width"] {
        let table = read_table(&path, &options(None, Some(columns))).unwrap();
        assert_eq!(table.values, array![[5.1, 3.5], [7.0, 3.2]], "{columns}");
    }
    let table = read_table(&path, &options(None, Some("width"))).unwrap();
    assert_eq!((table.values.dim(), table.place(1, 0)), ((2, 1), "line 3, column 2 (counted from 1)".into()));
    let error = fails("a.csv", text);
    assert!(matches!(error, ReadError::Cell { line: 2, column: 3, .. }), "{error}");
    let error = read_table(&path, &options(None, Some("depth"))).unwrap_err().to_string();
    assert!(error.contains("no column \"depth\": choose among \"length\""), "{error}");
    // Without names, and in an array.
    let (_folder, path) = file("a.csv", "5.1,setosa\n7.0,versicolor\n");
    assert_eq!(read_table(&path, &options(None, Some("0"))).unwrap().values, array![[5.1], [7.0]]);
    let (_folder, path) = file("a.npy", npy(&array![[1.0, 2.0, 9.0], [3.0, 4.0, 8.0]]));
    let table = read_table(&path, &options(None, Some("1,0"))).unwrap();
    assert_eq!(table.values, array![[2.0, 1.0], [4.0, 3.0]]);
    assert_eq!(table.place(1, 0), "row 1, column 1 (counted from 0)");
    let error = read_table(&path, &options(None, Some("3"))).unwrap_err().to_string();
    assert!(error.contains("a.npy has no column 3: it has 3"), "{error}");
}

#[test]
fn what_is_no_table_of_numbers_is_refused_with_the_place() {
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
    assert!(matches!(fails("a.csv", "1,\n"), ReadError::EmptyCell { line: 1, column: 2, .. }));
    // Lines are those of the file, comments, blank lines and lines within quotes counted.
    assert!(matches!(
        fails("a.csv", "# a\n\n\"x\n1\",y\n1,2\n \n#\n3,\n"),
        ReadError::EmptyCell { line: 8, column: 2, .. }
    ));
    assert!(matches!(fails("a.csv", "1,2\n3,NA"), ReadError::Cell { line: 2, .. }));
    // pandas writes a missing value of a single column as two quotes.
    assert!(matches!(fails("a.csv", "x\n1.5\n\"\"\n"), ReadError::EmptyCell { line: 3, column: 1, .. }));
    assert!(matches!(fails("a.csv", "NA,NA\n1,2\n"), ReadError::Cell { line: 1, .. }));
    for text in ["2.5f0,7f\n1,2\n", "$1.50,$2\n1,2\n", "50%,20%\n1,2\n"] {
        assert!(
            matches!(fails("a.csv", text), ReadError::UnclearFirstRow { line: 1, column: 1, .. }),
            "{text}"
        );
    }
    assert!(matches!(fails("a.csv", "x,y\n"), ReadError::NoRows { rows: 0, .. }));
    assert!(matches!(fails("a.csv", "\n\n"), ReadError::NoRows { .. }));
    // One comma may stand for thousands, or for a decimal sign beside points.
    assert!(matches!(fails("a.csv", "1,234;5\n2,345;6\n"), ReadError::Comma { line: 1, column: 1, .. }));
    assert!(matches!(fails("a.csv", "1,25;5\n2;6.5\n"), ReadError::Comma { line: 1, column: 1, .. }));
}
