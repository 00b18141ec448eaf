//! One run of a campaign.

use super::{Campaign, Job, make, text};
use crate::manifest::Manifest;
use crate::run_folder;
use anyhow::{Context, Result};
use eval::results::Row;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use train::Config;

/// A configuration with a seed.
#[derive(Debug)]
pub(crate) struct Trial {
    /// What the progress line says.
    pub label: String,
    /// The configuration file.
    pub file: PathBuf,
    /// Overrides of its settings.
    pub changes: Vec<String>,
    /// What file, preset and overrides give.
    pub config: Config,
    /// The run folder relative to that of the campaign.
    pub folder: String,
    /// What its process says, relative to the folder of the campaign.
    pub log: String,
}

impl Trial {
    /// Multiplications of the training up to a factor.
    pub(crate) fn work(&self) -> u64 {
        let training = self.config.training();
        training.iterations * training.batch as u64 * (1 + training.critic_updates as u64)
    }

    /// The arguments of the process that makes the run: a finished one is left as it is, an interrupted one goes on, a
    /// missing one begins.
    pub(crate) fn arguments(&self, campaign: &Campaign) -> Result<Vec<String>> {
        let mut arguments = vec!["train".to_owned(), text(&self.file)?];
        for change in &self.changes {
            arguments.extend(["--set".to_owned(), change.clone()]);
        }
        for (name, value) in [
            ("--preset", campaign.preset.clone()),
            ("--device", campaign.device.to_string()),
            ("--out", text(&campaign.out.join(&self.folder))?),
        ] {
            arguments.extend([name.to_owned(), value]);
        }
        for format in &campaign.observe {
            arguments.extend(["--observe".to_owned(), format.to_string()]);
        }
        arguments.extend(["--resume", "--without-floor"].map(str::to_owned));
        Ok(arguments)
    }

    /// The same for a process that ends with this one.
    pub(super) fn job(&self, campaign: &Campaign) -> Result<Job> {
        let log = campaign.out.join(&self.log);
        make(log.parent().unwrap_or(Path::new("")))?;
        let mut arguments = self.arguments(campaign)?;
        arguments.push("--with-parent".into());
        Ok(Job { label: self.label.clone(), arguments, log })
    }

    /// The digests of the data files that its process has read.
    pub(crate) fn data_sha256(&self, out: &Path) -> Result<BTreeMap<String, String>> {
        Ok(Manifest::read(&out.join(&self.folder))?.data_sha256)
    }

    /// The row that the process has written, its files relative to the campaign's folder; the method is `stem` without
    /// the name of the data in front.
    pub(crate) fn row(&self, stem: &str, out: &Path) -> Result<Row> {
        let folder = &self.folder;
        let results = run_folder::results(&out.join(folder))?;
        let row = results.rows.into_iter().next();
        let row =
            row.with_context(|| format!("{folder} has no result: delete it and go on with --resume"))?;
        let prefix = format!("{}-{}d-", row.dataset, row.dim);
        let mut notes = row.notes;
        notes.extend(made_elsewhere(&Manifest::read(&out.join(folder))?, &Manifest::read(out)?));
        Ok(Row {
            notes,
            method: stem.strip_prefix(&prefix).unwrap_or(stem).into(),
            samples: row.samples.map(|samples| format!("{folder}/{samples}")),
            run: folder.clone(),
            ..row
        })
    }
}

/// What is said of a run that another version, revision or device has made than the last command of its campaign.
fn made_elsewhere(run: &Manifest, campaign: &Manifest) -> Option<String> {
    let (run, campaign) = (run.made_by(), campaign.made_by());
    (run != campaign).then(|| format!("made by {run}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flows::device::Device;

    #[test]
    fn a_run_of_another_revision_says_so() {
        let now = Manifest::new(Device::Cpu, "full", true);
        assert_eq!(made_elsewhere(&now, &Manifest { threads: 7, ..now.clone() }), None);
        let old = Manifest { git_revision: Some("abc-dirty".into()), ..now.clone() };
        let told = made_elsewhere(&old, &now).unwrap();
        assert!(told.contains("at abc-dirty on "), "{told}");
    }
}
