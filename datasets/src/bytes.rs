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
    unpacked_within(LIMIT, path, bytes)
}

fn unpacked_within<'a>(limit: u64, path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, ReadError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let malformed = |reason: String| ReadError::Malformed { path: path.into(), format: "gzip", reason };
    let mut unpacked = Vec::new();
    let length = MultiGzDecoder::new(bytes)
        .take(limit + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| malformed(error.to_string()))?;
    if length as u64 > limit {
        return Err(malformed(format!("it unpacks to more than {limit} bytes")));
    }
    Ok(Cow::Owned(unpacked))
}

#[cfg(test)]
mod tests {
    use std::{io::Write, path::Path};

    use flate2::{Compression, write::GzEncoder};

    use super::unpacked_within;

    #[test]
    fn a_small_file_does_not_unpack_beyond_the_limit() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&[0; 100_000]).unwrap();
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < 300);
        let unpacked = |limit| unpacked_within(limit, Path::new("a.gz"), &bomb).map(|bytes| bytes.len());
        assert_eq!(unpacked(100_000).unwrap(), 100_000);
        let error = unpacked(99_999).unwrap_err().to_string();
        assert!(error.contains("unpacks to more than 99999 bytes"), "{error}");
    }
}
