//! Takes the needed files out of a wheel, which is a zip archive.

use super::wheels::Take;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Component, Path, PathBuf};
use zip::ZipArchive;

/// Copies what `take` names from the wheel into `target/lib` and `target/include`.
pub(super) fn unpack(wheel: &Path, take: &[Take], target: &Path) -> Result<()> {
    let file = File::open(wheel).with_context(|| format!("{} cannot be opened", wheel.display()))?;
    let mut archive = ZipArchive::new(BufReader::new(file))
        .with_context(|| format!("{} is not a whole wheel", wheel.display()))?;
    let mut used = vec![false; take.len()];
    for index in 0..archive.len() {
        let mut entry =
            archive.by_index(index).with_context(|| format!("{}: entry {index}", wheel.display()))?;
        if entry.is_dir() {
            continue;
        }
        let name = entry.name().with_context(|| format!("{}: entry {index}", wheel.display()))?.into_owned();
        for (rule, used) in take.iter().zip(&mut used) {
            let Some(place) = destination(rule, &name) else { continue };
            *used = true;
            let path = target.join(place);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))?;
            }
            let mut output =
                File::create(&path).with_context(|| format!("{} cannot be made", path.display()))?;
            io::copy(&mut entry, &mut output)
                .with_context(|| format!("{} cannot be written: is the disk full?", path.display()))?;
            break;
        }
    }
    match take.iter().zip(used).find(|(_, used)| !used) {
        Some((rule, _)) => {
            bail!(
                "{} holds nothing for {rule:?}: it is not the wheel that this project knows",
                wheel.display()
            )
        }
        None => Ok(()),
    }
}

/// Where an entry of the archive goes, relative to the libtorch folder; `None` when the rule does not take it.
fn destination(rule: &Take, name: &str) -> Option<PathBuf> {
    // An archive must not write outside the folder it is unpacked into.
    if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let file_name = Path::new(name).file_name()?.to_str()?;
    match rule {
        Take::Library(path) => (name == *path).then(|| Path::new("lib").join(file_name)),
        Take::AllLibraries => (file_name.ends_with(".so") || file_name.contains(".so."))
            .then(|| Path::new("lib").join(file_name)),
        Take::Headers(folder) => Some(Path::new("include").join(name.strip_prefix(folder)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_go_where_the_rule_says_and_nowhere_else() {
        let headers = Take::Headers("torch/include/");
        assert_eq!(destination(&headers, "torch/include/c10/a.h"), Some(PathBuf::from("include/c10/a.h")));
        assert_eq!(destination(&headers, "torch/include/../../a.h"), None);
        assert_eq!(destination(&headers, "other/include/a.h"), None);

        let library = Take::Library("torch/lib/libc10.so");
        assert_eq!(destination(&library, "torch/lib/libc10.so"), Some(PathBuf::from("lib/libc10.so")));
        assert_eq!(destination(&library, "torch/lib/libc10_cuda.so"), None);

        assert_eq!(
            destination(&Take::AllLibraries, "nvidia/cu13/lib/libx.so.12"),
            Some(PathBuf::from("lib/libx.so.12"))
        );
        assert_eq!(destination(&Take::AllLibraries, "nvidia/cu13/lib/libx.a"), None);
        assert_eq!(destination(&Take::AllLibraries, "/etc/libx.so"), None);
    }
}
