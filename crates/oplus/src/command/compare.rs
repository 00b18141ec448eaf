//! `compare`: several runs side by side in one page.

use crate::compare::{differences, members};
use crate::ending::Ending;
use crate::{page, screen};
use anyhow::{Result, bail};
use clap::Args;
use datasets::write_whole;
use eval::report::Table;
use eval::results::Status;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run folders, finished or not
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The page to write
    #[arg(long, value_name = "FILE", default_value = "compare.html")]
    out: PathBuf,
}

/// Letters of a line where answers go to no terminal.
const WIDTH: usize = 120;
/// What a page of this command begins with; such a file is written again.
const OURS: &str = "<title>Side by side: ";

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let out = &arguments.out;
    if out.exists() && !std::fs::read_to_string(out).is_ok_and(|text| text.contains(OURS)) {
        bail!("{} exists and is no page of runs side by side: choose another name with --out", out.display());
    }
    let members = members(&arguments.runs)?;
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let html = page::compare(&members, folder)?.to_html()?;
    write_whole(out, |file| file.write_all(html.as_bytes()))?;
    let row = |member: &crate::compare::Member| {
        let status = match member.row() {
            Some(row) => match row.status {
                Status::Ok => format!("{} iterations", row.iterations),
                Status::Diverged { step, .. } => format!("diverged at {step}"),
            },
            None => "not finished".into(),
        };
        let ratio = member.judged().map_or("–".into(), |(_, value, floor)| format!("{:.2}", value / floor));
        vec![member.name.clone(), ratio, status]
    };
    let table = Table {
        caption: String::new(),
        head: ["run", "× floor", "how far"].map(Into::into).into(),
        rows: members.iter().map(row).collect(),
    };
    let keys: Vec<String> =
        differences(&members).into_iter().filter_map(|row| row.into_iter().next()).collect();
    let differ = if keys.is_empty() { "nothing".into() } else { keys.join(", ") };
    say::answer!("{}", table.to_text(screen::width().unwrap_or(WIDTH), 1).trim_end());
    say::answer!("they differ in {differ}\n{}", out.display());
    Ok(Ending::Done)
}
