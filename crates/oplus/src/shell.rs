//! Words for a shell.

/// A word as the shell reads it back.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The same, bare where it needs no quotes.
pub(crate) fn word(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c));
    if is_plain { word.into() } else { quoted(word) }
}

#[cfg(test)]
mod tests {
    use super::word;
    use std::process::Command;

    #[test]
    fn a_shell_reads_every_word_back() {
        for name in ["flow.toml", "mein flow.toml", "it's; $HOME `x` \"y\".toml", "größe/λ.toml"] {
            let output =
                Command::new("sh").args(["-c", &format!("printf %s {}", word(name))]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), name);
        }
        assert_eq!(word("runs/a-b.toml"), "runs/a-b.toml");
    }
}
