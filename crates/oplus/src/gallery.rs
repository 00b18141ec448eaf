//! Pictures of what a flow makes of noise, where its data are images: PNG files in the run folder.

use anyhow::{Context, Result};
use datasets::{ImageSet, ImageShape, Picture, write_png};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};
use ot_core::neighbours::nearest_neighbours;
use std::f64::consts::FRAC_PI_2;
use std::path::{Path, PathBuf};
use train::model::FlowModel;

/// Images of a line.
const COLUMNS: usize = 10;
/// Lines of samples, each with a line of nearest training images.
const LINES: usize = 5;
/// Trajectories and interpolations.
const WAYS: usize = 4;
/// Pixels of the file for one of an image.
const ZOOM: usize = 2;
/// Numbers of Euler steps side by side: h = T, T/5, T/64.
const STEPS: [usize; 3] = [1, 5, 64];

/// The pictures: the name of the file and its caption.
const PICTURES: [(&str, &str); 4] = [
    (GRID, "Samples, and below each line of them the nearest training images."),
    (TRAJECTORIES, "Particles on their way from noise, t from 0 to T."),
    (INTERPOLATIONS, "The ends of x₀ = cos α·a + sin α·b between two initial points a and b."),
    (STEP_SIZES, "The same noise in one step (h = T), in 5 (T/5) and in 64 (T/64)."),
];
const GRID: &str = "samples.png";
const TRAJECTORIES: &str = "trajectories.png";
const INTERPOLATIONS: &str = "interpolations.png";
const STEP_SIZES: &str = "step-sizes.png";

/// The pictures that a run folder has, with their captions.
pub(crate) fn there(folder: &Path) -> impl Iterator<Item = (PathBuf, &'static str)> {
    let paths = PICTURES.map(|(name, caption)| (folder.join(name), caption));
    paths.into_iter().filter(|(path, _)| path.is_file())
}

/// Writes the pictures of a flow to the images of a set, from the folder of the data sets.
pub(crate) fn write(folder: &Path, model: &FlowModel, set: ImageSet, data_sets: &Path) -> Result<()> {
    let (seed, steps) = (model.config.seed, model.steps());
    let sheet = |name: &str, lines: &[Array2<f64>]| -> Result<()> {
        let views: Vec<_> = lines.iter().map(|line| line.view()).collect();
        Ok(write_png(folder.join(name), &drawn(&views, set.shape()))?)
    };
    let start = model.unconditional_initial(COLUMNS * LINES, seed)?;
    let moved = |points: &Array2<f64>, class: &dyn Fn(usize) -> usize, steps: usize| -> Result<Array2<f64>> {
        let ends = model.push_forward(under(model, points, class)?.view(), steps, seed)?;
        Ok(model.coordinates(ends.view()).to_owned())
    };
    // Of a flow under labels each column is of one class.
    let ends = moved(&start, &|row| row % COLUMNS, steps)?;
    let training = set.read(data_sets, datasets::Split::Train)?.pixels.mapv(f64::from);
    let nearest = nearest_neighbours(ends.view(), training.view(), 1)?.indices;
    let nearest: Vec<usize> = nearest.iter().copied().collect();
    let below = training.select(Axis(0), &nearest);
    let lines = |points: &Array2<f64>| -> Vec<Array2<f64>> {
        points.axis_chunks_iter(Axis(0), COLUMNS).map(|line| line.to_owned()).collect()
    };
    let pairs = lines(&ends).into_iter().zip(lines(&below));
    sheet(GRID, &pairs.flat_map(|(samples, nearest)| [samples, nearest]).collect::<Vec<_>>())?;

    let few = under(model, &start.slice(s![..WAYS, ..]).to_owned(), &|row| row)?;
    let trajectory = model.trajectory(few.view(), COLUMNS - 1)?;
    let positions = &trajectory.parts().positions;
    let way = |particle: usize| -> Result<Array2<f64>> {
        let rows: Vec<_> = positions.iter().map(|at| at.row(particle)).collect();
        let rows = ndarray::stack(Axis(0), &rows).context("positions of different dimensions")?;
        Ok(model.coordinates(rows.view()).to_owned())
    };
    sheet(TRAJECTORIES, &(0..WAYS).map(way).collect::<Result<Vec<_>>>()?)?;

    let between = |way: usize| -> Result<Array2<f64>> {
        let (a, b) = (start.row(2 * way), start.row(2 * way + 1));
        let at = |i: usize| between(a, b, i as f64 / (COLUMNS - 1) as f64);
        let rows: Vec<_> = (0..COLUMNS).map(at).collect();
        let views: Vec<_> = rows.iter().map(|row| row.view()).collect();
        let points = ndarray::stack(Axis(0), &views).context("initial points of different dimensions")?;
        moved(&points, &|_| way, steps)
    };
    sheet(INTERPOLATIONS, &(0..WAYS).map(between).collect::<Result<Vec<_>>>()?)?;

    let line = start.slice(s![..COLUMNS, ..]).to_owned();
    let moved = STEPS.map(|steps| moved(&line, &|row| row, steps));
    sheet(STEP_SIZES, &moved.into_iter().collect::<Result<Vec<_>>>()?)
}

/// The rows that a model takes of `points`: under labels each with that of its class, counted from 0 and then from 0 again.
fn under(model: &FlowModel, points: &Array2<f64>, class: &dyn Fn(usize) -> usize) -> Result<Array2<f64>> {
    let Some(labels) = model.condition().and_then(|condition| condition.labels()) else {
        return Ok(points.clone());
    };
    let label = |(row, _)| labels.get(class(row) % labels.len().max(1)).copied().unwrap_or(f64::NAN);
    let conditions = Array2::from_shape_fn((points.nrows(), 1), label);
    Ok(model.given(points.view(), conditions.view())?)
}

/// cos α·a + sin α·b with α from 0 to a right angle: normal where a and b are.
fn between(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>, share: f64) -> ndarray::Array1<f64> {
    let (sin, cos) = (share * FRAC_PI_2).sin_cos();
    &a * cos + &b * sin
}

/// Lines of images, [n, height·width·channels] each, with one pixel between images; values outside [0, 1] are cut off.
fn drawn(lines: &[ArrayView2<'_, f64>], shape: ImageShape) -> Picture {
    let ImageShape { height, width, channels } = shape;
    let columns = lines.iter().map(|line| line.nrows()).max().unwrap_or(0);
    let size = |count: usize, side: usize| (count * (side + 1)).saturating_sub(1) * ZOOM;
    let mut picture = Picture {
        width: size(columns, width),
        height: size(lines.len(), height),
        channels,
        bytes: Vec::new(),
    };
    for y in 0..picture.height {
        let (line, row) = (y / ZOOM / (height + 1), y / ZOOM % (height + 1));
        for x in 0..picture.width {
            let (column, pixel) = (x / ZOOM / (width + 1), x / ZOOM % (width + 1));
            for channel in 0..channels {
                let value = lines.get(line).filter(|_| row < height && pixel < width);
                let value =
                    value.and_then(|line| line.get((column, (row * width + pixel) * channels + channel)));
                // The lines between the images are grey.
                picture.bytes.push(value.map_or(96, |value| (value.clamp(0.0, 1.0) * 255.0).round() as u8));
            }
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::{ZOOM, between, drawn};
    use datasets::ImageShape;
    use ndarray::array;

    #[test]
    fn images_stand_in_lines_with_a_pixel_between_them() {
        let line = array![[0.0, 1.0], [0.5, 7.0]];
        let picture = drawn(&[line.view(), line.view()], ImageShape { height: 1, width: 2, channels: 1 });
        assert_eq!((picture.width, picture.height), (5 * ZOOM, 3 * ZOOM));
        let row = |y: usize| -> Vec<u8> {
            picture.bytes[y * ZOOM * picture.width..][..picture.width].iter().step_by(ZOOM).copied().collect()
        };
        assert_eq!(
            (row(0), row(1), row(2)),
            (vec![0, 255, 96, 128, 255], vec![96; 5], vec![0, 255, 96, 128, 255])
        );
    }

    #[test]
    fn interpolations_begin_and_end_at_the_points_and_keep_their_length() {
        let (a, b) = (array![3.0, 0.0], array![0.0, 3.0]);
        assert_eq!(between(a.view(), b.view(), 0.0), a);
        for share in [0.3, 1.0] {
            let point = between(a.view(), b.view(), share);
            assert!((point.dot(&point) - 9.0).abs() < 1e-12);
        }
    }
}
