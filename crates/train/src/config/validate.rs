//! The domains of a configuration's values.

use flows::activation::Activation;
use flows::flow::Interaction;

use super::{
    Config, ConfigError, Configuration, Length, Lipschitz, Optimiser, Representation, Schedule, Steps,
};

impl Config {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        run_name(&self.name)?;
        self.validate_data()?;
        self.initial.validate().map_err(|e| ConfigError::Value {
            key: "initial".into(),
            found: "not a law".into(),
            remedy: e.to_string(),
        })?;
        positive("flow.horizon", self.flow.horizon)?;
        positive("flow.lambda", self.flow.lambda)?;
        let steps_fit = match self.flow.steps {
            Steps::Fixed(n) => n >= 1,
            Steps::Drawn { min, max } => 1 <= min && min <= max,
        };
        let found = match self.flow.steps {
            Steps::Fixed(n) => n.to_string(),
            Steps::Drawn { min, max } => format!("{{ min = {min}, max = {max} }}"),
        };
        require(steps_fit, "flow.steps", found, "give at least 1 step, and min ≤ max")?;
        not_negative("flow.velocity_spread", self.flow.velocity_spread)?;
        not_negative("flow.hamilton_jacobi", self.flow.hamilton_jacobi)?;
        not_negative("flow.terminal_gradient", self.flow.terminal_gradient)?;
        not_negative("flow.characteristic", self.flow.characteristic)?;
        self.validate_game()?;
        self.validate_representation()?;
        widths("flow.hidden", &self.flow.hidden)?;
        positive("critic.bound", self.critic.bound)?;
        positive("critic.divergence_weight", self.critic.divergence_weight)?;
        widths("critic.hidden", &self.critic.hidden)?;
        require(self.critic.updates >= 1, "critic.updates", "0".into(), "give at least 1")?;
        let critic = &self.critic;
        lipschitz("critic.lipschitz", critic.lipschitz, critic.activation, &critic.hidden)?;
        self.validate_training()?;
        require(self.sampling.steps >= 1, "sampling.steps", "0".into(), "give at least 1")
    }

    /// Noise and interaction, which bend the optimal paths.
    fn validate_game(&self) -> Result<(), ConfigError> {
        let flow = &self.flow;
        not_negative("flow.noise", flow.noise)?;
        if let Some(interaction) = flow.interaction {
            let weight = interaction.weight();
            require(
                weight.is_finite(),
                "flow.interaction.weight",
                weight.to_string(),
                "give a finite number",
            )?;
            if let Interaction::Gaussian { width, .. } = interaction {
                positive("flow.interaction.width", width)?;
            }
        }
        if flow.noise == 0.0 && flow.interaction.is_none() {
            return Ok(());
        }
        let penalties = [
            ("flow.velocity_spread", flow.velocity_spread),
            ("flow.hamilton_jacobi", flow.hamilton_jacobi),
            ("flow.characteristic", flow.characteristic),
        ];
        for (key, weight) in penalties {
            let remedy = "leave it at 0 with noise or an interaction, which bend the optimal paths";
            require(weight == 0.0, key, weight.to_string(), remedy)?;
        }
        require(
            !matches!(flow.representation, Representation::HopfLax { .. }),
            "flow.representation",
            "hopf-lax".into(),
            "take network or exact-terminal with noise or an interaction: the Hopf–Lax formula is for neither",
        )
    }

    fn validate_representation(&self) -> Result<(), ConfigError> {
        if self.flow.representation == Representation::Velocity {
            let weight = self.flow.hamilton_jacobi;
            let remedy = "leave it at 0 for flow.representation = velocity, which has no potential";
            require(weight == 0.0, "flow.hamilton_jacobi", weight.to_string(), remedy)?;
        }
        if self.flow.representation == Representation::ExactTerminal {
            require(
                self.critic.activation != Activation::Relu,
                "critic.activation",
                "relu".into(),
                "take softplus or tanh for flow.representation = exact-terminal, since the velocity holds ∇φ, which jumps for a ReLU",
            )?;
        }
        let Representation::HopfLax { refinements } = self.flow.representation else { return Ok(()) };
        require(
            refinements >= 1,
            "flow.representation.refinements",
            "0".into(),
            "give at least 1, such as 8",
        )?;
        require(
            self.critic.activation != Activation::Relu,
            "critic.activation",
            "relu".into(),
            "take sharp-softplus for flow.representation = hopf-lax, whose minimum would lie on the kinks of a ReLU",
        )?;
        require(
            self.flow.kinetic,
            "flow.kinetic",
            "false".into(),
            "leave it true for flow.representation = hopf-lax, which minimises the kinetic energy too",
        )
    }

    fn validate_data(&self) -> Result<(), ConfigError> {
        let data = &self.data;
        require(
            data.target.is_some() != data.file.is_some(),
            "data",
            if data.target.is_some() { "both a target and a file" } else { "empty" }.into(),
            "give either data.target with data.dim, or data.file",
        )?;
        if data.target.is_some() {
            let found = data.dim.map_or("missing".into(), |d| d.to_string());
            require(
                data.dim.is_some_and(|d| d >= 2),
                "data.dim",
                found,
                "give the dimension of a target, at least 2",
            )?;
            require(data.samples >= 2, "data.samples", data.samples.to_string(), "give at least 2")?;
        }
        Ok(())
    }

    fn validate_training(&self) -> Result<(), ConfigError> {
        let training = &self.training;
        length(self.length())?;
        require(training.batch >= 2, "training.batch", training.batch.to_string(), "give at least 2")?;
        fraction("training.average", training.average)?;
        optimiser("training.flow", &training.flow)?;
        optimiser("training.critic", &training.critic)
    }
}

pub(crate) fn run_name(name: &str) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    require(
        !name.is_empty() && name.chars().all(plain) && !name.contains(".."),
        "name",
        format!("{name:?}"),
        "use letters, digits, -, _, . and /, since it names a folder",
    )
}

pub(crate) fn length(length: Length) -> Result<(), ConfigError> {
    require(length.iterations >= 1, "training.iterations", "0".into(), "give at least 1")?;
    require(length.log_every >= 1, "training.log_every", "0".into(), "give at least 1")?;
    require(length.checkpoint_every >= 1, "training.checkpoint_every", "0".into(), "give at least 1")
}

pub(crate) fn optimiser(key: &str, optimiser: &Optimiser) -> Result<(), ConfigError> {
    positive(&format!("{key}.learning_rate"), optimiser.learning_rate)?;
    fraction(&format!("{key}.beta1"), optimiser.beta1)?;
    fraction(&format!("{key}.beta2"), optimiser.beta2)?;
    positive(&format!("{key}.epsilon"), optimiser.epsilon)?;
    let share = |name: &str, value: f64| {
        let key = format!("{key}.schedule.{name}");
        require((0.0..=1.0).contains(&value), &key, value.to_string(), "give a number from 0 to 1")
    };
    match optimiser.schedule {
        Schedule::Constant => Ok(()),
        Schedule::Cosine { end } => share("end", end),
        Schedule::Linear { start, end } => share("start", start).and(share("end", end)),
    }
}

/// Checks the method under `key` against the critic that it is to hold.
pub(crate) fn lipschitz(
    key: &str,
    method: Lipschitz,
    activation: Activation,
    hidden: &[usize],
) -> Result<(), ConfigError> {
    match method {
        Lipschitz::None | Lipschitz::Spectral => Ok(()),
        Lipschitz::Penalty(penalty) => positive(&format!("{key}.weight"), penalty.weight),
        Lipschitz::Orthonormal => {
            require(
                activation == Activation::Relu,
                "critic.activation",
                serde_json::json!(activation).to_string(),
                "take relu for the method orthonormal, which makes absolute values of pairs of ReLUs",
            )?;
            require(
                hidden.iter().all(|width| width % 2 == 0),
                "critic.hidden",
                format!("{hidden:?}"),
                "give even widths for the method orthonormal, two ReLUs for each absolute value, such as [64, 64]",
            )
        }
    }
}

pub(crate) fn widths(key: &str, hidden: &[usize]) -> Result<(), ConfigError> {
    let fit = !hidden.is_empty() && !hidden.contains(&0);
    require(
        fit,
        key,
        format!("{hidden:?}"),
        "give at least one hidden width, each at least 1, such as [48, 48]",
    )
}

pub(crate) fn positive(key: &str, value: f64) -> Result<(), ConfigError> {
    require(value.is_finite() && value > 0.0, key, value.to_string(), "give a finite number above 0")
}

pub(crate) fn not_negative(key: &str, value: f64) -> Result<(), ConfigError> {
    require(value.is_finite() && value >= 0.0, key, value.to_string(), "give a finite number, 0 or more")
}

pub(crate) fn fraction(key: &str, value: f64) -> Result<(), ConfigError> {
    require(
        (0.0..1.0).contains(&value),
        key,
        value.to_string(),
        "give a number from 0 up to, not including, 1",
    )
}

pub(crate) fn require(holds: bool, key: &str, found: String, remedy: &str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Value { key: key.into(), found, remedy: remedy.into() }) }
}
