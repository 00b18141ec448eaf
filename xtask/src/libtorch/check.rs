//! Decides whether a folder holds a usable libtorch of the right version.

use super::VERSION;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

const HEADER: &str = "include/torch/csrc/api/include/torch/torch.h";
const VERSION_HEADER: &str = "include/torch/headeronly/version.h";
const LIBRARIES: &[&str] = &["libtorch_cpu.so", "libtorch_cpu.dylib", "torch_cpu.lib"];

/// Fails, saying what is missing or which version was found.
pub(crate) fn check(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        bail!("{} is not a folder", folder.display());
    }
    if !LIBRARIES.iter().any(|library| folder.join("lib").join(library).is_file()) {
        bail!("{} holds no lib/libtorch_cpu", folder.display());
    }
    if !folder.join(HEADER).is_file() {
        bail!("{} holds no {HEADER}", folder.display());
    }
    let found = version(folder)?;
    if found != VERSION {
        bail!("{} holds libtorch {found}, and {VERSION} is needed", folder.display());
    }
    Ok(())
}

/// The version without a `+cpu` or `+cu130` tail, from `build-version` or else from the headers.
pub(crate) fn version(folder: &Path) -> Result<String> {
    let file = folder.join("build-version");
    if let Ok(text) = fs::read_to_string(&file) {
        let text = text.trim();
        return Ok(text.split_once('+').map_or(text, |(version, _)| version).to_owned());
    }
    let header = folder.join(VERSION_HEADER);
    let text = fs::read_to_string(&header).with_context(|| {
        format!("{} tells no version: it has neither build-version nor {VERSION_HEADER}", folder.display())
    })?;
    let part = |name: &str| {
        text.lines()
            .find_map(|line| {
                line.strip_prefix("#define TORCH_VERSION_")?.strip_prefix(name)?.trim().parse::<u32>().ok()
            })
            .with_context(|| format!("{} names no TORCH_VERSION_{name}", header.display()))
    };
    Ok(format!("{}.{}.{}", part("MAJOR")?, part("MINOR")?, part("PATCH")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn libtorch(version: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [("lib/libtorch_cpu.so", ""), (HEADER, ""), ("build-version", version)] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn the_right_version_passes_with_and_without_a_tail() {
        check(libtorch("2.13.0\n").path()).unwrap();
        check(libtorch("2.13.0+cu130\n").path()).unwrap();
    }

    #[test]
    fn another_version_is_named() {
        let message = check(libtorch("2.1.2+cpu").path()).unwrap_err().to_string();
        assert!(message.contains("libtorch 2.1.2, and 2.13.0 is needed"), "{message}");
    }

    #[test]
    fn the_version_is_read_from_the_header_where_there_is_no_build_version() {
        let folder = libtorch("");
        fs::remove_file(folder.path().join("build-version")).unwrap();
        assert!(check(folder.path()).unwrap_err().to_string().contains("tells no version"));
        let header = folder.path().join(VERSION_HEADER);
        fs::create_dir_all(header.parent().unwrap()).unwrap();
        fs::write(
            &header,
            "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 13\n#define TORCH_VERSION_PATCH 0\n",
        )
        .unwrap();
        check(folder.path()).unwrap();
    }

    #[test]
    fn a_missing_library_or_header_is_named() {
        for missing in ["lib/libtorch_cpu.so", HEADER] {
            let folder = libtorch(VERSION);
            fs::remove_file(folder.path().join(missing)).unwrap();
            let message = check(folder.path()).unwrap_err().to_string();
            assert!(message.contains(missing.trim_end_matches(".so")), "{message}");
        }
        assert!(check(Path::new("no/such/folder")).unwrap_err().to_string().contains("is not a folder"));
    }
}
