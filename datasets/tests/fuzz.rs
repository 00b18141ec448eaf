//! Every reader on bytes that are nearly or not at all a file of its format: an error or finite numbers, no panic, and
//! never much more memory than the file has bytes.
//!
//! The cases are as many as `PROPTEST_CASES` says, 256 without it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::sample::Index;

thread_local! {
    /// The largest piece of memory that this thread has asked for since it was set to 0.
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, which remembers the largest request.
struct Watched;

// SAFETY: all calls go to the system's allocator as they are.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.set(LARGEST.get().max(layout.size()));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer is from `alloc` above, which is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.set(LARGEST.get().max(size));
        // SAFETY: the pointer is from `alloc` above, which is the system's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static WATCHED: Watched = Watched;

/// One change of a file.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, usize, usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let place = |index: &Index| index.index(length + 1);
        match self {
            Self::Flip(index, mask) if length > 0 => bytes[index.index(length)] ^= mask,
            Self::Flip(..) => {}
            Self::Cut(index) => bytes.truncate(place(index)),
            Self::Remove(index, count) => {
                let from = place(index);
                bytes.drain(from..(from + count).min(length));
            }
            Self::Insert(index, inserted) => {
                let at = place(index);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Self::Repeat(index, count, times) => {
                let from = place(index);
                let part = bytes[from..(from + count).min(length)].repeat(*times);
                bytes.splice(from..from, part);
            }
        }
    }
}

/// Pieces that mean something to a reader.
const PIECES: [&str; 24] = [
    "1e999",
    "-inf",
    "nan",
    "0,1\n",
    "\"",
    "\"\"",
    "\r",
    "\n\n",
    "#",
    ";",
    "\t",
    "  ",
    "1,234",
    "2.5D0",
    "x,y\n",
    "18446744073709551615",
    "(1000000000000000000, 3)",
    "'<i8'",
    "'|O'",
    "True",
    "\u{feff}",
    "\0",
    "PK\x03\x04",
    "é",
];

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    let piece = prop_oneof![
        prop::sample::select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 1..9),
        Just(vec![0xff; 4]),
    ];
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(index, mask)| Change::Flip(index, mask)),
        place().prop_map(Change::Cut),
        (place(), 1_usize..40).prop_map(|(index, count)| Change::Remove(index, count)),
        (place(), piece).prop_map(|(index, bytes)| Change::Insert(index, bytes)),
        (place(), 1_usize..20, 1_usize..40)
            .prop_map(|(index, count, times)| Change::Repeat(index, count, times)),
    ]
}

/// Files after up to four changes, or random bytes.
fn bytes(files: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (prop::sample::select(files), prop::collection::vec(change(), 0..5)).prop_map(
        |(mut bytes, changes)| {
            changes.iter().for_each(|change| change.apply(&mut bytes));
            bytes
        },
    );
    prop_oneof![9 => changed, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

fn arrays() -> Vec<Vec<u8>> {
    let header = |element: &str, fortran: &str, shape: &str| {
        format!("{{'descr': '{element}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
    };
    vec![
        npy(&header("<f8", "False", "(3, 2)"), &[1; 48]),
        npy(&header(">f4", "True", "(3, 2)"), &[2; 24]),
        npy(&header("<f2", "False", "(4,)"), &[3; 8]),
        npy(&header("|b1", "False", "(2, 2)"), &[1, 0, 1, 1]),
        npy(&header("<u8", "False", "(1, 1)"), &[255; 8]),
    ]
}

fn tables() -> Vec<Vec<u8>> {
    let texts = [
        "x,y\n1,2\n3.5,-4e2\n",
        "1;2,5\n3;4\n",
        "# c\n1.5\t2\n",
        "\"a, b\",y\n\"1\",2\n",
        "1 2\n 3  4\n",
        "0\n1\n",
    ];
    let wide = "\u{feff}x,y\r\n1,2\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    texts.iter().map(|text| text.as_bytes().to_vec()).chain([wide]).collect()
}

fn packed(files: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let pack = |bytes: Vec<u8>| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&bytes).unwrap();
        encoder.finish().unwrap()
    };
    files.into_iter().map(pack).collect()
}

fn digits() -> Vec<Vec<u8>> {
    let image =
        |label: &str, value: &str| format!("{label}{}\n", format!(" {value}").repeat(256)).into_bytes();
    vec![image("6.0000", "-1.000"), [image("0", "0.5"), image("9", "1")].concat()]
}

fn images() -> Vec<Vec<u8>> {
    vec![vec![0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4], [&[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[7; 6]].concat()]
}

/// Reads `bytes` as a file of this name; returns the largest piece of memory that was asked for.
fn memory<T>(name: &str, bytes: &[u8], read: impl Fn(&Path) -> T) -> (T, usize) {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().unwrap();
    }
    let path = FOLDER.with(|folder| folder.path().join(name));
    fs::write(&path, bytes).unwrap();
    LARGEST.set(0);
    let found = read(&path);
    (found, LARGEST.get())
}

/// Memory for a file of `length` bytes: a text of one digit and one comma a number makes 8 bytes of 2, and buffers grow
/// by doubling and are never smaller than some KiB.
fn allowed(length: usize) -> usize {
    64 * length + (1 << 17)
}

fn matrix(name: &str, bytes: &[u8]) -> usize {
    let (found, largest) = memory(name, bytes, |path| datasets::read_matrix(path));
    match found {
        Ok(matrix) => assert!(!matrix.is_empty() && matrix.iter().all(|x| x.is_finite())),
        Err(error) => assert!(!error.to_string().contains('\n'), "more than one line: {error}"),
    }
    largest
}

proptest! {
    #[test]
    fn fuzz_npy(bytes in bytes(arrays())) {
        prop_assert!(matrix("a.npy", &bytes) <= allowed(bytes.len()));
    }

    #[test]
    fn fuzz_csv(bytes in bytes(tables())) {
        prop_assert!(matrix("a.csv", &bytes) <= allowed(bytes.len()));
    }

    /// Deflate packs no more than 1032 bytes into one.
    #[test]
    fn fuzz_gz(table in bytes(packed(tables())), array in bytes(packed(arrays()))) {
        prop_assert!(matrix("a.csv.gz", &table) <= allowed(1032 * table.len()));
        prop_assert!(matrix("a.npy.gz", &array) <= allowed(1032 * array.len()));
    }

    #[test]
    fn fuzz_idx(bytes in bytes(images())) {
        let (found, largest) = memory("a-idx1-ubyte", &bytes, |path| datasets::read_idx(path));
        prop_assert!(found.is_err() || bytes.starts_with(&[0, 0, 8]));
        prop_assert!(largest <= allowed(bytes.len()));
    }

    #[test]
    fn fuzz_usps(bytes in bytes(digits())) {
        let (found, largest) = memory("zip.train", &bytes, |path| datasets::read_usps(path));
        if let Ok(digits) = found {
            prop_assert!(digits.labels.iter().all(|&label| label < 10));
            prop_assert!(digits.pixels.iter().all(|pixel| pixel.abs() <= 1.0));
        }
        prop_assert!(largest <= allowed(bytes.len()));
    }

    /// The file has its arrays at fixed places of 19 MB, which tests of the reader fill; here it ends before them.
    #[test]
    fn fuzz_mat(bytes in bytes(vec![b"MATLAB 5.0 MAT-file".to_vec(), vec![0; 300]])) {
        for split in [datasets::Split::Train, datasets::Split::Test] {
            let (found, largest) =
                memory("usps_resampled.mat", &bytes, |path| datasets::read_usps_resampled(path, split));
            prop_assert!(found.is_err() && largest <= allowed(bytes.len()));
        }
    }
}
