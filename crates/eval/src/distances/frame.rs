//! The frame in which clouds are compared: the numbers of any unit and any origin become numbers of order one.

use ndarray::{Array1, Array2, ArrayView2, Axis};

/// A common centre and unit of two clouds.
///
/// The centre is the median of each coordinate over both, a number of the data: what lies on a grid, such as time
/// stamps, stays on it without rounding, and an outlier does not move it. The unit is a power of two, so that it costs
/// no digit either; distances of 1e−200 or of 1e200 have squares there.
#[derive(Debug)]
pub(super) struct Frame {
    /// The first cloud, (x − centre)/unit.
    pub x: Array2<f64>,
    /// The second cloud.
    pub y: Array2<f64>,
    /// log₂ of the unit.
    exponent: i32,
}

impl Frame {
    /// Of finite clouds with the same number of columns; O((n + m)·d).
    pub(super) fn new(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Self {
        // Twice, since the difference to the centre of numbers near 1.8e308 may be larger than that.
        let first = exponent(x.iter().chain(y));
        let (mut x, mut y) = (x.mapv(|value| scaled(value, -first)), y.mapv(|value| scaled(value, -first)));
        let centre = medians(&x, &y);
        x -= &centre;
        y -= &centre;
        let second = exponent(x.iter().chain(&y));
        x.mapv_inplace(|value| scaled(value, -second));
        y.mapv_inplace(|value| scaled(value, -second));
        Self { x, y, exponent: first + second }
    }

    /// A length of the frame in the unit of the points, or with `power` 2 a squared one; none beyond what `f64` holds.
    pub(super) fn length(&self, value: f64, power: i32) -> Option<f64> {
        Some(scaled(value, self.exponent * power)).filter(|length| length.is_finite())
    }

    /// A length in the unit of the points as one of the frame.
    pub(super) fn inside(&self, length: f64) -> f64 {
        scaled(length, -self.exponent)
    }
}

/// ⌊log₂⌋ of the largest magnitude; 0 where there is none above 0.
fn exponent<'a>(values: impl Iterator<Item = &'a f64>) -> i32 {
    let largest = values.fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest == 0.0 { 0 } else { largest.log2().floor() as i32 }
}

/// value·2^exponent, in two factors that are both in range.
fn scaled(value: f64, exponent: i32) -> f64 {
    let half = exponent / 2;
    value * 2.0_f64.powi(half) * 2.0_f64.powi(exponent - half)
}

/// The upper median of each coordinate over both clouds.
fn medians(x: &Array2<f64>, y: &Array2<f64>) -> Array1<f64> {
    let mut column = Vec::with_capacity(x.nrows() + y.nrows());
    let medians = x.axis_iter(Axis(1)).zip(y.axis_iter(Axis(1))).map(|(x, y)| {
        column.clear();
        column.extend(x.iter().chain(y));
        let middle = column.len() / 2;
        *column.select_nth_unstable_by(middle, f64::total_cmp).1
    });
    medians.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn time_stamps_keep_every_digit() {
        let (x, y) = (array![[1.7e9], [1.7e9 + 1.0], [1.7e9 + 2.5]], array![[1.7e9 + 3.0]]);
        let frame = Frame::new(x.view(), y.view());
        // The median of four is the third, 1.7e9 + 2.5; 2.5 is in [2, 4).
        assert_eq!((frame.x, frame.y), (array![[-1.25], [-0.75], [0.0]], array![[0.25]]));
        assert_eq!(frame.exponent, 1);
    }

    #[test]
    fn the_ends_of_the_range_come_back() {
        for scale in [1e-300, 1.0, 1e300] {
            let (x, y) = (array![[3.0 * scale, 0.0]], array![[0.0, -4.0 * scale]]);
            let frame = Frame::new(x.view(), y.view());
            assert!(frame.x.iter().chain(&frame.y).all(|value| value.abs() < 2.0));
            let gap = (&frame.x - &frame.y).mapv(f64::abs);
            assert_eq!(frame.length(gap[[0, 0]], 1), Some(3.0 * scale));
            assert_eq!(frame.inside(3.0 * scale), gap[[0, 0]]);
        }
        let far = Frame::new(array![[1.7e308]].view(), array![[-1.7e308]].view());
        assert_eq!(far.length(far.x[[0, 0]] - far.y[[0, 0]], 1), None);
        assert_eq!(Frame::new(array![[5.0]].view(), array![[5.0]].view()).x, array![[0.0]]);
    }
}
