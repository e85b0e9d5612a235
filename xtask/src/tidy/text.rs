//! Small questions about text that several rules ask.
//!
//! Knows no rule and no file.

/// The path that a relative one means in the file that names it.
pub fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Where a word stands by itself: not `Mutex` in `MutexLike`, nor `tokio` in `tokio_like`.
pub fn word_offsets<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let offsets = text.match_indices(word).map(|(offset, _)| offset);
    offsets.filter(move |offset| {
        !text[..*offset].ends_with(is_word) && !text[offset + word.len()..].starts_with(is_word)
    })
}

pub fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The number of the line, from 1, that an offset is in.
pub fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_resolved_from_their_file() {
        for (target, expected) in [
            ("b.md", "docs/b.md"),
            ("./x/b.md", "docs/x/b.md"),
            ("../README.md", "README.md"),
            ("x/", "docs/x"),
        ] {
            assert_eq!(resolve("docs/a.md", target), expected);
        }
    }

    #[test]
    fn a_word_within_a_longer_one_does_not_count() {
        let text = "tokio tokio_like my_tokio (tokio)::tokio";
        assert_eq!(word_offsets(text, "tokio").collect::<Vec<_>>(), [0, 27, 35]);
    }
}
