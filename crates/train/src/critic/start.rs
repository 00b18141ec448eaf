//! Where the tips of an envelope begin.

use crate::TrainError;
use crate::source::{Source, name};
use datasets::stream;
use flows::envelope::{Envelope, Side};
use flows::scalar_field::ScalarField;
use ndarray::{Array2, Axis};

/// Contractions that are tried.
const FACTORS: [f64; 4] = [1.0, 0.5, 0.25, 0.125];
/// Points that they are compared on.
const POINTS: usize = 1024;

/// The parameters that a training begins with: heights of 0 over tips at points of one law, of P for the lower side and of Q
/// for the upper one, contracted towards their mean by the factor 1, 1/2, 1/4 or 1/8 with which points of the law are nearest
/// to a tip.
///
/// In few dimensions these are the points themselves, f being the distance to their cloud. In many, no point is near any
/// other: a tip in the middle is nearer to every point than those at points are, would take them all, and the others would
/// not learn. There all of them begin around the middle, equally good, and part.
pub(super) fn parameters(envelope: &Envelope, source: &Source, seed: u64) -> Result<Vec<f32>, TrainError> {
    let mut rng = stream(seed, name::CRITIC, 0);
    let law = match envelope.side() {
        Side::Lower => &source.initial,
        Side::Upper => &source.data,
    };
    let (tips, points) = (law.points(envelope.tips(), &mut rng)?, law.points(POINTS, &mut rng)?);
    let mut nearest = (f64::INFINITY, Vec::new());
    for factor in FACTORS {
        let parameters = contracted(&tips, factor);
        // Over heights of 0, |f| is L times the distance to the nearest tip.
        let distance = envelope.at(&parameters, points.view())?.0.mapv(f64::abs).sum();
        if distance < nearest.0 {
            nearest = (distance, parameters);
        }
    }
    Ok(nearest.1.into_iter().map(|number| number as f32).collect())
}

/// The points, contracted towards their mean, and as many heights of 0.
fn contracted(points: &Array2<f64>, factor: f64) -> Vec<f64> {
    let mean = points.mean_axis(Axis(0)).unwrap_or_default();
    let mut parameters: Vec<f64> = (&mean + &((points - &mean) * factor)).iter().copied().collect();
    parameters.resize(parameters.len() + points.nrows(), 0.0);
    parameters
}

#[cfg(test)]
mod tests {
    use super::parameters;
    use crate::config::{Configuration, CriticConfig};
    use crate::source::{Inputs, Source};
    use flows::envelope::{Envelope, Side};
    use ndarray::{Array2, Axis};

    /// The deviation of the tips' coordinates over that of Q, which is uniform on [−2.5, 2.5]^d.
    fn spread(dim: usize) -> f64 {
        let points = format!("{{ kind = \"funnels\", set = \"random\", funnels = 3, dim = {dim} }}");
        let text = format!(
            "kind = \"critic\"\nname = \"tips\"\ndata = {points}\ninitial = {points}\ncritic = {{ tips = 64 }}\n\
             training = {{ iterations = 1, batch = 8, optimiser = {{ learning_rate = 0.1 }} }}"
        );
        let config = CriticConfig::parse(&text, "tips", None, &[]).unwrap();
        let source = Source::new(&config, &Inputs::default()).unwrap();
        let envelope = Envelope::new(dim, 64, 1.0, Side::Upper).unwrap();
        let tips = parameters(&envelope, &source, 0).unwrap();
        let tips: Vec<f64> = tips.into_iter().take(64 * dim).map(f64::from).collect();
        let tips = Array2::from_shape_vec((64, dim), tips).unwrap();
        tips.var_axis(Axis(0), 0.0).mean().unwrap().sqrt() / (5.0 / 12_f64.sqrt())
    }

    /// Of K tips contracted by f the nearest to a point is σ·√(d(1 + f²) − 2f·√(2d·log K)) away where d is large: least at
    /// f = √(2·log K/d), .36 here, and of the factors that are tried at 1/4. On a line some tip is always near. (64 tips on
    /// a line tell a deviation to 6 %; 20 % are three of these.)
    #[test]
    fn tips_are_contracted_where_no_point_is_near_another() {
        assert!((spread(1) - 1.0).abs() < 0.2, "{}", spread(1));
        assert!((spread(64) - 0.25).abs() < 0.02, "{}", spread(64));
    }
}
