//! What the sections of points may say.

use super::Points;
use crate::config::ConfigError;
use crate::config::validate::{fraction, positive, require};
use datasets::{SampleError, Split, StudentT};

impl Points {
    /// Checks the values of the section `data`.
    pub(crate) fn check_data(&self) -> Result<(), ConfigError> {
        fraction("data.held_out", self.held_out())?;
        self.check("data")
    }

    /// Checks the values of the section `initial`, beside those of `data`.
    pub(crate) fn check_initial(&self, data: &Self) -> Result<(), ConfigError> {
        let judge = matches!(data, Self::Digits { split: Split::Test, .. });
        let remedy = "leave it out: moved digits are judged by the test digits, which no training may see";
        require(!(judge && matches!(self, Self::Digits { .. })), "data.split", "test".into(), remedy)?;
        if let Self::File { held_out, scaling, .. } | Self::Array { held_out, scaling, .. } = self {
            let remedy = "leave it out, initial points are all used, in the units of the data";
            let found = |share: &f64| share.to_string();
            require(
                held_out.is_none(),
                "initial.held_out",
                held_out.as_ref().map_or("".into(), found),
                remedy,
            )?;
            require(scaling.is_none(), "initial.scaling", "given".into(), remedy)?;
        }
        self.check("initial")
    }

    /// Checks the values of the section `key`.
    fn check(&self, key: &str) -> Result<(), ConfigError> {
        if let Some(law) = self.law() {
            law.validate().map_err(|error| outside(key, &error))?;
        }
        if let Self::StudentT { degrees_of_freedom, manifold_dim, dim, .. } = *self {
            // Where no dimension is told yet, the subspace is taken to fit.
            let dim = dim.or(manifold_dim).unwrap_or(1);
            StudentT::new(degrees_of_freedom, manifold_dim.unwrap_or(dim), dim)
                .map_err(|error| outside(key, &error))?;
        }
        let least = if self.target().is_some() { 2 } else { 1 };
        let dim = self.dim().unwrap_or(least);
        require(dim >= least, &format!("{key}.dim"), dim.to_string(), &format!("give at least {least}"))?;
        if let Self::Run { folder, .. } = self {
            let remedy = "give the folder of a run";
            require(!folder.as_os_str().is_empty(), &format!("{key}.folder"), "empty".into(), remedy)?;
        }
        if let Self::Funnels { funnels, .. } = *self {
            require(funnels >= 1, &format!("{key}.funnels"), funnels.to_string(), "give at least 1")?;
        }
        if let Self::Cells { day, components } = *self {
            require(day <= 4, &format!("{key}.day"), day.to_string(), "give a day from 0 to 4")?;
            let remedy = "give at least 1";
            require(components >= 1, &format!("{key}.components"), components.to_string(), remedy)?;
        }
        if let Self::Target { noise: Some(noise), samples, .. } = *self {
            positive(&format!("{key}.noise"), noise)?;
            let remedy = "give it beside noise, which is added to points that are drawn once, such as 100000";
            require(samples.is_some(), &format!("{key}.samples"), "missing".into(), remedy)?;
        }
        if let Some(samples) = self.samples() {
            let remedy = "give at least 2, or leave it out to draw every minibatch afresh";
            require(samples >= 2, &format!("{key}.samples"), samples.to_string(), remedy)?;
        }
        Ok(())
    }
}

fn outside(key: &str, error: &SampleError) -> ConfigError {
    match error {
        SampleError::Parameter { field, value, remedy } => ConfigError::Value {
            key: format!("{key}.{field}"),
            found: value.to_string(),
            remedy: (*remedy).into(),
        },
        other => ConfigError::Value { key: key.into(), found: "not a law".into(), remedy: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datasets::DigitSet;

    #[test]
    fn no_training_sees_the_digits_that_moved_ones_are_judged_by() {
        let digits = |split| Points::Digits { set: DigitSet::Usps, split };
        let (start, judge) = (digits(Split::Train), digits(Split::Test));
        let refused = start.check_initial(&judge).unwrap_err().to_string();
        assert!(refused.contains("data.split is test: leave it out"), "{refused}");
        assert!(start.check_initial(&digits(Split::Train)).is_ok());
        // From noise, nothing is moved that test digits would judge.
        assert!(Points::Normal { std: 1.0, dim: None }.check_initial(&judge).is_ok());
    }
}
