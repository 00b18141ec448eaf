//! The `.npy` format.
//!
//! The header is read here rather than by a crate because a reader of untrusted files must bound every allocation by
//! the file's own length, and must say which element type or shape it found.

use std::path::Path;

use ndarray::{Array2, ArrayD, Ix2, IxDyn, ShapeBuilder};

use super::ReadError;

const MAGIC: &[u8] = b"\x93NUMPY";

/// 2⁵³, from where on a double may stand for several whole numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

struct Header {
    element_type: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

/// Parses the bytes of a `.npy` file into a matrix of finite values; it may have no rows.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Array2<f64>, ReadError> {
    let array = array(path, bytes)?;
    let shape = array.shape().to_vec();
    let matrix = match *shape.as_slice() {
        [rows] => array.into_shape_with_order((rows, 1)).ok(),
        _ => array.into_dimensionality::<Ix2>().ok(),
    };
    let matrix = matrix.ok_or_else(|| ReadError::Axes { path: path.into(), shape })?;
    match matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), &value)) => Err(ReadError::NonFinite {
            path: path.into(),
            place: format!("row {row}, column {column} (counted from 0)"),
            value,
        }),
        None => Ok(matrix),
    }
}

/// Parses the bytes of a `.npy` file into an array of any number of axes, whose values need not be finite.
pub(super) fn array(path: &Path, bytes: &[u8]) -> Result<ArrayD<f64>, ReadError> {
    let malformed =
        |reason: &str| ReadError::Malformed { path: path.into(), format: "npy", reason: reason.to_owned() };
    let (header, data) = split(bytes).map_err(malformed)?;
    let header = read_header(header).map_err(malformed)?;
    let Some(Elements { size, values }) = Elements::of(&header.element_type) else {
        let remedy = remedy(&header.element_type);
        let found = super::shortened(&header.element_type);
        return Err(ReadError::ElementType { path: path.into(), found, remedy });
    };
    let promised = header.shape.iter().try_fold(size, |count, &length| count.checked_mul(length));
    if promised != Some(data.len()) {
        let lengths: Vec<String> = header.shape.iter().map(usize::to_string).collect();
        return Err(malformed(&format!(
            "its header promises {} elements of {size} bytes but {} bytes follow",
            lengths.join(" × "),
            data.len()
        )));
    }
    let values = values(data);
    let whole = header.element_type.ends_with("i8") || header.element_type.ends_with("u8");
    if let Some(value) = values.iter().find(|value| whole && value.abs() >= EXACT) {
        let found = format!("{} with whole numbers such as {value:e}", header.element_type);
        let remedy = "double precision rounds them from 2⁵³ = 9e15 on, subtract an offset first, in NumPy with (array - \
                      array.min()).astype(\"float64\")";
        return Err(ReadError::ElementType { path: path.into(), found, remedy });
    }
    ArrayD::from_shape_vec(IxDyn(&header.shape).set_f(header.fortran_order), values)
        .map_err(|error| malformed(&error.to_string()))
}

/// How the elements of an array are read.
struct Elements {
    /// Bytes of one.
    size: usize,
    /// All of them in file order; a rest shorter than one is left out.
    values: fn(&[u8]) -> Vec<f64>,
}

/// [`Elements`] of a type of numbers, in little- and in big-endian order.
macro_rules! elements {
    ($order:expr, $number:ty, $value:expr) => {
        Elements {
            size: size_of::<$number>(),
            values: match $order {
                '>' => |data| each(data, |bytes| $value(<$number>::from_be_bytes(bytes))),
                _ => |data| each(data, |bytes| $value(<$number>::from_le_bytes(bytes))),
            },
        }
    };
}

impl Elements {
    /// The elements of a type as the header names it, such as `<f8`: byte order, kind, size.
    fn of(name: &str) -> Option<Self> {
        let mut rest = name.chars();
        let order = rest.next().filter(|order| "<>|=".contains(*order))?;
        Some(match rest.as_str() {
            "b1" => elements!(order, u8, |x: u8| f64::from(u8::from(x != 0))),
            "i1" => elements!(order, i8, f64::from),
            "i2" => elements!(order, i16, f64::from),
            "i4" => elements!(order, i32, f64::from),
            "i8" => elements!(order, i64, |x: i64| x as f64),
            "u1" => elements!(order, u8, f64::from),
            "u2" => elements!(order, u16, f64::from),
            "u4" => elements!(order, u32, f64::from),
            "u8" => elements!(order, u64, |x: u64| x as f64),
            "f2" => elements!(order, u16, half),
            "f4" => elements!(order, f32, f64::from),
            "f8" => elements!(order, f64, f64::from),
            _ => return None,
        })
    }
}

/// How to make numbers of elements that are none.
fn remedy(element_type: &str) -> &'static str {
    match element_type.trim_start_matches(['<', '>', '|', '=']).chars().next() {
        Some('[') => {
            "it is a structured array, make a matrix of its fields, in NumPy with \
             numpy.lib.recfunctions.structured_to_unstructured(array)"
        }
        Some('O') => "it holds Python objects, convert them, in NumPy with array.astype(\"float64\")",
        Some('c') => "give real and imaginary parts as two columns",
        Some('U' | 'S') => {
            "it holds text, convert it, in NumPy with array.astype(\"float64\"), or leave it out"
        }
        Some('M' | 'm') => "it holds dates, convert them to a count, in NumPy with array.astype(\"int64\")",
        _ => "convert it, in NumPy with array.astype(\"float64\")",
    }
}

fn each<const SIZE: usize>(data: &[u8], decode: impl Fn([u8; SIZE]) -> f64) -> Vec<f64> {
    data.as_chunks::<SIZE>().0.iter().copied().map(decode).collect()
}

/// The value of a half-precision number by its bits: 1 of the sign, 5 of the exponent e, 10 of the mantissa m.
///
/// ```text
/// (−1)ˢ·2^(e − 15)·(1 + m/1024),        (−1)ˢ·2⁻¹⁴·m/1024 for e = 0,        ∞ or no number for e = 31
/// ```
///
/// Source: IEEE 754-2008, binary16.
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023) / 1024.0);
    let size = match exponent {
        0 => mantissa * 2.0_f64.powi(-14),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + mantissa) * 2.0_f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
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
