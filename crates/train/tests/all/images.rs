//! Flows to images: training and test images are kept apart, and the folder keeps no copy of either.

use std::fs;
use std::path::Path;
use train::outcome::Status;
use train::source::Inputs;
use train::{Configuration, FlowConfig, Model, Run};

/// Images of one grey: training image i has i in every pixel, test image i has 255 − i.
fn write_greys(root: &Path, training: u8, test: u8) {
    let folder = root.join("mnist");
    fs::create_dir_all(&folder).unwrap();
    let sides: [(&str, Vec<u8>); 2] =
        [("train", (0..training).collect()), ("t10k", (0..test).map(|i| 255 - i).collect())];
    for (prefix, greys) in sides {
        let count = greys.len() as u8;
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28];
        images.extend(greys.iter().flat_map(|&grey| [grey; 784]));
        fs::write(folder.join(format!("{prefix}-images-idx3-ubyte")), images).unwrap();
        let mut labels = vec![0, 0, 8, 1, 0, 0, 0, count];
        labels.extend((0..count).map(|i| i % 10));
        fs::write(folder.join(format!("{prefix}-labels-idx1-ubyte")), labels).unwrap();
    }
}

fn config() -> FlowConfig {
    let text = "kind = \"flow\"\nname = \"greys\"\ndata = { kind = \"images\", set = \"mnist\" }\n\
                representation = { hidden = [8], rank = 1 }\n\
                training = { iterations = 3, batch = 4 }";
    FlowConfig::parse(text, "greys.toml", None, &[]).unwrap()
}

#[test]
fn training_images_are_drawn_and_test_images_held_out() {
    let root = tempfile::tempdir().unwrap();
    write_greys(root.path(), 50, 20);
    let inputs = Inputs { data_sets: root.path().into(), ..Inputs::default() };
    assert_eq!((config().data().dim(), config().data().name()), (Some(784), "mnist".into()));
    let data = inputs.data(&config()).unwrap();
    let (rows, held_out) = (data.draw.rows().unwrap(), data.held_out.unwrap());
    assert_eq!((rows.dim(), held_out.dim()), ((50, 784), (20, 784)));
    assert!(rows.iter().all(|&x| (0.0..0.2).contains(&x)) && held_out.iter().all(|&x| x > 0.9 && x <= 1.0));
}

/// All images lie on a line, so that samples of rank 1 do.
#[test]
fn a_flow_of_rank_one_ends_on_a_line_and_its_folder_keeps_no_images() {
    let root = tempfile::tempdir().unwrap();
    write_greys(root.path(), 50, 20);
    let out = root.path().join("run");
    let trained = Run::new(config()).data_sets(root.path()).out(&out).train().unwrap();
    assert_eq!(trained.outcome.status, Status::Completed);
    assert!(!out.join("held-out.npy").exists());
    let samples = Model::load(&out).unwrap().sample(5, 0).unwrap();
    for sample in samples.rows() {
        // Single precision of values below 1.
        assert!(sample.iter().all(|x| (x - sample[0]).abs() < 1e-5), "{sample}");
    }
}

/// A game of convolutional networks on the images of [`write_greys`].
fn convolutional(image: &str) -> Result<FlowConfig, String> {
    let network = format!("{{ image = {image}, channels = [2, 2], kernel = 3 }}");
    let text = format!(
        "kind = \"flow\"\nname = \"greys\"\ndata = {{ kind = \"images\", set = \"mnist\" }}\n\
         initial = {{ kind = \"uniform\", low = 0.0, high = 0.5 }}\nflow = {{ horizon = 5.0, lambda = 0.05, steps = 2 }}\n\
         sampling = {{ steps = 2 }}\n\
         representation = {{ kind = \"network\", hidden = [8], activation = \"relu\", convolutions = {network} }}\n\
         [critic]\ndivergence = \"kl-donsker-varadhan\"\nhidden = [8]\nconvolutions = {network}\n\
         lipschitz = {{ method = \"penalty\", form = \"one-sided-squared\", weight = 0.1 }}\n\
         [training]\niterations = 2\nbatch = 4\ncritic_updates = 2\noptimiser = {{ learning_rate = 5e-4 }}\n\
         critic_optimiser = {{ learning_rate = 1e-4 }}"
    );
    FlowConfig::parse(&text, "greys.toml", None, &[]).map_err(|error| error.to_string())
}

/// A data set is read once, however often a model begins with its images.
#[test]
fn images_that_a_flow_begins_with_are_read_once() {
    let root = tempfile::tempdir().unwrap();
    write_greys(root.path(), 50, 20);
    let text = "kind = \"flow\"\nname = \"greys\"\ndata = { kind = \"images\", set = \"mnist\" }\ninitial = { kind = \"images\", set = \"mnist\" }\n\
                representation = { base = \"identity\", hidden = [8] }\ntraining = { iterations = 2, batch = 4 }";
    let config = FlowConfig::parse(text, "greys.toml", None, &[]).unwrap();
    let out = root.path().join("run");
    Run::new(config).data_sets(root.path()).out(&out).train().unwrap();
    let model = Model::load_with(&out, root.path()).unwrap();
    let before = model.sample(5, 0).unwrap();
    fs::remove_dir_all(root.path().join("mnist")).unwrap();
    assert_eq!(model.sample(5, 0).unwrap(), before);
    assert!(Model::load_with(&out, root.path()).unwrap().sample(5, 0).is_err());
}

#[test]
fn convolutional_networks_train_on_images_and_are_loaded_from_their_folder() {
    let root = tempfile::tempdir().unwrap();
    write_greys(root.path(), 50, 20);
    let out = root.path().join("run");
    let config = convolutional("[28, 28, 1]").unwrap();
    let trained = Run::new(config).data_sets(root.path()).out(&out).train().unwrap();
    assert_eq!(trained.outcome.status, Status::Completed);
    let samples = Model::load(&out).unwrap().sample(3, 0).unwrap();
    assert_eq!(samples, trained.model.sample(3, 2, 0).unwrap());
    assert!(samples.iter().all(|x| x.is_finite()));
}

#[test]
fn convolutions_are_of_the_shape_of_the_data() {
    let error = convolutional("[14, 56, 1]").unwrap_err();
    let words = "representation.convolutions.image is [14, 56, 1]: give [28, 28, 1], the shape of the data";
    assert!(error.contains(words), "{error}");
    let error = convolutional("[28, 28]").unwrap_err();
    assert!(
        error.contains("representation.convolutions.image is [28, 28]: give the numbers of rows"),
        "{error}"
    );
}
