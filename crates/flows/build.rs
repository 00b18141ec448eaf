//! Gives the programs and tests that link libtorch a run path to it, so that they start in an empty environment.
//!
//! Cargo hands link arguments to the programs of one package only, so each package that links libtorch has a link to
//! this file, or calls it from a build script of its own. Without the feature `torch` it does nothing.
#![allow(clippy::print_stdout, reason = "this is how a build script talks to cargo")]

use std::env;
use std::path::Path;

/// Tells cargo the run path.
pub(crate) fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let wanted = env::var_os("CARGO_FEATURE_TORCH").is_some() && env::var_os("CARGO_CFG_UNIX").is_some();
    let Some(libtorch) = env::var_os("LIBTORCH").filter(|_| wanted) else { return };
    // The folder behind the link: a built program keeps working when its checkout is moved or removed.
    let Ok(libraries) = Path::new(&libtorch).join("lib").canonicalize() else { return };
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", libraries.display());
    // Nothing refers to this library by name: it registers the CUDA kernels when it is loaded.
    if libraries.join("libtorch_cuda.so").exists() {
        println!("cargo::rustc-link-arg=-Wl,--push-state,--no-as-needed,-ltorch_cuda,--pop-state");
    }
}
