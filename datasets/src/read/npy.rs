//! The `.npy` format.
//!
//! The header is read here rather than by a crate because a reader of untrusted files must bound every allocation by
//! the file's own length, and must say which element type or shape it found.

use std::path::Path;

use ndarray::{Array2, ShapeBuilder};

use super::ReadError;

const MAGIC: &[u8] = b"\x93NUMPY";

struct Header {
    element_type: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

/// Parses the bytes of a `.npy` file into a matrix of finite values; it may have no rows.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Array2<f64>, ReadError> {
    let malformed =
        |reason: &str| ReadError::Malformed { path: path.into(), format: "npy", reason: reason.to_owned() };
    let (header, data) = split(bytes).map_err(malformed)?;
    let header = read_header(header).map_err(malformed)?;
    let values: fn(&[u8]) -> Vec<f64> = match header.element_type.as_str() {
        "<f4" => |data| elements(data, |bytes| f32::from_le_bytes(bytes).into()),
        ">f4" => |data| elements(data, |bytes| f32::from_be_bytes(bytes).into()),
        "<f8" => |data| elements(data, f64::from_le_bytes),
        ">f8" => |data| elements(data, f64::from_be_bytes),
        _ => return Err(ReadError::ElementType { path: path.into(), found: header.element_type }),
    };
    let (rows, columns) = match *header.shape.as_slice() {
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        _ => return Err(ReadError::Axes { path: path.into(), shape: header.shape }),
    };
    let size = if header.element_type.ends_with('4') { 4 } else { 8 };
    let promised = rows.checked_mul(columns).and_then(|count| count.checked_mul(size));
    if promised != Some(data.len()) {
        return Err(malformed(&format!(
            "its header promises {rows} × {columns} elements of {size} bytes but {} bytes follow",
            data.len()
        )));
    }
    let matrix = Array2::from_shape_vec((rows, columns).set_f(header.fortran_order), values(data))
        .map_err(|error| malformed(&error.to_string()))?;
    match matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), &value)) => Err(ReadError::NonFinite {
            path: path.into(),
            place: format!("row {row}, column {column} (counted from 0)"),
            value,
        }),
        None => Ok(matrix),
    }
}

/// The elements of `data` in file order; a rest shorter than one element is left out.
fn elements<const SIZE: usize>(data: &[u8], decode: impl Fn([u8; SIZE]) -> f64) -> Vec<f64> {
    data.chunks_exact(SIZE).filter_map(|chunk| chunk.try_into().ok()).map(decode).collect()
}

/// Splits a file into the text of its header and its data.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), &'static str> {
    const SHORT: &str = "it ends within the header";
    let rest = bytes.strip_prefix(MAGIC).ok_or("it does not start with the npy mark")?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or(SHORT)?;
    let (length, rest) = match version {
        [1, _] => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or(SHORT)?;
            (u32::from(u16::from_le_bytes(*length)), rest)
        }
        [2 | 3, _] => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
            (u32::from_le_bytes(*length), rest)
        }
        _ => return Err("its format version is unknown"),
    };
    let (header, data) =
        usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)).ok_or(SHORT)?;
    Ok((std::str::from_utf8(header).map_err(|_| "its header is not text")?, data))
}

/// Reads the three entries of the header, a Python dictionary in a fixed, simple form.
fn read_header(text: &str) -> Result<Header, &'static str> {
    let descriptor = entry(text, "descr").ok_or("its header has no descr")?;
    // A record type is a list here; it is reported whole as the element type that was found.
    let element_type = match descriptor.chars().next() {
        Some(quote @ ('\'' | '"')) => descriptor.split(quote).nth(1).unwrap_or_default().to_owned(),
        _ => descriptor.split_inclusive(']').next().unwrap_or_default().to_owned(),
    };
    let order = entry(text, "fortran_order").ok_or("its header has no fortran_order")?;
    let fortran_order = match (order.starts_with("True"), order.starts_with("False")) {
        (true, false) => true,
        (false, true) => false,
        _ => return Err("fortran_order is neither True nor False"),
    };
    let shape = entry(text, "shape")
        .and_then(|rest| rest.strip_prefix('('))
        .and_then(|rest| rest.split(')').next())
        .ok_or("its header has no shape")?;
    let shape = shape
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
        .map(|size| size.parse().map_err(|_| "a size of its shape is no number"))
        .collect::<Result<_, _>>()?;
    Ok(Header { element_type, fortran_order, shape })
}

/// What follows the key `name` and its colon.
fn entry<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    ['\'', '"'].into_iter().find_map(|quote| {
        let (_, rest) = text.split_once(&format!("{quote}{name}{quote}"))?;
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    })
}
