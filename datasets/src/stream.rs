//! Seeded random streams: all randomness of the project is addressed by (seed, name, step).

use chacha20::ChaCha8Rng;
use rand::SeedableRng;
use sha2::{Digest, Sha256};

/// Separates these keys from any other use of SHA-256, and names the version of the addressing scheme.
const DOMAIN: &[u8] = b"oplus stream 1\0";

/// The `ChaCha8` stream with the address (`seed`, `name`, `step`).
///
/// ```text
/// key = SHA-256("oplus stream 1\0" ‖ seed as 8 little-endian bytes ‖ name as UTF-8),   nonce = step,   counter = 0
/// ```
///
/// Two addresses that differ in the seed or the name have different keys; two that differ only in the step have the
/// same key and different nonces, so their outputs are different blocks of one keyed permutation and never overlap.
/// A step can be drawn without drawing the steps before it, which is what makes resumed runs bit-identical.
///
/// Everything is integer arithmetic on little-endian words: the words of a stream are the same on every platform.
/// (Normal variates made from them call the platform's `exp` and `ln` in rare branches.)
///
/// Complexity: one SHA-256 of 23 bytes plus the name; no allocation.
///
/// Source: D. J. Bernstein, "ChaCha, a variant of Salsa20" (2008), with 8 rounds, a 64-bit counter and a 64-bit nonce.
///
/// ```
/// use rand::Rng;
/// let mut first = datasets::stream(7, "target", 0);
/// let mut again = datasets::stream(7, "target", 0);
/// let mut other = datasets::stream(7, "target", 1);
/// let word = first.next_u64();
/// assert_eq!(word, again.next_u64());
/// assert_ne!(word, other.next_u64());
/// ```
#[must_use]
pub fn stream(seed: u64, name: &str, step: u64) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(DOMAIN);
    hash.update(seed.to_le_bytes());
    hash.update(name.as_bytes());
    let mut generator = ChaCha8Rng::from_seed(hash.finalize().into());
    generator.set_stream(step);
    generator
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::{Rng, RngExt};

    use super::stream;

    /// Words of an independent implementation: Python's hashlib and a ChaCha written from RFC 8439's round function
    /// with 8 rounds and the original 64-bit counter and nonce. A change of any value breaks every recorded run.
    #[test]
    fn the_words_are_those_of_an_independent_chacha8() {
        let cases: [(u64, &str, u64, [u64; 4]); 3] = [
            (0, "", 0, [0xf718f0db1cba7227, 0x063fa8288a9103ee, 0xd9ce336fda802c1f, 0x166b2fef3f979d71]),
            (
                7,
                "initial-law",
                3,
                [0x79e8f2d39979a227, 0x090359f36439c435, 0xc32404560119dfad, 0x5886b4c373f7c122],
            ),
            (
                u64::MAX,
                "target",
                u64::MAX,
                [0xa811bece9e046285, 0x2e15347b7072b33f, 0xfea34bc80972ec53, 0x4f60fcdc1eb823b9],
            ),
        ];
        for (seed, name, step, expected) in cases {
            let mut generator = stream(seed, name, step);
            assert_eq!(expected, [(); 4].map(|()| generator.next_u64()), "stream({seed}, {name:?}, {step})");
        }
    }

    /// Far into a stream, and whatever is drawn in between.
    #[test]
    fn the_words_go_on_as_those_of_rand_chacha() {
        use rand::SeedableRng;
        let mut ours = super::ChaCha8Rng::from_seed([7; 32]);
        let mut theirs = rand_chacha::ChaCha8Rng::from_seed([7; 32]);
        ours.set_stream(u64::MAX - 5);
        theirs.set_stream(u64::MAX - 5);
        for round in 0..5000 {
            if round % 3 == 0 {
                assert_eq!(ours.next_u32(), theirs.next_u32(), "{round}");
            } else if round % 7 == 0 {
                let (mut a, mut b) = ([0; 13], [0; 13]);
                ours.fill_bytes(&mut a);
                theirs.fill_bytes(&mut b);
                assert_eq!(a, b, "{round}");
            }
            assert_eq!(ours.next_u64(), theirs.next_u64(), "{round}");
        }
    }

    #[test]
    fn every_part_of_the_address_matters() {
        let mut firsts = HashSet::new();
        for seed in 0..20 {
            for name in ["", "a", "b", "ab", "target", "target\0"] {
                for step in 0..20 {
                    firsts.insert(stream(seed, name, step).next_u64());
                }
            }
        }
        assert_eq!(firsts.len(), 20 * 6 * 20);
    }

    /// Uniforms of neighbouring addresses are uncorrelated: for n independent pairs the sample correlation has standard
    /// deviation 1/√n, and 5 of them are allowed for each of 3 fixed comparisons.
    #[test]
    fn neighbouring_streams_are_uncorrelated() {
        let n = 40_000;
        let neighbours = [stream(1, "a", 1), stream(2, "a", 0), stream(1, "b", 0)];
        for mut neighbour in neighbours {
            let mut base = stream(1, "a", 0);
            let sum: f64 =
                (0..n).map(|_| (base.random::<f64>() - 0.5) * (neighbour.random::<f64>() - 0.5) * 12.0).sum();
            assert!((sum / f64::from(n)).abs() < 5.0 / f64::from(n).sqrt());
        }
    }
}
