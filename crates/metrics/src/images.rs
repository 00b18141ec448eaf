//! Generated images against images of the data, in the features of a classifier that is trained on the training images:
//! what its last hidden layer holds.

crate::catalogue! { IMAGES:
    FRECHET_DISTANCE = "frechet_distance", "1", Lower,
        "‖m₁ − m₂‖² + tr(C₁ + C₂ − 2(C₁^½C₂C₁^½)^½) of means and covariances of the features of generated and of \
         test images: w2_squared between their Gaussians";
    KERNEL_DISTANCE = "kernel_distance", "1", Lower,
        "unbiased squared maximum mean discrepancy between the features of generated and of test images, kernel \
         (⟨a, b⟩/d + 1)³ with d features";
    CLASS_ENTROPY = "class_entropy", "nats", Higher,
        "entropy of the histogram of the classes that the classifier gives the generated images; ln 10 = 2.303 where ten are \
         equally frequent";
    LABEL_ACCURACY = "label_accuracy", "1", Higher,
        "share of the images of a flow under a label that the classifier gives the class that was asked for; the floor is that \
         of training images";
    PRECISION = "precision", "1", Higher,
        "share of the generated images whose features lie within the distance of some test image to its third neighbour among \
         these";
    RECALL = "recall", "1", Higher,
        "share of the test images whose features lie within the distance of some generated image to its third neighbour among \
         these";
    BACKGROUND_NOISE = "background_noise", "length", Lower,
        "RMS of the generated values that are 0 in at least 99 % of the training images; the floor is the data's own";
}
