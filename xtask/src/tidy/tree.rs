//! The text files of the workspace, in memory.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What builds, runs and users leave in a checkout; the same list as in .gitignore.
const NOT_OURS: &[&str] = &["target", "datasets/cache", "runs", "out"];
const HIDDEN_BUT_OURS: &[&str] = &[".cargo", ".ci", ".github", ".gitignore"];
const TEXT: &[&str] = &["rs", "toml", "md", "py", "sh", "yml", "yaml", "json"];

/// File contents by path, relative to the root and with `/`.
#[derive(Debug, Default)]
pub(super) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.add_folder(root, "")?;
        Ok(tree)
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{prefix}{name}");
            let hidden = name.starts_with('.') && !HIDDEN_BUT_OURS.contains(&name.as_str());
            let kind = entry.file_type()?;
            if hidden || kind.is_symlink() || NOT_OURS.contains(&path.as_str()) {
                continue;
            }
            if kind.is_dir() {
                self.add_folder(&entry.path(), &format!("{path}/"))?;
            } else if is_text(&path) {
                let text = fs::read_to_string(entry.path())
                    .with_context(|| format!("{path} cannot be read as text"))?;
                self.files.insert(path, text);
            } else {
                // Kept by name, so that links to it resolve.
                self.files.insert(path, String::new());
            }
        }
        Ok(())
    }

    /// Files whose path ends so.
    pub(super) fn ending<'tree>(&'tree self, end: &str) -> impl Iterator<Item = (&'tree str, &'tree str)> {
        self.iter().filter(move |(path, _)| path.ends_with(end))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(super) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether this is a file, or a folder that holds one.
    pub(super) fn holds(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty()
            || self.files.contains_key(path)
            || self.files.keys().any(|file| file.starts_with(&folder))
    }
}

fn is_text(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    extension.is_none_or(|extension| TEXT.contains(&extension))
}

#[cfg(test)]
impl Tree {
    /// A small tree for the tests of the rules.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }
}
