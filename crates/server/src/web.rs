//! The web app as `npm run build` left it: embedded, or read from disk in development builds. Knows which build it is;
//! how its files are served is the business of `http::pages`.

use std::borrow::Cow;

use rust_embed::{EmbeddedFile, RustEmbed};

pub const PAGE: &str = "index.html";

/// With `.br` and `.gz` beside what can be compressed.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Built;

pub struct Web;

impl RustEmbed for Web {
    fn get(path: &str) -> Option<EmbeddedFile> {
        #[cfg(debug_assertions)]
        if let Some(folder) = elsewhere::folder() {
            return elsewhere::file(&folder, path);
        }
        Built::get(path)
    }

    fn iter() -> impl Iterator<Item = Cow<'static, str>> + 'static {
        Built::iter()
    }
}

/// Development builds serve another build of the app where `STUBE_WEB_DIST` says so: tests put one build after the other
/// under an open tab.
#[cfg(debug_assertions)]
mod elsewhere {
    use std::path::{Component, Path, PathBuf};

    use rust_embed::{EmbeddedFile, utils::read_file_from_fs};

    pub fn folder() -> Option<PathBuf> {
        std::env::var_os("STUBE_WEB_DIST").map(PathBuf::from)
    }

    pub fn file(folder: &Path, path: &str) -> Option<EmbeddedFile> {
        let path = Path::new(path);
        let inside = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let file = inside.then(|| folder.join(path))?;
        read_file_from_fs(&file).ok()
    }
}

/// Which build of the app is served, as its page says: `0.1.0-5f2c9a41`. The version alone where none is built.
pub fn build() -> String {
    let page = Web::get(PAGE);
    let build = page.and_then(|page| build_of(&String::from_utf8_lossy(&page.data)));
    build.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned())
}

fn build_of(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("<meta name=\"stube-build\" content=\"")?;
    let (build, _) = rest.split_once('"')?;
    (!build.is_empty()).then(|| build.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_which_build_it_is() {
        let page = "<head><meta name=\"stube-build\" content=\"0.1.0-5f2c9a41\"></head>";
        assert_eq!(build_of(page).as_deref(), Some("0.1.0-5f2c9a41"));
        for none in [
            "",
            "<!doctype html>",
            "<meta name=\"stube-build\" content=\"\">",
        ] {
            assert_eq!(build_of(none), None, "{none}");
        }
    }

    #[test]
    fn another_folder_is_not_left() {
        let folder = std::path::Path::new("tests/fixtures/web");
        assert!(elsewhere::file(folder, "assets/app-3f.js").is_some());
        for path in [
            "../none.txt",
            "assets/../../sealing.key",
            "/etc/passwd",
            "assets",
            "",
        ] {
            assert!(elsewhere::file(folder, path).is_none(), "{path}");
        }
    }
}
