//! A run judged in words: its distance to points that it has not seen, against the floor.

use super::Metrics;
use crate::summary::significant;
use metrics::{
    CONDITIONAL_W2_SQUARED, COORDINATE_W1_WORST, COORDINATE_W1_WORST_COLUMN, JOINT_W2_SQUARED, Metric,
    NEAREST_TRAINING_DISTANCE, SLICED_W2, W1, W2, W2_SQUARED,
};
use serde::{Deserialize, Serialize};

/// What generated points are measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reference {
    /// Fresh points of a law.
    FreshPoints,
    /// Rows that the training has not seen; the floor is that of rows of the training.
    HeldOutRows,
    /// Half of the rows of the training; the floor is that of the other half.
    TrainingRows,
}

impl Reference {
    /// In words, for a number of points.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::FreshPoints => "fresh points of the target",
            Self::HeldOutRows => "held-out rows",
            Self::TrainingRows => "rows of the training itself, none of which was held out",
        }
    }

    /// What is said in the place of a judgement by so few points.
    fn too_few(self, count: usize) -> String {
        let (rows, are) = if count == 1 { ("row", "is") } else { ("rows", "are") };
        let what = match self {
            Self::HeldOutRows => "held-out ",
            Self::FreshPoints | Self::TrainingRows => "",
        };
        format!(
            "{count} {what}{rows} to compare with {are} too few to judge the run by: give more data, or hold out another \
             share"
        )
    }
}

/// How generated and reference clouds were laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// What generated points are measured against.
    pub reference: Reference,
    /// Disjoint pairs of clouds; metrics are means over them.
    pub pairs: usize,
    /// Points of a cloud.
    pub points: usize,
}

/// A judgement of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// How it was measured.
    pub layout: Layout,
    /// The metric that the run is judged by first.
    pub metric: String,
    /// Its value over its floor.
    pub ratio: f64,
    /// Whether the generated points are as close as points of the target are to each other, as far as these points
    /// tell.
    pub reached: bool,
    /// The judgement in a sentence.
    pub words: String,
    /// A sentence where samples of this size say little of the laws.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caveat: Option<String>,
}

/// How far a metric is above its floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    Reached,
    Near,
    Far,
}

/// A metric, the ratio to the floor up to which it is reached, and from which it is far.
struct Judged {
    metric: &'static Metric,
    near: f64,
    far: f64,
}

/// The first that a run has judges it, the others where they are worse. Squares are allowed the square of a length.
const JUDGED: [Judged; 7] = [
    Judged { metric: W2_SQUARED, near: 1.5, far: 3.0 },
    Judged { metric: W2, near: 1.25, far: 1.75 },
    Judged { metric: W1, near: 1.25, far: 1.75 },
    Judged { metric: SLICED_W2, near: 1.5, far: 2.0 },
    // The largest of many small noisy numbers.
    Judged { metric: COORDINATE_W1_WORST, near: 1.75, far: 2.5 },
    // All points together may be right where those of no condition are.
    Judged { metric: CONDITIONAL_W2_SQUARED, near: 1.5, far: 3.0 },
    Judged { metric: JOINT_W2_SQUARED, near: 1.5, far: 3.0 },
];

/// From so many pairs on their standard deviation tells something.
const ENOUGH_PAIRS: usize = 4;

/// Below so many rows nothing is judged: a distance between two or three points is mostly chance.
const ROWS_TO_JUDGE: usize = 5;

/// Below this part of the distance of held-out rows generated points are copies of training rows.
const COPIES: f64 = 0.5;

/// Below so many held-out rows copies cannot be told. Distances to the nearest row are about exponential, so that a median of n
/// has the relative deviation 1/(√n·log 2), and the ratio of two is halved by chance in one run of 16 at n = 20, in one of
/// 120 at n = 50.
const ROWS_TO_TELL_COPIES: usize = 50;

/// What still tells where other distances say little, and from how many times its floor on it speaks against a run.
const TELLING: [(&Metric, f64); 3] =
    [(NEAREST_TRAINING_DISTANCE, 2.0), (CONDITIONAL_W2_SQUARED, 1.2), (JOINT_W2_SQUARED, 1.2)];

struct Comparison {
    metric: &'static Metric,
    value: f64,
    floor: f64,
    grade: Grade,
}

impl Verdict {
    /// Judges the metrics of a run against those of the floor; none where they share no distance whose floor is above
    /// zero.
    ///
    /// A value that is above its floor by less than two standard errors, over four pairs or more, is at it: those of the
    /// difference between two samples of the target, since a run whose pairs scatter more is not at the floor. Indicators
    /// of the optimality system do not come in: they say how optimal a path is, not where it ends. Of fewer than 5 rows
    /// the words say that they are too few to judge by, and that rows were learnt by heart is claimed from 50 held-out
    /// rows on.
    ///
    /// ```
    /// use eval::results::{Layout, Reference, Verdict};
    /// let of = |w2_squared| [(metrics::W2_SQUARED, w2_squared)].into_iter().collect();
    /// let layout = Layout { reference: Reference::HeldOutRows, pairs: 2, points: 90 };
    /// let verdict = Verdict::new(&of(0.27), &of(0.054), layout).ok_or("nothing to judge")?;
    /// assert!(!verdict.reached && verdict.words.starts_with("w2_squared 0.270 is 5.0 times the floor 0.0540"));
    /// assert!(verdict.words.contains("has not reached the data"));
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn new(found: &Metrics, floor: &Metrics, layout: Layout) -> Option<Self> {
        let compared: Vec<Comparison> =
            JUDGED.iter().filter_map(|judged| judged.compare(found, floor, layout.pairs)).collect();
        let first = compared.first()?;
        let worst = compared.iter().rev().max_by_key(|comparison| comparison.grade)?;
        let Layout { reference, pairs, points } = layout;
        if reference != Reference::FreshPoints && pairs * points < ROWS_TO_JUDGE {
            return Some(Self {
                layout,
                metric: first.metric.name.into(),
                ratio: first.ratio(),
                reached: false,
                words: reference.too_few(pairs * points),
                caveat: None,
            });
        }
        let copies = copies(found, floor, layout);
        let reached = worst.grade == Grade::Reached && copies.is_none();
        let judgement = match worst.grade {
            Grade::Reached => "the data are reached as far as these points can tell",
            Grade::Near => "the data are near, but not reached: train for longer, or with larger networks",
            Grade::Far => {
                "the run has not reached the data; train for longer, or look whether its settings let it"
            }
        };
        let disjoint = if pairs > 1 { format!("{pairs} × {points}") } else { points.to_string() };
        let mut words = format!("{} ({disjoint} {})", first.words(), reference.words());
        if worst.grade > first.grade {
            words += &format!(", but {}", worst.words());
            if let Some(column) =
                found.get(COORDINATE_W1_WORST_COLUMN).filter(|_| worst.metric == COORDINATE_W1_WORST)
            {
                words += &format!(" in column {column}");
            }
        }
        words += &format!(": {judgement}");
        words.extend(copies);
        Some(Self {
            layout,
            metric: first.metric.name.into(),
            ratio: first.ratio(),
            reached,
            words,
            caveat: None,
        })
    }

    /// The same with what has to be known of samples that say little of the laws: there a small excess over the floor is much, so
    /// that the run has not reached the data where its points lie beside them or do not meet their conditions.
    #[must_use]
    pub fn with_caveat(self, caveat: String, found: &Metrics, floor: &Metrics) -> Self {
        let worse = TELLING.iter().find_map(|(metric, far)| {
            let (value, floor) = (found.get(metric)?, floor.get(metric)?);
            (value > far * floor).then_some((metric, value, floor))
        });
        let verdict = match worse {
            Some((metric, value, floor)) => self.withheld(&format!(
                "but {metric} is {} where the floor is {}, and distances in so many dimensions hardly tell: look at samples, \
                 or train for longer",
                significant(value),
                significant(floor)
            )),
            None => self,
        };
        Self { caveat: Some(caveat), ..verdict }
    }

    /// The same where something speaks against it that the distances do not show.
    #[must_use]
    pub fn withheld(mut self, because: &str) -> Self {
        if self.reached {
            self.reached = false;
            self.words += &format!("; {because}");
        }
        self
    }
}

impl Judged {
    fn compare(&self, found: &Metrics, floor: &Metrics, pairs: usize) -> Option<Comparison> {
        let metric = self.metric;
        // That of a run at the floor, whose pairs scatter as the floor's do: a run's own scatter excuses nothing.
        let error = floor.deviation(metric).unwrap_or(0.0) * (2.0 / pairs as f64).sqrt();
        let noise = if pairs < ENOUGH_PAIRS { 0.0 } else { 2.0 * error };
        // Where all points are one, no ratio says how near a run came.
        let (value, floor) = (found.get(metric)?, floor.get(metric).filter(|floor| *floor > 0.0)?);
        let grade = if value <= (self.near * floor).max(floor + noise) {
            Grade::Reached
        } else if value <= self.far * floor {
            Grade::Near
        } else {
            Grade::Far
        };
        Some(Comparison { metric, value, floor, grade })
    }
}

impl Comparison {
    fn ratio(&self) -> f64 {
        self.value / self.floor
    }

    fn words(&self) -> String {
        let Self { metric, value, floor, .. } = self;
        format!(
            "{metric} {} is {:.1} times the floor {}",
            significant(*value),
            self.ratio(),
            significant(*floor)
        )
    }
}

/// What is said where generated points are copies of rows that were trained on.
fn copies(found: &Metrics, floor: &Metrics, layout: Layout) -> Option<String> {
    if layout.pairs * layout.points < ROWS_TO_TELL_COPIES {
        return None;
    }
    let (value, floor) = (found.get(NEAREST_TRAINING_DISTANCE)?, floor.get(NEAREST_TRAINING_DISTANCE)?);
    (value < COPIES * floor).then(|| {
        format!(
            "; generated points are {} from the nearest training row, held-out rows {}: rows were learnt by heart",
            significant(value),
            significant(floor)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { reference: Reference::HeldOutRows, pairs: 2, points: 90 };

    fn metrics(values: &[(&'static Metric, f64)]) -> Metrics {
        values.iter().copied().collect()
    }

    fn judge(found: &[(&'static Metric, f64)], floor: &[(&'static Metric, f64)]) -> Verdict {
        Verdict::new(&metrics(found), &metrics(floor), LAYOUT).unwrap()
    }

    #[test]
    fn a_run_is_judged_by_its_distance_over_the_floor() {
        for (value, reached, words) in [
            (
                0.9,
                true,
                "w2_squared 0.900 is 0.9 times the floor 1.00 (2 × 90 held-out rows): the data are reached",
            ),
            (1.5, true, "is 1.5 times"),
            (2.0, false, "near, but not reached"),
            (5.0, false, "has not reached the data"),
        ] {
            let verdict = judge(&[(W2_SQUARED, value)], &[(W2_SQUARED, 1.0)]);
            assert_eq!((verdict.reached, verdict.ratio), (reached, value));
            assert!(verdict.words.contains(words), "{}", verdict.words);
        }
        let none = Verdict::new(&metrics(&[(W1, 1.0)]), &metrics(&[(W2, 1.0)]), LAYOUT);
        assert_eq!(none, None);
    }

    #[test]
    fn a_target_of_one_point_judges_nothing() {
        let found = metrics(&[(W2_SQUARED, 0.5), (W1, 0.7)]);
        assert_eq!(Verdict::new(&found, &metrics(&[(W2_SQUARED, 0.0)]), LAYOUT), None);
        let verdict = judge(&[(W2_SQUARED, 0.5), (W1, 0.7)], &[(W2_SQUARED, 0.0), (W1, 0.7)]);
        assert_eq!((verdict.metric.as_str(), verdict.ratio), ("w1", 1.0));
    }

    /// Mean 1 and variance ⅓ over four pairs, 2·√(2·⅓/4) = .816; of two pairs a deviation says nothing.
    #[test]
    fn the_noise_of_enough_pairs_counts() {
        let mut floor = Metrics::default();
        floor.insert_repeated(W2_SQUARED, &[0.5, 1.5, 0.5, 1.5]);
        let judge = |value, pairs| {
            let layout = Layout { pairs, ..LAYOUT };
            Verdict::new(&metrics(&[(W2_SQUARED, value)]), &floor, layout).unwrap().reached
        };
        assert!(judge(1.81, 4) && !judge(1.82, 4) && !judge(1.57, 2));
    }

    /// One particle of 2000 thrown 1000 away adds 1000²/2000 to w2_squared of its pair: its deviation grows with its mean.
    #[test]
    fn the_scatter_of_a_run_excuses_nothing() {
        let of = |values: [f64; 8]| {
            let mut metrics = Metrics::default();
            metrics.insert_repeated(W2_SQUARED, &values);
            metrics
        };
        let floor = of([0.9, 1.1, 0.9, 1.1, 0.9, 1.1, 0.9, 1.1]);
        let found = of([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 501.0]);
        let verdict = Verdict::new(&found, &floor, Layout { pairs: 8, ..LAYOUT }).unwrap();
        assert!(!verdict.reached && verdict.words.contains("63.5 times"), "{}", verdict.words);
    }

    #[test]
    fn what_a_heavy_tail_hides_is_said() {
        let found =
            [(W2_SQUARED, 0.9), (W1, 2.0), (COORDINATE_W1_WORST, 0.6), (COORDINATE_W1_WORST_COLUMN, 7.0)];
        let floor = [(W2_SQUARED, 1.0), (W1, 1.0), (COORDINATE_W1_WORST, 0.4)];
        let verdict = judge(&found, &floor);
        assert!(!verdict.reached && verdict.metric == "w2_squared");
        assert!(
            verdict
                .words
                .contains("0.9 times the floor 1.00 (2 × 90 held-out rows), but w1 2.00 is 2.0 times")
        );
        let floor = [(W2_SQUARED, 1.0), (W1, 2.0), (COORDINATE_W1_WORST, 0.1)];
        let verdict = judge(&found, &floor);
        assert!(
            verdict.words.contains("6.0 times the floor 0.100 in column 7: the run has not"),
            "{}",
            verdict.words
        );
    }

    #[test]
    fn a_condition_that_is_not_met_is_no_success() {
        let found = [(W2_SQUARED, 0.152), (CONDITIONAL_W2_SQUARED, 0.692)];
        let verdict = judge(&found, &[(W2_SQUARED, 0.25), (CONDITIONAL_W2_SQUARED, 0.2)]);
        assert!(
            !verdict.reached && verdict.words.contains("but conditional_w2_squared"),
            "{}",
            verdict.words
        );
        let verdict =
            judge(&[(W2_SQUARED, 1.0)], &[(W2_SQUARED, 1.0)]).withheld("the condition was not measured");
        assert!(!verdict.reached && verdict.words.ends_with("can tell; the condition was not measured"));
    }

    /// Gaussians in 784 dimensions whose class moves them by as much as the floor of 1200 points hides.
    #[test]
    fn where_distances_say_little_a_small_excess_under_the_condition_counts() {
        let found = metrics(&[(W2_SQUARED, 543.0), (CONDITIONAL_W2_SQUARED, 792.0)]);
        let floor = metrics(&[(W2_SQUARED, 530.0), (CONDITIONAL_W2_SQUARED, 534.0)]);
        let verdict = Verdict::new(&found, &floor, LAYOUT).unwrap();
        assert!(verdict.reached);
        let verdict = verdict.with_caveat("few points".into(), &found, &floor);
        assert!(
            !verdict.reached && verdict.words.contains("but conditional_w2_squared is 792"),
            "{}",
            verdict.words
        );
        let good =
            Verdict::new(&floor, &floor, LAYOUT).unwrap().with_caveat("few points".into(), &floor, &floor);
        assert!(good.reached && good.caveat.is_some());
    }

    #[test]
    fn copies_are_no_success() {
        let near = |value, distance| [(W2_SQUARED, value), (NEAREST_TRAINING_DISTANCE, distance)];
        assert!(judge(&near(1.0, 0.4), &near(1.0, 0.5)).reached);
        let verdict = judge(&near(1.0, 0.1), &near(1.0, 0.5));
        assert!(
            !verdict.reached && verdict.words.ends_with("0.500: rows were learnt by heart"),
            "{}",
            verdict.words
        );
    }

    #[test]
    fn few_rows_tell_no_copies_and_fewer_judge_nothing() {
        let found = metrics(&[(W2_SQUARED, 1.0), (NEAREST_TRAINING_DISTANCE, 0.1)]);
        let floor = metrics(&[(W2_SQUARED, 1.0), (NEAREST_TRAINING_DISTANCE, 0.5)]);
        let of = |reference, pairs, points| {
            Verdict::new(&found, &floor, Layout { reference, pairs, points }).unwrap()
        };
        let held_out = |pairs, points| of(Reference::HeldOutRows, pairs, points);
        assert!(held_out(2, 25).words.contains("by heart") && !held_out(2, 25).reached);
        assert!(!held_out(7, 7).words.contains("by heart") && held_out(7, 7).reached);
        assert!(held_out(1, 5).words.contains("the data are reached"));
        let words = "4 held-out rows to compare with are too few to judge the run by: give more data, or hold out another share";
        assert_eq!((held_out(2, 2).words.as_str(), held_out(2, 2).reached), (words, false));
        assert!(held_out(1, 1).words.starts_with("1 held-out row to compare with is too few"));
        assert!(of(Reference::TrainingRows, 1, 1).words.starts_with("1 row to compare with is too few"));
        assert!(of(Reference::FreshPoints, 1, 2).reached);
    }
}
