//! Images as they might have been taken: moved by a few pixels, or mirrored.

use datasets::ImageShape;
use ndarray::ArrayView1;
use rand::{Rng, RngExt};

/// Appends `image`, moved by up to `shift` pixels along each axis and, if asked, mirrored in one of two cases; what comes
/// in from outside is 0.
pub(super) fn varied(
    image: ArrayView1<'_, f32>,
    shape: ImageShape,
    (shift, mirrored): (usize, bool),
    rng: &mut impl Rng,
    out: &mut Vec<f32>,
) {
    let (down, right) = (rng.random_range(0..=2 * shift), rng.random_range(0..=2 * shift));
    let mirror = mirrored && rng.random_range(0..2) == 1;
    moved(image, shape, ((down, right), shift), mirror, out);
}

/// `image` moved down and to the right, by `shift` less than what is given.
fn moved(
    image: ArrayView1<'_, f32>,
    shape: ImageShape,
    ((down, right), shift): ((usize, usize), usize),
    mirror: bool,
    out: &mut Vec<f32>,
) {
    let ImageShape { height, width, channels } = shape;
    for row in 0..height {
        let from = (row + shift).checked_sub(down).filter(|row| *row < height);
        for column in 0..width {
            let column = if mirror { width - 1 - column } else { column };
            let at = (column + shift).checked_sub(right).filter(|column| *column < width);
            for channel in 0..channels {
                let value = from
                    .zip(at)
                    .and_then(|(row, column)| image.get((row * width + column) * channels + channel));
                out.push(value.copied().unwrap_or(0.0));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::moved;
    use datasets::ImageShape;
    use ndarray::array;

    #[test]
    fn an_image_is_moved_and_mirrored_with_its_channels() {
        let shape = ImageShape { height: 2, width: 2, channels: 2 };
        let image = array![1.0_f32, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0];
        let found = |down, right, mirror| {
            let mut out = Vec::new();
            moved(image.view(), shape, ((down, right), 1), mirror, &mut out);
            out
        };
        assert_eq!(found(1, 1, false), image.to_vec());
        assert_eq!(found(1, 1, true), [2.0, 20.0, 1.0, 10.0, 4.0, 40.0, 3.0, 30.0]);
        // One down and one to the right: the first pixel is in the last corner.
        assert_eq!(found(2, 2, false), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 10.0]);
        assert_eq!(found(0, 1, false), [3.0, 30.0, 4.0, 40.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
