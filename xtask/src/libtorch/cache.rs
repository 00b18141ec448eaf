//! The per-user cache: a libtorch appears there whole or not at all.

use super::wheels::Wheel;
use super::{Kind, VERSION, check, unpack};
use anyhow::{Context, Result};
use fd_lock::RwLock;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Fetches a wheel into a folder and returns the file; a test passes its own.
pub(crate) type Fetch<'a> = dyn Fn(&Wheel, &Path) -> Result<PathBuf> + 'a;

/// `OPLUS_CACHE`, else `oplus` under `XDG_CACHE_HOME`, else `~/.cache/oplus`.
pub(crate) fn root() -> Result<PathBuf> {
    root_from(|name| env::var_os(name).filter(|value| !value.is_empty()))
        .context("there is no cache folder: set OPLUS_CACHE to a folder with 1 GB of free space")
}

fn root_from(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("OPLUS_CACHE")
        .or_else(|| absolute("XDG_CACHE_HOME").map(|folder| folder.join("oplus")))
        .or_else(|| absolute("HOME").map(|folder| folder.join(".cache/oplus")))
}

/// Returns the cache's libtorch of this kind, made now if it is missing.
///
/// Safe to call from several processes at once: one makes it, the others wait. What an interrupted call has left is
/// removed.
pub(crate) fn install(root: &Path, kind: Kind, wheels: &[Wheel], fetch: &Fetch) -> Result<PathBuf> {
    let name = format!("libtorch-{VERSION}-{kind}");
    let target = root.join(&name);
    if check::check(&target).is_ok() {
        return Ok(target);
    }
    fs::create_dir_all(root)
        .with_context(|| format!("{} cannot be made: set OPLUS_CACHE to another folder", root.display()))?;
    let lock_path = root.join("setup.lock");
    let mut lock = RwLock::new(
        File::create(&lock_path).with_context(|| format!("{} cannot be made", lock_path.display()))?,
    );
    if lock.try_write().is_err() {
        say::note!("waiting for another set-up to finish");
    }
    let _guard = lock.write().with_context(|| format!("{} cannot be locked", lock_path.display()))?;
    if check::check(&target).is_ok() {
        return Ok(target);
    }
    remove_leftovers(root, &name)?;
    build(root, &name, kind, wheels, fetch)?;
    Ok(target)
}

/// Removes what is half made; the lock is held, so nobody is writing it.
fn remove_leftovers(root: &Path, name: &str) -> Result<()> {
    for entry in fs::read_dir(root).with_context(|| format!("{} cannot be read", root.display()))? {
        let entry = entry?;
        let entry_name = entry.file_name();
        let entry_name = entry_name.to_string_lossy();
        // A finished folder under the name itself has failed its check: a file was lost.
        if entry_name == name || (entry_name.starts_with(name) && entry_name.ends_with(".partial")) {
            fs::remove_dir_all(entry.path())
                .with_context(|| format!("{} cannot be removed", entry.path().display()))?;
        }
    }
    Ok(())
}

fn build(root: &Path, name: &str, kind: Kind, wheels: &[Wheel], fetch: &Fetch) -> Result<()> {
    let partial = tempfile::Builder::new().prefix(&format!("{name}.")).suffix(".partial").tempdir_in(root);
    let partial = partial.with_context(|| format!("{} cannot be written to", root.display()))?;
    let libtorch = partial.path().join("libtorch");
    for wheel in wheels {
        let downloads = partial.path().join(wheel.package);
        fs::create_dir(&downloads).with_context(|| format!("{} cannot be made", downloads.display()))?;
        let file = fetch(wheel, &downloads)?;
        say::note!("unpacking {} {}", wheel.package, wheel.version);
        unpack::unpack(&file, wheel.take, &libtorch)?;
        fs::remove_dir_all(&downloads)
            .with_context(|| format!("{} cannot be removed", downloads.display()))?;
    }
    if kind == Kind::Cpu {
        // tch asks for -ltorch; the wheel's own libtorch.so would pull in the CUDA libraries.
        write(&libtorch.join("lib/libtorch.so"), "INPUT(-ltorch_cpu)\n")?;
    }
    write(&libtorch.join("build-version"), &format!("{VERSION}\n"))?;
    check::check(&libtorch).context("the wheels did not make a whole libtorch")?;
    let target = root.join(name);
    fs::rename(&libtorch, &target).with_context(|| format!("{} cannot be made", target.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::wheels::Take;
    use super::*;
    use anyhow::bail;
    use std::cell::Cell;
    use std::io::Write;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    const WHEELS: &[Wheel] = &[
        Wheel {
            package: "torch",
            version: VERSION,
            sha256: "",
            take: &[Take::Headers("torch/include/"), Take::Library("torch/lib/libtorch_cpu.so")],
        },
        Wheel { package: "runtime", version: "1", sha256: "", take: &[Take::AllLibraries] },
    ];

    /// A stand-in for pip: writes a tiny wheel of the same shape.
    fn small(wheel: &Wheel, folder: &Path) -> Result<PathBuf> {
        let path = folder.join("small.whl");
        let mut archive = ZipWriter::new(File::create(&path)?);
        let entries: &[&str] = match wheel.package {
            "torch" => &[
                "torch/include/torch/csrc/api/include/torch/torch.h",
                "torch/lib/libtorch_cpu.so",
                "torch/lib/libunwanted.so",
            ],
            _ => &["nvidia/lib/libcudart.so.13"],
        };
        for entry in entries {
            archive.start_file(*entry, SimpleFileOptions::default())?;
            archive.write_all(entry.as_bytes())?;
        }
        archive.finish()?;
        Ok(path)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_fresh_install_is_whole_and_leaves_no_wheel() {
        let root = tempfile::tempdir().unwrap();
        let folder = install(root.path(), Kind::Cpu, WHEELS, &small).unwrap();
        assert_eq!(names(&folder), ["build-version", "include", "lib"]);
        assert_eq!(names(&folder.join("lib")), ["libcudart.so.13", "libtorch.so", "libtorch_cpu.so"]);
        assert_eq!(fs::read_to_string(folder.join("lib/libtorch.so")).unwrap(), "INPUT(-ltorch_cpu)\n");
        assert_eq!(names(root.path()), ["libtorch-2.13.0-cpu", "setup.lock"]);
    }

    #[test]
    fn a_second_install_fetches_nothing() {
        let root = tempfile::tempdir().unwrap();
        install(root.path(), Kind::Cpu, WHEELS, &small).unwrap();
        install(root.path(), Kind::Cpu, WHEELS, &|_, _| bail!("nothing should be fetched")).unwrap();
    }

    #[test]
    fn an_interrupted_install_leaves_nothing_usable_and_the_next_one_starts_cleanly() {
        let root = tempfile::tempdir().unwrap();
        let calls = Cell::new(0);
        let breaking = |wheel: &Wheel, folder: &Path| {
            calls.set(calls.get() + 1);
            if calls.get() == 2 { bail!("the connection broke") } else { small(wheel, folder) }
        };
        install(root.path(), Kind::Cpu, WHEELS, &breaking).unwrap_err();
        assert!(!root.path().join("libtorch-2.13.0-cpu").exists());

        // A killed process cannot clean up: its folder is still there when the next call comes.
        fs::create_dir_all(root.path().join("libtorch-2.13.0-cpu.dead.partial/torch")).unwrap();
        install(root.path(), Kind::Cpu, WHEELS, &small).unwrap();
        assert_eq!(names(root.path()), ["libtorch-2.13.0-cpu", "setup.lock"]);
    }

    #[test]
    fn a_libtorch_that_lost_a_file_is_made_again() {
        let root = tempfile::tempdir().unwrap();
        let folder = install(root.path(), Kind::Cpu, WHEELS, &small).unwrap();
        fs::remove_file(folder.join("lib/libtorch_cpu.so")).unwrap();
        install(root.path(), Kind::Cpu, WHEELS, &small).unwrap();
        assert!(folder.join("lib/libtorch_cpu.so").exists());
    }

    #[test]
    fn a_wheel_without_the_expected_file_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let wheels = &[Wheel { take: &[Take::Library("torch/lib/libabsent.so")], ..WHEELS[0] }];
        let message = format!("{:#}", install(root.path(), Kind::Cpu, wheels, &small).unwrap_err());
        assert!(message.contains("libabsent.so"), "{message}");
        assert_eq!(names(root.path()), ["setup.lock"]);
    }

    #[test]
    fn of_several_calls_at_once_one_fetches_and_all_succeed() {
        let root = tempfile::tempdir().unwrap();
        let fetched = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let slow = |wheel: &Wheel, folder: &Path| {
                        fetched.fetch_add(1, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(20));
                        small(wheel, folder)
                    };
                    install(root.path(), Kind::Cpu, WHEELS, &slow).unwrap();
                });
            }
        });
        assert_eq!(fetched.load(Ordering::SeqCst), WHEELS.len());
    }

    #[test]
    fn the_cache_folder_follows_the_environment() {
        let from = |pairs: &'static [(&str, &str)]| {
            root_from(move |name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
            })
        };
        assert_eq!(from(&[("HOME", "/h")]), Some(PathBuf::from("/h/.cache/oplus")));
        assert_eq!(from(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]), Some(PathBuf::from("/x/oplus")));
        assert_eq!(from(&[("OPLUS_CACHE", "/o"), ("XDG_CACHE_HOME", "/x")]), Some(PathBuf::from("/o")));
        assert_eq!(
            from(&[("XDG_CACHE_HOME", "relative"), ("HOME", "/h")]),
            Some(PathBuf::from("/h/.cache/oplus"))
        );
        assert_eq!(from(&[]), None);
    }
}
