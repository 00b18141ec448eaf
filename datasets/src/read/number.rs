//! Numbers as tables write them.

/// The number of a cell: as Rust and C write it, or with the exponent of a Fortran double (`2.5D0`).
pub(super) fn number(cell: &str) -> Option<f64> {
    cell.parse().ok().or_else(|| fortran(cell))
}

/// Whether a cell is a whole number that is not its nearest double `value`.
pub(super) fn is_rounded(cell: &str, value: f64) -> bool {
    cell.parse::<i128>().is_ok_and(|whole| whole != value as i128)
}

fn fortran(cell: &str) -> Option<f64> {
    let (mantissa, exponent) = cell.split_once(['d', 'D'])?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    if digits(mantissa) && digits(exponent) { format!("{mantissa}e{exponent}").parse().ok() } else { None }
}

/// A number with a decimal comma, `2,5`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DecimalComma {
    /// Its value.
    pub(super) value: f64,
    /// Whether the comma may separate thousands instead, as in `1,234`.
    pub(super) ambiguous: bool,
}

/// Reads a number with a decimal comma.
pub(super) fn decimal_comma(cell: &str) -> Option<DecimalComma> {
    let (whole, rest) = cell.split_once(',')?;
    let value = if cell.contains('.') { None } else { number(&cell.replace(',', ".")) };
    let whole = whole.trim_start_matches(['+', '-']);
    let group = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let thousands = (1..=3).contains(&whole.len()) && !whole.starts_with('0') && rest.split(',').all(group);
    // More than one comma is no decimal comma: such a cell has no value here.
    value.map(|value| DecimalComma { value, ambiguous: thousands })
}

#[cfg(test)]
mod tests {
    use super::{DecimalComma, decimal_comma, is_rounded, number};

    #[test]
    fn fortran_writes_exponents_with_a_d() {
        for (cell, value) in
            [("2.5D0", 2.5), ("-1.5d-3", -1.5e-3), ("7D+02", 700.0), ("1e3", 1000.0), (".5", 0.5)]
        {
            assert_eq!(number(cell), Some(value), "{cell}");
        }
        for cell in ["", "D", "2D", "D2", "d0d0", "0x1p3", "1_000", "1 000", "add", "2,5", "−2"] {
            assert_eq!(number(cell), None, "{cell}");
        }
    }

    /// From 2⁵³ on every other whole number is a double, from 2⁵⁴ on every fourth.
    #[test]
    fn whole_numbers_are_rounded_from_two_to_the_53_on() {
        for (cell, rounded) in [
            ("9007199254740991", false),
            ("9007199254740992", false),
            ("9007199254740993", true),
            ("-9007199254740993", true),
            ("9007199254740994", false),
            ("1764288000000000001", true),
            ("10000000000000000000000", false),
            ("9007199254740993.0", false),
            ("1e17", false),
            ("7", false),
        ] {
            assert_eq!(is_rounded(cell, number(cell).unwrap()), rounded, "{cell}");
        }
    }

    #[test]
    fn a_comma_with_three_digits_may_mean_thousands() {
        let read = |cell| decimal_comma(cell).map(|DecimalComma { value, ambiguous }| (value, ambiguous));
        assert_eq!(read("2,5"), Some((2.5, false)));
        assert_eq!(read("-0,125"), Some((-0.125, false)));
        assert_eq!(read("1,25e-3"), Some((1.25e-3, false)));
        assert_eq!(read("1,234"), Some((1.234, true)));
        for cell in ["2.5", "1.234,5", "1,234,567", ",", "x,y"] {
            assert_eq!(read(cell), None, "{cell}");
        }
    }
}
