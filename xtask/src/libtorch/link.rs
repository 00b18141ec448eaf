//! `.libtorch` in the workspace root: a symbolic link to the libtorch in use.

use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Packages whose build scripts look at what is behind the link; cargo only watches the link's own path.
const DEPENDENTS: &[&str] = &["torch-sys", "flows", "train", "oplus"];

/// The path of the link, as cargo's `[env]` table writes it.
pub(crate) fn path(workspace: &Workspace) -> PathBuf {
    workspace.root().join(".libtorch")
}

/// Points the link to `folder`; builds that were made against another folder are forgotten.
pub(crate) fn point(workspace: &Workspace, folder: &Path) -> Result<()> {
    let link = path(workspace);
    let before = fs::read_link(&link).ok();
    if before.as_deref() == Some(folder) {
        return Ok(());
    }
    replace(&link, folder)?;
    if before.is_some() {
        for (profile, target) in [("dev", workspace.target()?), ("release", super::target(workspace)?)] {
            let mut clean = workspace.cargo();
            clean.args(["clean", "--quiet", "--profile", profile, "--target-dir"]).arg(target);
            for package in DEPENDENTS {
                clean.args(["--package", package]);
            }
            workspace.run(clean, "cargo clean")?;
        }
    }
    Ok(())
}

/// Makes or moves the link in one step, so that nobody ever finds it missing.
fn replace(link: &Path, folder: &Path) -> Result<()> {
    if link.symlink_metadata().is_ok_and(|metadata| !metadata.is_symlink()) {
        bail!(
            "{} is in the way: it is no link; move it, and set LIBTORCH to it if it is a libtorch of your own",
            link.display()
        );
    }
    let parent = link.parent().context("the workspace root has no path")?;
    let scratch = tempfile::Builder::new().prefix(".libtorch.").suffix(".partial").tempdir_in(parent);
    let scratch = scratch.with_context(|| format!("{} cannot be written to", parent.display()))?;
    let fresh = scratch.path().join("link");
    symlink(folder, &fresh).with_context(|| format!("no link can be made in {}", parent.display()))?;
    fs::rename(&fresh, link).with_context(|| format!("{} cannot be written", link.display()))
}

#[cfg(unix)]
use std::os::unix::fs::symlink;

#[cfg(windows)]
use std::os::windows::fs::symlink_dir as symlink;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_made_moved_and_never_replaces_a_real_folder() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join(".libtorch");
        for name in ["one", "two"] {
            let target = folder.path().join(name);
            fs::create_dir(&target).unwrap();
            replace(&link, &target).unwrap();
            assert_eq!(fs::read_link(&link).unwrap(), target);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "no scratch folder stays");

        fs::remove_file(&link).unwrap();
        fs::create_dir(&link).unwrap();
        let message = replace(&link, folder.path()).unwrap_err().to_string();
        assert!(message.contains("in the way"), "{message}");
        assert!(link.is_dir());
    }
}
