//! libtorch: where it is, whether it is the right one, and how it gets there.
//!
//! `.libtorch` in the workspace root is a link into a per-user cache; a user's own `LIBTORCH` wins over it.

pub(crate) mod cache;
pub(crate) mod check;
mod download;
pub(crate) mod link;
mod unpack;
mod wheels;

use crate::workspace::Workspace;
use anyhow::{Result, bail};
use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

/// The libtorch that this project's version of tch pairs with.
pub(crate) const VERSION: &str = "2.13.0";

/// With or without the CUDA libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Cpu,
    Cuda,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        })
    }
}

/// A libtorch that has passed [`check::check`].
#[derive(Debug)]
pub(crate) enum Ready {
    /// The folder that the user's `LIBTORCH` names.
    Own(PathBuf),
    /// The folder in the cache that `.libtorch` points to.
    Linked(PathBuf),
}

impl Ready {
    /// The folder of its libraries.
    pub(crate) fn libraries(&self) -> PathBuf {
        let (Self::Own(folder) | Self::Linked(folder)) = self;
        folder.join("lib")
    }
}

/// The user's own libtorch: `LIBTORCH`, unless it is the link that this project makes (cargo's `[env]` table sets that
/// one).
pub(crate) fn users_own(workspace: &Workspace) -> Option<PathBuf> {
    own(env::var_os("LIBTORCH").as_deref(), &link::path(workspace))
}

fn own(variable: Option<&OsStr>, link: &Path) -> Option<PathBuf> {
    let path = PathBuf::from(variable.filter(|value| !value.is_empty())?);
    (path != link).then_some(path)
}

/// What is there already, checked; `None` when a set-up is needed.
pub(crate) fn find(workspace: &Workspace) -> Result<Option<Ready>> {
    if let Some(folder) = users_own(workspace) {
        check::check(&folder).map_err(|problem| {
            problem.context(format!(
                "LIBTORCH={} cannot be used: point it to libtorch {VERSION}, or unset it and `cargo xtask setup` \
                 makes one",
                folder.display()
            ))
        })?;
        return Ok(Some(Ready::Own(folder)));
    }
    let link = link::path(workspace);
    Ok(check::check(&link).is_ok().then(|| Ready::Linked(link.canonicalize().unwrap_or(link))))
}

/// Makes sure that a libtorch is there: the user's own, the linked one, or a new CPU one.
pub(crate) fn ensure(workspace: &Workspace) -> Result<Ready> {
    match find(workspace)? {
        Some(ready) => Ok(ready),
        None => set_up(workspace, Kind::Cpu),
    }
}

/// The build folder of the programs that run with libtorch, apart from those that run without it.
pub(crate) fn target(workspace: &Workspace) -> Result<PathBuf> {
    Ok(workspace.target()?.join("libtorch"))
}

/// Puts a libtorch of this kind into the cache where it is missing, and links it.
pub(crate) fn set_up(workspace: &Workspace, kind: Kind) -> Result<Ready> {
    if !supported() {
        bail!(
            "libtorch is set up by itself on Linux x86-64 only, and this is {} {}: install libtorch {VERSION} and set \
             LIBTORCH to its folder",
            env::consts::OS,
            env::consts::ARCH
        );
    }
    let folder = cache::install(&cache::root()?, kind, wheels::of(kind), &download::with_pip)?;
    link::point(workspace, &folder)?;
    Ok(Ready::Linked(folder))
}

/// Whether `set_up` can work on this machine.
pub(crate) const fn supported() -> bool {
    cfg!(all(target_os = "linux", target_arch = "x86_64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_path_than_the_link_is_the_users_own() {
        let link = Path::new("/workspace/.libtorch");
        assert_eq!(own(None, link), None);
        assert_eq!(own(Some(OsStr::new("")), link), None);
        assert_eq!(own(Some(OsStr::new("/workspace/.libtorch")), link), None);
        assert_eq!(own(Some(OsStr::new("/opt/libtorch")), link), Some(PathBuf::from("/opt/libtorch")));
    }
}
