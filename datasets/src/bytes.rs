//! The bytes of files, which may be compressed with gzip.

use std::{
    borrow::Cow,
    fs,
    io::{self, Read},
    path::Path,
};

use flate2::read::MultiGzDecoder;

use crate::ReadError;

/// No file read here is larger; a small file that unpacks to more is refused instead of filling the memory.
const LIMIT: u64 = 1 << 30;

/// The bytes of a file that exists and is not empty.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    let bytes = fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ReadError::Missing { path: path.into() },
        _ => ReadError::Io { path: path.into(), source },
    })?;
    if bytes.is_empty() { Err(ReadError::Empty { path: path.into() }) } else { Ok(bytes) }
}

/// The bytes themselves, or unpacked where they start with the mark of gzip (1f 8b).
pub(crate) fn unpacked<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, ReadError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let malformed = |reason: String| ReadError::Malformed { path: path.into(), format: "gzip", reason };
    let mut unpacked = Vec::new();
    let length = MultiGzDecoder::new(bytes)
        .take(LIMIT + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| malformed(error.to_string()))?;
    if length as u64 > LIMIT {
        return Err(malformed(format!("it unpacks to more than {LIMIT} bytes")));
    }
    Ok(Cow::Owned(unpacked))
}
