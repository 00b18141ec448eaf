//! The crates that can be published, as a registry would get them.

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    /// The registries that it may go to; any where there is none.
    publish: Option<Vec<String>>,
}

/// Packs every crate that can be published, without compiling what was packed: `cargo package --workspace` does that, and
/// takes as long as a build.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo();
    let output = cargo
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cargo metadata did not start")?;
    let names = published(&output.stdout)?;
    let mut cargo = workspace.cargo();
    // The change that is checked may not be committed yet.
    cargo.args(["package", "--quiet", "--no-verify", "--allow-dirty"]);
    for name in &names {
        cargo.args(["--package", name]);
    }
    workspace.run(cargo, "cargo package")
}

/// The names of the crates that can be published.
fn published(metadata: &[u8]) -> Result<Vec<String>> {
    let metadata: Metadata = serde_json::from_slice(metadata).context("cargo metadata cannot be read")?;
    let open = metadata.packages.into_iter().filter(|package| package.publish.as_deref() != Some(&[]));
    Ok(open.map(|package| package.name).collect())
}

#[cfg(test)]
mod tests {
    use super::published;

    #[test]
    fn programs_are_not_published() {
        let metadata = br#"{"packages":[{"name":"a","publish":null},{"name":"b","publish":[]},{"name":"c","publish":["own"]}]}"#;
        assert_eq!(published(metadata).unwrap(), ["a", "c"]);
    }
}
