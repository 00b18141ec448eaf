//! Data sets and initial laws, seeded streams, and readers and writers that name what is wrong.
