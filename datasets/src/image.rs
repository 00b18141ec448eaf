//! Images on another grid.

use ndarray::{Array2, ArrayView3};

/// Resizes images bilinearly to `size`×`size`, one image a row.
///
/// The output pixel at i takes the input around x = (i + ½)·n/`size` − ½ with triangle weights max(0, 1 − |j − x|/r)
/// divided by their sum, along columns and then along rows; r = max(1, n/`size`). Enlarging that is plain bilinear
/// interpolation;
/// shrinking, the triangle is as wide as the new pixels are apart, so that no input pixel is passed over (the
/// convention of Pillow's and torchvision's antialiased bilinear resize).
///
/// Shapes: `images` [count, n, m], result [count, `size`²], row-major, in the unit of the input bytes.
/// Complexity: O(count·(n·m + `size`²)·r).
///
/// ```
/// let images = ndarray::array![[[0_u8, 100], [0, 100]]];
/// assert_eq!(datasets::resized(images.view(), 1), ndarray::array![[50.0]]);
/// ```
#[must_use]
pub fn resized(images: ArrayView3<'_, u8>, size: usize) -> Array2<f64> {
    let (count, rows, columns) = images.dim();
    let (down, across) = (weights(rows, size), weights(columns, size));
    let mut out = Array2::zeros((count, size * size));
    for (image, mut result) in images.outer_iter().zip(out.rows_mut()) {
        let narrow = image.mapv(f64::from).dot(&across.t());
        for (pixel, &value) in result.iter_mut().zip(&down.dot(&narrow)) {
            *pixel = value;
        }
    }
    out
}

/// The matrix [size, n] of the weights along one axis.
fn weights(n: usize, size: usize) -> Array2<f64> {
    let step = n as f64 / size as f64;
    let reach = step.max(1.0);
    let mut weights = Array2::from_shape_fn((size, n), |(i, j)| {
        // The distance of pixel centres, in input pixels.
        let distance = (j as f64 + 0.5 - (i as f64 + 0.5) * step).abs();
        (1.0 - distance / reach).max(0.0)
    });
    for mut row in weights.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::{resized, weights};
    use ndarray::{Array3, array};

    #[test]
    fn the_same_size_changes_nothing_and_a_constant_stays_one() {
        let images = Array3::from_shape_fn((2, 5, 5), |(k, i, j)| (40 * k + 7 * i + j) as u8);
        let same = resized(images.view(), 5);
        assert!(same.iter().zip(&images).all(|(&a, &b)| a == f64::from(b)));
        let flat = Array3::from_elem((1, 28, 28), 200_u8);
        // Weights that sum to one up to rounding.
        assert!(resized(flat.view(), 16).iter().all(|x| (x - 200.0).abs() < 1e-10));
    }

    /// Halving 4 pixels: centres at 0.5 and 2.5 in a triangle of half-width 2; pixels at distance ½ and 3/2 weigh 3/4
    /// and
    /// 1/4, those beyond the border fall away.
    #[test]
    fn weights_match_the_computation_by_hand() {
        let expected = array![[3.0, 3.0, 1.0, 0.0], [0.0, 1.0, 3.0, 3.0]] / 7.0;
        assert!((&weights(4, 2) - &expected).iter().all(|x| x.abs() < 1e-15));
        let doubled = array![[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]];
        assert!((&weights(2, 4) - &doubled).iter().all(|x| x.abs() < 1e-15));
    }

    /// A ramp is linear: inside, its resized form is the ramp at the new centres.
    #[test]
    fn a_ramp_stays_a_ramp() {
        let ramp = Array3::from_shape_fn((1, 28, 28), |(_, _, j)| (9 * j) as u8);
        let small = resized(ramp.view(), 16);
        for i in 1..15 {
            let centre = 9.0 * ((i as f64 + 0.5) * 1.75 - 0.5);
            let found = small[[0, 16 * 8 + i]];
            // The triangle's discrete weights are not quite symmetric about a centre between pixels.
            assert!((found - centre).abs() < 9.0 * 0.1, "{i}: {found} not {centre}");
        }
    }
}
