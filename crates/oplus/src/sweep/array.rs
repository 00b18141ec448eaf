//! A sweep as an array of Slurm: one task for each run.

use crate::campaign::{Campaign, Trial};
use crate::shell::quoted;
use anyhow::{Context, Result, bail};
use datasets::write_whole;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// How every script begins, so that no other file is replaced.
const HEAD: &str = "#!/bin/bash\n# The runs of a sweep of oplus, one a task.";

/// Writes the script; the tasks are the runs in their order.
pub(super) fn write<'a>(
    file: &Path,
    trials: impl Iterator<Item = &'a Trial>,
    campaign: &Campaign,
) -> Result<()> {
    if fs::read_to_string(file).map_or(file.exists(), |text| !text.starts_with(HEAD)) {
        bail!("{} exists and is no script of a sweep: choose another name with --slurm", file.display());
    }
    let tasks: Vec<Vec<String>> = trials.map(|trial| trial.arguments(campaign)).collect::<Result<_>>()?;
    let text = script(&tasks, campaign)?;
    Ok(write_whole(file, |file| file.write_all(text.as_bytes()))?)
}

fn script(tasks: &[Vec<String>], campaign: &Campaign) -> Result<String> {
    let absolute = |path: &Path| -> Result<String> {
        let path = std::path::absolute(path).with_context(|| format!("{} has no path", path.display()))?;
        path.to_str()
            .map(str::to_owned)
            .with_context(|| format!("{} is not UTF-8: rename it", path.display()))
    };
    let program = absolute(&std::env::current_exe().context("the path of this program is unknown")?)?;
    let here = absolute(Path::new("."))?;
    let logs = absolute(&campaign.out.join("logs"))?;
    let mut text = format!(
        "{HEAD} What is done is left as it is: submit it again to go on.\n\
         #SBATCH --job-name=oplus-sweep\n\
         #SBATCH --array=0-{}\n\
         #SBATCH --ntasks=1\n\
         #SBATCH --cpus-per-task=1\n\
         #SBATCH --output=\"{logs}/task-%a.log\"\n\
         #SBATCH --open-mode=append\n\
         # A minute before its time is over a run is asked to keep its state.\n\
         #SBATCH --signal=B:TERM@60\n\n\
         cd {} || exit 1\n\
         export OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1\n",
        tasks.len().saturating_sub(1),
        quoted(&here),
    );
    if let Ok(data) = std::env::var("OPLUS_DATA") {
        let _ = writeln!(text, "export OPLUS_DATA={}", quoted(&data));
    }
    text.push_str("case \"$SLURM_ARRAY_TASK_ID\" in\n");
    for (task, arguments) in tasks.iter().enumerate() {
        let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        let _ = writeln!(text, "{task}) set -- {} ;;", words.join(" "));
    }
    let _ = write!(
        text,
        "*) echo \"there is no task $SLURM_ARRAY_TASK_ID: the last is {}\" >&2; exit 2 ;;\nesac\nexec {} \"$@\"\n",
        tasks.len().saturating_sub(1),
        quoted(&program)
    );
    Ok(text)
}
