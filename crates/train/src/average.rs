//! Exponential moving average of parameters.

/// θ̄ ← δ·θ̄ + (1 − δ)·θ with δ = min(decay, (1 + t)/(10 + t)), so that early parameters are soon forgotten.
///
/// With `decay` = 0 the average is the last parameters themselves.
pub fn update(average: &mut [f32], parameters: &[f32], decay: f64, step: u64) {
    let t = step as f64;
    let weight = (1.0 - if decay == 0.0 { 0.0 } else { decay.min((1.0 + t) / (10.0 + t)) }) as f32;
    for (mean, &theta) in average.iter_mut().zip(parameters) {
        *mean += weight * (theta - *mean);
    }
}

#[cfg(test)]
mod tests {
    use super::update;

    #[test]
    fn a_constant_is_reached_and_no_decay_copies() {
        let mut average = [4.0_f32];
        for step in 0..200 {
            update(&mut average, &[1.0], 0.9, step);
        }
        // 3·0.9^k after the warm-up: below 1e-6 by then.
        assert!((average[0] - 1.0).abs() < 1e-5);
        update(&mut average, &[7.0], 0.0, 0);
        assert_eq!(average, [7.0]);
    }
}
