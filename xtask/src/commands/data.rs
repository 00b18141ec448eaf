use anyhow::Result;
use std::path::PathBuf;
use std::process::ExitCode;
#[derive(Debug, clap::Args)]
pub struct Arguments {}
pub fn run(_: &Arguments) -> Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
pub fn folder() -> PathBuf {
    PathBuf::from("datasets/cache")
}
