//! Where results come from: manifest.json.

use anyhow::{Context, Result, bail};
use flows::device::Device;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use simd::Width;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use train::digest::sha256;
use train::run::{FORMAT, MANIFEST_FILE};

/// The provenance of a run or of an experiment; what another program, such as the Python package, does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Manifest {
    /// The version of the format of a run folder.
    pub schema_version: u64,
    /// The version of the program.
    pub version: String,
    /// The git revision of the checkout that the program was built in, `-dirty` where it was changed since; none where
    /// that checkout is gone.
    pub git_revision: Option<String>,
    /// SHA-256 of the Cargo.lock that the program was built with.
    pub cargo_lock_sha256: String,
    /// Whether libtorch is part of the program.
    pub libtorch: bool,
    /// The device.
    pub device: String,
    /// Operating system and processor architecture.
    pub platform: String,
    /// The width of the vectors that the kernels used; none in a folder that was made before there was a choice.
    pub vector_bits: Option<u32>,
    /// Threads of the measurement; a training has one.
    pub threads: usize,
    /// The command line.
    pub command: Vec<String>,
    /// The preset of the settings.
    pub preset: String,
    /// Whether the floors are measured too: of a run of its own, not of one of many.
    #[serde(default = "yes")]
    pub with_floor: bool,
    /// SHA-256 of the data files, which the run adds; a synthetic target is given by the seed.
    pub data_sha256: BTreeMap<String, String>,
}

impl Manifest {
    /// The provenance of what this process makes.
    pub(crate) fn new(device: Device, preset: &str, with_floor: bool) -> Self {
        Self {
            schema_version: FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            git_revision: git_revision(),
            cargo_lock_sha256: sha256([&include_bytes!("../../../Cargo.lock")[..]]),
            libtorch: cfg!(feature = "torch"),
            device: device.to_string(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            vector_bits: Width::in_use().ok().map(Width::bits),
            threads: rayon::current_num_threads(),
            // Where the program lies says nothing about the run.
            command: std::iter::once("oplus".into()).chain(std::env::args().skip(1)).collect(),
            preset: preset.into(),
            with_floor,
            data_sha256: BTreeMap::new(),
        }
    }

    /// What decides how a number is made, in words: version, revision, device and the width of vectors.
    pub(crate) fn made_by(&self) -> String {
        let revision = self.git_revision.as_ref().map_or(String::new(), |revision| format!(" at {revision}"));
        let bits = self.vector_bits.map_or(String::new(), |bits| format!(", {bits}-bit vectors"));
        format!("oplus {}{revision} on {}{bits}", self.version, self.device)
    }

    /// The fields by name.
    pub(crate) fn facts(&self) -> Result<Map<String, Value>> {
        match serde_json::to_value(self)? {
            Value::Object(facts) => Ok(facts),
            other => bail!("a manifest is an object, not {other}"),
        }
    }

    /// Reads the manifest of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST_FILE);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read: give a folder that oplus made", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is not a manifest of this version: start a new run", path.display()))
    }
}

fn yes() -> bool {
    true
}

fn git_revision() -> Option<String> {
    let mut git = Command::new("git");
    // `--exclude *` leaves tags out: the answer is always a digest.
    git.args([
        "-C",
        env!("CARGO_MANIFEST_DIR"),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
        "--exclude=*",
    ]);
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
