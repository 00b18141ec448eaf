//! Training of generative flows: configuration, seeded streams, optimiser, the adversarial loop, checkpoints and observers.
