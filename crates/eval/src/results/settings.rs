//! The settings in which runs of one configuration differ.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Values by key of a configuration, in the order in which the keys were given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings(Vec<(String, Setting)>);

/// The value of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
    /// A text, or a list or a table as it is written in a configuration.
    Text(String),
}

impl Settings {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values in their order.
    ///
    /// ```
    /// use eval::results::{Setting, Settings};
    /// let settings: Settings = [("flow.lambda".to_owned(), Setting::Number(0.1))].into_iter().collect();
    /// let (key, value) = settings.iter().next().ok_or("none")?;
    /// assert_eq!((key, value.to_string().as_str()), ("flow.lambda", "0.1"));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

impl FromIterator<(String, Setting)> for Settings {
    fn from_iter<I: IntoIterator<Item = (String, Setting)>>(settings: I) -> Self {
        Self(settings.into_iter().collect())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(value) => write!(f, "{value}"),
            Self::Whole(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'a> Deserialize<'a> for Settings {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'a> Visitor<'a> for InOrder {
            type Value = Settings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("values by key")
            }

            fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Settings, M::Error> {
                let mut settings = Vec::new();
                while let Some(setting) = map.next_entry()? {
                    settings.push(setting);
                }
                Ok(Settings(settings))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::{Setting, Settings};

    #[test]
    fn keys_keep_their_order_and_values_their_kind() {
        let text = r#"{"flow.lambda":0.5,"critic.bound":2,"flow.kinetic":true,"critic.activation":"relu"}"#;
        let settings: Settings = serde_json::from_str(text).unwrap();
        let values: Vec<&Setting> = settings.iter().map(|(_, value)| value).collect();
        let text_value = Setting::Text("relu".into());
        assert_eq!(values, [&Setting::Number(0.5), &Setting::Whole(2), &Setting::Flag(true), &text_value]);
        assert_eq!(serde_json::to_string(&settings).unwrap(), text);
        assert_eq!(settings.get("critic.bound"), Some(&Setting::Whole(2)));
        assert_eq!(settings.get("bound"), None);
    }
}
