//! SHA-256 of what a run depends on.

use crate::TrainError;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// SHA-256 in hexadecimal of bytes that come in pieces.
pub fn sha256<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    pieces.into_iter().for_each(|piece| hash.update(piece));
    hexadecimal(hash)
}

/// SHA-256 in hexadecimal of the contents of a file, in memory of a fixed size.
///
/// # Errors
/// [`TrainError::Io`] when it cannot be read.
pub(crate) fn of_file(path: &Path) -> Result<String, TrainError> {
    let io = |source: io::Error| TrainError::Io { path: path.into(), source };
    let (mut file, mut hash, mut buffer) = (File::open(path).map_err(io)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        let count = file.read(&mut buffer).map_err(io)?;
        if count == 0 {
            return Ok(hexadecimal(hash));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
    }
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{of_file, sha256};

    #[test]
    fn digests_are_those_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256([&b"ab"[..], b"c"]), abc);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        assert_eq!(of_file(file.path()).unwrap(), abc);
    }
}
