//! The web app's layers: who may import whom, and that nothing is fetched from other hosts.
//!
//! Reads import statements and addresses, no more. Biome and the type checker do the rest.

use super::Finding;
use super::files::{File, Files};
use super::text::resolve;

/// Layer, and the layers it may import. `main.ts` wires them all.
const LAYERS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("session", &["protocol"]),
    ("media", &["protocol"]),
    ("model", &["media", "protocol", "session"]),
    ("i18n", &[]),
    ("pwa", &["protocol"]),
    ("ui", &["i18n", "model", "pwa"]),
];

const SOURCES: &str = "web/src/";

/// Names of namespaces, which are never fetched.
const NAMESPACES: &[&str] = &["http://www.w3.org/"];

pub fn check(files: &Files) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.with_extension(&["ts", "svelte", "css", "html", "svg", "webmanifest"]) {
        if file.path.starts_with(SOURCES) && !is_test(&file.path) {
            findings.extend(imports(file));
        }
        let is_app = file.path.starts_with(SOURCES)
            || file.path.starts_with("web/public/")
            || file.path == "web/index.html";
        if is_app && !is_test(&file.path) {
            findings.extend(foreign_hosts(file));
        }
    }
    findings
}

fn is_test(path: &str) -> bool {
    path.contains(".test.") || path.contains("/test/") || path.contains("/tests/")
}

fn imports(file: &File) -> Vec<Finding> {
    let Some((layer, _)) = file.path[SOURCES.len()..].split_once('/') else {
        return Vec::new();
    };
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        return vec![Finding::new(
            "web-layers",
            &file.path,
            format!("`{layer}` is no layer of the web app"),
        )];
    };
    let mut findings = Vec::new();
    for import in relative_imports(&file.text) {
        let target = resolve(&file.path, &import);
        let other = target
            .strip_prefix(SOURCES)
            .and_then(|rest| rest.split_once('/'))
            .map(|(layer, _)| layer);
        match other {
            Some(other) if other == layer || allowed.contains(&other) => {}
            Some(other) => findings.push(Finding::new(
                "web-layers",
                &file.path,
                format!("`{layer}` may not import from `{other}` ({import})"),
            )),
            None => findings.push(Finding::new(
                "web-layers",
                &file.path,
                format!("`{import}` is outside of the layers"),
            )),
        }
    }
    findings
}

/// What `from "./x"`, `import "./x"`, `import("./x")` and CSS's `@import "./x"` name.
fn relative_imports(text: &str) -> Vec<String> {
    let mut imports = Vec::new();
    for line in text.lines().filter(|line| !is_comment(line)) {
        for opening in ["from ", "import ", "import("] {
            for (start, _) in line.match_indices(opening) {
                let rest = &line[start + opening.len()..];
                let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                    continue;
                };
                let Some(target) = rest[1..].split(quote).next() else {
                    continue;
                };
                if target.starts_with('.') {
                    imports.push(target.to_string());
                }
            }
        }
    }
    imports
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["//", "*", "/*", "<!--"]
        .iter()
        .any(|opening| line.starts_with(opening))
}

fn foreign_hosts(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| !is_comment(line))
    {
        let code = line.split(" // ").next().unwrap_or_default();
        for (start, address) in addresses(code) {
            let is_namespace = NAMESPACES
                .iter()
                .any(|namespace| code[start..].starts_with(namespace));
            if !is_namespace && !is_placeholder(address) {
                let message = format!(
                    "line {}: `{address}`: the app speaks to its own host only",
                    index + 1
                );
                findings.push(Finding::new("foreign-host", &file.path, message));
            }
        }
    }
    findings
}

/// Each `http://` or `https://` with what follows up to a quote, bracket or space.
fn addresses(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let starts = code.match_indices("://").filter_map(|(at, _)| {
        ["https", "http", "wss", "ws"]
            .iter()
            .find(|scheme| code[..at].ends_with(*scheme))
            .map(|scheme| at - scheme.len())
    });
    starts.map(|start| {
        let end = code[start..]
            .find(|c: char| c.is_whitespace() || "\"'`<>)".contains(c))
            .map_or(code.len(), |length| start + length);
        (start, &code[start..end])
    })
}

/// A scheme before a host known only at run time (`wss://${location.host}`, `"https://" + host`), or a host under
/// `.example`, which RFC 2606 reserves: nothing can be fetched from there.
fn is_placeholder(address: &str) -> bool {
    let host = address.split("://").nth(1).unwrap_or_default();
    let host = host.split(['/', ':', '?', '#']).next().unwrap_or_default();
    host.is_empty() || host.starts_with(['$', '{']) || host.ends_with(".example")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        check(&Files::from_texts([(path, text)]))
            .into_iter()
            .map(|finding| finding.rule)
            .collect()
    }

    #[test]
    fn imports_downwards_and_within_a_layer_are_fine() {
        for (path, text) in [
            (
                "web/src/session/socket.ts",
                "import type { A } from \"../protocol/generated\";\nimport { b } from './reducer.ts';\n",
            ),
            (
                "web/src/ui/App.svelte",
                "<script>\nimport { t } from '../i18n/text';\nconst m = await import('../model/door');\n</script>",
            ),
            (
                "web/src/i18n/text.test.ts",
                "import { a } from '../protocol/generated';",
            ),
            ("web/src/main.ts", "import { a } from './session/socket';"),
            (
                "web/src/model/door.ts",
                "// import x from '../ui/y'\nimport { z } from 'svelte/store';",
            ),
        ] {
            assert_eq!(rules(path, text), Vec::<&str>::new(), "{path}");
        }
    }

    #[test]
    fn imports_upwards_and_sideways_are_found() {
        for (path, text) in [
            (
                "web/src/session/socket.ts",
                "import { a } from '../media/peer';",
            ),
            ("web/src/model/door.ts", "export { a } from \"../ui/a\";"),
            (
                "web/src/ui/App.svelte",
                "import { a } from '../session/socket';",
            ),
            (
                "web/src/ui/deep/App.svelte",
                "const a = import('../../media/peer');",
            ),
            (
                "web/src/ui/App.svelte",
                "import { a } from '../../build/a';",
            ),
            ("web/src/helpers/x.ts", ""),
        ] {
            assert_eq!(rules(path, text), ["web-layers"], "{path}: {text}");
        }
    }

    #[test]
    fn addresses_of_other_hosts_are_found() {
        for text in [
            "fetch('https://cdn.example.org/x')",
            "a { background: url(http://x.org/a.png) }",
            "<img src=\"https://x.org/a\">",
        ] {
            assert_eq!(rules("web/src/ui/a.ts", text), ["foreign-host"], "{text}");
        }
    }

    #[test]
    fn namespaces_comments_and_hosts_known_later_are_fine() {
        for text in [
            "<svg xmlns=\"http://www.w3.org/2000/svg\">",
            "// https://www.rfc-editor.org/rfc/rfc8825",
            "const a = 1; // https://www.rfc-editor.org/rfc/rfc8825",
            "const url = `wss://${host}/api`;",
            "return 'https://' + host;",
            "const link = 'https://stube.example/r/Tea';",
        ] {
            assert_eq!(
                rules("web/src/session/a.ts", text),
                Vec::<&str>::new(),
                "{text}"
            );
        }
    }
}
