//! A Rust file without its comments, strings and tests, so that plain searches in it find code and nothing else.
//!
//! Not a parser: it masks what is not code and matches braces. Offsets and lines are those of the file itself.

use std::ops::Range;

use super::text::{is_word, line_of};

#[derive(Debug)]
pub struct RustSource {
    pub path: String,
    pub text: String,
    /// Comments and the insides of strings are spaces; everything else stands where it stood.
    pub code: String,
    /// Where the `#[cfg(test)]` modules are.
    pub tests: Vec<Range<usize>>,
    /// The whole file is a test.
    pub is_test: bool,
}

/// A function with a body.
#[derive(Debug, Eq, PartialEq)]
pub struct Function {
    pub name: String,
    pub first_line: usize,
    pub lines: usize,
}

impl RustSource {
    pub fn new(path: &str, text: &str) -> RustSource {
        let code = mask(text);
        let tests = test_modules(&code);
        RustSource {
            path: path.to_string(),
            text: text.to_string(),
            code,
            tests,
            is_test: false,
        }
    }

    /// The code that ships: nothing of a test file, and spaces where a test module is.
    pub fn shipped(&self) -> String {
        if self.is_test {
            return String::new();
        }
        let mut code = self.code.clone().into_bytes();
        for range in &self.tests {
            for byte in &mut code[range.clone()] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        String::from_utf8_lossy(&code).into_owned()
    }

    /// Lines of the file without those of its test modules.
    pub fn shipped_lines(&self) -> usize {
        let in_tests = |range: &Range<usize>| self.code[range.clone()].matches('\n').count();
        let tests: usize = self.tests.iter().map(in_tests).sum();
        if self.is_test {
            0
        } else {
            self.text.lines().count() - tests
        }
    }

    /// Where the files of `#[cfg(test)] mod name;` may be.
    pub fn test_module_files(&self) -> Vec<String> {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let folder = match file.trim_end_matches(".rs") {
            "lib" | "main" | "mod" => folder.to_string(),
            name => format!("{folder}/{name}"),
        };
        let names = test_items(&self.code)
            .filter(|(_, rest)| rest.starts_with("mod "))
            .filter_map(|(_, rest)| {
                let name = rest["mod ".len()..].split_once(';')?.0.trim();
                is_identifier(name).then(|| name.to_string())
            });
        names
            .flat_map(|name| {
                [
                    format!("{folder}/{name}.rs"),
                    format!("{folder}/{name}/mod.rs"),
                ]
            })
            .collect()
    }
}

/// All functions with a body, those within others too.
pub fn functions(code: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    for (start, _) in words(code).filter(|(_, word)| *word == "fn") {
        let rest = &code[start + 2..];
        let name: String = rest
            .trim_start()
            .chars()
            .take_while(|c| is_word(*c))
            .collect();
        if name.is_empty() {
            continue;
        }
        let Some(open) = body_start(code, start) else {
            continue;
        };
        let Some(close) = matching_brace(code, open) else {
            continue;
        };
        let (first_line, last_line) = (line_of(code, start), line_of(code, close));
        functions.push(Function {
            name,
            first_line,
            lines: last_line - first_line + 1,
        });
    }
    functions
}

/// Public methods of inherent `impl` blocks: the type's name, once per method.
pub fn public_methods(code: &str) -> Vec<String> {
    let mut methods = Vec::new();
    for (start, _) in words(code).filter(|(start, word)| *word == "impl" && is_item(code, *start)) {
        let Some(open) = body_start(code, start) else {
            continue;
        };
        let Some(close) = matching_brace(code, open) else {
            continue;
        };
        if let Some(name) = inherent_type(&code[start + 4..open]) {
            let body = &code[open + 1..close];
            methods.extend(std::iter::repeat_n(name, count_public_functions(body)));
        }
    }
    methods
}

/// `pub fn` directly in a body, and not in what is nested in it.
fn count_public_functions(body: &str) -> usize {
    let mut depth = 0;
    let mut outer = String::new();
    for character in body.chars() {
        match character {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                outer.push(';');
            }
            _ if depth == 0 => outer.push(character),
            _ => {}
        }
    }
    outer
        .split(';')
        .filter(|item| is_public_function(&without_attributes(item)))
        .count()
}

fn is_public_function(item: &str) -> bool {
    let signature = item.strip_prefix("pub ").unwrap_or_default();
    let before_parameters = signature.split('(').next().unwrap_or_default();
    before_parameters
        .split_whitespace()
        .any(|word| word == "fn")
}

fn without_attributes(item: &str) -> String {
    let mut rest = item.trim();
    while rest.starts_with("#[") {
        let mut depth = 0;
        let end = rest.char_indices().find(|(_, character)| {
            depth += match character {
                '[' => 1,
                ']' => -1,
                _ => 0,
            };
            *character == ']' && depth == 0
        });
        rest = end.map_or("", |(index, _)| rest[index + 1..].trim_start());
    }
    rest.to_string()
}

/// The type of `impl<…> Type<…> where …`; nothing for the implementation of a trait.
fn inherent_type(header: &str) -> Option<String> {
    let mut depth = 0i32;
    let mut previous = ' ';
    let mut plain = String::new();
    for character in header.chars() {
        match character {
            '<' => depth += 1,
            '>' if previous != '-' => depth -= 1,
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
        previous = character;
    }
    let words: Vec<&str> = plain
        .split_whitespace()
        .take_while(|word| *word != "where")
        .collect();
    if words.contains(&"for") {
        return None;
    }
    words.first()?.rsplit("::").next().map(str::to_string)
}

/// `impl` as an item, and not the `impl Trait` of a signature.
fn is_item(code: &str, start: usize) -> bool {
    let before = code[..start].trim_end();
    before.ends_with(['}', ';', ']', '{']) || before.is_empty() || before.ends_with("unsafe")
}

/// The brace that opens the body of what starts here, if it has one.
fn body_start(code: &str, start: usize) -> Option<usize> {
    let mut depth = 0;
    for (index, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(index),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn matching_brace(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0;
    for (index, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

fn test_modules(code: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (start, rest) in test_items(code) {
        if ranges.last().is_some_and(|last| last.contains(&start)) || !rest.starts_with("mod ") {
            continue;
        }
        let item = code.len() - rest.len();
        if let Some(close) = body_start(code, item).and_then(|open| matching_brace(code, open)) {
            ranges.push(start..close + 1);
        }
    }
    ranges
}

/// What is built for tests and fuzzers only, without further attributes.
fn test_items(code: &str) -> impl Iterator<Item = (usize, &str)> {
    const ATTRIBUTES: &[&str] = &["#[cfg(test)]", "#[cfg(any(test, fuzzing))]"];
    let mut found: Vec<(usize, &str)> = ATTRIBUTES
        .iter()
        .flat_map(|attribute| code.match_indices(attribute))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(start, attribute)| {
        let mut rest = code[start + attribute.len()..].trim_start();
        while rest.starts_with("#[") {
            rest = rest
                .split_once(']')
                .map_or("", |(_, rest)| rest.trim_start());
        }
        for visibility in ["pub(crate) ", "pub(super) ", "pub "] {
            rest = rest.strip_prefix(visibility).unwrap_or(rest);
        }
        (start, rest)
    })
}

/// All words of the code, with where they start.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut position = 0;
    std::iter::from_fn(move || {
        let start = position + code[position..].find(is_word)?;
        let end = code[start..]
            .find(|c| !is_word(c))
            .map_or(code.len(), |length| start + length);
        position = end;
        Some((start, &code[start..end]))
    })
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word)
}

/// Blanks comments and the insides of strings and characters, byte by byte, so that offsets stay.
fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut masked = bytes.to_vec();
    let mut position = 0;
    while position < bytes.len() {
        let after_word = position > 0 && is_word(char::from(bytes[position - 1]));
        let end = match &bytes[position..] {
            [b'/', b'/', ..] => line_end(bytes, position),
            [b'/', b'*', ..] => block_comment_end(bytes, position),
            [b'r', b'"' | b'#', ..] if !after_word => raw_string_end(bytes, position + 1),
            [b'b' | b'c', b'r', b'"' | b'#', ..] if !after_word => {
                raw_string_end(bytes, position + 2)
            }
            [b'"', ..] => string_end(bytes, position),
            [b'\'', ..] => character_end(text, position),
            _ => position,
        };
        for byte in &mut masked[position..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        position = end.max(position + 1);
    }
    String::from_utf8_lossy(&masked).into_owned()
}

fn line_end(bytes: &[u8], start: usize) -> usize {
    bytes[start..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |length| start + length)
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0;
    let mut position = start;
    while position < bytes.len() {
        match &bytes[position..] {
            [b'/', b'*', ..] => (depth, position) = (depth + 1, position + 2),
            [b'*', b'/', ..] => (depth, position) = (depth - 1, position + 2),
            _ => position += 1,
        }
        if depth == 0 {
            return position;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut position = start + 1;
    while position < bytes.len() {
        match bytes[position] {
            b'\\' => position += 2,
            b'"' => return position + 1,
            _ => position += 1,
        }
    }
    bytes.len()
}

/// From the first `#` or quote of `r#"…"#`. `r#name` is an identifier and ends where it starts.
fn raw_string_end(bytes: &[u8], start: usize) -> usize {
    let hashes = bytes[start..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    if bytes.get(start + hashes) != Some(&b'"') {
        return start;
    }
    let body = start + hashes + 1;
    let closes = |at: usize| {
        bytes[at] == b'"' && bytes[at + 1..].iter().take_while(|b| **b == b'#').count() >= hashes
    };
    (body..bytes.len())
        .find(|at| closes(*at))
        .map_or(bytes.len(), |at| at + 1 + hashes)
}

/// `'x'` and `'\n'` are characters, `'a` is a lifetime.
fn character_end(text: &str, start: usize) -> usize {
    let mut characters = text[start + 1..].char_indices();
    match characters.next() {
        Some((_, '\\')) => {
            characters.next();
            text[start + 3..]
                .find('\'')
                .map_or(start, |length| start + 3 + length + 1)
        }
        Some(_) => match characters.next() {
            Some((length, '\'')) => start + 1 + length + 1,
            _ => start,
        },
        None => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_no_code() {
        for (text, expected) in [
            ("a // fn b() {\nc", "a c"),
            ("a /* { /* } */ { */ b", "a b"),
            (r#"f("{\"}", '{', '\'', b'x')"#, "f( , , , b )"),
            (r###"r#"{ " }"# + x"###, "+ x"),
            ("&'a str + r#type", "&'a str + #type"),
            ("'ä' + y", "+ y"),
        ] {
            let masked = mask(text);
            assert_eq!(masked.len(), text.len(), "{text}");
            assert_eq!(
                masked.split_whitespace().collect::<Vec<_>>().join(" "),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn functions_are_measured_from_their_name_to_their_brace() {
        let code = mask(
            "trait T { fn none(&self); }\nfn outer(a: [u8; 3]) -> u8\nwhere\n    u8: Copy,\n{\n    fn inner() {}\n    3\n}\n",
        );
        let function = |name: &str, first_line, lines| Function {
            name: name.to_string(),
            first_line,
            lines,
        };
        assert_eq!(
            functions(&code),
            [function("outer", 2, 7), function("inner", 6, 1)]
        );
    }

    #[test]
    fn a_pointer_to_a_function_is_none() {
        assert_eq!(functions("struct S { run: fn(u8) -> u8 }"), []);
    }

    #[test]
    fn public_methods_are_those_of_the_type_itself() {
        let code = mask(
            "impl<T: Fn() -> u8> Big<T> where T: Copy {\n  pub fn a(&self) { fn x() {} }\n  #[must_use]\n  pub async fn b(&self) {}\n\
             \n  pub(crate) const fn c() {}\n  fn private() {}\n  pub(super) fn d() {}\n  pub const E: u8 = 1;\n}\n\
             impl Clone for Big<u8> { fn clone(&self) -> Self { todo() } }\nfn f(x: impl Fn()) { }\nimpl path::Small { pub fn only() {} }",
        );
        assert_eq!(public_methods(&code), ["Big", "Big", "Small"]);
    }

    #[test]
    fn a_module_for_tests_or_fuzzers_does_not_ship() {
        for attribute in ["#[cfg(test)]", "#[cfg(any(test, fuzzing))]\n#[allow(x)]"] {
            let text = format!("fn a() {{}}\n\n{attribute}\nmod tests {{\n    fn b() {{}}\n}}\n");
            let source = RustSource::new("a.rs", &text);
            assert_eq!(functions(&source.shipped()).len(), 1, "{attribute}");
            assert_eq!(source.shipped_lines(), 3, "{attribute}");
            assert_eq!(source.shipped().len(), source.text.len());
        }
        let source = RustSource::new(
            "src/lib.rs",
            "#[cfg(any(test, fuzzing))]\npub mod fuzzing;\n",
        );
        let files = source.test_module_files();
        assert_eq!(files, ["src/fuzzing.rs", "src/fuzzing/mod.rs"]);
    }

    #[test]
    fn a_file_of_tests_does_not_ship_at_all() {
        let mut source = RustSource::new("a.rs", "fn a() {}\n");
        source.is_test = true;
        assert_eq!((source.shipped().as_str(), source.shipped_lines()), ("", 0));
    }

    #[test]
    fn files_of_test_modules_are_beside_their_parent() {
        let files = |path: &str| {
            RustSource::new(path, "#[cfg(test)]\npub(crate) mod golden;\nmod code;\n")
                .test_module_files()
        };
        assert_eq!(
            files("crates/a/src/lib.rs"),
            ["crates/a/src/golden.rs", "crates/a/src/golden/mod.rs"]
        );
        assert_eq!(
            files("crates/a/src/b.rs"),
            ["crates/a/src/b/golden.rs", "crates/a/src/b/golden/mod.rs"]
        );
    }
}
