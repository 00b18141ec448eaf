//! A seed of 64 bits in TOML, whose integers end at 2⁶³ − 1: beyond, it is written as text.

use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;
use std::fmt;

pub(super) fn serialize<S: Serializer>(seed: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    match i64::try_from(*seed) {
        Ok(seed) => serializer.serialize_i64(seed),
        Err(_) => serializer.serialize_str(&seed.to_string()),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Seed;
    impl Visitor<'_> for Seed {
        type Value = u64;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter
                .write_str("a whole number from 0 to 18446744073709551615, in quotation marks from 2^63 on")
        }

        fn visit_i64<E: Error>(self, seed: i64) -> Result<u64, E> {
            u64::try_from(seed).map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(seed), &self))
        }

        fn visit_u64<E: Error>(self, seed: u64) -> Result<u64, E> {
            Ok(seed)
        }

        fn visit_str<E: Error>(self, seed: &str) -> Result<u64, E> {
            seed.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(seed), &self))
        }
    }
    deserializer.deserialize_any(Seed)
}

/// Whether a value is a seed.
pub(super) fn is_seed(value: &toml::Value) -> bool {
    deserialize(value.clone()).is_ok()
}

#[cfg(test)]
mod tests {
    use crate::config::{Configuration, FlowConfig};

    #[test]
    fn every_seed_of_64_bits_is_read_and_written() {
        let text = include_str!("../../examples/small.toml");
        let with = |seed: &str| FlowConfig::parse(text, "small", None, &[format!("seed={seed}")]);
        for seed in [0, 7, (1 << 63) - 1, 1 << 63, u64::MAX] {
            let config = with(&seed.to_string()).unwrap();
            assert_eq!(config.seed, seed);
            let again = FlowConfig::parse(&config.to_toml().unwrap(), "again", None, &[]).unwrap();
            assert_eq!(again, config);
        }
        for wrong in ["-1", "18446744073709551616", "1.5", "seven"] {
            let error = with(wrong).unwrap_err().to_string();
            assert!(
                error.contains("seed") && error.contains("a whole number from 0 to 18446744073709551615"),
                "{error}"
            );
        }
    }
}
