//! Blanks out what is not code in Rust source, keeping every line where it is.

/// Comments, strings and character literals become spaces.
pub fn comments_and_strings(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut masked = String::with_capacity(source.len());
    let mut at = 0;
    while let Some(&here) = chars.get(at) {
        let end = match here {
            '/' if chars.get(at + 1) == Some(&'/') => find(&chars, at, |rest| rest.first() == Some(&'\n')),
            '/' if chars.get(at + 1) == Some(&'*') => block_comment(&chars, at),
            '"' => quoted(&chars, at, '"'),
            'r' if !continues_a_word(&chars, at) => raw_string(&chars, at),
            '\'' if is_character(&chars, at) => quoted(&chars, at, '\''),
            _ => at,
        };
        if end == at {
            masked.push(here);
            at += 1;
        } else {
            blank(chars.get(at..end).unwrap_or_default(), &mut masked);
            at = end;
        }
    }
    masked
}

/// Items under `#[cfg(test)]` become spaces too; expects masked source.
pub fn test_items(masked: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut result = String::with_capacity(masked.len());
    let mut rest = masked;
    while let Some((before, after)) = rest.split_once(MARK) {
        result.push_str(before);
        let (item, next) = after.split_at(item_length(after));
        blank(&MARK.chars().chain(item.chars()).collect::<Vec<_>>(), &mut result);
        rest = next;
    }
    result.push_str(rest);
    result
}

/// The length in bytes of the item at the start: up to its `;`, or to the brace that closes its block.
fn item_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn blank(chars: &[char], into: &mut String) {
    into.extend(chars.iter().map(|&letter| if letter == '\n' { '\n' } else { ' ' }));
}

/// The first place from `at` on whose rest fulfils the condition, or the end.
fn find(chars: &[char], at: usize, condition: impl Fn(&[char]) -> bool) -> usize {
    (at..chars.len()).find(|&place| chars.get(place..).is_some_and(&condition)).unwrap_or(chars.len())
}

fn block_comment(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < chars.len() {
        match (chars.get(at), chars.get(at + 1)) {
            (Some('/'), Some('*')) => (at, depth) = (at + 2, depth + 1),
            (Some('*'), Some('/')) => (at, depth) = (at + 2, depth.saturating_sub(1)),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

fn quoted(chars: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while let Some(&here) = chars.get(at) {
        at += if here == '\\' { 2 } else { 1 };
        if here == quote {
            return at;
        }
    }
    chars.len()
}

/// The end of `r"…"` or `r#"…"#`, or `start` where there is none.
fn raw_string(chars: &[char], start: usize) -> usize {
    let hashes = chars.iter().skip(start + 1).take_while(|&&letter| letter == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return start;
    }
    let closes = |rest: &[char]| {
        rest.first() == Some(&'"')
            && rest.iter().skip(1).take(hashes).filter(|&&letter| letter == '#').count() == hashes
    };
    (find(chars, open + 1, closes) + 1 + hashes).min(chars.len())
}

fn continues_a_word(chars: &[char], at: usize) -> bool {
    // The b of a raw byte string is no word.
    let before = at.checked_sub(1).and_then(|before| chars.get(before));
    before.is_some_and(|&letter| (letter.is_alphanumeric() || letter == '_') && letter != 'b')
}

/// Tells a character literal from a lifetime.
fn is_character(chars: &[char], at: usize) -> bool {
    chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        for (source, hidden) in [
            ("a // gone\nb", "gone"),
            ("a /* gone /* gone */ gone */ b", "gone"),
            ("a \"gone \\\" gone\" b", "gone"),
            ("a r#\"gone \" gone\"# b", "gone"),
            ("a br\"gone\" b", "gone"),
            ("a '\"' b", "\""),
        ] {
            let masked = comments_and_strings(source);
            assert!(!masked.contains(hidden), "{source:?} -> {masked:?}");
            assert!(masked.starts_with('a') && masked.ends_with('b'), "{source:?} -> {masked:?}");
            assert_eq!(masked.chars().count(), source.chars().count());
        }
        let code = "fn f<'a>(x: &'a str, r: u8) -> char { over(r) }";
        assert_eq!(comments_and_strings(code), code);
    }

    #[test]
    fn test_items_are_blanked_and_the_rest_stays() {
        let source =
            "one;\n#[cfg(test)]\nmod tests {\n fn f() { gone }\n}\ntwo;\n#[cfg(test)]\nuse gone;\nthree;";
        let masked = test_items(source);
        assert!(!masked.contains("gone"), "{masked}");
        for word in ["one;", "two;", "three;"] {
            assert!(masked.contains(word), "{masked}");
        }
        assert_eq!(masked.lines().count(), source.lines().count());
    }
}
