//! The provider's own pages: plain HTML without script, each with a policy that lets its form go where it has to.
//!
//! Everything that comes from elsewhere goes through [`escaped`].

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::provider::authorize::Request;
use identity::provider::{Client, Fault, Parameters, Redirect, RedirectUri, Scope};

use super::words::Words;
use crate::app::App;
use crate::http::caller::SignedIn;
use crate::http::error::{ApiError, ApiResult};

/// Who reads: in which language, and in which house.
pub struct Reader {
    words: &'static Words,
    house: String,
}

impl Reader {
    pub fn new(app: &App, parameters: &Parameters, headers: &HeaderMap) -> Self {
        Self {
            words: Words::choose(parameters, headers),
            house: app.settings.get().name.clone(),
        }
    }

    /// A text of ours with the names of others in it.
    fn say(&self, text: &str, names: &[(&str, &str)]) -> String {
        let mut said = text.replace("{house}", &escaped(&self.house));
        for (place, name) in names {
            said = said.replace(place, &escaped(name));
        }
        said
    }
}

/// For addresses that people come to: errors become a page with a way back to where they were going.
pub struct Readable {
    reader: Reader,
    again: String,
}

impl Readable {
    pub fn new(app: &App, path: &str, parameters: &Parameters, headers: &HeaderMap) -> Self {
        Self {
            reader: Reader::new(app, parameters, headers),
            again: format!("{path}?{}", parameters.to_query()),
        }
    }

    pub fn or_page(&self, answered: ApiResult<Response>) -> ApiResult<Response> {
        answered.or_else(|error| trouble(&self.reader, error, &self.again))
    }
}

pub async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, include_str!("page.css")).into_response()
}

/// Wrong client or redirect: nobody is sent anywhere.
pub fn fault(reader: &Reader, fault: Fault) -> ApiResult<Response> {
    let words = reader.words;
    let body = format!(
        "<h1>{}</h1>\n<p>{}</p>\n<details><summary>{}</summary><p class=\"quiet\">{}</p></details>\n{}",
        words.fault_title,
        words.fault_lead,
        words.details,
        escaped(fault.as_str()),
        home(reader),
    );
    page(
        reader,
        StatusCode::BAD_REQUEST,
        words.fault_title,
        &body,
        None,
    )
}

/// Too many, or something of ours is missing: status and `Retry-After` are the error's own. `again` is where the person
/// came with, relative to this server.
fn trouble(reader: &Reader, error: ApiError, again: &str) -> ApiResult<Response> {
    let words = reader.words;
    let seconds = error.retry_after_seconds();
    let (title, lead) = match seconds {
        Some(seconds) => (
            words.busy_title,
            reader.say(words.busy_lead, &[("{seconds}", &seconds.to_string())]),
        ),
        None => (words.trouble_title, reader.say(words.trouble_lead, &[])),
    };
    let details = error.reference().map_or_else(String::new, |reference| {
        format!(
            "<details><summary>{}</summary><p class=\"quiet\">{}</p></details>\n",
            words.details,
            escaped(reference)
        )
    });
    let link = link(&escaped(again), words.again);
    let body = format!("<h1>{title}</h1>\n<p>{lead}</p>\n{details}<p>{link}</p>");
    let status = error.status();
    let mut response = page(reader, status, title, &body, None)?;
    if let Some(seconds) = seconds {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

pub fn consent(
    reader: &Reader,
    client: &Client,
    request: &Request,
    caller: &SignedIn,
    query: &str,
    token: &str,
) -> ApiResult<Response> {
    let words = reader.words;
    let app = [("{app}", client.name.as_str())];
    let gets = [
        (Scope::OpenId, words.gets_id),
        (Scope::Profile, words.gets_profile),
        (Scope::Email, words.gets_email),
        (Scope::Groups, words.gets_groups),
        (Scope::OfflineAccess, words.gets_offline),
    ];
    let gets: String = gets
        .into_iter()
        .filter(|(scope, _)| request.scopes.has(*scope))
        .map(|(_, text)| format!("<li>{text}</li>"))
        .collect();
    let to = request.redirect();
    let host = to.policy_source().unwrap_or_default();
    let title = reader.say(words.consent_title, &app);
    let body = format!(
        "<h1>{title}</h1>\n<p>{lead}</p>\n<p>{head}</p>\n<ul>{gets}</ul>\n<p class=\"quiet\">{then}<br>{who}</p>\n{form}",
        lead = reader.say(words.consent_lead, &app),
        head = reader.say(words.consent_gets, &app),
        then = reader.say(words.consent_then, &[("{host}", &host)]),
        who = who(reader, caller),
        form = form(
            "/oidc/consent",
            query,
            token,
            &[("allow", words.allow), ("deny", words.deny)],
        ),
    );
    page(reader, StatusCode::OK, &title, &body, Some(to))
}

pub fn ask_logout(
    reader: &Reader,
    caller: &SignedIn,
    then: Option<&Redirect>,
    query: &str,
    token: &str,
) -> ApiResult<Response> {
    let words = reader.words;
    let title = reader.say(words.logout_title, &[]);
    let body = format!(
        "<h1>{title}</h1>\n<p>{}</p>\n<p class=\"quiet\">{}</p>\n{}",
        words.logout_lead,
        who(reader, caller),
        form(
            "/oidc/logout/confirm",
            query,
            token,
            &[("yes", words.sign_out)],
        )
        .replace("</form>", &format!("{}</form>", link("/", words.stay))),
    );
    let to = then.map(|redirect| &redirect.to);
    page(reader, StatusCode::OK, &title, &body, to)
}

pub fn signed_out(reader: &Reader) -> ApiResult<Response> {
    let words = reader.words;
    let body = format!(
        "<h1>{}</h1>\n<p>{}</p>\n{}",
        words.signed_out_title,
        reader.say(words.signed_out_lead, &[]),
        home(reader),
    );
    page(reader, StatusCode::OK, words.signed_out_title, &body, None)
}

fn who(reader: &Reader, caller: &SignedIn) -> String {
    reader.say(
        reader.words.signed_in_as,
        &[("{name}", &caller.account.name)],
    )
}

fn home(reader: &Reader) -> String {
    format!("<p>{}</p>", link("/", &reader.say(reader.words.home, &[])))
}

fn link(to: &str, text: &str) -> String {
    format!("<a class=\"button\" href=\"{to}\">{text}</a>")
}

/// The first answer is the one that most people want.
fn form(action: &str, query: &str, token: &str, answers: &[(&str, &str)]) -> String {
    let buttons: String = answers
        .iter()
        .enumerate()
        .map(|(index, (value, text))| {
            let class = if index == 0 { " class=\"first\"" } else { "" };
            format!("<button name=\"answer\" value=\"{value}\"{class}>{text}</button>")
        })
        .collect();
    format!(
        "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"request\" value=\"{}\">\
         <input type=\"hidden\" name=\"token\" value=\"{}\">{buttons}</form>",
        escaped(query),
        escaped(token),
    )
}

/// `then` is where the page's form may lead after us. Only this page says so, and only of this one address.
fn page(
    reader: &Reader,
    status: StatusCode,
    title: &str,
    body: &str,
    then: Option<&RedirectUri>,
) -> ApiResult<Response> {
    let text = format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} · {house}</title>\n\
         <link rel=\"icon\" href=\"/icons/door.svg\" type=\"image/svg+xml\">\n\
         <link rel=\"stylesheet\" href=\"/oidc/page.css\">\n</head>\n<body>\n<main>\n\
         <img src=\"/icons/door.svg\" alt=\"\">\n{body}\n</main>\n</body>\n</html>\n",
        language = reader.words.language,
        house = escaped(&reader.house),
    );
    let then = then.and_then(RedirectUri::policy_source);
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; base-uri 'none'; \
         frame-ancestors 'none'",
        then.unwrap_or_default()
    );
    let policy = HeaderValue::from_str(&policy).map_err(|error| ApiError::internal(&error))?;
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-frame-options"), "DENY"),
        // With none at all, browsers would call the origin of our own form `null`.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    let policy = [(header::CONTENT_SECURITY_POLICY, policy)];
    Ok((status, fixed, policy, text).into_response())
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_call_themselves_is_text() {
        assert_eq!(
            escaped("<b title='x' class=\"y\">&amp;"),
            "&lt;b title=&#39;x&#39; class=&quot;y&quot;&gt;&amp;amp;"
        );
        let reader = Reader {
            words: Words::choose(&Parameters::default(), &HeaderMap::new()),
            house: "<i>{app}</i>".to_owned(),
        };
        assert_eq!(
            reader.say("{app} at {house}", &[("{app}", "<script>")]),
            "&lt;script&gt; at &lt;i&gt;&lt;script&gt;&lt;/i&gt;"
        );
    }

    #[test]
    fn the_colours_are_those_of_the_app() {
        let app = include_str!("../../../../web/src/ui/styles/tokens.css");
        let page = include_str!("page.css");
        // The first value is for light pages, the second for dark ones.
        let values = |css: &str, name: &str| -> Vec<String> {
            let declarations = css.lines().filter_map(|line| line.trim().split_once(':'));
            let of_name = declarations.filter(|(declared, _)| *declared == name);
            of_name.take(2).map(|(_, value)| value.to_owned()).collect()
        };
        let declared = page.lines().filter_map(|line| line.trim().split_once(':'));
        let names: Vec<_> = declared
            .map(|(name, _)| name)
            .filter(|name| name.starts_with("--"))
            .collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            assert_eq!(values(page, name), values(app, name), "{name}");
        }
    }
}
