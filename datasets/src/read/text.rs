//! The text of a table: its encoding and its lines.

use std::{borrow::Cow, path::Path};

use super::ReadError;

/// The marks at the start of a text, each with what follows it.
const UTF_8: &[u8] = b"\xef\xbb\xbf";
const UTF_16_LITTLE: &[u8] = b"\xff\xfe";
const UTF_16_BIG: &[u8] = b"\xfe\xff";

/// The text of a file in UTF-8, or in UTF-16 with its mark; every line ends with a line feed alone.
pub(super) fn decoded<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, str>, ReadError> {
    let text = if let Some(rest) = bytes.strip_prefix(UTF_16_LITTLE) {
        Cow::Owned(utf_16(path, rest, u16::from_le_bytes)?)
    } else if let Some(rest) = bytes.strip_prefix(UTF_16_BIG) {
        Cow::Owned(utf_16(path, rest, u16::from_be_bytes)?)
    } else {
        let bytes = bytes.strip_prefix(UTF_8).unwrap_or(bytes);
        let text = std::str::from_utf8(bytes)
            .map_err(|error| refused(path, format!("byte {} is no part of one", error.valid_up_to())))?;
        Cow::Borrowed(text)
    };
    if text.contains('\0') {
        return Err(refused(
            path,
            "it has zero bytes, as UTF-16 without its mark or a binary file has".into(),
        ));
    }
    let text =
        if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { text };
    Ok(if text.ends_with('\n') { text } else { text + "\n" })
}

fn utf_16(path: &Path, bytes: &[u8], word: fn([u8; 2]) -> u16) -> Result<String, ReadError> {
    let (words, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(refused(path, "it has an odd number of bytes after the mark of UTF-16".into()));
    }
    char::decode_utf16(words.iter().map(|&bytes| word(bytes)))
        .collect::<Result<_, _>>()
        .map_err(|_| refused(path, "a character of UTF-16 is cut in two".into()))
}

fn refused(path: &Path, reason: String) -> ReadError {
    ReadError::Encoding { path: path.into(), reason }
}
