//! Exponential moving average of parameters.

use flows::FlowError;

/// θ̄ ← δ·θ̄ + (1 − δ)·θ with δ = min(decay, (1 + t)/(10 + t)), so that early parameters are soon forgotten.
///
/// With `decay` = 0 the average is the last parameters themselves.
///
/// # Errors
/// [`FlowError::Shape`] when the two differ in length; nothing is changed.
pub fn update(average: &mut [f32], parameters: &[f32], decay: f64, step: u64) -> Result<(), FlowError> {
    let (found, expected) = (parameters.len(), average.len());
    if found != expected {
        return Err(FlowError::Shape { what: "the parameters of the moving average", found, expected });
    }
    let t = step as f64;
    let weight = (1.0 - if decay == 0.0 { 0.0 } else { decay.min((1.0 + t) / (10.0 + t)) }) as f32;
    for (mean, &theta) in average.iter_mut().zip(parameters) {
        *mean += weight * (theta - *mean);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::update;

    #[test]
    fn a_constant_is_reached_and_no_decay_copies() {
        let mut average = [4.0_f32];
        for step in 0..200 {
            update(&mut average, &[1.0], 0.9, step).unwrap();
        }
        // 3·0.9^k after the warm-up: below 1e-6 by then.
        assert!((average[0] - 1.0).abs() < 1e-5);
        update(&mut average, &[7.0], 0.0, 0).unwrap();
        assert_eq!(average, [7.0]);
    }

    #[test]
    fn parameters_of_another_network_are_refused() {
        for other in [&[1.0_f32][..], &[1.0; 3]] {
            let mut average = [4.0_f32, 5.0];
            assert!(update(&mut average, other, 0.9, 0).is_err());
            assert_eq!(average, [4.0, 5.0]);
        }
    }
}
