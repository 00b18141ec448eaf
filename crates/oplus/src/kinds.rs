//! What the program makes of each kind of configuration: names, data files and protocol.

use datasets::manifest::cache_root;
use datasets::{DigitSet, Target};
use eval::results::Protocol;
use measure::RING_POINTS;
use std::path::{Path, PathBuf};
use train::config::{Config, Points};
use train::run::INITIAL_RUN;
use train::source::Inputs;

/// Between source and target in the name of a pair of digit sets.
pub(crate) const DIRECTION: char = '→';

/// The folder of the data sets of others.
pub(crate) fn data_sets() -> PathBuf {
    cache_root(Path::new("."))
}

/// What the configurations of the program are given beside themselves.
pub(crate) fn inputs() -> Inputs {
    Inputs { data_sets: data_sets(), ..Inputs::default() }
}

/// [`inputs`] of the run in `folder`, with its copy of the run that it begins with.
pub(crate) fn inputs_of(folder: &Path) -> Inputs {
    Inputs { initial_run: Some(folder.join(INITIAL_RUN)), ..inputs() }
}

/// The name of the data.
pub(crate) fn dataset(config: &Config) -> String {
    match (config.initial(), config.data()) {
        (Points::Digits { set: start, .. }, Points::Digits { set, .. }) => direction(*start, *set),
        (_, data) => data.name(),
    }
}

/// The name of a pair of digit sets.
pub(crate) fn direction(start: DigitSet, target: DigitSet) -> String {
    format!("{start}{DIRECTION}{target}")
}

/// The names of the data sets of digits and images that the run reads.
pub(crate) fn sets_of_images(config: &Config) -> Vec<&'static str> {
    let name = |points: &Points| match points {
        Points::Digits { set, .. } => Some(set.name()),
        Points::Images { set } => Some(set.name()),
        _ => None,
    };
    [config.initial(), config.data()].into_iter().filter_map(name).collect()
}

/// The targets by which flow matching is compared in arXiv 2302.00482 and 2303.16852: single pairs of large clouds.
const OF_FLOW_MATCHING: [Target; 4] =
    [Target::CfmMoons, Target::CfmSCurve, Target::CfmEightGaussians, Target::WideEightGaussians];

/// How clouds are measured under a preset.
pub(crate) fn protocol(config: &Config, preset: &str) -> Protocol {
    let (pairs, exact_points) = match config {
        _ if matches!((config.initial(), config.data()), (Points::Digits { .. }, Points::Digits { .. })) => {
            match preset {
                "smoke" => (1, 200),
                "quick" => (1, 1000),
                _ => (2, 2000),
            }
        }
        // The truth is known point by point: clouds are only looked at beside it.
        Config::Flow(_) | Config::Generator(_)
            if config.data().known_map().is_some() && preset != "smoke" =>
        {
            (2, 1000)
        }
        Config::Flow(config)
            if config.data.target().is_some_and(|target| OF_FLOW_MATCHING.contains(&target)) =>
        {
            if preset == "smoke" { (2, 200) } else { (1, 10_000) }
        }
        // Where single points are far away, the blur of a Sinkhorn divergence in the plane means nothing.
        Config::Flow(config) if config.data.degrees_of_freedom().is_some() => {
            return Protocol { sinkhorn_points: 0, sinkhorn_points_as_published: 0, ..of_flows(preset) };
        }
        // Test images in parts, 10 000 of them under the preset full; one protocol for all flows under a condition, of images or not.
        Config::Flow(config) if config.data.images().is_some() || config.condition.is_some() => {
            let (pairs, exact_points) = match preset {
                "smoke" => (2, 200),
                "quick" => (2, 1000),
                _ => (5, 2000),
            };
            return Protocol { pairs, exact_points, sinkhorn_points: 0, sinkhorn_points_as_published: 0 };
        }
        Config::Flow(_) => return of_flows(preset),
        // Minibatches of the size that critics are compared on in print.
        Config::Critic(_) => {
            if preset == "smoke" {
                (1, 200)
            } else {
                (4, 1024)
            }
        }
        Config::Generator(_) => match preset {
            "smoke" => (2, RING_POINTS),
            "quick" => (4, RING_POINTS),
            _ => (8, RING_POINTS),
        },
    };
    let sinkhorn_points = if matches!(config, Config::Flow(_)) { exact_points } else { 0 };
    Protocol { pairs, exact_points, sinkhorn_points, sinkhorn_points_as_published: sinkhorn_points }
}

fn of_flows(preset: &str) -> Protocol {
    match preset {
        "smoke" => Protocol::SMOKE,
        "quick" => Protocol::QUICK,
        _ => Protocol::FULL,
    }
}

#[cfg(test)]
mod tests {
    use super::protocol;
    use train::config::Config;

    #[test]
    fn every_solver_of_a_known_map_is_compared_on_as_many_pairs() {
        let explicit = include_str!("../../../configs/w2-benchmark/files/mix3-to-mix10-2d-explicit.toml");
        let generator = include_str!("../../../configs/w2-benchmark/files/mix3-to-mix10-2d-w2fe.toml");
        let [flow, generator] = [explicit, generator].map(|text| {
            let protocol = protocol(&Config::parse(text, "row", None, &[]).unwrap(), "full");
            (protocol.pairs, protocol.exact_points)
        });
        assert_eq!(flow, generator);
    }
}
