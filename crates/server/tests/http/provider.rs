//! The house as an OpenID Connect provider: applications that behave, and others.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::support::{Answer, House, PASSWORD, Person, answer, with_input};

const CALLBACK: &str = "https://app.example.org/cb";
const BYE: &str = "https://app.example.org/bye";
/// Appendix B of RFC 7636.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn both() -> [House; 2] {
    [House::new(), House::on_postgres()]
}

/// Another application of the house, and its own way to our server.
struct App {
    id: String,
    secret: Option<String>,
    way: Person,
}

impl App {
    fn add(house: &House, options: &[&str]) -> Self {
        let mut arguments = vec!["client", "add", "Ablage & Co", "--redirect", CALLBACK];
        arguments.extend(["--post-logout", BYE]);
        arguments.extend(options);
        let output = house.run(&arguments);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).expect("text");
        let line = |name| {
            let mut lines = said.lines();
            lines.find_map(|line| line.strip_prefix(name).map(|value| value.trim().to_owned()))
        };
        Self {
            id: line("client_id").expect("an id"),
            secret: line("client_secret"),
            way: house.person(),
        }
    }

    fn query(&self, change: &[(&str, &str)]) -> String {
        let mut pairs = vec![
            ("client_id", self.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("state", "s&1"),
            ("nonce", "n1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in change {
            pairs.retain(|(key, _)| key != name);
            pairs.push((name, value));
        }
        encoded(&pairs)
    }

    /// The person's browser is sent to us.
    async fn sends(&self, person: &Person, change: &[(&str, &str)]) -> Answer {
        let query = self.query(change);
        person.get(&format!("/oidc/authorize?{query}")).await
    }

    async fn code(&self, person: &Person, change: &[(&str, &str)]) -> String {
        let sent = self.sends(person, change).await;
        told(&sent, "code").unwrap_or_else(|| panic!("no code: {sent:?}"))
    }

    async fn asks(&self, pairs: &[(&str, &str)]) -> Answer {
        let mut pairs = pairs.to_vec();
        let named = pairs.iter().any(|(name, _)| *name == "client_id");
        if !named {
            pairs.push(("client_id", &self.id));
            pairs.extend(
                self.secret
                    .as_deref()
                    .map(|secret| ("client_secret", secret)),
            );
        }
        post_form(&self.way, "/oidc/token", &pairs, &[]).await
    }

    async fn exchanges(&self, code: &str) -> Answer {
        self.asks(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    async fn refreshes(&self, tokens: &Value) -> Answer {
        let token = tokens["refresh_token"].as_str().expect("a refresh token");
        self.asks(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    async fn tokens(&self, person: &Person, change: &[(&str, &str)]) -> Value {
        let code = self.code(person, change).await;
        let tokens = self.exchanges(&code).await;
        assert_eq!(tokens.status, 200, "{tokens:?}");
        tokens.json()
    }

    async fn userinfo(&self, token: &str) -> Answer {
        let request = self.way.request(Method::GET, "/oidc/userinfo");
        answer(request.bearer_auth(token)).await
    }

    /// Whether the access token among these is still good.
    async fn may_know(&self, tokens: &Value) -> bool {
        let token = tokens["access_token"].as_str().expect("an access token");
        let info = self.userinfo(token).await;
        match info.status.as_u16() {
            200 => true,
            401 => {
                let challenge = info.header("www-authenticate");
                assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
                false
            }
            _ => panic!("{info:?}"),
        }
    }
}

const OFFLINE: (&str, &str) = ("scope", "openid profile offline_access");

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

async fn post_form(
    person: &Person,
    path: &str,
    pairs: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = person
        .request(Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encoded(pairs));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request).await
}

/// What the application is told at its address.
#[track_caller]
fn told(sent: &Answer, name: &str) -> Option<String> {
    let url = Url::parse(sent.header("location")).ok()?;
    assert_eq!(
        (sent.status.as_u16(), url.host_str()),
        (303, Some("app.example.org"))
    );
    let mut pairs = url.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["error"]),
        (status, &json!(error)),
        "{answer:?}"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}

fn part(token: &str, index: usize) -> Value {
    let text = token.split('.').nth(index).expect("a part");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64")).expect("JSON")
}

/// The value of a hidden field of our own page.
fn field(page: &Answer, name: &str) -> String {
    let marker = format!("name=\"{name}\" value=\"");
    let rest = page.text.split_once(&marker).expect("the field").1;
    rest.split('"')
        .next()
        .expect("its end")
        .replace("&amp;", "&")
}

#[tokio::test]
async fn a_code_becomes_tokens_that_say_who_signed_in() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let me = anna.me().await["user"]["id"].clone();
        let discovery = anna.get("/.well-known/openid-configuration").await;
        assert_eq!(discovery.json()["issuer"], house.base.as_str());
        assert!(discovery.header("cache-control").starts_with("public"));
        for (options, algorithm) in [
            (&["--trusted"][..], "RS256"),
            (&["--trusted", "--public", "--eddsa"], "EdDSA"),
        ] {
            let app = App::add(&house, options);
            let sent = app.sends(&anna, &[]).await;
            assert_eq!(told(&sent, "state").as_deref(), Some("s&1"));
            assert_eq!(told(&sent, "iss"), Some(house.base.clone()));
            let code = told(&sent, "code").expect("a code");
            let tokens = app.exchanges(&code).await;
            assert_eq!(tokens.status, 200, "{tokens:?}");
            assert_eq!(tokens.header("cache-control"), "no-store");
            let tokens = tokens.json();
            assert_eq!(
                (&tokens["token_type"], &tokens["expires_in"]),
                (&json!("Bearer"), &json!(600))
            );
            assert_eq!(tokens["refresh_token"], Value::Null, "nobody asked for one");
            let id = tokens["id_token"].as_str().expect("an ID token");
            let access = tokens["access_token"].as_str().expect("an access token");
            let claims = part(id, 1);
            assert_eq!((&claims["sub"], &claims["nonce"]), (&me, &json!("n1")));
            assert_eq!(
                (&claims["iss"], &claims["aud"]),
                (&json!(house.base), &json!(app.id))
            );
            assert_eq!(part(access, 0)["typ"], "at+jwt");
            assert_ne!(part(access, 1)["aud"], claims["aud"]);
            let header = part(id, 0);
            assert_eq!(header["alg"], algorithm);
            let keys = anna.get("/oidc/jwks").await;
            assert!(keys.header("cache-control").starts_with("public"));
            let keys = keys.json();
            let mut keys = keys["keys"].as_array().expect("keys").iter();
            assert!(keys.any(|key| key["kid"] == header["kid"] && key["d"] == Value::Null));
            let info = app.userinfo(access).await;
            assert_eq!(
                info.json(),
                json!({"sub": me, "name": "Anna Ö.", "preferred_username": "anna"})
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_client_or_redirect_gets_a_page_and_the_rest_an_error_at_the_application() {
    let (house, anna) = House::new().with_anna().await;
    let app = App::add(&house, &["--trusted"]);
    for change in [
        ("client_id", ""),
        ("client_id", "nobody"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.example/cb"),
        ("redirect_uri", "https://app.example.org/cb/"),
        ("redirect_uri", BYE),
    ] {
        let page = app.sends(&anna, &[change, ("prompt", "none")]).await;
        assert_eq!(
            (page.status.as_u16(), page.header("location")),
            (400, ""),
            "{change:?}"
        );
        assert!(page.header("content-type").starts_with("text/html"));
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("script-src"),
            "{policy}"
        );
    }
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "profile"), "invalid_scope"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (
            ("request_uri", "https://evil.example/"),
            "request_uri_not_supported",
        ),
    ] {
        let sent = app.sends(&anna, &[change]).await;
        assert_eq!(told(&sent, "error").as_deref(), Some(error));
        assert_eq!(told(&sent, "state").as_deref(), Some("s&1"));
        assert_eq!(told(&sent, "iss"), Some(house.base.clone()));
        assert_eq!(told(&sent, "code"), None);
    }
    anna.get("/oidc/nothing").await.is(404, "not_found");
    anna.get("/oidc/token").await.is(405, "method_not_allowed");
    let german = anna
        .get("/oidc/authorize?client_id=%3Cscript%3E&ui_locales=de")
        .await;
    assert!(
        german.text.contains("lang=\"de\"") && !german.text.contains("<script"),
        "{german:?}"
    );
}

#[tokio::test]
async fn clients_prove_who_they_are_and_bring_what_fits() {
    let (house, anna) = House::new().with_anna().await;
    let app = App::add(&house, &["--trusted"]);
    let other = App::add(&house, &["--trusted", "--public"]);
    let secret = app.secret.as_deref().expect("a secret");
    let basic = |secret: &str| {
        let pair = format!("{}:{secret}", app.id);
        format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
    };
    let exchange = async |code: &str, verifier: &str, headers: &[(&str, &str)]| {
        let body = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        post_form(&app.way, "/oidc/token", &body, headers).await
    };
    let code = app.code(&anna, &[]).await;
    let wrong = exchange(
        &code,
        VERIFIER,
        &[("authorization", &basic(&"A".repeat(43)))],
    )
    .await;
    refused(&wrong, 401, "invalid_client");
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    refused(&exchange(&code, VERIFIER, &[]).await, 401, "invalid_client");
    refused(&other.exchanges(&code).await, 400, "invalid_grant");
    refused(
        &exchange(&code, "", &[("authorization", &basic(secret))]).await,
        400,
        "invalid_request",
    );
    let right = exchange(&code, VERIFIER, &[("authorization", &basic(secret))]).await;
    assert_eq!(
        right.status, 200,
        "none of these used the code up: {right:?}"
    );

    let code = app.code(&anna, &[]).await;
    let guess = exchange(&code, CHALLENGE, &[("authorization", &basic(secret))]).await;
    refused(&guess, 400, "invalid_grant");
    refused(&app.exchanges(&code).await, 400, "invalid_grant");

    let json = answer(
        app.way
            .request(Method::POST, "/oidc/token")
            .json(&json!({})),
    )
    .await;
    refused(&json, 400, "invalid_request");
    let password = app
        .asks(&[("grant_type", "password"), ("username", "anna")])
        .await;
    refused(&password, 400, "unsupported_grant_type");
}

#[tokio::test]
async fn a_code_that_comes_again_takes_back_what_it_gave() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let app = App::add(&house, &["--trusted"]);
        let kept = app.tokens(&anna, &[]).await;
        let code = app.code(&anna, &[OFFLINE]).await;
        let tokens = app.exchanges(&code).await.json();
        assert!(app.may_know(&tokens).await);
        refused(&app.exchanges(&code).await, 400, "invalid_grant");
        assert!(!app.may_know(&tokens).await);
        refused(&app.refreshes(&tokens).await, 400, "invalid_grant");
        assert!(app.may_know(&kept).await, "other grants stand");
    }
}

#[tokio::test]
async fn of_two_who_come_with_one_code_at_once_nobody_keeps_anything() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let app = App::add(&house, &["--trusted"]);
        let code = app.code(&anna, &[OFFLINE]).await;
        let (one, two, three) = tokio::join!(
            app.exchanges(&code),
            app.exchanges(&code),
            app.exchanges(&code)
        );
        let all = [one, two, three];
        let given: Vec<_> = all.iter().filter(|answer| answer.status == 200).collect();
        assert!(given.len() <= 1, "{all:?}");
        for answer in all.iter().filter(|answer| answer.status != 200) {
            refused(answer, 400, "invalid_grant");
        }
        for answer in given {
            assert!(!app.may_know(&answer.json()).await);
            refused(&app.refreshes(&answer.json()).await, 400, "invalid_grant");
        }
    }
}

#[tokio::test]
async fn a_refresh_token_is_replaced_at_each_use_and_reuse_ends_the_family() {
    for house in both() {
        let (mut house, anna) = house.with_anna().await;
        let mut app = App::add(&house, &["--trusted", "--public"]);
        let first = app.tokens(&anna, &[OFFLINE]).await;
        let second = app.refreshes(&first).await.json();
        assert_ne!(first["refresh_token"], second["refresh_token"]);
        let id = |tokens: &Value| part(tokens["id_token"].as_str().expect("an ID token"), 1);
        assert_eq!(id(&first)["sub"], id(&second)["sub"]);
        assert_eq!(id(&first)["auth_time"], id(&second)["auth_time"]);
        assert_eq!(id(&second)["nonce"], Value::Null);

        let out = answer(anna.request(Method::DELETE, "/api/v1/session")).await;
        assert_eq!(out.status, 200);
        house.kill();
        house.start();
        app.way = house.person();
        let third = app.refreshes(&second).await.json();
        assert!(
            third["access_token"].is_string(),
            "neither signing out nor a restart ends it"
        );
        let key = |tokens: &Value| part(tokens["id_token"].as_str().expect("an ID token"), 0);
        assert_eq!(key(&first)["kid"], key(&third)["kid"], "keys survive, too");

        refused(&app.refreshes(&first).await, 400, "invalid_grant");
        refused(&app.refreshes(&third).await, 400, "invalid_grant");
        assert!(!app.may_know(&third).await);
    }
}

#[tokio::test]
async fn of_two_who_refresh_with_one_token_at_once_nobody_keeps_anything() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let app = App::add(&house, &["--trusted"]);
        let tokens = app.tokens(&anna, &[OFFLINE]).await;
        let (one, two) = tokio::join!(app.refreshes(&tokens), app.refreshes(&tokens));
        let given = [one, two].into_iter().filter(|answer| answer.status == 200);
        let given: Vec<_> = given.collect();
        assert!(given.len() <= 1);
        for answer in given {
            refused(&app.refreshes(&answer.json()).await, 400, "invalid_grant");
        }
        assert!(!app.may_know(&tokens).await);
    }
}

#[tokio::test]
async fn strangers_among_applications_are_asked_about_once() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let app = App::add(&house, &[]);
        let silent = app.sends(&anna, &[("prompt", "none")]).await;
        assert_eq!(told(&silent, "error").as_deref(), Some("consent_required"));
        let page = app.sends(&anna, &[]).await;
        assert_eq!(
            (page.status.as_u16(), page.header("cache-control")),
            (200, "no-store")
        );
        assert!(page.text.contains("Ablage &amp; Co") && page.text.contains("Anna Ö."));
        assert!(page.text.contains("your name and username"));
        assert!(
            !page.text.contains("signed out here"),
            "nobody asked for that"
        );
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("form-action 'self' https://app.example.org;"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.header("x-frame-options"), "DENY");

        let (request, token) = (field(&page, "request"), field(&page, "token"));
        let answers =
            async |person: &Person, request: &str, token: &str, word: &str, origin: &str| {
                let pairs = [("request", request), ("token", token), ("answer", word)];
                post_form(person, "/oidc/consent", &pairs, &[("origin", origin)]).await
            };
        let asked_again = |what: &str, answer: &Answer| {
            assert_eq!(
                (answer.status.as_u16(), answer.header("location")),
                (200, ""),
                "{what}"
            );
        };
        let base = house.base.as_str();
        let foreign = answers(&anna, &request, &token, "allow", "https://evil.example").await;
        asked_again("another site's form", &foreign);
        let hidden = answers(&anna, &request, &token, "allow", "null").await;
        asked_again("a form without an origin", &hidden);
        asked_again(
            "no token",
            &answers(&anna, &request, "", "allow", base).await,
        );
        let more = request.replace("profile", "profile+offline_access");
        assert_ne!(more, request);
        asked_again(
            "more than was shown",
            &answers(&anna, &more, &token, "allow", base).await,
        );
        let bela = house.member("bela").await;
        asked_again(
            "another person",
            &answers(&bela, &request, &token, "allow", base).await,
        );

        let no = answers(&anna, &request, &token, "deny", base).await;
        assert_eq!(told(&no, "error").as_deref(), Some("access_denied"));
        let yes = answers(&anna, &request, &token, "allow", base).await;
        let code = told(&yes, "code").expect("a code");
        assert_eq!(app.exchanges(&code).await.status, 200);
        assert_eq!(told(&yes, "state").as_deref(), Some("s&1"));

        app.code(&anna, &[]).await;
        app.code(&anna, &[("prompt", "none")]).await;
        assert_eq!(
            app.sends(&anna, &[OFFLINE]).await.status,
            200,
            "that is more"
        );
        assert_eq!(app.sends(&anna, &[("prompt", "consent")]).await.status, 200);
        assert_eq!(
            app.sends(&bela, &[]).await.status,
            200,
            "everybody for themselves"
        );
    }
}

#[tokio::test]
async fn who_has_to_sign_in_first_comes_back_to_the_same_request() {
    let (house, anna) = House::new().with_anna().await;
    let app = App::add(&house, &["--trusted"]);
    let back = |sent: &Answer| {
        let location = sent.header("location");
        assert_eq!(sent.status, 303);
        let query = location.strip_prefix("/sign-in?").expect("the sign-in");
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        assert_eq!(pairs[0].0, "to");
        (
            pairs[0].1.clone(),
            pairs.iter().any(|(name, _)| name == "again"),
        )
    };
    let nobody = house.person();
    let silent = app.sends(&nobody, &[("prompt", "none")]).await;
    assert_eq!(told(&silent, "error").as_deref(), Some("login_required"));
    for change in [("state", "s&1"), ("prompt", "login"), ("max_age", "0")] {
        let person = house.person();
        let (to, again) = back(&app.sends(&person, &[change]).await);
        assert!(!again);
        assert_eq!(person.sign_in("anna", PASSWORD).await.status, 200);
        assert!(told(&person.get(&to).await, "code").is_some(), "{change:?}");
    }
    app.code(&anna, &[("max_age", "3600")]).await;
    for change in [("prompt", "login"), ("max_age", "0")] {
        let (to, again) = back(&app.sends(&anna, &[change]).await);
        assert!(again, "the form is shown though somebody is signed in");
        back(&anna.get(&to).await);
        assert_eq!(anna.sign_in("anna", PASSWORD).await.status, 200);
        assert!(told(&anna.get(&to).await, "code").is_some(), "{change:?}");
    }
    let tokens = app.tokens(&anna, &[]).await;
    let hint = tokens["id_token"].as_str().expect("an ID token");
    app.code(&anna, &[("id_token_hint", hint), ("prompt", "none")])
        .await;
    let bela = house.member("bela").await;
    let other = app
        .sends(&bela, &[("id_token_hint", hint), ("prompt", "none")])
        .await;
    assert_eq!(told(&other, "error").as_deref(), Some("login_required"));

    let query: Vec<(String, String)> = form_urlencoded::parse(app.query(&[]).as_bytes())
        .into_owned()
        .collect();
    let pairs: Vec<_> = query
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    let by_form = post_form(
        &anna,
        "/oidc/authorize",
        &pairs,
        &[("origin", "https://app.example.org")],
    )
    .await;
    assert_eq!(by_form.status, 303);
    let location = by_form.header("location").to_owned();
    assert!(told(&anna.get(&location).await, "code").is_some());
}

#[tokio::test]
async fn only_a_good_access_token_is_told_anything() {
    let (house, anna) = House::new().with_anna().await;
    let app = App::add(&house, &["--trusted"]);
    let tokens = app.tokens(&anna, &[("scope", "openid")]).await;
    let access = tokens["access_token"].as_str().expect("a token");
    let info = app.userinfo(access).await;
    assert_eq!(
        (info.status.as_u16(), info.json()["name"].clone()),
        (200, Value::Null)
    );
    assert_eq!(info.header("access-control-allow-origin"), "*");

    let bare = app.way.get("/oidc/userinfo").await;
    assert_eq!(bare.status, 401);
    assert_eq!(bare.header("www-authenticate"), "Bearer realm=\"stube\"");
    let (signed, _) = access.rsplit_once('.').expect("a token");
    let mut header = part(access, 0);
    header["alg"] = json!("none");
    let none = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
    let payload = access.split('.').nth(1).expect("claims");
    for (what, token) in [
        (
            "the ID token",
            tokens["id_token"].as_str().expect("a token").to_owned(),
        ),
        ("no signature", format!("{signed}.")),
        ("alg none", format!("{none}.{payload}.")),
        ("nonsense", "x".to_owned()),
    ] {
        let info = app.userinfo(&token).await;
        assert_eq!(info.status, 401, "{what}");
        assert!(
            info.header("www-authenticate").contains("invalid_token"),
            "{what}"
        );
    }
    // The cookie alone opens nothing that pages of other origins may read.
    assert_eq!(anna.get("/oidc/userinfo").await.status, 401);

    assert!(app.may_know(&tokens).await);
    assert_eq!(
        answer(anna.request(Method::DELETE, "/api/v1/session"))
            .await
            .status,
        200
    );
    assert!(!app.may_know(&tokens).await, "it ended with the sign-in");
}

#[tokio::test]
async fn an_application_with_an_id_token_signs_out_and_others_have_the_person_asked() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let app = App::add(&house, &["--trusted"]);
        let bela = house.member("bela").await;
        let tokens = app.tokens(&anna, &[]).await;
        let hint = tokens["id_token"].as_str().expect("an ID token");
        let leaves = async |person: &Person, pairs: &[(&str, &str)]| {
            person
                .get(&format!("/oidc/logout?{}", encoded(pairs)))
                .await
        };
        let way = ("post_logout_redirect_uri", BYE);
        for pairs in [
            &[
                ("id_token_hint", hint),
                ("post_logout_redirect_uri", CALLBACK),
            ][..],
            &[way],
            &[("client_id", "nobody"), way],
            &[("id_token_hint", hint), ("client_id", "nobody"), way],
        ] {
            let page = leaves(&anna, pairs).await;
            assert_eq!(
                (page.status.as_u16(), page.header("location")),
                (400, ""),
                "{pairs:?}"
            );
        }
        let page = leaves(&bela, &[("id_token_hint", hint), way]).await;
        assert_eq!(page.status, 200, "somebody else's token: {page:?}");
        assert_ne!(anna.me().await["user"], Value::Null);
        assert_ne!(bela.me().await["user"], Value::Null);
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("form-action 'self' https://app.example.org;"),
            "{policy}"
        );

        let (request, token) = (field(&page, "request"), field(&page, "token"));
        let confirms = async |origin: &str| {
            let pairs = [("request", request.as_str()), ("token", token.as_str())];
            post_form(&bela, "/oidc/logout/confirm", &pairs, &[("origin", origin)]).await
        };
        assert_eq!(confirms("https://evil.example").await.status, 200);
        assert_ne!(bela.me().await["user"], Value::Null, "another site's form");
        let done = confirms(&house.base).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, BYE));
        assert_eq!(bela.me().await["user"], Value::Null);

        let out = leaves(&anna, &[("id_token_hint", hint), way, ("state", "z 1")]).await;
        assert_eq!(out.header("location"), format!("{BYE}?state=z+1"));
        assert!(out.header("set-cookie").contains("Max-Age=0"));
        assert_eq!(anna.me().await["user"], Value::Null);
        assert!(!app.may_know(&tokens).await);
        let nobody = leaves(&anna, &[]).await;
        assert_eq!(
            (nobody.status.as_u16(), nobody.header("location")),
            (200, "")
        );
    }
}

#[tokio::test]
async fn a_new_password_and_a_removed_client_take_back_everything() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let app = App::add(&house, &["--trusted"]);
        let tokens = app.tokens(&anna, &[OFFLINE]).await;
        let mut passwd = house.command(&["user", "passwd", "anna", "--password-stdin"]);
        assert!(
            with_input(&mut passwd, "neues pferd im stall")
                .status
                .success()
        );
        assert!(!app.may_know(&tokens).await);
        refused(&app.refreshes(&tokens).await, 400, "invalid_grant");

        assert_eq!(
            anna.sign_in("anna", "neues pferd im stall").await.status,
            200
        );
        let tokens = app.tokens(&anna, &[OFFLINE]).await;
        assert!(house.run(&["client", "remove", &app.id]).status.success());
        assert!(!app.may_know(&tokens).await);
        refused(&app.refreshes(&tokens).await, 401, "invalid_client");
        assert_eq!(app.sends(&anna, &[]).await.status, 400);
    }
}

#[tokio::test]
async fn people_see_their_applications_and_take_back_what_they_were_given() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let bela = house.member("bela").await;
        let (ours, strange) = (App::add(&house, &["--trusted"]), App::add(&house, &[]));
        let unused = App::add(&house, &["--trusted"]);
        unused.code(&anna, &[]).await;
        let mut tokens = vec![ours.tokens(&anna, &[OFFLINE]).await];
        let page = strange.sends(&anna, &[OFFLINE]).await;
        let (request, token) = (field(&page, "request"), field(&page, "token"));
        let pairs = [
            ("request", request.as_str()),
            ("token", &token),
            ("answer", "allow"),
        ];
        let origin = [("origin", house.base.as_str())];
        let yes = post_form(&anna, "/oidc/consent", &pairs, &origin).await;
        let code = told(&yes, "code").expect("a code");
        tokens.push(strange.exchanges(&code).await.json());
        let belas = ours.tokens(&bela, &[OFFLINE]).await;

        let list = async |person: &Person| {
            let list = person.get("/api/v1/account/applications").await.json();
            let list = list["applications"].as_array().expect("a list").clone();
            let mut ids: Vec<_> = list.iter().map(|app| app["id"].clone()).collect();
            ids.sort_by_key(Value::to_string);
            (list, ids)
        };
        let (all, ids) = list(&anna).await;
        let mut both = vec![json!(ours.id), json!(strange.id)];
        both.sort_by_key(Value::to_string);
        assert_eq!(ids, both, "not the one whose code nobody took: {all:?}");
        assert_eq!(
            (&all[0]["name"], &all[0]["scopes"]),
            (
                &json!("Ablage & Co"),
                &json!(["openid", "profile", "offline_access"])
            )
        );
        for (app, tokens) in [(&ours, &tokens[0]), (&strange, &tokens[1])] {
            let path = format!("/api/v1/account/applications/{}", app.id);
            assert!(app.may_know(tokens).await);
            let gone = answer(anna.request(Method::DELETE, &path)).await;
            assert_eq!(gone.status, 204, "{gone:?}");
            assert!(!app.may_know(tokens).await);
            refused(&app.refreshes(tokens).await, 400, "invalid_grant");
            let again = answer(anna.request(Method::DELETE, &path)).await;
            again.is(404, "not_found");
        }
        assert_eq!(list(&anna).await.0, Vec::<Value>::new());
        let silent = strange.sends(&anna, &[("prompt", "none")]).await;
        assert_eq!(told(&silent, "error").as_deref(), Some("consent_required"));
        assert!(ours.may_know(&belas).await, "another person's stay");
        assert_eq!(list(&bela).await.1, [json!(ours.id)]);
    }
}

#[tokio::test]
async fn clients_are_added_listed_and_removed_and_their_secrets_are_shown_once() {
    let mut house = House::new();
    let app = App::add(&house, &[]);
    let public = App::add(
        &house,
        &["--public", "--trusted", "--redirect", "org.example.app:/cb"],
    );
    assert_eq!(
        (app.secret.as_ref().map(String::len), public.secret),
        (Some(43), None)
    );
    let listed = String::from_utf8(house.run(&["client", "list"]).stdout).expect("text");
    let secret = app.secret.expect("a secret");
    assert!(listed.contains(&format!(
        "{}\tAblage & Co\tconfidential\tasks\tRS256\t{CALLBACK} {BYE}\n",
        app.id
    )));
    assert!(
        listed.contains("org.example.app:/cb") && !listed.contains(&secret),
        "{listed}"
    );
    for address in [
        "http://app.example.org/cb",
        "https://app.example.org/#x",
        "https://*.example.org/",
        "javascript:alert(1)",
        "org.example.app:/cb",
        "/cb",
    ] {
        let output = house.run(&["client", "add", "X", "--redirect", address]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && error.contains(address),
            "{address}: {error}"
        );
        assert_eq!(error.trim().lines().count(), 1, "one sentence: {error}");
    }
    assert!(!house.run(&["client", "remove", "nobody"]).status.success());
    assert!(
        house
            .run(&["client", "remove", &public.id])
            .status
            .success()
    );
    let listed = String::from_utf8(house.run(&["client", "list"]).stdout).expect("text");
    assert_eq!(listed.lines().count(), 1, "{listed}");

    house.start();
    house.person().get("/oidc/jwks").await;
    let data = house.directory.0.join("data");
    let mode = |path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(
        (mode(data.clone()), mode(data.join("sealing.key"))),
        (0o700, 0o600)
    );
    for file in fs::read_dir(&data).expect("a directory").flatten() {
        let bytes = fs::read(file.path()).expect("a file");
        let found = bytes
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!found, "the secret stands in {:?}", file.path());
    }
}

#[tokio::test]
async fn a_flood_is_told_to_come_later() {
    let (house, _) = House::new().with_anna().await;
    let app = App::add(&house, &[]);
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..400 {
        let request = app.way.request(Method::GET, "/oidc/authorize");
        crowd.spawn(async move { answer(request).await });
    }
    let refused: Vec<_> = crowd
        .join_all()
        .await
        .into_iter()
        .filter(|answer| answer.status == 429)
        .collect();
    assert!(!refused.is_empty(), "more than a burst came");
    for answer in refused {
        assert!(
            answer
                .header("retry-after")
                .parse::<u64>()
                .is_ok_and(|seconds| seconds > 0)
        );
    }
}

#[tokio::test]
async fn people_who_come_in_a_flood_read_a_page_that_leads_on() {
    let (house, _) = House::new().with_anna().await;
    let app = App::add(&house, &[]);
    let query = app.query(&[("ui_locales", "de")]);
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..400 {
        let path = format!("/oidc/authorize?{query}");
        let request = app.way.request(Method::GET, &path);
        crowd.spawn(async move { answer(request).await });
    }
    let answers = crowd.join_all().await;
    let busy = answers.iter().find(|answer| answer.status == 429);
    let busy = busy.expect("more than a burst came");
    assert!(busy.header("content-type").starts_with("text/html"));
    assert!(busy.text.contains("Gerade ist viel los"), "{}", busy.text);
    let again = format!("/oidc/authorize?{}", query.replace('&', "&amp;"));
    assert!(busy.text.contains(&again), "{}", busy.text);
}

#[tokio::test]
async fn mail_and_groups_are_told_to_those_who_ask_for_them() {
    let (house, anna) = House::new().with_anna().await;
    let app = App::add(&house, &["--trusted"]);
    let tokens = app.tokens(&anna, &[("scope", "openid email groups")]).await;
    assert_eq!(tokens["scope"], "openid email groups");
    let info = app
        .userinfo(tokens["access_token"].as_str().expect("a token"))
        .await
        .json();
    assert_eq!(info["groups"], json!([]));
    assert_eq!(info["email"], Value::Null, "she has none");
    assert_eq!(info["name"], Value::Null, "nobody asked");
}

#[tokio::test]
async fn the_sign_in_page_is_told_the_names_of_registered_applications_only() {
    let (house, _) = House::new().with_anna().await;
    let app = App::add(&house, &[]);
    let name = |id: String| {
        let way = house.person();
        async move {
            let query = encoded(&[("client_id", &id)]);
            way.get(&format!("/api/v1/applications?{query}")).await
        }
    };
    let known = name(app.id.clone()).await;
    assert_eq!(known.json(), json!({"name": "Ablage & Co"}));
    name("somebody".to_owned()).await.is(404, "not_found");
    name(String::new()).await.is(404, "not_found");
}
