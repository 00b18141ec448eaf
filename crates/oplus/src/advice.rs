//! The words of the command line that go with an error: the libraries name fields and remedies, the program its flags.

use datasets::{DataError, ReadError};
use flows::FlowError;
use measure::MeasureError;
use std::error::Error;
use std::path::Path;
use train::TrainError;
use train::config::ConfigError;

/// The error with its causes and the flags that help, in one sentence; the faults of a configuration take a line each.
pub(crate) fn sentence(error: &anyhow::Error) -> String {
    let mut text = error.chain().fold(String::new(), |text, cause| match cause.to_string() {
        cause if text.is_empty() => cause,
        // Many a sentence tells its cause already.
        cause if text.contains(&cause) => text,
        cause => format!("{text}: {cause}"),
    });
    if !matches!(error.downcast_ref(), Some(ConfigError::Faults { .. })) {
        text = text.replace('\n', " ");
    }
    match error.chain().find_map(flags) {
        Some(flags) => format!("{text} ({flags})"),
        None => text,
    }
}

fn flags(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<TrainError>() {
        return of_training(error);
    }
    if let Some(error) = cause.downcast_ref::<ConfigError>() {
        return of_configuration(error);
    }
    if let Some(error) = cause.downcast_ref::<FlowError>() {
        return of_flow(error);
    }
    if let Some(error) = cause.downcast_ref::<MeasureError>() {
        return match error {
            MeasureError::Train(error) => of_training(error),
            MeasureError::Data(error) => of_data(error),
            _ => None,
        };
    }
    if let Some(error) = cause.downcast_ref::<ReadError>() {
        return of_file(error);
    }
    cause.downcast_ref::<DataError>().and_then(of_data)
}

fn of_file(error: &ReadError) -> Option<String> {
    match error {
        ReadError::CountedFirstRow { .. } | ReadError::UnclearFirstRow { .. } => {
            Some("--header true or --header false".into())
        }
        ReadError::Cell { .. } | ReadError::EmptyCell { .. } => Some("--columns, --header".into()),
        ReadError::Index { .. } | ReadError::Selection { .. } => Some("--columns".into()),
        _ => None,
    }
}

fn of_training(error: &TrainError) -> Option<String> {
    match error {
        TrainError::Config(error) => of_configuration(error),
        TrainError::Flow(error) => of_flow(error),
        TrainError::Data(error) => of_data(error),
        TrainError::Read(error) => of_file(error),
        TrainError::Occupied { .. } => Some("--out FOLDER, or --resume".into()),
        TrainError::OtherConfiguration { .. }
        | TrainError::OtherVersion { .. }
        | TrainError::OtherData { .. }
        | TrainError::OtherLength { .. }
        | TrainError::EditedConfiguration { .. } => Some("--out FOLDER".into()),
        TrainError::Damaged { .. } => Some("`cargo xtask resume RUN`".into()),
        _ => None,
    }
}

fn of_configuration(error: &ConfigError) -> Option<String> {
    match error {
        ConfigError::Override { .. } => Some("from --set".into()),
        ConfigError::Preset { .. } => Some("--preset".into()),
        ConfigError::Network(error) => of_flow(error),
        ConfigError::Syntax { origin, .. } => of_points(Path::new(origin)),
        ConfigError::Io { path, .. } if path.is_file() => of_points(path),
        _ => None,
    }
}

/// What is said where points are given in the place of a configuration.
fn of_points(file: &Path) -> Option<String> {
    let ending = file.extension()?.to_str()?;
    ["csv", "tsv", "npy", "gz"]
        .contains(&ending)
        .then(|| format!("a configuration for points is written by `cargo xtask init {}`", file.display()))
}

fn of_flow(error: &FlowError) -> Option<String> {
    match error {
        FlowError::Device { .. } if cfg!(not(feature = "torch")) => {
            Some("`cargo xtask` builds it with libtorch where --device says cuda:N or libtorch".into())
        }
        FlowError::Device { .. } => Some("--device".into()),
        _ => None,
    }
}

fn of_data(error: &DataError) -> Option<String> {
    match error {
        DataError::Absent { name, .. } => Some(format!("`cargo xtask data fetch {name}`")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;
    use anyhow::{Context, Result};
    use datasets::DataError;
    use train::TrainError;

    #[test]
    fn flags_follow_the_sentence_of_a_library_however_deep_it_lies() {
        let absent = DataError::Absent { name: "mnist", path: "a".into() };
        let wrapped: Result<()> = Err(TrainError::from(absent)).context("the run cannot be measured");
        let text = sentence(&wrapped.unwrap_err());
        assert!(text.starts_with("the run cannot be measured: a is missing"), "{text}");
        assert!(text.ends_with("(`cargo xtask data fetch mnist`)"), "{text}");
        assert_eq!(sentence(&anyhow::anyhow!("nothing\nelse")), "nothing else");
        let told = anyhow::anyhow!("disk full").context("a.npy cannot be written (disk full)");
        assert_eq!(sentence(&told), "a.npy cannot be written (disk full)");
    }
}
